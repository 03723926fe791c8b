//! The colours of a map and what its ends mean.

use image::{Rgb, RgbImage};

use super::colormap::Colormap;

/// A colour bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// The colours.
    pub colormap: Colormap,
    /// Texts at equal distances, from the coldest to the hottest: two, or three where zero is the middle.
    pub ends: Vec<String>,
}

impl Bar {
    /// The bar of maps from 0 to `greatest`, or from its negative where they are signed.
    #[must_use]
    pub fn new(colormap: Colormap, signed: bool, greatest: &str) -> Self {
        let all = [format!("−{greatest}"), "0".to_owned(), greatest.to_owned()];
        let first = usize::from(!(signed || colormap.is_diverging()));
        Self { colormap, ends: all[first..].to_vec() }
    }

    /// The texts with their places, from 0 at the coldest end to 1 at the hottest.
    pub(super) fn marks(&self) -> impl Iterator<Item = (f32, &str)> {
        let last = (self.ends.len().max(2) - 1) as f32;
        self.ends.iter().enumerate().map(move |(at, text)| (at as f32 / last, text.as_str()))
    }

    /// The colours from left to right.
    pub(super) fn picture(&self, width: u32, height: u32) -> RgbImage {
        let last = width.max(2) - 1;
        RgbImage::from_fn(width, height, |x, _| Rgb(self.colormap.color(x as f32 / last as f32)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_runs_from_the_coldest_to_the_hottest_and_shows_zero_of_signed_maps() {
        let bar = Bar::new(Colormap::Viridis, false, "1");
        let picture = bar.picture(50, 2);
        assert_eq!(picture.get_pixel(0, 1).0, Colormap::Viridis.color(0.0));
        assert_eq!(picture.get_pixel(49, 0).0, Colormap::Viridis.color(1.0));
        assert_eq!(bar.ends, ["0", "1"]);
        assert_eq!(Bar::new(Colormap::Viridis, true, "12.5").ends, ["−12.5", "0", "12.5"]);
        assert_eq!(Bar::new(Colormap::Coolwarm, false, "1").ends.len(), 3);
    }
}
