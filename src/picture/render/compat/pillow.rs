//! Pillow's arithmetic on 8-bit RGBA in its own fixed point (`Resample.c`, `Convert.c`, `AlphaComposite.c`).

use crate::render::resample::{Axis, Grid, Taps};

type Rgba = [u8; 4];

/// Weights are multiples of `1 / 2^22`: 32 bits minus 8 for a level and 2 for overshoot.
const WEIGHT_BITS: u32 = 22;

/// `Image.resize` of a picture with `width` columns, row-major, to the grid's pixels.
pub(super) fn resize(coarse: &[Rgba], width: usize, grid: &Grid) -> Vec<Rgba> {
    let columns = fixed(&grid.columns);
    let widened: Vec<Vec<Rgba>> = coarse
        .chunks_exact(width)
        .map(|row| columns.iter().map(|(first, weights)| sum(row[*first..].iter(), weights)).collect())
        .collect();
    let rows = fixed(&grid.rows);
    let pixel =
        |first: usize, weights: &[i64], x: usize| sum(widened[first..].iter().map(|row| &row[x]), weights);
    rows.iter()
        .flat_map(|(first, weights)| (0..columns.len()).map(move |x| pixel(*first, weights, x)))
        .collect()
}

/// First cell and fixed-point weights of each pixel.
fn fixed(axis: &Axis) -> Vec<(usize, Vec<i64>)> {
    let whole = |weight: &f64| (weight * f64::from(1 << WEIGHT_BITS)).round() as i64;
    let pixel = |taps: &Taps| (taps.first, taps.weights.iter().map(whole).collect());
    axis.taps.iter().map(pixel).collect()
}

/// The weighted sum of cells, rounded to nearest and clamped to 0 to 255.
fn sum<'a>(cells: impl Iterator<Item = &'a Rgba>, weights: &[i64]) -> Rgba {
    let mut sums = [1_i64 << (WEIGHT_BITS - 1); 4];
    for (cell, weight) in cells.zip(weights) {
        for (sum, level) in sums.iter_mut().zip(cell) {
            *sum += i64::from(*level) * weight;
        }
    }
    sums.map(|sum| (sum >> WEIGHT_BITS).clamp(0, 255) as u8)
}

/// `RGBA` to `RGBa`: colour times opacity, rounded to nearest.
pub(super) fn premultiply([red, green, blue, opacity]: Rgba) -> Rgba {
    let scale = |level: u8| {
        let product = u32::from(level) * u32::from(opacity) + 128;
        (((product >> 8) + product) >> 8) as u8
    };
    [scale(red), scale(green), scale(blue), opacity]
}

/// `RGBa` to `RGBA`: colour divided by opacity, rounded down.
pub(super) fn unpremultiply([red, green, blue, opacity]: Rgba) -> Rgba {
    let scale = |level: u8| {
        // Without opacity the colour is kept, as `Convert.c` copies such pixels.
        let divided = (u32::from(level) * 255).checked_div(opacity.into());
        divided.map_or(level, |level| level.min(255) as u8)
    };
    [scale(red), scale(green), scale(blue), opacity]
}

/// `Image.alpha_composite` over an opaque pixel.
pub(super) fn compose(under: [u8; 3], [red, green, blue, opacity]: Rgba) -> [u8; 3] {
    let share = u32::from(opacity) << 7;
    let rest = (255 << 7) - share;
    let mix = |(over, under): (u8, u8)| {
        let sum = u32::from(over) * share + u32::from(under) * rest + (128 << 7);
        ((((sum >> 8) + sum) >> 8) >> 7) as u8
    };
    [mix((red, under[0])), mix((green, under[1])), mix((blue, under[2]))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composing_is_exact_at_the_ends() {
        for level in 0..=255 {
            assert_eq!(compose([level; 3], [9, 99, 199, 0]), [level; 3]);
            assert_eq!(compose([level; 3], [9, 99, 199, 255]), [9, 99, 199]);
        }
    }

    #[test]
    fn premultiplied_colours_come_back_within_what_opacity_leaves_of_them() {
        for level in 0..=255_u8 {
            assert_eq!(unpremultiply(premultiply([level, 0, 0, 255]))[0], level);
            let half = unpremultiply(premultiply([level, 0, 0, 128]))[0];
            assert!(half.abs_diff(level) <= 2);
        }
        assert_eq!(unpremultiply([7, 7, 7, 0]), [7, 7, 7, 0]);
    }
}
