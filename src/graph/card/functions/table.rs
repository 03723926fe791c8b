//! The table: one entry per function. Activations are here, elementary functions in [`super::elementary`].

use super::elementary::{self, ANY, NOT_NEGATIVE, SIGNED_UNIT, UNIT};
use super::kernel::PointwiseKernel;
use super::numbers::{gelu_tanh, inside, normal_below, normal_density, sigmoid, sigmoid_slope, softplus};
use super::{Entry, SELU_CONSTANTS};
use crate::card::Op;

/// All of them.
pub(super) static ALL: [&Entry; 25] = [
    &RELU,
    &LEAKY_RELU,
    &ELU,
    &SELU,
    &GELU,
    &GELU_BY_TANH,
    &SILU,
    &MISH,
    &SIGMOID,
    &HARD_SIGMOID,
    &HARD_SWISH,
    &TANH,
    &SOFTPLUS,
    &LOG_SIGMOID,
    &CLIP,
    &elementary::EXP,
    &elementary::SQRT,
    &elementary::LENGTH,
    &elementary::LOG,
    &elementary::ABS,
    &elementary::SIGN,
    &elementary::ERF,
    &elementary::SIN,
    &elementary::COS,
    &elementary::POW,
];

pub(in crate::card) static RELU: Entry = Entry {
    onnx: Some(("Relu", &[])),
    op: |_| Op::Relu {},
    value: |x, _| x.max(0.0),
    // Zero at zero, as PyTorch has it.
    slope: |x, _| f64::from(x > 0.0),
    curvature: |_, _| 0.0,
    range: NOT_NEGATIVE,
    kernel: Some(|_| PointwiseKernel::Range([0.0, f32::INFINITY])),
};

pub(in crate::card) static LEAKY_RELU: Entry = Entry {
    onnx: Some(("LeakyRelu", &[("alpha", 0.01)])),
    op: |[slope, _]| Op::LeakyRelu { slope },
    value: |x, [slope, _]| if x > 0.0 { x } else { slope * x },
    slope: |x, [slope, _]| if x > 0.0 { 1.0 } else { slope },
    curvature: |_, _| 0.0,
    range: ANY,
    kernel: Some(|[slope, _]| PointwiseKernel::Leaky(slope)),
};

pub(in crate::card) static ELU: Entry = Entry {
    onnx: Some(("Elu", &[("alpha", 1.0)])),
    op: |[alpha, _]| Op::Elu { alpha },
    value: |x, [alpha, _]| if x > 0.0 { x } else { alpha * x.exp_m1() },
    slope: |x, [alpha, _]| if x > 0.0 { 1.0 } else { alpha * x.exp() },
    curvature: |x, [alpha, _]| if x > 0.0 { 0.0 } else { alpha * x.exp() },
    range: |[alpha, _]| [(-alpha).min(0.0), f64::INFINITY],
    kernel: None,
};

pub(in crate::card) static SELU: Entry = Entry {
    // Its attributes have to be the constants of the paper, which is the importer's to check.
    onnx: None,
    op: |_| Op::Selu {},
    value: |x, _| SELU_CONSTANTS[1] * (ELU.value)(x, SELU_CONSTANTS),
    slope: |x, _| SELU_CONSTANTS[1] * (ELU.slope)(x, SELU_CONSTANTS),
    curvature: |x, _| SELU_CONSTANTS[1] * (ELU.curvature)(x, SELU_CONSTANTS),
    range: |_| [-SELU_CONSTANTS[0] * SELU_CONSTANTS[1], f64::INFINITY],
    kernel: None,
};

pub(in crate::card) static GELU: Entry = Entry {
    onnx: None,
    op: |_| Op::Gelu { approximate: false },
    value: |x, _| x * normal_below(x),
    slope: |x, _| normal_below(x) + x * normal_density(x),
    curvature: |x, _| normal_density(x) * (2.0 - x * x),
    // The minima of GELU, SiLU and Mish have no closed form; a test compares them with the values.
    range: |_| [-0.169_971, f64::INFINITY],
    kernel: Some(|_| PointwiseKernel::Gelu),
};

pub(in crate::card) static GELU_BY_TANH: Entry = Entry {
    onnx: None,
    op: |_| Op::Gelu { approximate: true },
    value: |x, _| 0.5 * x * (1.0 + gelu_tanh(x)[0]),
    slope: |x, _| {
        let [t, inner, _] = gelu_tanh(x);
        0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner
    },
    curvature: |x, _| {
        let [t, inner, bend] = gelu_tanh(x);
        (1.0 - t * t) * (inner + x * (0.5 * bend - t * inner * inner))
    },
    range: |_| [-0.170_041, f64::INFINITY],
    kernel: Some(|_| PointwiseKernel::GeluByTanh),
};

pub(in crate::card) static SILU: Entry = Entry {
    onnx: None,
    op: |_| Op::Silu {},
    value: |x, _| x * sigmoid(x),
    slope: |x, _| sigmoid(x) + x * sigmoid_slope(x),
    curvature: |x, _| sigmoid_slope(x) * (2.0 + x * (1.0 - 2.0 * sigmoid(x))),
    range: |_| [-0.278_465, f64::INFINITY],
    kernel: Some(|_| PointwiseKernel::Silu),
};

pub(in crate::card) static MISH: Entry = Entry {
    onnx: Some(("Mish", &[])),
    op: |_| Op::Mish {},
    value: |x, _| x * softplus(x).tanh(),
    slope: |x, _| {
        let t = softplus(x).tanh();
        t + x * (1.0 - t * t) * sigmoid(x)
    },
    curvature: |x, _| {
        let (t, s) = (softplus(x).tanh(), sigmoid(x));
        (1.0 - t * t) * (2.0 * s + x * (sigmoid_slope(x) - 2.0 * t * s * s))
    },
    range: |_| [-0.308_843, f64::INFINITY],
    kernel: None,
};

pub(in crate::card) static SIGMOID: Entry = Entry {
    onnx: Some(("Sigmoid", &[])),
    op: |_| Op::Sigmoid {},
    value: |x, _| sigmoid(x),
    slope: |x, _| sigmoid_slope(x),
    curvature: |x, _| sigmoid_slope(x) * (1.0 - 2.0 * sigmoid(x)),
    range: UNIT,
    kernel: Some(|_| PointwiseKernel::Sigmoid),
};

pub(in crate::card) static HARD_SIGMOID: Entry = Entry {
    onnx: Some(("HardSigmoid", &[("alpha", 0.2), ("beta", 0.5)])),
    op: |[alpha, beta]| Op::HardSigmoid { alpha, beta },
    value: |x, [alpha, beta]| (alpha * x + beta).clamp(0.0, 1.0),
    slope: |x, [alpha, beta]| alpha * inside(alpha * x + beta, [0.0, 1.0]),
    curvature: |_, _| 0.0,
    range: UNIT,
    kernel: Some(PointwiseKernel::HardSigmoid),
};

pub(in crate::card) static HARD_SWISH: Entry = Entry {
    onnx: Some(("HardSwish", &[])),
    op: |_| Op::HardSwish {},
    value: |x, _| x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
    slope: |x, _| (x / 6.0 + 0.5).clamp(0.0, 1.0) + x / 6.0 * inside(x, [-3.0, 3.0]),
    curvature: |x, _| inside(x, [-3.0, 3.0]) / 3.0,
    range: |_| [-0.375, f64::INFINITY],
    kernel: Some(|_| PointwiseKernel::HardSwish),
};

pub(in crate::card) static TANH: Entry = Entry {
    onnx: Some(("Tanh", &[])),
    op: |_| Op::Tanh {},
    value: |x, _| x.tanh(),
    slope: |x, _| 1.0 - x.tanh() * x.tanh(),
    curvature: |x, _| -2.0 * x.tanh() * (1.0 - x.tanh() * x.tanh()),
    range: SIGNED_UNIT,
    kernel: None,
};

pub(in crate::card) static SOFTPLUS: Entry = Entry {
    onnx: Some(("Softplus", &[])),
    op: |_| Op::Softplus {},
    value: |x, _| softplus(x),
    slope: |x, _| sigmoid(x),
    curvature: |x, _| sigmoid_slope(x),
    range: NOT_NEGATIVE,
    kernel: None,
};

pub(in crate::card) static LOG_SIGMOID: Entry = Entry {
    onnx: None,
    op: |_| Op::LogSigmoid {},
    value: |x, _| -softplus(-x),
    slope: |x, _| sigmoid(-x),
    curvature: |x, _| -sigmoid_slope(x),
    range: |_| [f64::NEG_INFINITY, 0.0],
    kernel: None,
};

pub(in crate::card) static CLIP: Entry = Entry {
    // Its bounds are inputs and may be left out, which is the importer's to read.
    onnx: None,
    op: |[min, max]| Op::Clip { min, max },
    value: |x, [min, max]| x.max(min).min(max),
    slope: |x, bounds| inside(x, bounds),
    curvature: |_, _| 0.0,
    range: |bounds| bounds,
    kernel: Some(PointwiseKernel::Range),
};
