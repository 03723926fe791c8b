//! The first principal component, for methods based on the direction in which activations vary most.
//!
//! Only the leading eigenvector of a symmetric matrix is needed, so the Lanczos process with full reorthogonalisation
//! computes it (Golub and Van Loan, "Matrix Computations", 4th edition, section 10.3): a few dozen products with the
//! matrix at any size.

/// Differences within this share of the values are rounding.
pub(super) const ROUNDING: f64 = 1e-13;
/// Limit on Lanczos steps, and on the size of the resulting small matrix.
const STEPS: usize = 60;
/// Steps between checks for convergence, which cost more than a step.
const STRIDE: usize = 8;
/// Converged when the residual is within this share of the eigenvalue. Maps are in single precision, so this is
/// ample.
const CLOSE: f64 = 1e-11;
/// Limit on squarings of the small matrix, whose powers converge to the leading eigenvector.
const SQUARINGS: usize = 40;

/// The coordinate of every position along the first principal component, `[positions]`.
///
/// # Shapes
/// `elements` is `[channels, positions]`. A position is a point with one coordinate per channel; the mean point is
/// subtracted. The sign agrees with the sum over channels, so that bright means active.
pub(super) fn projection(elements: &[f64], channels: usize) -> Vec<f64> {
    let positions = elements.len() / channels.max(1);
    let centered = centered(elements, positions);
    // X X^T u without forming the matrix: positions -> channels -> positions.
    let product = |u: &[f64]| -> Vec<f64> {
        // At 112 by 112 positions the matrix would take 1.2 GB.
        let mut out = vec![0.0; positions];
        for channel in centered.chunks(positions) {
            let weight = dot(channel, u);
            out.iter_mut().zip(channel).for_each(|(out, value)| *out += weight * value);
        }
        out
    };
    let (direction, eigenvalue) = leading(positions, product);
    // The matrix has no negative eigenvalues, but rounding may give a small one.
    let scale = eigenvalue.max(0.0).sqrt();
    toward_activity(direction.into_iter().map(|value| value * scale).collect(), &centered)
}

/// The largest norm of any position's point, `elements` as for [`projection`], without centring.
pub(super) fn size(elements: &[f64], channels: usize) -> f64 {
    let positions = elements.len() / channels.max(1);
    let mut squares = vec![0.0_f64; positions];
    elements.iter().enumerate().for_each(|(at, element)| squares[at % positions] += element * element);
    squares.into_iter().fold(0.0, f64::max).sqrt()
}

/// Flips a projection that is negatively correlated with the sum over channels of `[channels, positions]`.
pub(super) fn toward_activity(projection: Vec<f64>, elements: &[f64]) -> Vec<f64> {
    let agreement: f64 = elements.chunks(projection.len()).map(|channel| dot(channel, &projection)).sum();
    if agreement < 0.0 { projection.into_iter().map(|value| -value).collect() } else { projection }
}

/// `[channels, positions]` with every channel's mean over the positions subtracted. A constant channel becomes
/// exactly zero, not the rounding error of its mean.
pub(super) fn centered(elements: &[f64], positions: usize) -> Vec<f64> {
    let center = |channel: &[f64]| {
        let mean = channel.iter().sum::<f64>() / positions as f64;
        let rest =
            |value: &f64| if (value - mean).abs() <= ROUNDING * mean.abs() { 0.0 } else { value - mean };
        channel.iter().map(rest).collect::<Vec<_>>()
    };
    elements.chunks(positions).flat_map(center).collect()
}

/// The unit eigenvector with the greatest eigenvalue, and that eigenvalue, of a symmetric matrix of size `size` given
/// by its product with a vector.
pub(super) fn leading(size: usize, product: impl Fn(&[f64]) -> Vec<f64>) -> (Vec<f64>, f64) {
    // An irregular start vector, which is not orthogonal to symmetric or antisymmetric eigenvectors.
    let start = (0..size).map(|at| 1.0 + (at as f64 * 0.7548776662466927).fract()).collect();
    let mut basis: Vec<Vec<f64>> = vec![unit(start)];
    let mut small = Vec::new();
    loop {
        let last = basis.len() - 1;
        let mut next = product(&basis[last]);
        small.push(basis.iter().map(|vector| dot(vector, &next)).collect::<Vec<f64>>());
        let before = length(&next);
        // Twice is enough (Parlett, "The Symmetric Eigenvalue Problem", section 6.9): one pass leaves rounding
        // errors of the size of what it takes away, which would bring found directions back.
        for _ in 0..2 {
            for vector in &basis {
                let along = dot(vector, &next);
                next.iter_mut().zip(vector).for_each(|(next, value)| *next -= along * value);
            }
        }
        // What is left of an exhausted space is rounding, and no direction.
        let ended = basis.len() == STEPS.min(size) || length(&next) <= 1e-12 * before;
        if ended || basis.len().is_multiple_of(STRIDE) {
            let (weights, eigenvalue) = leading_of_small(&small);
            if ended || length(&next) * weights[last].abs() <= CLOSE * eigenvalue.abs() {
                return (unit(combined(&weights, &basis)), eigenvalue);
            }
        }
        basis.push(unit(next));
    }
}

fn combined(weights: &[f64], basis: &[Vec<f64>]) -> Vec<f64> {
    let mut vector = vec![0.0; basis[0].len()];
    for (weight, direction) in weights.iter().zip(basis) {
        vector.iter_mut().zip(direction).for_each(|(out, value)| *out += weight * value);
    }
    vector
}

/// The same for a small matrix, given as the rows of its lower triangle, by repeated squaring.
fn leading_of_small(lower: &[Vec<f64>]) -> (Vec<f64>, f64) {
    let size = lower.len();
    let at = |i: usize, j: usize| if i >= j { lower[i][j] } else { lower[j][i] };
    let bound = (0..size).map(|i| (0..size).map(|j| at(i, j).abs()).sum::<f64>()).fold(0.0, f64::max);
    if bound == 0.0 {
        return (unit(vec![1.0; size]), 0.0);
    }
    // Shifted, so that the greatest eigenvalue also has the largest magnitude.
    let mut power: Vec<Vec<f64>> = (0..size)
        .map(|i| (0..size).map(|j| at(i, j) / bound + if i == j { 1.0 } else { 0.0 }).collect())
        .collect();
    for _ in 0..SQUARINGS {
        // Symmetric, so rows are columns.
        let mut square: Vec<Vec<f64>> =
            power.iter().map(|row| power.iter().map(|column| dot(row, column)).collect()).collect();
        let greatest = square.iter().flatten().fold(0.0_f64, |most, value| most.max(value.abs()));
        square.iter_mut().flatten().for_each(|value| *value /= greatest);
        let pairs = square.iter().flatten().zip(power.iter().flatten());
        let settled = pairs.map(|(new, old)| (new - old).abs()).fold(0.0, f64::max) <= f64::EPSILON;
        power = square;
        if settled {
            break;
        }
    }
    let strongest = power.iter().max_by(|a, b| length(a).total_cmp(&length(b))).cloned().unwrap_or_default();
    let vector = unit(strongest);
    let image: Vec<f64> = (0..size).map(|i| (0..size).map(|j| at(i, j) * vector[j]).sum()).collect();
    let eigenvalue = dot(&vector, &image);
    (vector, eigenvalue)
}

/// In eight parallel sums, which vectorise, always in the same order.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, last_a), (b, last_b)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        (0..8).for_each(|lane| sums[lane] += a[lane] * b[lane]);
    }
    let rest: f64 = last_a.iter().zip(last_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

fn length(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

fn unit(vector: Vec<f64>) -> Vec<f64> {
    let length = length(&vector);
    if length > 0.0 { vector.into_iter().map(|value| value / length).collect() } else { vector }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leading_direction_of_a_known_matrix() {
        // Eigenvalues 3 along (1, 1) and 1 along (1, -1).
        let (vector, value) = leading(2, |u| vec![2.0 * u[0] + u[1], u[0] + 2.0 * u[1]]);
        assert!((value - 3.0).abs() < 1e-12);
        assert!((vector[0] - vector[1]).abs() < 1e-9);
    }

    #[test]
    fn it_is_an_eigenvector_of_a_large_matrix() {
        // A^T A for a fixed pseudo-random A, 300 by 300.
        let size = 300;
        let entry = |i: usize, j: usize| (((i * 7919 + j * 104_729) % 1009) as f64 / 1009.0) - 0.5;
        let product = |u: &[f64]| -> Vec<f64> {
            let image: Vec<f64> = (0..40).map(|i| (0..size).map(|j| entry(i, j) * u[j]).sum()).collect();
            (0..size).map(|j| (0..40).map(|i| entry(i, j) * image[i]).sum()).collect()
        };
        let (vector, value) = leading(size, product);
        let image = product(&vector);
        let error = image.iter().zip(&vector).map(|(a, b)| (a - value * b).abs()).fold(0.0, f64::max);
        assert!(error < 1e-8 * value, "{error} of {value}");
    }

    #[test]
    fn a_dot_product_takes_every_number_once() {
        let (a, b): (Vec<f64>, Vec<f64>) = (1..=19).map(|at| (f64::from(at), f64::from(20 - at))).unzip();
        assert_eq!(dot(&a, &b), 1330.0);
    }

    #[test]
    fn eigenvalues_that_lie_close_are_told_apart() {
        // A diagonal: 2, then 1.9 and less.
        let diagonal: Vec<f64> =
            (0..100).map(|at| if at == 70 { 2.0 } else { 1.9 - f64::from(at) / 100.0 }).collect();
        let product = |u: &[f64]| u.iter().zip(&diagonal).map(|(u, value)| u * value).collect();
        let (vector, value) = leading(100, product);
        assert!((value - 2.0).abs() < 1e-9 && (vector[70].abs() - 1.0).abs() < 1e-9, "{value}");
    }

    #[test]
    fn the_projection_points_to_activity() {
        // Both channels rise together: the component is (1, 2) / sqrt(5), the projections its multiples.
        let map = projection(&[0.0, 1.0, 2.0, 0.0, 2.0, 4.0], 2);
        let root = 5.0_f64.sqrt();
        for (value, expected) in map.iter().zip([-root, 0.0, root]) {
            assert!((value - expected).abs() < 1e-9, "{map:?}");
        }
    }

    #[test]
    fn constant_channels_project_to_zero() {
        assert_eq!(projection(&[3.0; 8], 2), [0.0; 4]);
        assert_eq!(projection(&[0.1 * 0.7; 98], 2), [0.0; 49]);
    }
}
