//! The kinds of pictures and arrays, and their style; `canvas` draws them.

use std::io::{self, Write};

use crate::cam::Library;
use crate::error::{Error, Problem, Result, is_name};
use crate::record::StyleRecord;
use crate::render::{
    Backdrop, CELL, Colormap, Components, Contours, Encoding, Format, Interpolation, Look, Overlay, Rows,
    Threshold, write_picture,
};

/// A kind of picture or array that is written with a record.
///
/// ```
/// use burncam::{ArtifactKind, Request};
///
/// # fn main() -> burncam::Result<()> {
/// let mut request = Request::default();
/// request.artifacts = vec![ArtifactKind::Overlay, "cut-out".parse()?];
/// assert_eq!(request.artifacts[1], ArtifactKind::CutOut);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArtifactKind {
    /// The picture with the map on it.
    Overlay,
    /// The map alone, in colours.
    Heatmap,
    /// The map alone, 8 bits of grey: `255 * value`; for signed maps zero is the middle.
    Grey,
    /// The map alone, 16 bits of grey.
    Grey16,
    /// The map as computed, at its own resolution, a float32 NumPy array `[height, width]`.
    Npy,
    /// The same enlarged to the picture's resolution, 0 where the network saw nothing.
    NpyFull,
    /// White where the map reaches the threshold, otherwise black.
    Mask,
    /// The overlay with boxes around the hot regions.
    Boxes,
    /// The picture where the map reaches the threshold, transparent elsewhere.
    CutOut,
    /// Picture and overlay next to each other.
    SideBySide,
    /// White where the class wins in a segmentation, otherwise black.
    ClassMask,
    /// The overlay with the boxes that a detector found.
    Detections,
    /// A figure: photo, overlay and colour bar side by side, with class, probability, method and layer.
    Figure,
    /// The figure as an SVG file, for papers.
    Svg,
    /// The figure as a PDF file, for papers.
    Pdf,
}

/// How pictures are drawn.
///
/// ```
/// use burncam::Request;
///
/// # fn main() -> burncam::Result<()> {
/// let mut request = Request::default();
/// request.style.colormap = "viridis".parse()?;
/// request.style.photo = "colour".parse()?;
/// request.style.contours = "0.25,0.5".parse()?;
/// request.style.interpolation = "nearest".parse()?;
/// request.style.threshold = "p80".parse()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Style {
    /// Another library's overlay; then [`Style::overlay`], [`Style::colormap`], [`Style::interpolation`], [`Style::photo`],
    /// [`Style::contours`] and [`Style::crop_edge`] only apply to other pictures.
    pub library: Option<Library>,
    /// Opacity from the map, or one opacity everywhere.
    pub overlay: Overlay,
    /// The colour map.
    pub colormap: Colormap,
    /// What the heat is laid over: the photo in grey, in colours, dimmed, or white paper.
    pub photo: Backdrop,
    /// Lines of equal heat on overlays. Default: none.
    pub contours: Contours,
    /// Whether overlays show the edge of what the network saw as a thin dashed line. Default: yes.
    pub crop_edge: bool,
    /// How the map is enlarged.
    pub interpolation: Interpolation,
    /// The value from which on a pixel belongs to a region.
    pub threshold: Threshold,
    /// The selected regions.
    pub components: Components,
    /// Side in pixels of the square that every cell of a sheet fits into. Default: 320.
    pub sheet_cell: u32,
    /// How pictures become files. The format is that of pictures that show the photo; others hold values, and are PNG.
    pub encoding: Encoding,
}

impl Default for Style {
    fn default() -> Self {
        let Look { overlay, colormap, backdrop, contours, crop_edge } = Look::default();
        Self {
            library: None,
            overlay,
            colormap,
            photo: backdrop,
            contours,
            crop_edge,
            interpolation: Interpolation::default(),
            threshold: Threshold::default(),
            components: Components::default(),
            sheet_cell: CELL,
            encoding: Encoding::default(),
        }
    }
}

/// A drawn file that has no name yet.
#[derive(Debug)]
pub(crate) enum Drawing<'a> {
    /// A picture, which is computed while it is written.
    Picture(Rows<'a>, Encoding),
    /// The bytes of an array's or a document's file.
    Bytes(Vec<u8>),
}

impl Drawing<'_> {
    /// Writes the file.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Picture(rows, encoding) => write_picture(rows, encoding, out),
            Self::Bytes(bytes) => out.write_all(bytes),
        }
    }
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
        Self::ClassMask,
        Self::Detections,
        Self::Figure,
        Self::Svg,
        Self::Pdf,
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
            Self::ClassMask => "mask-of-class",
            Self::Detections => "detections",
            Self::Figure => "figure",
            Self::Svg => "svg",
            Self::Pdf => "pdf",
        }
    }
}

impl ArtifactKind {
    /// Whether it shows the photo, so that its format can be chosen; others hold values, and are PNG or arrays.
    fn shows_photo(self) -> bool {
        matches!(self, Self::Overlay | Self::Boxes | Self::SideBySide | Self::Detections)
    }

    /// How a picture of this kind becomes a file.
    pub(crate) fn encoding(self, style: &Style) -> Encoding {
        let format = if self.shows_photo() { style.encoding.format } else { Format::Png };
        Encoding { format, ..style.encoding }
    }
}

impl std::str::FromStr for ArtifactKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let names = Self::ALL.iter().map(|kind| kind.name());
        let found = Self::ALL.iter().find(|kind| is_name(kind.name(), text)).copied();
        found.ok_or_else(|| {
            Error::request(
                Problem::new("is not known")
                    .near(text, names.clone())
                    .known("expected record or one of", names)
                    .named("output", text),
            )
        })
    }
}

impl Style {
    /// How overlays look that are not a library's.
    pub(super) fn look(&self) -> Look {
        let Self { overlay, colormap, photo, contours, crop_edge, .. } = *self;
        Look { overlay, colormap, backdrop: photo, contours, crop_edge }
    }

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
            photo: own(self.photo.name()),
            contours: self.library.is_none().then(|| self.contours.levels().to_vec()),
            crop_edge: self.library.is_none().then_some(self.crop_edge),
        }
    }
}
