//! Preprocessing: resize, crop, colour order, scale.

#![expect(missing_docs, reason = "the fields of a policy are explained in its sentence")]

use serde::{Deserialize, Serialize};

use super::limits::MAX_SIDE;
use crate::error::Problem;

/// From an RGB picture with values 0..=255 to the network's input tensor.
///
/// In this order: resize, crop, colour order, then for each channel `(value * scale - mean) / std`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocess {
    /// How the picture is resized.
    pub resize: Resize,
    /// How the resized picture is cropped. Default: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<Crop>,
    /// Order of the colours. Default: `rgb`.
    #[serde(default)]
    pub color: ColorOrder,
    /// Factor on the values 0..=255. Default: 1/255.
    #[serde(default = "unit_scale")]
    pub scale: f64,
    /// Subtracted after scaling; one value per channel, in the network's colour order. Empty: zeros.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mean: Vec<f64>,
    /// Divisor after subtraction; one value per channel, in the network's colour order. Empty: ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub std: Vec<f64>,
}

/// How a picture of any size is resized.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Resize {
    /// The shorter side becomes `size`, keeping the aspect ratio. The rest is for the crop.
    ShortestSide {
        size: usize,
        #[serde(default)]
        filter: Filter,
    },
    /// Resizes to these sides, ignoring the aspect ratio.
    Stretch {
        height: usize,
        width: usize,
        #[serde(default)]
        filter: Filter,
    },
    /// Fits the whole picture inside, centred, and pads with the grey value `fill` (0..=255).
    Letterbox {
        height: usize,
        width: usize,
        #[serde(default)]
        filter: Filter,
        #[serde(default)]
        fill: u8,
    },
    /// Keeps the picture as it is.
    None {},
}

/// How the resized picture is cropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Crop {
    /// The centre, as in torchvision's `center_crop`: the crop starts at half the remainder, rounded half to even. A
    /// crop larger than the resized picture is padded with black (or a letterbox's `fill`); of an odd number of
    /// missing pixels the extra one goes right and below.
    Center { height: usize, width: usize },
}

/// The resampling filter, with antialiasing when shrinking, as in Pillow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// The nearest pixel.
    Nearest,
    /// Triangle filter.
    #[default]
    Bilinear,
    /// Catmull-Rom (a = -0.5).
    Bicubic,
    /// Lanczos with three lobes.
    Lanczos,
}

/// The order of the colour channels that a network expects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColorOrder {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// One channel of luma as in Pillow's `L`: `(19595 R + 38470 G + 7471 B + 32768) >> 16`.
    Gray,
}

impl ColorOrder {
    /// Number of channels.
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Gray => 1,
        }
    }
}

impl Preprocess {
    /// Height and width of the result, unless they depend on the picture.
    #[must_use]
    pub fn output_size(&self) -> Option<[usize; 2]> {
        match (&self.crop, &self.resize) {
            (Some(Crop::Center { height, width }), _)
            | (None, Resize::Stretch { height, width, .. } | Resize::Letterbox { height, width, .. }) => {
                Some([*height, *width])
            }
            (None, Resize::ShortestSide { .. } | Resize::None {}) => None,
        }
    }

    /// The least and the greatest value of each of `channels` that a picture can become.
    #[must_use]
    pub fn bounds(&self, channels: usize) -> [Vec<f32>; 2] {
        let at = |values: &[f64], channel: usize, usual| values.get(channel).copied().unwrap_or(usual);
        let ends = |channel: usize| {
            let of = |value: f64| {
                (value * self.scale - at(&self.mean, channel, 0.0)) / at(&self.std, channel, 1.0)
            };
            [of(0.0), of(255.0)]
        };
        let of =
            |pick: fn(f64, f64) -> f64| (0..channels).map(&ends).map(|[a, b]| pick(a, b) as f32).collect();
        // A negative divisor turns the two ends around.
        [of(f64::min), of(f64::max)]
    }

    pub(super) fn check(&self) -> Result<(), Problem> {
        let channels = self.color.channels();
        for (name, values) in [("mean", &self.mean), ("std", &self.std)] {
            if !values.is_empty() && values.len() != channels {
                return Err(Problem::new(format!("has {} numbers", values.len()))
                    .expected(format!("{channels} (one per channel)"))
                    .about_field(format!("preprocess.{name}")));
            }
        }
        // Pictures are in single precision, in which smaller numbers are zero and greater ones infinite.
        let is_usable =
            |number: &f64| (f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&number.abs());
        if !is_usable(&self.scale) {
            let problem =
                Problem::new(format!("{:?} leaves nothing of a picture in single precision", self.scale));
            return Err(problem.about_field("preprocess.scale"));
        }
        if let Some(std) = self.std.iter().find(|std| !is_usable(std)) {
            return Err(Problem::new(format!("{std:?} cannot be divided by")).about_field("preprocess.std"));
        }
        let sizes = match (&self.resize, &self.crop) {
            (Resize::ShortestSide { size, .. }, _) => vec![*size],
            (Resize::Stretch { height, width, .. } | Resize::Letterbox { height, width, .. }, _) => {
                vec![*height, *width]
            }
            (Resize::None {}, _) => vec![],
        };
        let odd = |size: &usize| *size == 0 || *size > MAX_SIDE;
        if sizes.iter().any(odd) {
            return Err(Problem::new(format!("size {sizes:?} is not sensible"))
                .expected(format!("1 to {MAX_SIDE} each"))
                .about_field("preprocess.resize"));
        }
        match self.output_size() {
            Some(size) if size.iter().any(odd) => Err(Problem::new(format!("size {size:?} is not sensible"))
                .expected(format!("1 to {MAX_SIDE} each"))
                .about_field("preprocess.crop")),
            _ => Ok(()),
        }
    }
}

fn unit_scale() -> f64 {
    1.0 / 255.0
}
