//! Pictures and arrays from an explanation, as bytes.

use std::cell::LazyCell;

use super::{ClassExplanation, Explanation, Subject};
use crate::error::{Error, Result, did_you_mean};
use crate::input::write_npy_2d;
use crate::record::{BoxRecord, StyleRecord};
use crate::render::{self, Colormap, Interpolation, Overlay, Placed};

/// Share of the greatest heat that counts as part of the object: the paper's choice for localisation.
const REGION_THRESHOLD: f32 = 0.15;

/// What can be written beside a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactKind {
    /// The picture with the heat on it.
    Overlay,
    /// The heat alone, in colours.
    Heatmap,
    /// The map at the layer's resolution, a float32 NumPy array `[height, width]`.
    Npy,
    /// White where the heat is at least 15 % of the greatest, else black.
    Mask,
    /// Picture and overlay beside each other.
    SideBySide,
}

/// How pictures are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Opacity from the heat, or one opacity everywhere.
    pub overlay: Overlay,
    /// Colours of the heat.
    pub colormap: Colormap,
    /// How the map is enlarged.
    pub interpolation: Interpolation,
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
    pub const ALL: &'static [Self] = &[Self::Overlay, Self::Heatmap, Self::Npy, Self::Mask, Self::SideBySide];

    /// Name as written on the command line and in the record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Overlay => "overlay",
            Self::Heatmap => "heatmap",
            Self::Npy => "npy",
            Self::Mask => "mask",
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

impl Default for Style {
    fn default() -> Self {
        Self {
            overlay: Overlay::Alpha { limit: 0.65 },
            colormap: Colormap::Viridis,
            interpolation: Interpolation::Bilinear,
        }
    }
}

impl Style {
    pub(super) fn record(&self) -> StyleRecord {
        let (overlay, opacity) = match self.overlay {
            Overlay::Alpha { limit } => ("alpha", limit),
            Overlay::Blend { alpha } => ("blend", alpha),
        };
        StyleRecord {
            overlay: overlay.to_owned(),
            opacity,
            colormap: self.colormap.name().to_owned(),
            interpolation: self.interpolation.name().to_owned(),
        }
    }
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
        let target = |target: &ClassExplanation| draw_target(target, subject, style, kinds);
        self.targets.iter().map(target).collect()
    }
}

fn draw_target(
    target: &ClassExplanation,
    subject: &Subject,
    style: &Style,
    kinds: &[ArtifactKind],
) -> Result<Vec<Drawing>> {
    // Nothing is enlarged to the photo's size for an array or for no picture at all.
    let placed = LazyCell::new(|| place(target, subject, style.interpolation));
    let overlay = || match target.finding {
        // A blank map leaves the photo alone in either style.
        Some(_) => subject.picture.clone(),
        None => render::overlay(&subject.picture, &placed, style.overlay, style.colormap),
    };
    let draw = |kind: &ArtifactKind| {
        let bytes = match kind {
            ArtifactKind::Overlay => render::encode_png(&overlay()),
            ArtifactKind::Heatmap => render::encode_png(&render::heatmap_picture(&placed, style.colormap)),
            ArtifactKind::Mask => {
                render::encode_png(&render::mask_picture(&placed, region_threshold(&placed)))
            }
            ArtifactKind::SideBySide => {
                render::encode_png(&render::side_by_side(&subject.picture, &overlay()))
            }
            ArtifactKind::Npy => {
                let map = &target.map.heatmap;
                write_npy_2d(map.height(), map.width(), map.values())
            }
        }?;
        Ok(Drawing { kind: *kind, bytes })
    };
    kinds.iter().map(draw).collect()
}

fn place(target: &ClassExplanation, subject: &Subject, interpolation: Interpolation) -> Placed {
    let (width, height) = subject.picture.dimensions();
    render::place(&target.map.heatmap, &subject.placement, width as usize, height as usize, interpolation)
}

/// The box around the largest connected region of heat, or `None` for a blank map.
pub(super) fn region(target: &ClassExplanation, subject: &Subject) -> Option<BoxRecord> {
    if target.map.heatmap.is_blank() {
        return None;
    }
    let placed = place(target, subject, Interpolation::Bilinear);
    let region = render::largest_region(&placed, region_threshold(&placed))?;
    Some(BoxRecord { left: region.left, top: region.top, right: region.right, bottom: region.bottom })
}

/// The heat from which on a pixel of this picture counts as part of the object.
fn region_threshold(placed: &Placed) -> f32 {
    REGION_THRESHOLD * placed.values.iter().copied().fold(0.0, f32::max)
}
