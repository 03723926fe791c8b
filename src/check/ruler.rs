//! The slopes of a score to both sides of a value, as difference quotients.
//!
//! Receives a value, the gradient that is claimed there and the score as a function; gives a slope, two slopes, or none that is
//! stable. The step is halved until both slopes are stable and equal the gradient. If that never happens, the last step that rounding leaves usable
//! decides. Does not judge the gradient.

use crate::error::Result;

/// Limit on halvings of the step. At 1/4096 of the first step, rounding dominates.
const HALVINGS: usize = 12;

/// Step sizes and limits, in the units of one layer and class.
pub(super) struct Ruler {
    /// The first step, in units of the activation.
    pub(super) step: f64,
    /// The greatest difference between slopes that count as equal.
    pub(super) allowed: f64,
    /// The greatest rounding error of one score.
    pub(super) rounding: f64,
}

/// The result at one position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Finding {
    /// The same slope on both sides.
    Smooth(f64),
    /// Different slopes on the two sides.
    Kink([f64; 2]),
    /// The slopes did not become stable.
    Unsettled,
}

impl Ruler {
    /// Halves the step until the slopes equal the gradient; `smallest` keeps the smallest step used.
    ///
    /// A slope over a long step may miss a kink nearby, so a slope that differs from the gradient is measured again
    /// over shorter steps.
    pub(super) fn measure(
        &self,
        value: f32,
        gradient: f64,
        smallest: &mut f64,
        mut score: impl FnMut(f32) -> Result<f64>,
    ) -> Result<Finding> {
        let middle = score(value)?;
        let mut slope = |step: f64| -> Result<f64> {
            let moved = value + step as f32;
            Ok((score(moved)? - middle) / (f64::from(moved) - f64::from(value)))
        };
        // Half of the allowed difference, because two slopes that are compared may each be off.
        let same = |a: f64, b: f64| (a - b).abs() <= self.allowed / 2.0;
        let mut before: Option<[f64; 2]> = None;
        let mut finding = Finding::Unsettled;
        let mut step = self.step;
        for _ in 0..=HALVINGS {
            // A slope has the rounding of two scores. It may take up half of the allowed difference.
            if 8.0 * self.rounding > self.allowed * step {
                break;
            }
            *smallest = smallest.min(step);
            let [up, down] = [slope(step)?, slope(-step)?];
            let settled = before.is_some_and(|then| same(up, then[0]) && same(down, then[1]));
            let middle = (up + down) / 2.0;
            finding = match settled {
                true if same(up, down) => Finding::Smooth(middle),
                true => Finding::Kink([up, down]),
                false => Finding::Unsettled,
            };
            if matches!(finding, Finding::Smooth(_)) && (middle - gradient).abs() <= self.allowed {
                break;
            }
            before = Some([up, down]);
            step /= 2.0;
        }
        Ok(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULER: Ruler = Ruler { step: 2.0, allowed: 0.02, rounding: 1e-7 };

    /// What is found at `value` when the program under test claims that the slope there is `gradient`.
    fn measure(value: f32, gradient: f64, function: impl Fn(f64) -> f64) -> Finding {
        let mut smallest = RULER.step;
        RULER.measure(value, gradient, &mut smallest, |value| Ok(function(f64::from(value)))).unwrap()
    }

    #[track_caller]
    fn has_slope(value: f32, slope: f64, function: impl Fn(f64) -> f64) {
        for gradient in [slope, slope + 0.1, -7.0] {
            match measure(value, gradient, &function) {
                Finding::Smooth(found) => {
                    let distance = (found - slope).abs();
                    assert!(distance <= RULER.allowed, "with gradient {gradient}: {found} against {slope}");
                }
                other => panic!("with gradient {gradient}: {other:?}, expected the slope {slope}"),
            }
        }
    }

    #[test]
    fn a_smooth_function_has_its_derivative_whatever_is_claimed() {
        has_slope(0.7, 3.0, |x| 3.0 * x - 1.0);
        has_slope(0.7, 1.4, |x| x * x);
        has_slope(0.7, 0.7_f64.cos(), f64::sin);
        has_slope(-2.0, 0.0, |_| 5.0);
    }

    #[test]
    fn a_kink_nearby_is_stepped_away_from() {
        has_slope(0.3, 1.0, |x| x.max(0.0));
        has_slope(-0.3, 0.0, |x| x.max(0.0));
        // A dent on each side, which long steps miss.
        assert!(
            matches!(measure(0.0, 0.0, |x| x.signum() * (x.abs() - 0.01).max(0.0)), Finding::Smooth(slope) if slope == 0.0)
        );
    }

    #[test]
    fn a_kink_at_the_place_itself_is_called_one() {
        for gradient in [0.0, 0.5, 1.0] {
            let finding = measure(0.0, gradient, |x| x.max(0.0));
            let Finding::Kink([up, down]) = finding else { panic!("{finding:?}") };
            assert!((up - 1.0).abs() < 1e-6 && down.abs() < 1e-6, "{up}, {down}");
        }
        assert!(matches!(measure(0.0, 1.0, f64::abs), Finding::Kink(_)));
    }

    #[test]
    fn what_rounding_drowns_stays_unsettled() {
        assert_eq!(measure(0.0, 1.0, |x| (30_000.0 * x).sin()), Finding::Unsettled);
        let coarse = Ruler { rounding: 1.0, ..RULER };
        let finding = coarse.measure(0.0, 1.0, &mut 2.0, |x| Ok(f64::from(x))).unwrap();
        assert_eq!(finding, Finding::Unsettled);
    }
}
