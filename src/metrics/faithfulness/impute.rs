//! Removed pixels filled in from those around them, so that the shape of the removed area shows as little as possible.

use super::dissection::{System, neighbours, solve};

/// ROAD's imputation (Rong et al. 2022, arXiv:2202.00449, section 5.1) without its noise: each missing pixel is the weighted mean of its
/// eight neighbours, those at its sides weighing 1/6 and those at its corners 1/12, all missing pixels at once. At the picture's edge the
/// weights of the neighbours that exist are divided by their sum.
///
/// `values` are `[channels, height, width]`, changed where `missing` is true. Where every pixel is missing nothing determines them, and
/// they become 0, as in pytorch-grad-cam.
pub(super) fn impute(values: &mut [f32], size: [usize; 2], missing: &[bool]) {
    let pixels = size[0] * size[1];
    if missing.iter().all(|missing| *missing) {
        values.fill(0.0);
        return;
    }
    let channels = values.len() / pixels;
    let solution = solve(&Mean { values, size, missing }, size, channels);
    for (channel, values) in values.chunks_exact_mut(pixels).enumerate() {
        let filled = values.iter_mut().enumerate().filter(|(pixel, _)| missing[*pixel]);
        filled.for_each(|(pixel, value)| *value = solution[pixel * channels + channel] as f32);
    }
}

/// `sum of weights * x = weighted sum of the neighbours`, symmetric because each pair of neighbours has one weight.
struct Mean<'a> {
    values: &'a [f32],
    size: [usize; 2],
    missing: &'a [bool],
}

impl Mean<'_> {
    fn weight(&self, pixel: usize, neighbour: usize) -> f64 {
        let width = self.size[1];
        let is_beside = pixel / width == neighbour / width || pixel % width == neighbour % width;
        if is_beside { 1.0 / 6.0 } else { 1.0 / 12.0 }
    }
}

impl System for Mean<'_> {
    fn is_unknown(&self, pixel: usize) -> bool {
        self.missing[pixel]
    }

    fn diagonal(&self, pixel: usize) -> f64 {
        neighbours(pixel, self.size).map(|neighbour| self.weight(pixel, neighbour)).sum()
    }

    fn coupling(&self, pixel: usize, neighbour: usize) -> f64 {
        -self.weight(pixel, neighbour)
    }

    fn right(&self, pixel: usize, sides: &mut [f64]) {
        sides.fill(0.0);
        for neighbour in neighbours(pixel, self.size).filter(|neighbour| !self.missing[*neighbour]) {
            let weight = self.weight(pixel, neighbour);
            let known = self.values[neighbour..].iter().step_by(self.missing.len());
            sides.iter_mut().zip(known).for_each(|(side, value)| *side += weight * f64::from(*value));
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
        impute(&mut values, [3, 3], &mask(9, missing));
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
        impute(&mut values, [4, 4], &mask(16, &[5, 6, 9, 15]));
        let expected = [(5, 4.145_161_6), (6, 5.473_945_6), (9, 5.397_022_2), (15, 3.8)];
        for (pixel, expected) in expected {
            assert!((values[pixel] - expected).abs() < 1e-6, "{}, expected {expected}", values[pixel]);
        }
    }

    #[test]
    fn each_missing_pixel_of_a_large_picture_is_the_mean_of_its_neighbours_in_each_channel() {
        let size = [61, 97];
        let pixels = size[0] * size[1];
        // Seven of ten are missing, in blobs and scattered.
        let missing: Vec<bool> = (0..pixels)
            .map(|pixel| {
                let (row, column) = (pixel / size[1], pixel % size[1]);
                (row * 7 + column * 13) % 11 < 4 || (row / 20 + column / 15) % 2 == 0
            })
            .collect();
        let mut values: Vec<f32> = (0..2 * pixels).map(|at| ((at * 31) % 101) as f32 / 50.0 - 1.0).collect();
        let before = values.clone();
        impute(&mut values, size, &missing);
        for (at, value) in values.iter().enumerate() {
            let (channel, pixel) = (at / pixels, at % pixels);
            if !missing[pixel] {
                assert_eq!(*value, before[at]);
                continue;
            }
            let mean = Mean { values: &values[channel * pixels..], size, missing: &missing };
            let around = neighbours(pixel, size)
                .map(|other| mean.weight(pixel, other) * f64::from(mean.values[other]));
            let expected = around.sum::<f64>() / mean.diagonal(pixel);
            assert!((f64::from(*value) - expected).abs() < 1e-6, "pixel {at}: {value}, expected {expected}");
        }
    }
}
