//! What pixels are replaced by: pictures that are to hold no evidence.

use super::picture::Picture;
use crate::noise::Noise;

/// What takes the place of a removed pixel. No choice is neutral to every network; figures of different baselines do not compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Baseline {
    /// 0 of the network's input: the mean that preprocessing subtracts.
    Zero,
    /// A black pixel, after preprocessing.
    Black,
    /// The mean of the picture, per channel.
    Mean,
    /// The picture blurred: 11 x 11 pixels, Gaussian of standard deviation 5, zeros outside, as in RISE's code.
    Blurred,
    /// Gaussian noise with the mean and the standard deviation of each channel of the picture.
    Noise {
        /// The same seed gives a picture the same noise on every machine.
        seed: u64,
    },
}

/// Rows and columns of RISE's blur: 5 to either side, and the standard deviation of its Gaussian in pixels.
const RADIUS: usize = 5;
const DEVIATION: f64 = 5.0;

/// Stream of [`Baseline::Noise`], apart from the noise of other metrics with the same seed.
const PURPOSE: u64 = 7 << 32;

impl Baseline {
    /// The whole picture's replacement, `[channels, height, width]`.
    #[must_use]
    pub fn of(self, picture: &Picture) -> Vec<f32> {
        let pixels = picture.pixels();
        let channels = || picture.values().chunks_exact(pixels);
        let filled = |values: Vec<f32>| -> Vec<f32> {
            values.into_iter().flat_map(|value| std::iter::repeat_n(value, pixels)).collect()
        };
        match self {
            Self::Zero => vec![0.0; picture.values().len()],
            Self::Black => filled(picture.black().to_vec()),
            Self::Mean => filled(channels().map(|channel| mean(channel) as f32).collect()),
            Self::Blurred => channels().flat_map(|channel| blurred(channel, picture.shape()[2])).collect(),
            Self::Noise { seed } => {
                let mut noise = Noise::of_picture(seed, picture.values(), PURPOSE);
                channels().flat_map(|channel| noise_like(channel, &mut noise)).collect()
            }
        }
    }
}

fn mean(channel: &[f32]) -> f64 {
    channel.iter().map(|value| f64::from(*value)).sum::<f64>() / channel.len() as f64
}

fn noise_like(channel: &[f32], noise: &mut Noise) -> Vec<f32> {
    let mean = mean(channel);
    let squares: f64 = channel.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum();
    let deviation = (squares / channel.len() as f64).sqrt();
    (0..channel.len()).map(|_| (mean + deviation * noise.normal()) as f32).collect()
}

/// RISE's kernel along one axis, which adds to 1: a Gaussian that reaches four deviations, mirrored at the window's edges. (Its code draws the kernel by filtering a single point in an 11 x 11 picture.)
fn kernel() -> [f64; 2 * RADIUS + 1] {
    let reach = (4.0 * DEVIATION) as i64;
    let period = 4 * RADIUS as i64 + 2;
    let mut kernel = [0.0; 2 * RADIUS + 1];
    for offset in -reach..=reach {
        let place = (RADIUS as i64 + offset).rem_euclid(period);
        let weight = (-0.5 * (offset as f64 / DEVIATION).powi(2)).exp();
        kernel[place.min(period - 1 - place) as usize] += weight;
    }
    let sum: f64 = kernel.iter().sum();
    kernel.map(|weight| weight / sum)
}

/// One channel, blurred along rows and then along columns; outside of the picture are zeros.
fn blurred(channel: &[f32], width: usize) -> Vec<f32> {
    let kernel = kernel();
    let height = channel.len() / width;
    let along = |values: &[f64], step: usize, place: usize, length: usize, at: usize| -> f64 {
        let taps = place.saturating_sub(RADIUS)..(place + RADIUS + 1).min(length);
        taps.map(|tap| kernel[tap + RADIUS - place] * values[at + tap * step - place * step]).sum()
    };
    let values: Vec<f64> = channel.iter().map(|value| f64::from(*value)).collect();
    let rows: Vec<f64> = (0..values.len()).map(|at| along(&values, 1, at % width, width, at)).collect();
    (0..rows.len()).map(|at| along(&rows, width, at / width, height, at) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(values: Vec<f32>, height: usize, width: usize) -> Picture {
        Picture::new([1, height, width], values, vec![-2.0], &mut |_: &[f32]| 0.0).unwrap()
    }

    #[test]
    fn plain_baselines_have_the_value_that_they_say() {
        let picture = picture(vec![1.0, 2.0, 3.0, 6.0], 2, 2);
        assert_eq!(Baseline::Zero.of(&picture), [0.0; 4]);
        assert_eq!(Baseline::Black.of(&picture), [-2.0; 4]);
        assert_eq!(Baseline::Mean.of(&picture), [3.0; 4]);
    }

    #[test]
    fn the_blur_of_one_point_is_the_kernel_of_rise() {
        let mut values = vec![0.0; 21 * 21];
        values[10 * 21 + 10] = 1.0;
        let found = Baseline::Blurred.of(&picture(values, 21, 21));
        // scipy.ndimage.gaussian_filter of a point in 11 x 11 zeros, standard deviation 5: its middle, the middle of an edge, a corner.
        for (row, column, expected) in KERNEL_OF_RISE {
            let value = found[(5 + row) * 21 + 5 + column];
            assert!((value - expected).abs() < 1e-8, "{row}, {column}: {value}, expected {expected}");
        }
        assert!((found.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }

    const KERNEL_OF_RISE: [(usize, usize, f32); 3] =
        [(5, 5, 0.008_832_628), (0, 5, 0.008_266_488), (0, 0, 0.007_736_635_4)];

    #[test]
    fn noise_has_the_picture_s_mean_and_deviation_and_follows_the_seed() {
        let picture = picture((0..4096).map(|value| (value % 7) as f32).collect(), 64, 64);
        let noise = Baseline::Noise { seed: 3 }.of(&picture);
        assert_eq!(noise, Baseline::Noise { seed: 3 }.of(&picture));
        assert_ne!(noise, Baseline::Noise { seed: 4 }.of(&picture));
        let (mean, variance) = (mean(&noise), {
            let mean = mean(&noise);
            noise.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / 4096.0
        });
        // Of 0 to 6: mean 3, variance 4; five standard errors.
        assert!((mean - 3.0).abs() < 0.16 && (variance - 4.0).abs() < 0.45, "{mean} {variance}");
    }
}
