//! The operations that a graph may use, each with its settings and defaults.
//!
//! Spatial settings are `[height, width]`, paddings `[top, bottom, left, right]`. Axes count from 0, the batch's: channels are axis 1.
//!
//! | field | means | default |
//! |---|---|---|
//! | `stride` | step of the window | 1 (pools: none, it must be given) |
//! | `padding` | zeros around the input; for `max_pool2d` nothing at all | 0 |
//! | `dilation` | distance between the window's taps | 1 |
//! | `groups` | channels are split into this many independent convolutions | 1 |
//! | `kernel` | size of the window | |
//! | `ceil_mode` | windows may hang over the end, if they begin inside | no |
//! | `count_include_pad` | padding counts when averaging | yes |
//! | `axis`, `axes` | along which | 1 |
//! | `keep_dims` | reduced axes stay with size 1 | no |
//! | `epsilon` | added to the variance under the root | 1e-5 |
//! | `output_size` | height and width of the result | |
//! | `align_corners` | first and last cells of input and output coincide | no |

#![expect(missing_docs, reason = "fields mean the same wherever they stand; the table above says what")]

use serde::{Deserialize, Serialize};

use super::resize::{ResizeMapping, ResizeMode};
use super::settings::{self, PadMode};

/// One operation and its settings. `docs/model-format.md` has the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Cross-correlation. `weight` is `[out, in / groups, kernel height, kernel width]`, `bias` `[out]`.
    Conv2d {
        #[serde(default = "settings::one_one")]
        stride: [usize; 2],
        #[serde(default)]
        padding: [usize; 4],
        #[serde(default = "settings::one_one")]
        dilation: [usize; 2],
        #[serde(default = "settings::one")]
        groups: usize,
    },
    /// The transpose of a convolution. `weight` is `[in, out / groups, kernel height, kernel width]`, `bias` `[out]`.
    ConvTranspose2d {
        #[serde(default = "settings::one_one")]
        stride: [usize; 2],
        #[serde(default)]
        padding: [usize; 4],
        #[serde(default)]
        output_padding: [usize; 2],
        #[serde(default = "settings::one_one")]
        dilation: [usize; 2],
        #[serde(default = "settings::one")]
        groups: usize,
    },
    /// Batch normalisation with running statistics; `gamma`, `beta`, `running_mean`, `running_var`, each `[channels]`.
    BatchNorm {
        #[serde(default = "settings::norm_epsilon")]
        epsilon: f64,
    },
    /// `(x - mean) / sqrt(variance + epsilon)` over the last axes, those of `gamma`, then times `gamma` plus `beta`.
    LayerNorm {
        #[serde(default = "settings::norm_epsilon")]
        epsilon: f64,
    },
    /// The same over each of `groups` of channels; `gamma` and `beta`, `[channels]`. A group a channel is instance norm.
    GroupNorm {
        groups: usize,
        #[serde(default = "settings::norm_epsilon")]
        epsilon: f64,
    },
    /// `x / (k + alpha / size * sum)^beta`, with the sum of `x^2` over `size` channels around each: of an even
    /// `size`, one more after it than before.
    LocalResponseNorm { size: usize, alpha: f64, beta: f64, k: f64 },
    /// `x W + b` over the last axis. `weight` is `[in, out]`, `bias` `[out]`.
    Linear {},
    /// Matrix product of two values, or of one and the parameter `other`, broadcast over leading axes.
    Matmul {},
    /// Greatest value in each window.
    MaxPool2d {
        kernel: [usize; 2],
        stride: [usize; 2],
        #[serde(default)]
        padding: [usize; 4],
        #[serde(default = "settings::one_one")]
        dilation: [usize; 2],
        #[serde(default)]
        ceil_mode: bool,
    },
    /// Mean of each window.
    AvgPool2d {
        kernel: [usize; 2],
        stride: [usize; 2],
        #[serde(default)]
        padding: [usize; 4],
        #[serde(default)]
        ceil_mode: bool,
        #[serde(default = "settings::yes")]
        count_include_pad: bool,
    },
    /// Mean over windows that divide the input into `output_size` cells.
    AdaptiveAvgPool2d { output_size: [usize; 2] },
    /// Mean over height and width, which become 1.
    GlobalAvgPool {},
    /// Maximum over height and width, which become 1.
    GlobalMaxPool {},
    /// `max(x, 0)`.
    Relu {},
    /// `min(max(x, 0), 6)`.
    Relu6 {},
    /// `x` where positive, else `slope x`.
    LeakyRelu {
        #[serde(default = "settings::leaky_slope")]
        slope: f64,
    },
    /// `x` where positive, else `slope x` with a learned `slope`, `[channels]` or `[1]`.
    Prelu {},
    /// `x` where positive, else `alpha (e^x - 1)`.
    Elu {
        #[serde(default = "settings::one_float")]
        alpha: f64,
    },
    /// Scaled ELU with the constants of its paper.
    Selu {},
    /// `x Φ(x)`; `approximate` takes the tanh form.
    Gelu {
        #[serde(default)]
        approximate: bool,
    },
    /// `x σ(x)`, also called swish.
    Silu {},
    /// `x tanh(ln(1 + e^x))`.
    Mish {},
    /// `1 / (1 + e^-x)`.
    Sigmoid {},
    /// `clamp(alpha x + beta, 0, 1)`.
    HardSigmoid {
        #[serde(default = "settings::one_sixth")]
        alpha: f64,
        #[serde(default = "settings::half")]
        beta: f64,
    },
    /// `x clamp(x / 6 + 1 / 2, 0, 1)`.
    HardSwish {},
    /// Hyperbolic tangent.
    Tanh {},
    /// `ln(1 + e^x)`.
    Softplus {},
    /// `-ln(1 + e^-x)`.
    LogSigmoid {},
    /// `clamp(x, min, max)`.
    Clip { min: f64, max: f64 },
    /// `e^x`.
    Exp {},
    /// Square root. That of a sum of squares is a length, whose slope at zero is taken as zero.
    Sqrt {
        /// Found when a model is opened; cards neither have nor need it.
        #[serde(skip)]
        of_squares: bool,
    },
    /// Natural logarithm.
    Log {},
    /// `|x|`.
    Abs {},
    /// -1, 0 or 1.
    Sign {},
    /// The error function.
    Erf {},
    /// Sine.
    Sin {},
    /// Cosine.
    Cos {},
    /// `x^exponent`; of a negative `x` only with a whole exponent.
    Pow { exponent: f64 },
    /// Softmax along `axis`.
    Softmax {
        #[serde(default = "settings::one")]
        axis: usize,
    },
    /// Logarithm of the softmax along `axis`.
    LogSoftmax {
        #[serde(default = "settings::one")]
        axis: usize,
    },
    /// Sum of two values, or of one and the parameter `other` or the number `scalar`; shapes broadcast.
    Add {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scalar: Option<f64>,
    },
    /// First minus second; operands as in `add`.
    Sub {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scalar: Option<f64>,
    },
    /// Product; operands as in `add`.
    Mul {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scalar: Option<f64>,
    },
    /// First divided by second; operands as in `add`.
    Div {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scalar: Option<f64>,
    },
    /// The lesser; operands as in `add`.
    Minimum {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scalar: Option<f64>,
    },
    /// The greater; operands as in `add`.
    Maximum {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scalar: Option<f64>,
    },
    /// Values side by side along `axis`. The parameter `other`, if there is one, stands before input number `at` and
    /// broadcasts along the other axes.
    Concat {
        #[serde(default = "settings::one")]
        axis: usize,
        #[serde(default, skip_serializing_if = "settings::is_zero")]
        at: usize,
    },
    /// Axes from `start_axis` on become one.
    Flatten {
        #[serde(default = "settings::one")]
        start_axis: usize,
    },
    /// New shape; 0 keeps the input's size at that place and one -1 takes what is left.
    Reshape { shape: Vec<i64> },
    /// Axes in a new order.
    Transpose { perm: Vec<usize> },
    /// Axes of size 1 go away.
    Squeeze { axes: Vec<usize> },
    /// Axes of size 1 come in, at these places of the result.
    Unsqueeze { axes: Vec<usize> },
    /// From `start` up to but without `end`, every `step`-th, along `axis`.
    Slice {
        axis: usize,
        start: usize,
        end: usize,
        #[serde(default = "settings::one")]
        step: usize,
    },
    /// Part number `part` of a division into `sizes` along `axis`: a split into three is three nodes.
    Split { axis: usize, sizes: Vec<usize>, part: usize },
    /// Those at `indices` along `axis`, in that order and perhaps more than once.
    Gather { axis: usize, indices: Vec<usize> },
    /// Where the `count` greatest are along the last axis, from the greatest on: a row for each, with 1 at its place and else 0.
    TopK { count: usize },
    /// Rows and columns around the picture.
    Pad {
        padding: [usize; 4],
        #[serde(default)]
        mode: PadMode,
        #[serde(default)]
        value: f64,
    },
    /// Height and width become `output_size`; `mapping` is for conventions that the other settings cannot say.
    Resize {
        output_size: [usize; 2],
        mode: ResizeMode,
        #[serde(default)]
        align_corners: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mapping: Option<ResizeMapping>,
    },
    /// Mean along `axes`.
    ReduceMean {
        axes: Vec<usize>,
        #[serde(default)]
        keep_dims: bool,
    },
    /// Sum along `axes`.
    ReduceSum {
        axes: Vec<usize>,
        #[serde(default)]
        keep_dims: bool,
    },
    /// Maximum along `axes`.
    ReduceMax {
        axes: Vec<usize>,
        #[serde(default)]
        keep_dims: bool,
    },
    /// Minimum along `axes`.
    ReduceMin {
        axes: Vec<usize>,
        #[serde(default)]
        keep_dims: bool,
    },
    /// Square root of the sum of squares along `axes`.
    ReduceL2 {
        axes: Vec<usize>,
        #[serde(default)]
        keep_dims: bool,
    },
    /// Nothing: models are run for evaluation, never trained.
    Dropout {},
    /// Nothing; gives a value a second name.
    Identity {},
}
