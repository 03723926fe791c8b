//! The rules by which `resize` maps output cells to input cells.

use serde::{Deserialize, Serialize};

/// How `resize` computes the value of output cell `i`, per axis.
///
/// The input coordinate is `(i + 1/2) in / out - 1/2`, or with `align_corners` `i (in - 1) / (out - 1)`, so that the
/// corners coincide, or follows from a [`ResizeMapping`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResizeMode {
    /// Input cell `floor(i in / out)`, regardless of the coordinate; without `align_corners`. With a mapping, the
    /// nearest cell.
    Nearest,
    /// The two cells around the coordinate, weighted by distance.
    Bilinear,
    /// The four cells around the coordinate, by Keys' cubic with `a = -3/4`; cells beyond the border repeat it.
    Bicubic,
}

/// ONNX's conventions for `resize`, where they differ from PyTorch's. Coordinates are computed in single precision,
/// as in onnxruntime, so that the same cell is nearest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResizeMapping {
    /// The input coordinate of an output cell.
    pub coordinates: Coordinates,
    /// Scale of height and width. Not always the quotient of the sizes, which are rounded.
    pub scale: [f64; 2],
    /// The cell that `nearest` takes. Default: the nearest, on ties the first.
    #[serde(default, skip_serializing_if = "Rounding::is_default")]
    pub rounding: Rounding,
    /// The `a` of Keys' cubic. Default: -3/4.
    #[serde(default = "cubic_a", skip_serializing_if = "is_cubic_a")]
    pub cubic_a: f64,
    /// Cells beyond the border are dropped and the remaining weights scaled to a sum of 1. Default: they repeat the
    /// border.
    #[serde(default, skip_serializing_if = "is_false")]
    pub exclude_outside: bool,
    /// The window widens by the factor by which an axis shrinks. Default: no smoothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub antialias: bool,
}

/// The coordinate of output cell `i` on an input axis that is scaled by `scale` from `in` to `out` cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coordinates {
    /// `(i + 1/2) / scale - 1/2`.
    HalfPixel,
    /// The same around the centre of the axis: adds `in / 2 (1 - out / (scale in))`.
    HalfPixelSymmetric,
    /// As `half_pixel`, but 0 when `out` is 1.
    PytorchHalfPixel,
    /// `(i + 1/2) / scale`.
    TfHalfPixelForNn,
    /// `i / scale`.
    Asymmetric,
    /// `i (in - 1) / (out - 1)`, and 0 when `out` is 1.
    AlignCorners,
}

/// The nearest cell to a coordinate between two cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// The nearer one, on ties the first.
    #[default]
    RoundPreferFloor,
    /// The nearer one, on ties the second.
    RoundPreferCeil,
    /// The first.
    Floor,
    /// The second.
    Ceil,
    /// The first where the axis grows, the second where it shrinks: ONNX up to operator set 10.
    Simple,
}

impl Rounding {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The `a` of Keys' cubic in PyTorch and ONNX.
pub(crate) const CUBIC_A: f64 = -0.75;

fn cubic_a() -> f64 {
    CUBIC_A
}

fn is_cubic_a(number: &f64) -> bool {
    *number == CUBIC_A
}

fn is_false(flag: &bool) -> bool {
    !flag
}
