//! From an explained class to pictures, arrays and boxes.
//!
//! Receives an [`Explanation`] and its [`Subject`]; gives bytes and boxes. Intermediate results that several pictures
//! need, the map at the photo's size and the overlay, are computed once on first use.

use std::sync::OnceLock;

use image::RgbImage;

use super::{ArtifactKind, ClassExplanation, Drawing, Explanation, Style, Subject};
use crate::cam::Library;
use crate::error::{Error, Result};
use crate::heatmap::Heatmap;
use crate::input::write_npy_2d;
use crate::record::{BoxRecord, DetectionRecord};
use crate::render::compat::{self, CompatOverlay, compat_overlay};
use crate::render::{self, Interpolation, PixelBox, Placed};

/// One class of an explanation over its picture.
#[derive(Debug)]
pub struct Canvas<'a> {
    explanation: &'a Explanation,
    target: &'a ClassExplanation,
    subject: &'a Subject,
    style: &'a Style,
    placed: OnceLock<Placed>,
    overlay: OnceLock<RgbImage>,
}

impl Explanation {
    /// The canvas for pictures and boxes of one target. It caches intermediate results of the photo's size.
    #[must_use]
    pub fn canvas<'a>(
        &'a self,
        target: &'a ClassExplanation,
        subject: &'a Subject,
        style: &'a Style,
    ) -> Canvas<'a> {
        let (placed, overlay) = (OnceLock::new(), OnceLock::new());
        Canvas { explanation: self, target, subject, style, placed, overlay }
    }
}

impl Canvas<'_> {
    /// The picture with the map on it.
    pub fn overlay(&self) -> &RgbImage {
        self.overlay.get_or_init(|| {
            let photo = &self.subject.picture;
            match (&self.target.finding, self.style.library) {
                // A blank map leaves the photo unchanged in every style.
                (Some(_), _) => photo.clone(),
                (None, Some(library)) => {
                    let map = self.explanation.heatmap(self.target);
                    compat_overlay(photo, &map, &self.subject.placement, &overlay_of(library))
                }
                (None, None) => {
                    render::overlay(photo, self.placed(), self.style.overlay, self.style.colormap)
                }
            }
        })
    }

    /// The given kinds in order and, on another thread, [`Canvas::boxes`].
    ///
    /// # Errors
    /// When a picture cannot be encoded.
    pub(crate) fn draw_with_boxes(&self, kinds: &[ArtifactKind]) -> Result<(Vec<Drawing>, Vec<BoxRecord>)> {
        if self.style.interpolation == Interpolation::Bilinear {
            // Both sides need it. While one of them computes it, rayon could run the other on the same thread, which
            // would deadlock.
            self.placed();
        }
        let (drawings, boxes) = rayon::join(|| self.draw_all(kinds), || self.boxes());
        Ok((drawings?, boxes))
    }

    fn draw_all(&self, kinds: &[ArtifactKind]) -> Result<Vec<Drawing>> {
        kinds.iter().map(|kind| Ok(Drawing { kind: *kind, bytes: self.draw(*kind)? })).collect()
    }

    /// PNG or NPY bytes of one kind.
    ///
    /// # Errors
    /// When a picture cannot be encoded.
    pub fn draw(&self, kind: ArtifactKind) -> Result<Vec<u8>> {
        let Style { threshold, components, colormap, png_level: level, .. } = *self.style;
        let photo = &self.subject.picture;
        match kind {
            ArtifactKind::Overlay => render::encode_png(self.overlay(), level),
            ArtifactKind::Heatmap => {
                render::encode_png(&render::heatmap_picture(self.placed(), colormap), level)
            }
            ArtifactKind::Grey => render::encode_png(&render::grey_picture(self.placed()), level),
            ArtifactKind::Grey16 => render::encode_png(&render::grey16_picture(self.placed()), level),
            ArtifactKind::Mask => {
                render::encode_png(&render::mask(self.placed(), threshold, components), level)
            }
            ArtifactKind::CutOut => {
                render::encode_png(&render::cut_out(photo, self.placed(), threshold, components), level)
            }
            ArtifactKind::Boxes => {
                let regions = render::regions(self.placed(), threshold, components);
                let boxes: Vec<_> = regions.into_iter().map(|region| region.bounds).collect();
                render::encode_png(&render::draw_boxes(self.overlay(), &boxes), level)
            }
            ArtifactKind::SideBySide => {
                render::encode_png(&render::side_by_side(photo, self.overlay()), level)
            }
            ArtifactKind::Detections => {
                let boxes: Vec<PixelBox> = self.explanation.detections.iter().map(whole).collect();
                render::encode_png(&render::draw_numbered(self.overlay(), &boxes)?, level)
            }
            ArtifactKind::ClassMask => {
                let mask = self.target.mask.as_ref();
                let mask = mask.ok_or_else(|| Error::internal("only a segmentation has masks of classes"))?;
                render::encode_png(&render::grey_picture(&self.place(mask, Interpolation::Nearest)), level)
            }
            ArtifactKind::Npy => {
                let map = self.explanation.heatmap(self.target);
                write_npy_2d(map.height(), map.width(), map.values())
            }
            ArtifactKind::NpyFull => self.full_npy(),
        }
    }

    /// The boxes around the hot regions for records, largest first; none for a blank map. They always use the
    /// bilinear map, regardless of the drawing style.
    #[must_use]
    pub fn boxes(&self) -> Vec<BoxRecord> {
        let Style { threshold, components, interpolation, .. } = *self.style;
        let regions = match interpolation {
            Interpolation::Bilinear => render::regions(self.placed(), threshold, components),
            _ => {
                let drawn = self.explanation.drawn(self.target);
                render::regions(&self.place(&drawn, Interpolation::Bilinear), threshold, components)
            }
        };
        let record = |region: render::Region| BoxRecord {
            left: region.bounds.left,
            top: region.bounds.top,
            right: region.bounds.right,
            bottom: region.bounds.bottom,
            area: region.area,
            peak: region.peak,
            mean: region.mean,
        };
        regions.into_iter().map(record).collect()
    }

    /// The map as computed, enlarged; drawings may be clipped and scaled differently.
    fn full_npy(&self) -> Result<Vec<u8>> {
        let map = self.explanation.heatmap(self.target);
        let own;
        // Usually the map is drawn as it is, and enlarged already.
        let full = if map == self.explanation.drawn(self.target) {
            self.placed()
        } else {
            own = self.place(&map, self.style.interpolation);
            &own
        };
        write_npy_2d(full.height, full.width, &full.values)
    }

    /// The map for drawing.
    fn placed(&self) -> &Placed {
        self.placed.get_or_init(|| self.place(&self.explanation.drawn(self.target), self.style.interpolation))
    }

    fn place(&self, map: &Heatmap, interpolation: Interpolation) -> Placed {
        let (width, height) = self.subject.picture.dimensions();
        render::place(map, &self.subject.placement, width as usize, height as usize, interpolation)
    }
}

/// A box in whole pixels; parts outside the picture are cut off on the left and above.
fn whole(detection: &DetectionRecord) -> PixelBox {
    let [left, top, right, bottom] = [detection.left, detection.top, detection.right, detection.bottom]
        .map(|edge| edge.round().max(0.0) as usize);
    PixelBox { left, top, right, bottom }
}

/// A library's overlay with its own options.
fn overlay_of(library: Library) -> CompatOverlay {
    match library {
        Library::Eli5 => CompatOverlay::Eli5(compat::Eli5::DEFAULT),
        Library::PytorchGradCam => CompatOverlay::PytorchGradCam(compat::PytorchGradCam::DEFAULT),
        Library::Torchcam => CompatOverlay::Torchcam(compat::Torchcam::DEFAULT),
        Library::Captum => CompatOverlay::Captum(compat::Captum::DEFAULT),
        Library::TfKerasVis => CompatOverlay::TfKerasVis(compat::TfKerasVis::DEFAULT),
        Library::Xplique => CompatOverlay::Xplique(compat::Xplique::DEFAULT),
    }
}
