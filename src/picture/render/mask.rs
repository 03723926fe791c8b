//! The hot pixels as a mask, and the photo cut out along it.
//!
//! Receives a placed map and a threshold; returns pictures of the photo's size. `region` finds connected pixels.

use std::ops::Range;

use image::RgbImage;

use super::placed::Placed;
use super::region::{Components, runs};
use super::rows::{Rows, Samples};
use super::threshold::Threshold;

/// White in the selected regions, black elsewhere. All black when nothing is above zero.
#[must_use]
pub fn mask(placed: &Placed, threshold: Threshold, components: Components) -> Rows<'static> {
    let spans = spans(placed, threshold, components);
    Rows::new([placed.width, placed.height], Samples::Grey, move |y, row| {
        row.fill(0);
        of_row(&spans, y).iter().for_each(|(_, columns)| row[columns.clone()].fill(255));
    })
}

/// The photo where [`mask`] is white, transparent black elsewhere, at the photo's own size.
///
/// When photo and map differ in size, only their common part is shown.
#[must_use]
pub fn cut_out<'a>(
    photo: &'a RgbImage,
    placed: &Placed,
    threshold: Threshold,
    components: Components,
) -> Rows<'a> {
    let spans = spans(placed, threshold, components);
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    Rows::new([width, height], Samples::Rgba, move |y, row| {
        // Transparent black, and not the photo with no opacity: what was cut away must not be in the file.
        row.fill(0);
        let pixels = photo.as_raw()[y * width * 3..][..width * 3].as_chunks::<3>().0;
        for (_, columns) in of_row(&spans, y) {
            let columns = columns.start.min(width)..columns.end.min(width);
            let shown = row.as_chunks_mut().0[columns.clone()].iter_mut();
            shown.zip(&pixels[columns]).for_each(|(shown, [r, g, b])| *shown = [*r, *g, *b, 255]);
        }
    })
}

/// A row, and the columns of hot pixels in it.
type Span = (usize, Range<usize>);

/// The selected regions, in the order of rows.
fn spans(placed: &Placed, threshold: Threshold, components: Components) -> Vec<Span> {
    threshold.level(placed).map_or_else(Vec::new, |level| runs(placed, level, components))
}

fn of_row(spans: &[Span], y: usize) -> &[Span] {
    let first = spans.partition_point(|span| span.0 < y);
    let count = spans[first..].partition_point(|span| span.0 == y);
    &spans[first..first + count]
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbaImage};

    use super::*;

    fn placed(width: usize, values: &[f32]) -> Placed {
        Placed::of_values(width, values)
    }

    #[test]
    fn a_mask_is_white_from_the_threshold_on_and_never_without_heat() {
        let heat = placed(4, &[0.0, 0.4, 0.5, 1.0]);
        let of = |level| mask(&heat, Threshold::Fraction(level), Components::All).collect();
        assert_eq!(of(0.5), [0, 0, 255, 255]);
        assert_eq!(of(0.0), [0, 255, 255, 255]);
    }

    #[test]
    fn a_mask_is_of_all_regions_or_of_the_largest() {
        let heat = placed(5, &[0.9, 0.0, 0.2, 1.0, 0.1]);
        let of = |components| mask(&heat, Threshold::Fraction(0.15), components);
        assert_eq!(of(Components::All).collect(), [255, 0, 255, 255, 0]);
        assert_eq!(of(Components::Largest).collect(), [0, 0, 255, 255, 0]);
        assert_eq!(mask(&placed(2, &[0.0; 2]), Threshold::Otsu, Components::All).collect(), [0; 2]);
    }

    #[test]
    fn a_cut_out_is_the_photo_inside_and_nothing_outside() {
        let photo = RgbImage::from_fn(3, 2, |x, y| Rgb([x as u8 + 1, y as u8 + 1, 7]));
        let heat = placed(3, &[0.0, 1.0, 0.0, 0.9, 0.8, 0.0]);
        let cut = cut_out(&photo, &heat, Threshold::default(), Components::All).collect();
        let cut = RgbaImage::from_raw(3, 2, cut).unwrap();
        let opaque: Vec<bool> = cut.pixels().map(|pixel| pixel.0[3] == 255).collect();
        assert_eq!(opaque, [false, true, false, true, true, false]);
        assert_eq!(cut.get_pixel(0, 1).0, [1, 2, 7, 255]);
        assert_eq!(cut.get_pixel(0, 0).0, [0; 4]);
    }
}
