//! The picture of a signal: each channel a line in a band of its own.
//!
//! Receives the values of a network's input of one row; gives a picture to draw maps on. The network never sees it.

use image::{Rgb, RgbImage};

use crate::card::InputSpec;

/// Most channels that are drawn: more bands would be too many to look at.
const MOST_CHANNELS: usize = 32;

/// Least width of the picture in pixels; of shorter signals each sample is several pixels wide.
const LEAST_WIDTH: usize = 512;

/// Height that all bands share, and the limits of one band's, in pixels.
const HEIGHT: usize = 384;
const BAND: [usize; 2] = [24, 128];

/// Pixels above and below the line in its band.
const MARGIN: usize = 3;

const PAPER: Rgb<u8> = Rgb([255; 3]);
const INK: Rgb<u8> = Rgb([32; 3]);

/// Draws a signal, `[1, channels, 1, samples]`, from its first sample on the left to its last on the right. Each of the first 32 channels
/// fills its band from its least value to its greatest.
pub(super) fn drawn(values: &[f32], input: &InputSpec) -> RgbImage {
    let (channels, samples) = (input.channels.clamp(1, MOST_CHANNELS), input.width.max(1));
    let band = (HEIGHT / channels).clamp(BAND[0], BAND[1]);
    let pixels = LEAST_WIDTH.div_ceil(samples);
    let mut picture = RgbImage::from_pixel((samples * pixels) as u32, (channels * band) as u32, PAPER);
    for (channel, line) in values.chunks(samples).take(channels).enumerate() {
        let rows = rows(line, band);
        for (x, column) in (0..rows.len() * pixels).map(|x| (x, x / pixels)) {
            // Down or up from the sample before, so that the line has no gaps.
            let before = if x % pixels == 0 { rows[column.saturating_sub(1)] } else { rows[column] };
            for row in before.min(rows[column])..=before.max(rows[column]) {
                picture.put_pixel(x as u32, (channel * band + row) as u32, INK);
            }
        }
    }
    picture
}

/// The row of each sample in a band of this height.
fn rows(line: &[f32], band: usize) -> Vec<usize> {
    let (least, most) =
        line.iter().fold((f32::MAX, f32::MIN), |(least, most), value| (least.min(*value), most.max(*value)));
    let height = (band - 1 - 2 * MARGIN) as f32;
    let range = most - least;
    // A channel that is always the same is a line through the middle.
    let share = |value: &f32| if range > 0.0 && range.is_finite() { (most - value) / range } else { 0.5 };
    line.iter().map(|value| MARGIN + (share(value) * height).round() as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::Layout;

    fn input(channels: usize, width: usize) -> InputSpec {
        InputSpec { name: "x".into(), channels, height: 1, width, layout: Layout::default() }
    }

    fn ink(picture: &RgbImage, x: u32) -> Vec<u32> {
        (0..picture.height()).filter(|y| *picture.get_pixel(x, *y) == INK).collect()
    }

    #[test]
    fn the_greatest_sample_is_on_top_of_its_band_and_the_least_at_its_bottom() {
        // 512 samples are 512 pixels; two channels share 384 rows, of which a band has at most 128.
        let mut values = vec![0.0; 1024];
        (values[100], values[300]) = (2.0, -2.0);
        let picture = drawn(&values, &input(2, 512));
        assert_eq!(picture.dimensions(), (512, 256));
        assert_eq!(ink(&picture, 50), [64, 192]);
        assert_eq!(ink(&picture, 100).first(), Some(&3));
        assert!(ink(&picture, 300).contains(&124));
        // Each column goes on where the one before ended.
        assert_eq!(ink(&picture, 101)[..62], (3..65).collect::<Vec<_>>()[..]);
    }

    #[test]
    fn short_signals_are_stretched_and_of_many_channels_the_first_are_drawn() {
        let picture = drawn(&vec![1.0; 10 * 40], &input(40, 10));
        assert_eq!(picture.dimensions(), (520, 32 * 24));
        assert_eq!(ink(&picture, 0).len(), 32);
    }
}
