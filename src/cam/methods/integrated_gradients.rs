//! Integrated gradients.
//!
//! Sundararajan et al., "Axiomatic Attribution for Deep Networks", ICML 2017, arXiv:1703.01365, equations 1 and 3:
//! the gradient along the path from the baseline to the picture. The map sums to the difference of the two scores.
//!
//! ```text
//! M_ij = sum_colour  x_ij  integral_0^1 dy^c/dx_ij at t x  dt
//! ```
//!
//! The baseline is zero in the network's input, for most networks the mean colour. The integral uses the
//! Gauss-Legendre rule with `N` points, as in captum; xplique uses the trapezoidal rule, and the mean over colours.

use super::input_x_gradient::times_input;
use crate::cam::definition::{Definition, MethodInfo, Reads, Run, Traits};
use crate::cam::options::Library;
use crate::cam::pixels;
use crate::cam::question::Question;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "integratedgradients",
        title: "Integrated gradients",
        also: &["ig"],
        summary: "the gradient along the way from nothing to the picture",
        formula: "sum_colour x (.) int_0^1 dy/dx(t x) dt",
        paper: "Sundararajan et al., ICML 2017, arXiv:1703.01365",
        cost: "N forwards and backwards (N = 50)",
        uses_layer: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Pixels(maps),
    traits: Traits {
        libraries: &[Library::Captum, Library::Xplique],
        reads: &[Reads::Samples, Reads::BatchSize],
        fine: true,
        ..Traits::PLAIN
    },
};

/// Points on the path, as many as in captum. The paper finds 20 to 300 sufficient.
const STEPS: usize = 50;

fn maps(question: &Question) -> Result<Vec<Vec<f32>>> {
    let values = question.values();
    let steps = question.options.samples_or(STEPS);
    let points = if question.follows(Library::Xplique) { trapezoid(steps) } else { gauss_legendre(steps) };
    let on_the_way =
        |at: usize| values.iter().map(|value| (points[at].0 * f64::from(*value)) as f32).collect();
    let means = pixels::weighted_gradients(question, points.len(), on_the_way, |at| points[at].1)?;
    Ok(means.iter().map(|mean| times_input(question, mean)).collect())
}

/// Points and weights on 0 to 1, including both ends.
fn trapezoid(count: usize) -> Vec<(f64, f64)> {
    // One point would be an interval of length zero.
    let intervals = count.saturating_sub(1).max(1) as f64;
    let point = |at: usize| {
        let weight = if at == 0 || at + 1 == count { 0.5 } else { 1.0 };
        (at as f64 / intervals, weight / intervals)
    };
    (0..count).map(point).collect()
}

/// Points and weights on 0 to 1: roots of the Legendre polynomial of this degree, found by Newton's method.
pub(super) fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let point = |index: usize| {
        // The first guess of `gauleg` in Numerical Recipes, from which Newton's method finds each root once.
        let mut x = (std::f64::consts::PI * (index as f64 + 0.75) / (count as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut before, mut value) = (0.0, 1.0);
            for degree in 0..count {
                let degree = degree as f64;
                (before, value) =
                    (value, ((2.0 * degree + 1.0) * x * value - degree * before) / (degree + 1.0));
            }
            slope = count as f64 * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            // A few steps are enough; the limit only ends the loop where rounding keeps the step above this.
            if step.abs() < 1e-15 {
                break;
            }
        }
        (0.5 * (1.0 - x), 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_exact_for_polynomials() {
        // Three points integrate up to the fifth power: int_0^1 t^5 = 1/6.
        let points = gauss_legendre(3);
        let integral: f64 = points.iter().map(|(t, weight)| weight * t.powi(5)).sum();
        assert!((integral - 1.0 / 6.0).abs() < 1e-14, "{integral}");
        assert!((points.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-14);
    }
}
