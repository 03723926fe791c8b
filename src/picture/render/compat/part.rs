//! The part of a picture that a map covers, cropped for a library's drawing code.

use image::RgbImage;

use crate::Heatmap;
use crate::input::Placement;
use crate::render::resample::{Grid, Interpolation, Kernel};

/// Part of a picture, and the map over it.
pub(super) struct Part<'a> {
    pub(super) picture: RgbImage,
    pub(super) map: &'a Heatmap,
    /// First column of the part in the picture.
    pub(super) left: u32,
    /// First row.
    pub(super) top: u32,
    /// Position of the map on the part, in whole pixels. It may extend beyond the part.
    placement: Placement,
}

impl<'a> Part<'a> {
    /// `None` when the map covers no pixel.
    pub(super) fn new(picture: &RgbImage, map: &'a Heatmap, placement: &Placement) -> Option<Self> {
        let (left, top) = (placement.left.round(), placement.top.round());
        let (right, bottom) = (placement.right.round(), placement.bottom.round());
        let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
        // A letterbox reaches beyond the picture; the library would have seen the bars.
        let (x, y) = (left.clamp(0.0, width), top.clamp(0.0, height));
        let (across, down) = (right.min(width) - x, bottom.min(height) - y);
        if across <= 0.0 || down <= 0.0 {
            return None;
        }
        let [x0, y0, across, down] = [x, y, across, down].map(|edge| edge as u32);
        let picture = image::imageops::crop_imm(picture, x0, y0, across, down).to_image();
        let placement = Placement { left: left - x, top: top - y, right: right - x, bottom: bottom - y };
        Some(Self { picture, map, left: x0, top: y0, placement })
    }

    /// The resampling from the map's cells to the part's pixels.
    pub(super) fn grid(&self, how: Interpolation, widens: bool) -> Grid {
        let (width, height) = self.picture.dimensions();
        Grid::new(self.map, &self.placement, width as usize, height as usize, Kernel { how, widens })
    }

    /// The map's values at every pixel as OpenCV and TensorFlow resize: bilinear, without antialiasing.
    pub(super) fn bilinear(&self, values: &[f32]) -> Vec<f32> {
        self.grid(Interpolation::Bilinear, false).resample(values)
    }

    /// The value at every pixel with the default of `torch.nn.functional.interpolate`: cell `floor(pixel * cells /
    /// pixels)`.
    pub(super) fn torch_nearest(&self) -> Vec<f32> {
        let axis = |start: f64, end: f64, cells: usize, pixels: u32| -> Vec<usize> {
            // In single precision, as PyTorch: at exact borders of cells its rounding decides.
            let scale = cells as f32 / (end - start) as f32;
            let cell = |pixel| ((f64::from(pixel) - start) as f32 * scale) as usize;
            (0..pixels).map(|pixel| cell(pixel).min(cells - 1)).collect()
        };
        let place = &self.placement;
        let columns = axis(place.left, place.right, self.map.width(), self.picture.width());
        let rows = axis(place.top, place.bottom, self.map.height(), self.picture.height());
        let value = |y: usize, x: usize| self.map.values()[y * self.map.width() + x];
        rows.iter().flat_map(|y| columns.iter().map(|x| value(*y, *x))).collect()
    }

    /// The part with every pixel recomputed from the old pixel and one more value.
    pub(super) fn paint<T>(
        &self,
        with: impl IntoIterator<Item = T>,
        paint: impl Fn([u8; 3], T) -> [u8; 3],
    ) -> RgbImage {
        let mut out = self.picture.clone();
        for (pixel, with) in out.pixels_mut().zip(with) {
            pixel.0 = paint(pixel.0, with);
        }
        out
    }
}
