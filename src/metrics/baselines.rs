//! Maps that know nothing of the network. A method that is no better than these has shown nothing.
//!
//! Receives sizes, seeds and the network's input; gives maps without negative values.

use crate::map::Map;
use crate::noise::Noise;

/// The stream of random numbers that is the baselines'.
const PURPOSE: u64 = 5 << 32;

/// Deviation of the Gaussian as a share of each side: at the middle of a border it has fallen to 0.14.
const DEVIATION: f64 = 0.25;

/// Uniform random values in 0 to 1, `[height, width]`, different for each picture: the input's values are part of the seed.
///
/// With one map for all pictures a run would be a single draw. `None` for a side of zero.
#[must_use]
pub fn random(seed: u64, input: &[f32], height: usize, width: usize) -> Option<Map> {
    let mut noise = Noise::of_picture(seed, input, PURPOSE);
    Map::new(height, width, (0..height * width).map(|_| noise.uniform() as f32).collect())
}

/// A Gaussian around the centre, `[height, width]`, greatest in the middle, with a deviation of a quarter of each side: what is known of
/// where photographers put their subject. `None` for a side of zero.
#[must_use]
pub fn centre(height: usize, width: usize) -> Option<Map> {
    let distance = |at: usize, side: usize| {
        let from_middle = (at as f64 + 0.5) / side as f64 - 0.5;
        (from_middle / DEVIATION).powi(2)
    };
    let value =
        |at: usize| (-(distance(at / width, height) + distance(at % width, width)) / 2.0).exp() as f32;
    Map::new(height, width, (0..height * width).map(value).collect())
}

/// The edges of the network's input, `[channels, height, width]`: the length of Sobel's gradient, averaged over the channels. Pixels beyond the
/// border repeat it.
///
/// Adebayo et al. (arXiv:1810.03292) found that maps of some methods are hardly more than this. `None` when the count of values is another, or
/// one is not finite.
#[must_use]
pub fn edges(input: &[f32], channels: usize, height: usize, width: usize) -> Option<Map> {
    if channels == 0 || height == 0 || width == 0 || input.len() != channels * height * width {
        return None;
    }
    let length = |plane: &[f32], at: usize| {
        let (row, column) = (at / width, at % width);
        let rows = [row.saturating_sub(1), row, (row + 1).min(height - 1)];
        let columns = [column.saturating_sub(1), column, (column + 1).min(width - 1)];
        let pixel = |row: usize, column: usize| f64::from(plane[rows[row] * width + columns[column]]);
        let across = |row: usize| pixel(row, 2) - pixel(row, 0);
        let down = |column: usize| pixel(2, column) - pixel(0, column);
        (across(0) + 2.0 * across(1) + across(2)).hypot(down(0) + 2.0 * down(1) + down(2))
    };
    let planes: Vec<&[f32]> = input.chunks_exact(height * width).collect();
    let mean = |at: usize| planes.iter().map(|plane| length(plane, at)).sum::<f64>() / channels as f64;
    Map::new(height, width, (0..height * width).map(|at| mean(at) as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_maps_differ_between_pictures_and_seeds_only() {
        let first = random(0, &[1.0, 2.0], 3, 4).unwrap();
        assert_eq!((first.height(), first.width()), (3, 4));
        assert_eq!(random(0, &[1.0, 2.0], 3, 4).unwrap(), first);
        assert_ne!(random(0, &[2.0, 1.0], 3, 4).unwrap(), first);
        assert_ne!(random(1, &[1.0, 2.0], 3, 4).unwrap(), first);
        let many = random(0, &[1.0], 100, 100).unwrap();
        assert!(many.values().iter().all(|value| (0.0..1.0).contains(value)));
        let mean = many.values().iter().sum::<f32>() / 1e4;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
    }

    #[test]
    fn the_centre_is_greatest_in_the_middle_and_falls_off_with_each_side() {
        let map = centre(3, 5).unwrap();
        assert_eq!(map.values()[7], 1.0);
        // One row up is a third of the height, one column a fifth of the width; in deviations 4/3 and 4/5.
        assert!((f64::from(map.values()[2]) - (-(16.0_f64 / 9.0) / 2.0).exp()).abs() < 1e-6);
        assert!((f64::from(map.values()[6]) - (-(16.0_f64 / 25.0) / 2.0).exp()).abs() < 1e-6);
        assert!(centre(0, 5).is_none());
    }

    #[test]
    fn edges_of_a_step_are_on_both_sides_of_it() {
        // 0 0 1 1 in each row: across 4 at the two columns next to the step. The second channel is even and halves the mean.
        let step: Vec<f32> = (0..16).map(|at| f32::from(at < 12 && at % 4 > 1)).collect();
        let step = [&step[..], &[7.0; 16]].concat();
        let map = edges(&step[..32], 2, 4, 4).unwrap();
        assert_eq!(map.values()[..4], [0.0, 2.0, 2.0, 0.0]);
        // In the third row the last row below is even: across 1 + 2 = 3, down 1 on the left and 3 on the right.
        let expected = [1.0_f32, 3.0].map(|down| down.hypot(3.0) / 2.0);
        assert_eq!(map.values()[9..11], expected);
        assert_eq!(map.values()[8], 0.0);
        assert!(edges(&step, 3, 4, 4).is_none());
    }

    #[test]
    fn a_slope_has_eight_times_its_steepness() {
        let slope: Vec<f32> = (0..9).map(|at| (at % 3) as f32).collect();
        assert_eq!(edges(&slope, 1, 3, 3).unwrap().values()[4], 8.0);
    }
}
