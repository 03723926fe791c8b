//! From an explained class to pictures, arrays and boxes.
//!
//! Receives an [`Explanation`] and its [`Subject`]; gives pictures row by row, bytes and boxes. What several pictures
//! need, the map laid over the photo and the overlay, is computed once on first use.

use std::sync::OnceLock;

use image::RgbImage;

use super::{ArtifactKind, ClassExplanation, Drawing, Explanation, Style, Subject};
use crate::cam::Library;
use crate::error::{Error, Result};
use crate::heatmap::Heatmap;
use crate::input::{Placement, write_npy_2d};
use crate::record::{BoxRecord, DetectionRecord, InputRecord};
use crate::render::compat::{self, CompatOverlay, compat_overlay};
use crate::render::{self, Colormap, Interpolation, PixelBox, Placed, Rows};

/// One class of an explanation over its picture.
///
/// ```
/// use burncam::{ArtifactKind, Explainer, Model, Request};
///
/// # fn main() -> burncam::Result<()> {
/// # #[cfg(feature = "embedded-model")] {
/// let explainer = Explainer::new(Model::embedded()?, Request::default())?;
/// let subject = explainer.read("fixtures/images/coffee.png")?;
/// let explanation = &explainer.explain(&subject)?[0];
/// let canvas = explanation.canvas(&explanation.targets[0], &subject, &explainer.request().style);
/// assert_eq!(canvas.overlay().dimensions(), (600, 400));
/// let png: Vec<u8> = canvas.draw(ArtifactKind::Mask)?;
/// assert!(png.starts_with(b"\x89PNG"));
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Canvas<'a> {
    pub(super) explanation: &'a Explanation,
    pub(super) target: &'a ClassExplanation,
    pub(super) subject: &'a Subject,
    pub(super) style: &'a Style,
    placed: OnceLock<Placed>,
    class_mask: OnceLock<Placed>,
    overlay: OnceLock<RgbImage>,
}

impl Explanation {
    /// The canvas for pictures and boxes of one target. It keeps the placed map, and the overlay where several pictures need it.
    #[must_use]
    pub fn canvas<'a>(
        &'a self,
        target: &'a ClassExplanation,
        subject: &'a Subject,
        style: &'a Style,
    ) -> Canvas<'a> {
        let (placed, class_mask, overlay) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Canvas { explanation: self, target, subject, style, placed, class_mask, overlay }
    }
}

impl Canvas<'_> {
    /// The picture with the map on it.
    pub fn overlay(&self) -> &RgbImage {
        self.overlay.get_or_init(|| {
            let photo = &self.subject.picture;
            match (&self.target.finding, self.style.library) {
                (None, Some(library)) => {
                    let map = self.explanation.heatmap(self.target);
                    compat_overlay(photo, &map, &self.subject.placement, &overlay_of(library))
                }
                _ => self.overlay_rows().to_rgb(),
            }
        })
    }

    /// The overlay on another version of the picture, for example a small one: the same map, colours and crop, drawn at the size of that version.
    #[must_use]
    pub fn overlay_on(&self, photo: &RgbImage) -> RgbImage {
        let size = photo.dimensions().into();
        match (&self.target.finding, self.style.library) {
            (Some(_), Some(_)) => photo.clone(),
            (None, Some(library)) => {
                let map = self.explanation.heatmap(self.target);
                compat_overlay(photo, &map, &self.placement_at(size), &overlay_of(library))
            }
            (_, None) => {
                let placed =
                    self.placed_at(&self.explanation.drawn(self.target), size, self.style.interpolation);
                self.own_overlay(photo, &placed).to_rgb()
            }
        }
    }

    /// Where a segmentation's class wins, white on black, at any width and height; `None` for other tasks.
    #[must_use]
    pub fn class_mask_at(&self, size: [u32; 2]) -> Option<RgbImage> {
        let placed = self.placed_at(self.target.mask.as_ref()?, size, Interpolation::Nearest);
        Some(render::heatmap_picture(&placed, Colormap::Grey).to_rgb())
    }

    /// The overlay row by row: from memory where it is there already, or where it cannot be made otherwise.
    fn overlay_rows(&self) -> Rows<'_> {
        let photo = &self.subject.picture;
        match (&self.target.finding, self.style.library) {
            _ if self.overlay.get().is_some() => Rows::of(self.overlay()),
            // A blank map leaves the photo unchanged in every library's style.
            (Some(_), Some(_)) => Rows::of(photo),
            (None, Some(_)) => Rows::of(self.overlay()),
            (_, None) => self.own_overlay(photo, self.placed()),
        }
    }

    /// The overlay in the style of no library.
    fn own_overlay<'a>(&self, photo: &'a RgbImage, placed: &'a Placed) -> Rows<'a> {
        let draw = if self.target.finding.is_some() { render::no_heat } else { render::overlay };
        draw(photo, placed, &self.style.look())
    }

    /// The bytes of a file of one kind.
    ///
    /// # Errors
    /// When a picture cannot be encoded.
    pub fn draw(&self, kind: ArtifactKind) -> Result<Vec<u8>> {
        match self.drawing(kind)? {
            Drawing::Picture(rows, encoding) => render::encode_picture(&rows, &encoding),
            Drawing::Bytes(bytes) => Ok(bytes),
        }
    }

    /// A picture or array of one kind, ready to be written.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub(crate) fn drawing(&self, kind: ArtifactKind) -> Result<Drawing<'_>> {
        let Style { threshold, components, colormap, .. } = *self.style;
        let photo = &self.subject.picture;
        let rows = match kind {
            ArtifactKind::Overlay => self.overlay_rows(),
            ArtifactKind::Heatmap => render::heatmap_picture(self.placed(), colormap),
            ArtifactKind::Grey => render::grey_picture(self.placed()),
            ArtifactKind::Grey16 => render::grey16_picture(self.placed()),
            ArtifactKind::Mask => render::mask(self.placed(), threshold, components),
            ArtifactKind::CutOut => render::cut_out(photo, self.placed(), threshold, components),
            ArtifactKind::Boxes => {
                let regions = render::regions(self.placed(), threshold, components);
                let boxes: Vec<_> = regions.into_iter().map(|region| region.bounds).collect();
                Rows::of_own(render::draw_boxes(self.overlay(), &boxes))
            }
            ArtifactKind::SideBySide => render::side_by_side(Rows::of(photo), self.overlay_rows()),
            ArtifactKind::Detections => {
                let boxes: Vec<PixelBox> = self.explanation.detections.iter().map(whole).collect();
                Rows::of_own(render::draw_numbered(self.overlay(), &boxes)?)
            }
            ArtifactKind::ClassMask => render::grey_picture(self.class_mask()?),
            ArtifactKind::Npy => {
                let map = self.explanation.heatmap(self.target);
                return Ok(Drawing::Bytes(write_npy_2d(map.height(), map.width(), map.values())?));
            }
            ArtifactKind::Figure => Rows::of_own(self.figure()?.to_rgb()?),
            ArtifactKind::Svg => return Ok(Drawing::Bytes(self.figure()?.to_svg()?)),
            ArtifactKind::Pdf => return Ok(Drawing::Bytes(self.figure()?.to_pdf()?)),
            ArtifactKind::NpyFull => return Ok(Drawing::Bytes(self.full_npy()?)),
        };
        Ok(Drawing::Picture(rows, kind.encoding(self.style)))
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
        // Usually the map is drawn as it is.
        let full = if map == self.explanation.drawn(self.target) {
            self.placed()
        } else {
            own = self.place(&map, self.style.interpolation);
            &own
        };
        write_npy_2d(self.subject.file.height, self.subject.file.width, &full.values())
    }

    /// Where the class wins, at the photo's size.
    fn class_mask(&self) -> Result<&Placed> {
        let mask = self.target.mask.as_ref();
        let mask = mask.ok_or_else(|| Error::internal("only a segmentation has masks of classes"))?;
        Ok(self.class_mask.get_or_init(|| self.place(mask, Interpolation::Nearest)))
    }

    /// The map for drawing.
    pub(super) fn placed(&self) -> &Placed {
        self.placed.get_or_init(|| self.place(&self.explanation.drawn(self.target), self.style.interpolation))
    }

    /// Where the network's input is on a version of the picture of this width and height.
    fn placement_at(&self, [width, height]: [u32; 2]) -> Placement {
        let (Placement { left, top, right, bottom }, file) = (self.subject.placement, &self.subject.file);
        let across = f64::from(width) / file.width as f64;
        let down = f64::from(height) / file.height as f64;
        Placement { left: left * across, top: top * down, right: right * across, bottom: bottom * down }
    }

    fn placed_at(&self, map: &Heatmap, size: [u32; 2], how: Interpolation) -> Placed {
        render::place(map, &self.placement_at(size), size[0] as usize, size[1] as usize, how)
    }

    fn place(&self, map: &Heatmap, interpolation: Interpolation) -> Placed {
        // Of the file and not of the picture, which may be reduced: boxes are in the file's pixels.
        let InputRecord { width, height, .. } = self.subject.file;
        render::place(map, &self.subject.placement, width, height, interpolation)
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
