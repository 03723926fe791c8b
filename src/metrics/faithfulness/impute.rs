//! Removed pixels filled in from those around them, so that the shape of the removed area shows as little as possible.

use super::dissection::{Grid, Weights};

/// ROAD's imputation (Rong et al. 2022, arXiv:2202.00449, section 5.1) without its noise: each missing pixel is the weighted mean of its
/// eight neighbours, those at its sides weighing 1/6 and those at its corners 1/12, all missing pixels at once. At the picture's edge the
/// weights of the neighbours that exist are divided by their sum.
const WEIGHTS: Weights = Weights { side: 1.0 / 6.0, corner: 1.0 / 12.0 };

/// Imputes pictures of one size.
#[derive(Debug)]
pub(super) struct Imputation {
    size: [usize; 2],
    grid: Grid,
}

impl Imputation {
    /// For pictures with this many rows and columns.
    pub(super) fn new(size: [usize; 2]) -> Self {
        Self { size, grid: Grid::new(size, WEIGHTS) }
    }

    /// Fills in `values`, `[channels, height, width]`, where `missing` is true. Where every pixel is missing nothing determines them, and
    /// they become 0, as in pytorch-grad-cam.
    pub(super) fn fill(&mut self, values: &mut [f32], missing: &[bool]) {
        if missing.iter().all(|missing| *missing) {
            values.fill(0.0);
            return;
        }
        let mut sides = vec![0.0; values.len()];
        for pixel in (0..missing.len()).filter(|pixel| missing[*pixel]) {
            let known = WEIGHTS.around(pixel, self.size).filter(|(neighbour, _)| !missing[*neighbour]);
            known.for_each(|(neighbour, weight)| {
                let channels = (0..values.len()).step_by(missing.len());
                channels.for_each(|first| {
                    sides[first + pixel] += weight * f64::from(values[first + neighbour]);
                });
            });
        }
        self.grid.solve(missing, &mut sides);
        for (values, filled) in values.chunks_exact_mut(missing.len()).zip(sides.chunks(missing.len())) {
            let filled = values.iter_mut().zip(filled).zip(missing).filter(|(_, missing)| **missing);
            filled.for_each(|((value, filled), _)| *value = *filled as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture 1 to 9, some of its pixels missing, and what becomes of these.
    #[track_caller]
    fn check(missing: &[usize], expected: &[f32]) {
        let mut values: Vec<f32> = (1..10).map(|value| value as f32).collect();
        let before = values.clone();
        Imputation::new([3, 3]).fill(&mut values, &mask(9, missing));
        for (pixel, value) in values.iter().enumerate() {
            let place = missing.iter().position(|missing| *missing == pixel);
            let expected = place.map_or(before[pixel], |place| expected[place]);
            assert!((value - expected).abs() < 1e-6, "pixel {pixel}: {value}, expected {expected}");
        }
    }

    fn mask(pixels: usize, missing: &[usize]) -> Vec<bool> {
        (0..pixels).map(|pixel| missing.contains(&pixel)).collect()
    }

    #[test]
    fn missing_pixels_are_those_of_pytorch_grad_cam() {
        check(&[], &[]);
        check(&[4], &[5.0]);
        check(&[0], &[3.4]);
        check(&[1], &[3.5]);
        check(&[4, 5], &[4.913_043_5, 5.478_261]);
        check(&[0, 1, 2], &[4.6, 5.0, 5.4]);
        check(&[0, 1, 2, 3, 4, 5, 6, 7], &[9.0; 8]);
        check(&[0, 1, 2, 3, 4, 5, 6, 7, 8], &[0.0; 9]);
    }

    #[test]
    fn missing_pixels_apart_from_each_other_are_those_of_pytorch_grad_cam() {
        let mut values = [4.0, 1.0, 7.0, 2.0, 0.0, 5.0, 3.0, 8.0, 6.0, 2.0, 9.0, 1.0, 3.0, 7.0, 4.0, 5.0];
        Imputation::new([4, 4]).fill(&mut values, &mask(16, &[5, 6, 9, 15]));
        let expected = [(5, 4.145_161_6), (6, 5.473_945_6), (9, 5.397_022_2), (15, 3.8)];
        for (pixel, expected) in expected {
            assert!((values[pixel] - expected).abs() < 1e-6, "{}, expected {expected}", values[pixel]);
        }
    }

    #[test]
    fn each_missing_pixel_of_a_large_picture_is_the_mean_of_its_neighbours_in_each_channel() {
        let size = [61, 97];
        // Seven of ten are missing, in blobs and scattered.
        let some = |row: usize, column: usize| {
            (row * 7 + column * 13) % 11 < 4 || (row / 20 + column / 15).is_multiple_of(2)
        };
        // Of this most is inside of what is missing, and of the next what is missing touches three edges.
        let disc = |row: usize, column: usize| row.abs_diff(30).pow(2) + column.abs_diff(48).pow(2) < 29 * 29;
        let most = |row: usize, column: usize| row > 3 || column == 50;
        let mut imputation = Imputation::new(size);
        let masks: [&dyn Fn(usize, usize) -> bool; 4] = [&some, &disc, &most, &some];
        let missing = |is_missing: &dyn Fn(usize, usize) -> bool| {
            (0..size[0] * size[1])
                .map(|pixel| is_missing(pixel / size[1], pixel % size[1]))
                .collect::<Vec<_>>()
        };
        masks.into_iter().for_each(|mask| check_means(&mut imputation, size, &missing(mask)));
    }

    /// All with one imputation, which keeps what systems share.
    #[track_caller]
    fn check_means(imputation: &mut Imputation, size: [usize; 2], missing: &[bool]) {
        let pixels = missing.len();
        let mut values: Vec<f32> = (0..2 * pixels).map(|at| ((at * 31) % 101) as f32 / 50.0 - 1.0).collect();
        let before = values.clone();
        imputation.fill(&mut values, missing);
        for (at, value) in values.iter().enumerate() {
            let (channel, pixel) = (at / pixels, at % pixels);
            if !missing[pixel] {
                assert_eq!(*value, before[at]);
                continue;
            }
            let around = WEIGHTS
                .around(pixel, size)
                .map(|(other, weight)| [weight * f64::from(values[channel * pixels + other]), weight]);
            let [sum, weights] =
                around.fold([0.0; 2], |[sum, weights], [value, weight]| [sum + value, weights + weight]);
            let expected = sum / weights;
            assert!((f64::from(*value) - expected).abs() < 1e-6, "pixel {at}: {value}, expected {expected}");
        }
    }
}
