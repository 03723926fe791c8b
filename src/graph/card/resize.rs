//! How `resize` finds the cells of the input that an output cell is made of.

use serde::{Deserialize, Serialize};

/// How `resize` finds the value of output cell `i`, by axis.
///
/// The cell lies at `(i + 1/2) in / out - 1/2` of the input, or with `align_corners` at `i (in - 1) / (out - 1)`,
/// so that the corners meet, or where a [`ResizeMapping`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResizeMode {
    /// Input cell `floor(i in / out)`, whatever that place; without `align_corners`. With a mapping, the nearest cell.
    Nearest,
    /// The two cells about that place, by their distance.
    Bilinear,
    /// The four cells about that place, by Keys' cubic with `a = -3/4`; cells beyond the border repeat it.
    Bicubic,
}

/// ONNX's conventions for `resize`, where it has others than PyTorch. Places are worked out in single precision, as
/// onnxruntime does, so that the same cell is the nearest one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResizeMapping {
    /// Where an output cell lies.
    pub coordinates: Coordinates,
    /// By what height and width grow. It need not be the quotient of the sizes, which are whole numbers.
    pub scale: [f64; 2],
    /// Which cell `nearest` takes. Default: the nearest, of two equally near ones the first.
    #[serde(default, skip_serializing_if = "Rounding::is_default")]
    pub rounding: Rounding,
    /// The `a` of Keys' cubic. Default: -3/4.
    #[serde(default = "cubic_a", skip_serializing_if = "is_cubic_a")]
    pub cubic_a: f64,
    /// Cells beyond the border do not count, and the others' weights are scaled to a sum of 1. Default: they repeat it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub exclude_outside: bool,
    /// The window widens by as much as an axis shrinks. Default: nothing is smoothed first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub antialias: bool,
}

/// Where output cell `i` lies on an axis of the input that grows by `scale` from `in` to `out` cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coordinates {
    /// `(i + 1/2) / scale - 1/2`.
    HalfPixel,
    /// The same about the middle of the axis: `in / 2 (1 - out / (scale in))` is added.
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

/// Which cell is the nearest one to a place between two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// The nearer one, of two equally near ones the first.
    #[default]
    RoundPreferFloor,
    /// The nearer one, of two equally near ones the second.
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
pub const CUBIC_A: f64 = -0.75;

fn cubic_a() -> f64 {
    CUBIC_A
}

fn is_cubic_a(number: &f64) -> bool {
    *number == CUBIC_A
}

fn is_false(flag: &bool) -> bool {
    !flag
}
