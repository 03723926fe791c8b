//! Lines of equal heat on a picture.
//!
//! Receives a placed map and levels; draws on rows of pixels. A line is white in a dark halo, which is visible on any
//! photo and any colour of heat.

use std::fmt;
use std::str::FromStr;

use super::placed::{PixelBox, Placed};
use crate::error::{Error, Problem, Result};

/// Most levels at once: more lines cover what they are drawn on.
const MOST: usize = 8;

/// The levels of contour lines, as shares of the greatest heat that is drawn; none by default.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Contours {
    levels: [f32; MOST],
    count: usize,
}

impl Contours {
    /// Lines at these levels, each above 0 and at most 1, eight at most.
    ///
    /// # Errors
    /// For other levels, and for more of them.
    pub fn new(levels: &[f32]) -> Result<Self> {
        let fits = |level: &f32| *level > 0.0 && *level <= 1.0;
        if levels.len() > MOST || !levels.iter().all(fits) {
            return Err(Problem::expected_but(EXPECTED, format!("{levels:?}")).into());
        }
        let mut contours = Self { count: levels.len(), ..Self::default() };
        contours.levels[..levels.len()].copy_from_slice(levels);
        Ok(contours)
    }

    /// The levels, in the order given.
    #[must_use]
    pub fn levels(&self) -> &[f32] {
        &self.levels[..self.count]
    }
}

const EXPECTED: &str = "up to 8 shares of the greatest heat, each above 0 and at most 1, such as 0.25,0.5";

impl FromStr for Contours {
    type Err = Error;

    /// Levels separated by commas.
    fn from_str(text: &str) -> Result<Self> {
        let levels: Option<Vec<f32>> = text.split(',').map(|level| level.trim().parse().ok()).collect();
        let levels = levels.and_then(|levels| Self::new(&levels).ok());
        levels.ok_or_else(|| Problem::expected_but(EXPECTED, format!("'{text}'")).into())
    }
}

impl fmt::Display for Contours {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels: Vec<String> = self.levels().iter().map(f32::to_string).collect();
        formatter.write_str(&levels.join(","))
    }
}

/// The lines of a map at a picture's size.
pub(super) struct Lines<'a> {
    placed: &'a Placed,
    /// Also below zero for signed maps.
    levels: Vec<f32>,
    /// Half of a line's width in pixels.
    half: f32,
}

impl<'a> Lines<'a> {
    pub(super) fn new(placed: &'a Placed, contours: &Contours) -> Self {
        let mut levels = contours.levels().to_vec();
        if placed.signed {
            levels.extend(contours.levels().iter().map(|level| -level));
        }
        // In proportion, because an overlay is looked at as a whole, at any size.
        let half = (placed.width.min(placed.height) as f32 / 500.0).max(0.75);
        Self { placed, levels, half }
    }

    /// Draws on row `y` of a picture.
    pub(super) fn draw(&self, y: usize, row: &mut [u8]) {
        let PixelBox { left, top, right, bottom } = self.placed.seen;
        if self.levels.is_empty() || !(top..bottom).contains(&y) {
            return;
        }
        let values = |y: usize| {
            let mut values = vec![0.0; right - left];
            self.placed.fill(y, left, &mut values);
            values
        };
        // Within what was seen: the map ends at its edge, which is no line of equal heat.
        let rows = [y.max(top + 1) - 1, y, (y + 1).min(bottom - 1)];
        let [above, here, below] = rows.map(values);
        let pixels = row.as_chunks_mut::<3>().0.iter_mut().skip(left);
        for (x, pixel) in pixels.take(right - left).enumerate() {
            let sides = [x.max(1) - 1, (x + 1).min(here.len() - 1)];
            let across = (here[sides[1]] - here[sides[0]]) / (sides[1] - sides[0]).max(1) as f32;
            let down = (below[x] - above[x]) / (rows[2] - rows[0]).max(1) as f32;
            self.ink(pixel, here[x], across.hypot(down));
        }
    }

    /// Draws on a pixel of this value, where values change by `slope` from pixel to pixel: the nearest line is as far away as
    /// the value is from its level, divided by the slope.
    fn ink(&self, pixel: &mut [u8; 3], value: f32, slope: f32) {
        let far = self.levels.iter().fold(f32::INFINITY, |least, level| least.min((value - level).abs()));
        let distance = far / slope;
        // No line on flat ground, where nothing is crossed, at any level.
        if slope <= 0.0 || distance.is_nan() {
            return;
        }
        let covered = |half: f32| (half + 0.5 - distance).clamp(0.0, 1.0);
        let (line, halo) = (covered(self.half), 0.6 * covered(2.0 * self.half));
        for level in pixel {
            let dark = f32::from(*level) * (1.0 - halo);
            *level = (dark + line * (255.0 - dark)).round() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Interpolation, place};
    use super::*;
    use crate::Heatmap;
    use crate::input::Placement;

    /// The levels of one grey row that heat from 0 to 1 rises over, with contours.
    fn drawn(placed: &Placed, contours: &str) -> Vec<u8> {
        let mut row = vec![100; 3 * placed.width];
        Lines::new(placed, &contours.parse().unwrap()).draw(1, &mut row);
        row.chunks(3).map(|pixel| pixel[0]).collect()
    }

    fn slope(from: f32, to: f32) -> Placed {
        let values = (0..3).flat_map(|_| (0..41).map(move |x| from + (to - from) * x as f32 / 40.0));
        Placed::of_values(41, &values.collect::<Vec<_>>())
    }

    #[test]
    fn a_line_is_where_heat_crosses_its_level_white_in_a_dark_halo() {
        let levels = drawn(&slope(0.0, 1.0), "0.5");
        // Half a line is 0.75 pixels, and its halo as much again: of the pixel next to the middle a quarter is white over full
        // halo, of the one after it none; beyond it nothing is touched.
        assert_eq!(levels[20], 255);
        assert_eq!(levels[19..=21].iter().map(|l| u32::from(*l)).sum::<u32>(), 255 + 2 * 94);
        assert_eq!(&levels[17..=19], [100, 100, 94]);
        assert_eq!(levels[..17], [100; 17]);
        assert_eq!(levels.iter().rev().copied().collect::<Vec<_>>(), levels);
    }

    #[test]
    fn a_signed_map_has_lines_on_both_sides_of_zero() {
        let levels = drawn(&slope(-1.0, 1.0), "0.5");
        let white: Vec<usize> = (0..41).filter(|x| levels[*x] == 255).collect();
        assert_eq!(white, [10, 30]);
        assert_eq!(
            drawn(&slope(-1.0, 1.0), "0.25,0.5,0.75").iter().filter(|level| **level == 255).count(),
            6
        );
    }

    #[test]
    fn neither_flat_ground_nor_the_edge_of_the_map_is_a_line() {
        let map = Heatmap::new(1, 1, vec![0.8]).unwrap();
        let inner = Placement { left: 4.0, top: 0.0, right: 9.0, bottom: 3.0 };
        let placed = place(&map, &inner, 14, 3, Interpolation::Bilinear);
        assert_eq!(drawn(&placed, "0.5"), [100; 14]);
        assert_eq!(drawn(&Placed::of_values(5, &[0.5; 15]), "0.5"), [100; 5]);
    }

    #[test]
    fn levels_are_read_and_written() {
        for text in ["0.5", "0.25,0.5,0.75", "1"] {
            assert_eq!(text.parse::<Contours>().unwrap().to_string(), text);
        }
        for text in ["", "0", "1.1", "-0.5", "half", "0.5;0.6", "NaN", ".1,.2,.3,.4,.5,.6,.7,.8,.9"] {
            let error = text.parse::<Contours>().unwrap_err().to_string();
            assert!(error.contains("up to 8 shares") && error.contains(text), "{error}");
        }
        assert!(Contours::default().levels().is_empty());
    }
}
