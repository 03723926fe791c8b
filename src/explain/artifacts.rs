//! Pictures and arrays from an explanation, as bytes.

use std::cell::OnceCell;

use image::RgbImage;

use super::{ClassExplanation, Explanation, Subject};
use crate::cam::Library;
use crate::error::{Error, Result, did_you_mean};
use crate::heatmap::Heatmap;
use crate::input::write_npy_2d;
use crate::record::{BoxRecord, StyleRecord};
use crate::render::compat::{self, CompatOverlay, compat_overlay};
use crate::render::{self, Colormap, Components, Interpolation, Overlay, Placed, Threshold};

/// What can be written beside a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactKind {
    /// The picture with the heat on it.
    Overlay,
    /// The heat alone, in colours.
    Heatmap,
    /// The heat alone, 8 bits of grey: `255 * value`; with signs, zero is the middle.
    Grey,
    /// The heat alone, 16 bits of grey.
    Grey16,
    /// The map at its own resolution, a float32 NumPy array `[height, width]`.
    Npy,
    /// The map at the picture's resolution, a float32 NumPy array `[height, width]`.
    NpyFull,
    /// White where the heat reaches the threshold, else black.
    Mask,
    /// The overlay with boxes around the regions of heat.
    Boxes,
    /// The picture where the heat reaches the threshold, transparent elsewhere.
    CutOut,
    /// Picture and overlay beside each other.
    SideBySide,
}

/// How pictures are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Style {
    /// Another library's own overlay; [`Style::overlay`], [`Style::colormap`] and [`Style::interpolation`] are for the other
    /// pictures then.
    pub library: Option<Library>,
    /// Opacity from the heat, or one opacity everywhere.
    pub overlay: Overlay,
    /// Colours of the heat.
    pub colormap: Colormap,
    /// How the map is enlarged.
    pub interpolation: Interpolation,
    /// From which heat on a pixel counts as part of a region.
    pub threshold: Threshold,
    /// Which regions count.
    pub components: Components,
}

/// A drawn file that has no name yet.
#[derive(Debug, Clone)]
pub struct Drawing {
    /// What it shows.
    pub kind: ArtifactKind,
    /// PNG or NPY bytes.
    pub bytes: Vec<u8>,
}

impl ArtifactKind {
    /// All kinds, in the order in which they are documented.
    pub const ALL: &'static [Self] = &[
        Self::Overlay,
        Self::Heatmap,
        Self::Grey,
        Self::Grey16,
        Self::Npy,
        Self::NpyFull,
        Self::Mask,
        Self::Boxes,
        Self::CutOut,
        Self::SideBySide,
    ];

    /// Name as written on the command line and in the record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Overlay => "overlay",
            Self::Heatmap => "heatmap",
            Self::Grey => "grey",
            Self::Grey16 => "grey16",
            Self::Npy => "npy",
            Self::NpyFull => "npy-full",
            Self::Mask => "mask",
            Self::Boxes => "boxes",
            Self::CutOut => "cut-out",
            Self::SideBySide => "side-by-side",
        }
    }
}

impl std::str::FromStr for ArtifactKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let names = Self::ALL.iter().map(|kind| kind.name());
        Self::ALL.iter().find(|kind| kind.name() == text).copied().ok_or_else(|| {
            Error::request(format!(
                "output '{text}' is not known{}; expected record or one of {}",
                did_you_mean(text, names.clone()),
                names.collect::<Vec<_>>().join(", ")
            ))
        })
    }
}

impl Style {
    pub(super) fn record(&self) -> StyleRecord {
        let (overlay, opacity) = match (self.library, self.overlay) {
            (Some(library), _) => (library.name(), None),
            (None, Overlay::Alpha { limit }) => ("alpha", Some(limit)),
            (None, Overlay::Blend { alpha }) => ("blend", Some(alpha)),
        };
        let own = |name: &str| self.library.is_none().then(|| name.to_owned());
        StyleRecord {
            overlay: overlay.to_owned(),
            opacity,
            colormap: own(self.colormap.name()),
            interpolation: own(self.interpolation.name()),
            threshold: self.threshold.to_string(),
            components: self.components.to_string(),
        }
    }
}

/// One target of an explanation on its way to pictures. What several need is made once.
struct Canvas<'a> {
    explanation: &'a Explanation,
    target: &'a ClassExplanation,
    subject: &'a Subject,
    style: &'a Style,
    /// Nothing is enlarged to the photo's size for an array or for no picture at all.
    placed: OnceCell<Placed>,
}

impl Explanation {
    /// Draws the given kinds for each target, in order.
    ///
    /// # Errors
    /// When a picture cannot be encoded.
    pub fn draw(
        &self,
        subject: &Subject,
        style: &Style,
        kinds: &[ArtifactKind],
    ) -> Result<Vec<Vec<Drawing>>> {
        let draw = |target| {
            let canvas = Canvas { explanation: self, target, subject, style, placed: OnceCell::new() };
            kinds.iter().map(|kind| Ok(Drawing { kind: *kind, bytes: canvas.draw(*kind)? })).collect()
        };
        self.targets.iter().map(draw).collect()
    }

    /// The overlay of one target, as a picture.
    #[must_use]
    pub fn overlay(&self, target: &ClassExplanation, subject: &Subject, style: &Style) -> RgbImage {
        Canvas { explanation: self, target, subject, style, placed: OnceCell::new() }.overlay()
    }
}

impl Canvas<'_> {
    fn placed(&self) -> &Placed {
        self.placed.get_or_init(|| {
            place(&self.explanation.drawn(self.target), self.subject, self.style.interpolation)
        })
    }

    fn overlay(&self) -> RgbImage {
        let photo = &self.subject.picture;
        match (&self.target.finding, self.style.library) {
            // A blank map leaves the photo alone in every style.
            (Some(_), _) => photo.clone(),
            (None, Some(library)) => {
                let map = self.explanation.heatmap(self.target);
                compat_overlay(photo, &map, &self.subject.placement, &overlay_of(library))
            }
            (None, None) => {
                render::overlay(&self.subject.picture, self.placed(), self.style.overlay, self.style.colormap)
            }
        }
    }

    fn draw(&self, kind: ArtifactKind) -> Result<Vec<u8>> {
        let Style { threshold, components, colormap, .. } = *self.style;
        let photo = &self.subject.picture;
        match kind {
            ArtifactKind::Overlay => render::encode_png(&self.overlay()),
            ArtifactKind::Heatmap => render::encode_png(&render::heatmap_picture(self.placed(), colormap)),
            ArtifactKind::Grey => render::encode_png(&render::grey_picture(self.placed())),
            ArtifactKind::Grey16 => render::encode_png(&render::grey16_picture(self.placed())),
            ArtifactKind::Mask => render::encode_png(&render::mask(self.placed(), threshold, components)),
            ArtifactKind::CutOut => {
                render::encode_png(&render::cut_out(photo, self.placed(), threshold, components))
            }
            ArtifactKind::Boxes => {
                let boxes: Vec<_> = render::regions(self.placed(), threshold, components)
                    .into_iter()
                    .map(|region| region.bounds)
                    .collect();
                render::encode_png(&render::draw_boxes(&self.overlay(), &boxes))
            }
            ArtifactKind::SideBySide => render::encode_png(&render::side_by_side(photo, &self.overlay())),
            ArtifactKind::Npy => {
                let map = self.explanation.heatmap(self.target);
                write_npy_2d(map.height(), map.width(), map.values())
            }
            ArtifactKind::NpyFull => {
                let placed = self.placed();
                write_npy_2d(placed.height, placed.width, &placed.values)
            }
        }
    }
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

fn place(map: &Heatmap, subject: &Subject, interpolation: Interpolation) -> Placed {
    let (width, height) = subject.picture.dimensions();
    render::place(map, &subject.placement, width as usize, height as usize, interpolation)
}

/// The boxes around the regions of heat, largest first; none for a blank map.
pub(super) fn boxes(
    explanation: &Explanation,
    target: &ClassExplanation,
    subject: &Subject,
    style: &Style,
) -> Vec<BoxRecord> {
    let placed = place(&explanation.drawn(target), subject, Interpolation::Bilinear);
    let record = |region: render::Region| BoxRecord {
        left: region.bounds.left,
        top: region.bounds.top,
        right: region.bounds.right,
        bottom: region.bounds.bottom,
        area: region.area,
        peak: region.peak,
        mean: region.mean,
    };
    render::regions(&placed, style.threshold, style.components).into_iter().map(record).collect()
}
