//! The edge of the part of a picture that the network saw, as a thin dashed line.
//!
//! Receives the place of that part; draws on rows of pixels, outside of it, so that no heat is covered.

use std::ops::Range;

use super::placed::{PixelBox, Placed};

/// Levels of the dashes, which take turns: one of them is visible on any photo.
const DASHES: [u8; 2] = [245, 25];
/// A dash is this many times as long as it is wide.
const LONG: usize = 6;
/// A line one pixel wide covers much of a smaller picture.
const LEAST: usize = 100;

/// The edges that are drawn: none where the network saw all of the picture.
pub(super) struct CropEdge {
    seen: PixelBox,
    width: usize,
}

impl CropEdge {
    /// `None` where the network saw the whole picture, nothing of it, or all but a rim that has no room for the line, and on small pictures.
    pub(super) fn of(placed: &Placed) -> Option<Self> {
        let seen = placed.seen;
        let shorter = placed.width.min(placed.height);
        let width = (shorter / 400).max(1);
        let rims = [seen.left, seen.top, placed.width - seen.right, placed.height - seen.bottom];
        let is_shown = shorter >= LEAST && seen.left < seen.right && rims.iter().any(|rim| *rim > width);
        is_shown.then_some(Self { seen, width })
    }

    /// Draws on row `y` of a picture.
    pub(super) fn draw(&self, y: usize, row: &mut [u8]) {
        let Self { seen: PixelBox { left, top, right, bottom }, width } = *self;
        let pixels = row.as_chunks_mut::<3>().0;
        let sides = [left.saturating_sub(width)..left, right..right + width];
        if (top..bottom).contains(&y) {
            sides.into_iter().for_each(|columns| self.dashes(pixels, columns, |_| y - top));
        } else if (top.saturating_sub(width)..bottom + width).contains(&y) {
            self.dashes(pixels, sides[0].start..sides[1].end, |x| x + width - left.min(x + width));
        }
    }

    /// Inks columns of a row; `along` is the place of a column's pixel on the line.
    fn dashes(&self, pixels: &mut [[u8; 3]], columns: Range<usize>, along: impl Fn(usize) -> usize) {
        let end = columns.end.min(pixels.len());
        for x in columns.start.min(end)..end {
            let ink = DASHES[along(x) / (LONG * self.width) % 2];
            // Three quarters: the photo still shows.
            pixels[x] = pixels[x].map(|level| ((u16::from(level) + 3 * u16::from(ink)) / 4) as u8);
        }
    }
}

impl Placed {
    /// Whether overlays show the edge of what the network saw: it is not the picture's own.
    #[must_use]
    pub fn has_crop_edge(&self) -> bool {
        CropEdge::of(self).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Interpolation, place};
    use super::*;
    use crate::Heatmap;
    use crate::input::Placement;

    fn placed([left, top, right, bottom]: [f64; 4]) -> Placed {
        let map = Heatmap::new(1, 1, vec![1.0]).unwrap();
        place(&map, &Placement { left, top, right, bottom }, 140, 130, Interpolation::Nearest)
    }

    /// The picture of 140x130 with the line: `.` the photo, `o` light, `x` dark.
    fn drawn(edges: [f64; 4]) -> Option<Vec<String>> {
        let edge = CropEdge::of(&placed(edges))?;
        let row = |y| {
            let mut row = [100; 3 * 140];
            edge.draw(y, &mut row);
            row.chunks(3)
                .map(|pixel| {
                    if pixel[0] == 100 {
                        '.'
                    } else if pixel[0] > 100 {
                        'o'
                    } else {
                        'x'
                    }
                })
                .collect()
        };
        Some((0..130).map(row).collect())
    }

    #[test]
    fn dashes_run_around_what_was_seen_and_leave_it_alone() {
        let rows = drawn([5.0, 3.0, 135.0, 127.0]).unwrap();
        let inked = |y: usize| rows[y].chars().filter(|c| *c != '.').count();
        assert_eq!([0, 1, 2, 3, 126, 127, 128].map(inked), [0, 0, 132, 2, 2, 132, 0]);
        for (y, row) in rows.iter().enumerate().take(127).skip(3) {
            assert_eq!(&row[5..135], ".".repeat(130), "{y}");
        }
        let down: String = rows.iter().map(|row| &row[4..5]).collect();
        assert_eq!(&down[3..15], "ooooooxxxxxx");
        assert!(rows[2].contains("ooooooxxxxxx"), "{}", rows[2]);
    }

    #[test]
    fn an_edge_of_the_picture_is_no_edge_of_the_crop() {
        let rows = drawn([5.0, 0.0, 135.0, 130.0]).unwrap();
        assert!(rows.iter().all(|row| row.chars().filter(|c| *c != '.').count() == 2));
        for edges in [
            [0.0, 0.0, 140.0, 130.0],
            [1.0, 1.0, 139.0, 129.0],
            [-9.0, -9.0, 150.0, 150.0],
            [150.0, 0.0, 160.0, 9.0],
        ] {
            assert!(drawn(edges).is_none(), "{edges:?}");
        }
    }
}
