//! Examines, operation by operation, a gradient that is not a slope of the whole head.
//!
//! Pools tie where a map is constant over several cells, for example along a padded border. Each picks one of several
//! equal values, and where ties meet, the head may have the same slope on both sides while the chain rule gives
//! another. Such a gradient is correct, because every framework defines it that way. It is accepted if it equals the
//! chain of the operations' own gradients, if each of these is between its operation's slopes on both sides wherever
//! the change passes, and if one operation does have two slopes there.

use std::collections::BTreeSet;

use super::GradientCheck;
use crate::engine::{Local, Locals, Network, Trunk};
use crate::error::{Error, Result};

/// Elements examined in each input and output.
const SAMPLE: usize = 4;

/// Steps tried, each a quarter of the one before: the function may bend within the first.
const SHORTENED: usize = 5;

/// The smallest step, as a share of the largest value in the tensor, for which rounding leaves a usable slope.
const LEAST: f32 = 1.0 / 16_384.0;

/// The head at given activations.
pub(super) struct SecondLook<'a> {
    network: &'a Network,
    trunk: &'a Trunk,
    activations: &'a [f32],
    base: Locals<'a>,
    chain: Vec<f32>,
}

impl<'a> SecondLook<'a> {
    pub(super) fn new(
        network: &'a Network,
        trunk: &'a Trunk,
        activations: &'a [f32],
        class: usize,
    ) -> Result<Self> {
        let base = network.locals(trunk, activations.to_vec())?;
        let chain = base.gradient(class)?;
        Ok(Self { network, trunk, activations, base, chain })
    }

    /// Whether `gradient`, up to `allowed`, is correct at the activation `at` although steps by `step` show another
    /// slope.
    pub(super) fn accepts(&self, at: usize, gradient: f64, allowed: f64, step: f64) -> Result<bool> {
        // Cheapest first: where the chain of the own gradients says something else, the sum of them is wrong.
        if (f64::from(self.chain[at]) - gradient).abs() > allowed {
            return Ok(false);
        }
        let moved = |by: f64| {
            let mut activations = self.activations.to_vec();
            activations[at] += by as f32;
            self.network.locals(self.trunk, activations)
        };
        let (up, down) = (moved(step)?, moved(-step)?);
        let mut has_kink = false;
        for ((base, up), down) in self.base.steps()?.iter().zip(up.steps()?).zip(down.steps()?) {
            let mut is_straight = true;
            for &which in base.moving() {
                is_straight &= !bends(&base.input(which)?, &up.input(which)?, &down.input(which)?);
                let moves = Moves::between(base, [&up, &down], which)?;
                for place in moves.places() {
                    match moves.judge(base, place)? {
                        Slope::Wrong => return Ok(false),
                        found => has_kink |= found == Slope::Kink,
                    }
                }
            }
            // Also accept a kink at an element that was not sampled.
            has_kink |= is_straight && bends(&base.output()?, &up.output()?, &down.output()?);
        }
        Ok(has_kink)
    }
}

/// An operation's gradient compared with its slopes on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slope {
    /// Both sides have the same slope, equal to the gradient.
    Smooth,
    /// The slopes differ, and the gradient is between them.
    Kink,
    /// The gradient is outside.
    Wrong,
}

impl Slope {
    /// Compares `gradient` with the slopes of both sides; differences up to `allowed` count as equal.
    pub(super) fn of(gradient: f64, sides: [f64; 2], allowed: f64) -> Self {
        match () {
            () if outside(gradient, sides) > allowed => Self::Wrong,
            () if (sides[0] - sides[1]).abs() > allowed => Self::Kink,
            () => Self::Smooth,
        }
    }
}

/// The distance of a gradient from the interval between the slopes of both sides.
pub(super) fn outside(gradient: f64, [a, b]: [f64; 2]) -> f64 {
    (a.min(b) - gradient).max(gradient - a.max(b)).max(0.0)
}

/// How one input of an operation changes as the activation changes.
struct Moves {
    which: usize,
    values: Vec<f32>,
    output: Vec<f32>,
    /// The greatest change of each element.
    reach: Vec<f32>,
    /// For each element, the difference between its changes to either side, where it changes on both.
    bend: Vec<f32>,
}

impl Moves {
    fn between(base: &Local<'_>, moved: [&Local<'_>; 2], which: usize) -> Result<Self> {
        let values = base.input(which)?;
        let mut reach = vec![0.0_f32; values.len()];
        for side in moved {
            for ((reach, value), moved) in reach.iter_mut().zip(&values).zip(side.input(which)?) {
                *reach = reach.max((moved - value).abs());
            }
        }
        // Only operations on each element have an output for each input to compare.
        let (output, [up, down]) = (base.output()?, [moved[0].output()?, moved[1].output()?]);
        let mut bend = Vec::new();
        if output.len() == values.len() {
            let sides = output.iter().zip(up.iter().zip(&down));
            bend.extend(sides.map(|(value, (up, down))| ((up - value) + (down - value)).abs()));
        }
        Ok(Self { which, values, output, reach, bend })
    }

    /// The elements that change most, and those that bend most.
    fn places(&self) -> BTreeSet<usize> {
        let bent = greatest(&self.bend).into_iter().filter(|place| self.reach[*place] > 0.0);
        greatest(&self.reach).into_iter().chain(bent).collect()
    }

    /// Compares the operation's gradients with respect to one input element with its slopes, over ever shorter steps.
    fn judge(&self, base: &Local<'_>, place: usize) -> Result<Slope> {
        let least = LEAST * largest(&self.values);
        let mut step = self.reach[place].max(least);
        for shortened in 0..SHORTENED {
            let OutputSlopes { slopes, allowed, rounding } = self.output_slopes(base, place, step)?;
            // A step at which rounding dominates proves nothing, but at least one step must be judged.
            if shortened > 0 && rounding > allowed {
                break;
            }
            let mut found = Slope::Smooth;
            for (number, sides) in slopes {
                let gradient = f64::from(base.slopes(number, self.which)?[place]);
                found = found.max(Slope::of(gradient, sides, allowed + rounding));
            }
            if found != Slope::Wrong {
                return Ok(found);
            }
            step /= 4.0;
        }
        Ok(Slope::Wrong)
    }

    /// The slopes of the outputs that change most when the element changes by `step` to either side.
    fn output_slopes(&self, base: &Local<'_>, place: usize, step: f32) -> Result<OutputSlopes> {
        let mut sides = Vec::new();
        for step in [step, -step] {
            let mut values = self.values.clone();
            values[place] += step;
            // The step that was really made: next to a large value a small one is rounded.
            let by = f64::from(values[place]) - f64::from(self.values[place]);
            let moved = base.output_of(self.which, values)?;
            let rises =
                moved.iter().zip(&self.output).map(|(moved, value)| f64::from(*moved) - f64::from(*value));
            sides.push(rises.map(|rise| rise / by).collect::<Vec<f64>>());
        }
        let [up, down] = &sides[..] else { return Err(Error::internal("a slope has two sides")) };
        let steepest: Vec<f32> = up.iter().zip(down).map(|(a, b)| a.abs().max(b.abs()) as f32).collect();
        Ok(OutputSlopes {
            slopes: greatest(&steepest)
                .into_iter()
                .map(|number| (number, [up[number], down[number]]))
                .collect(),
            allowed: GradientCheck::LIMIT * f64::from(largest(&steepest)),
            rounding: 4.0 * f64::from(f32::EPSILON * largest(&self.output) / step),
        })
    }
}

/// Slopes on both sides for each output element.
struct OutputSlopes {
    slopes: Vec<(usize, [f64; 2])>,
    /// Slopes this close count as equal.
    allowed: f64,
    /// The effect of rounding on a slope.
    rounding: f64,
}

/// Whether values change more to one side than to the other.
fn bends(values: &[f32], up: &[f32], down: &[f32]) -> bool {
    let sides = || values.iter().zip(up.iter().zip(down));
    let moved = sides().map(|(value, (up, down))| (up - value).abs().max((down - value).abs()));
    let bent = sides().map(|(value, (up, down))| ((up - value) + (down - value)).abs());
    let [moved, bent] = [moved.fold(0.0, f32::max), bent.fold(0.0, f32::max)];
    f64::from(bent)
        > GradientCheck::LIMIT * f64::from(moved) + f64::from(8.0 * f32::EPSILON * largest(values))
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, value| most.max(value.abs()))
}

/// Indices of the largest nonzero values.
fn greatest(sizes: &[f32]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..sizes.len()).filter(|at| sizes[*at] > 0.0).collect();
    places.sort_by(|a, b| sizes[*b].total_cmp(&sizes[*a]));
    places.truncate(SAMPLE);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gradient_lies_between_the_slopes_of_both_sides_or_is_wrong() {
        let of = |gradient| Slope::of(gradient, [1.0, 0.0], 0.01);
        assert_eq!([of(0.0), of(0.4), of(1.0)], [Slope::Kink; 3]);
        assert_eq!([of(-0.1), of(1.5)], [Slope::Wrong; 2]);
        assert_eq!(Slope::of(1.0, [1.005, 0.999], 0.01), Slope::Smooth);
    }

    #[test]
    fn what_moves_to_one_side_only_bends() {
        assert!(bends(&[0.0, 5.0], &[0.1, 5.0], &[0.0, 5.0]));
        assert!(!bends(&[0.0, 5.0], &[0.1, 5.2], &[-0.1, 4.8]));
        assert!(!bends(&[5.0], &[5.0 + 1e-6], &[5.0]));
    }

    #[test]
    fn the_greatest_places_are_looked_at_and_none_that_stays() {
        assert_eq!(greatest(&[0.0, 2.0, 0.0, 3.0]), [3, 1]);
        assert_eq!(greatest(&[1.0; 9]).len(), SAMPLE);
    }
}
