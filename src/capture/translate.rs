//! One-to-one translations of Burn's operations to a card's.
//!
//! Receives an operation; gives a [`Step`] or `None`. [`super::lower`] handles operations that depend on their
//! context (which operands are parameters, what came before).

use burn::backend::ir::{
    ActivationOperationIr, BaseOperationIr, FloatOperationIr, InterpolateModeIr, InterpolateOpIr,
    ModuleOperationIr, NumericOperationIr, OperationIr, ReduceDimOpIr, ScalarIr, TensorIr,
};

use crate::card::{Op, ResizeMode};

/// An operation with its inputs and output.
pub(super) struct Step<'a> {
    pub(super) op: Op,
    pub(super) inputs: Vec<&'a TensorIr>,
    /// Role -> parameter.
    pub(super) params: Vec<(&'static str, &'a TensorIr)>,
    pub(super) output: &'a TensorIr,
}

pub(super) fn translate(operation: &OperationIr) -> Option<Step<'_>> {
    match operation {
        OperationIr::Module(operation) => module(operation),
        OperationIr::Activation(operation) => activation(operation),
        OperationIr::Float(_, operation) => float(operation),
        OperationIr::NumericFloat(_, operation) => numeric(operation),
        OperationIr::BaseFloat(operation) => base(operation),
        _ => None,
    }
}

fn module(operation: &ModuleOperationIr) -> Option<Step<'_>> {
    learned(operation).or_else(|| pool(operation)).or_else(|| match operation {
        ModuleOperationIr::Interpolate(resize) => Some(plain(resized(resize)?, &resize.x, &resize.out)),
        _ => None,
    })
}

/// Operations with parameters.
fn learned(operation: &ModuleOperationIr) -> Option<Step<'_>> {
    use ModuleOperationIr::*;
    let (op, x, params, output) = match operation {
        Conv2d(conv) => {
            let [(top, bottom), (left, right)] = conv.options.padding;
            let op = Op::Conv2d {
                stride: conv.options.stride,
                padding: [top, bottom, left, right],
                dilation: conv.options.dilation,
                groups: conv.options.groups,
            };
            let bias = conv.bias.as_ref().map(|bias| ("bias", bias));
            let params = std::iter::once(("weight", &conv.weight)).chain(bias).collect();
            (op, &conv.x, params, &conv.out)
        }
        BatchNorm(norm) => {
            let params = vec![
                ("gamma", &norm.gamma),
                ("beta", &norm.beta),
                ("running_mean", &norm.mean),
                ("running_var", &norm.variance),
            ];
            (Op::BatchNorm { epsilon: number(norm.epsilon) }, &norm.x, params, &norm.out)
        }
        LayerNorm(norm) => {
            let beta = norm.beta.as_ref().map(|beta| ("beta", beta));
            let params = std::iter::once(("gamma", &norm.gamma)).chain(beta).collect();
            (Op::LayerNorm { epsilon: number(norm.epsilon) }, &norm.input, params, &norm.out)
        }
        _ => return None,
    };
    Some(Step { op, inputs: vec![x], params, output })
}

fn pool(operation: &ModuleOperationIr) -> Option<Step<'_>> {
    use ModuleOperationIr::*;
    let (op, x, output) = match operation {
        MaxPool2d(pool) => {
            let op = Op::MaxPool2d {
                kernel: pool.kernel_size,
                stride: pool.stride,
                padding: on_both_sides(pool.padding),
                dilation: pool.dilation,
                ceil_mode: pool.ceil_mode,
            };
            (op, &pool.x, &pool.out)
        }
        AvgPool2d(pool) => {
            let op = Op::AvgPool2d {
                kernel: pool.kernel_size,
                stride: pool.stride,
                padding: on_both_sides(pool.padding),
                ceil_mode: pool.ceil_mode,
                count_include_pad: pool.count_include_pad,
            };
            (op, &pool.x, &pool.out)
        }
        AdaptiveAvgPool2d(pool) => {
            let op = match pool.output_size {
                // What the architectures and the ONNX importer write for it, and what CAM looks for.
                [1, 1] => Op::GlobalAvgPool {},
                output_size => Op::AdaptiveAvgPool2d { output_size },
            };
            (op, &pool.x, &pool.out)
        }
        _ => return None,
    };
    Some(plain(op, x, output))
}

fn resized(resize: &InterpolateOpIr) -> Option<Op> {
    let mode = match resize.options.mode {
        InterpolateModeIr::Nearest => ResizeMode::Nearest,
        InterpolateModeIr::Bilinear => ResizeMode::Bilinear,
        InterpolateModeIr::Bicubic => ResizeMode::Bicubic,
        InterpolateModeIr::NearestExact | InterpolateModeIr::Lanczos3 => return None,
    };
    // Burn stores the flag for every mode; the nearest cell has no corners to align.
    let align_corners = resize.options.align_corners && mode != ResizeMode::Nearest;
    Some(Op::Resize { output_size: resize.output_size, mode, align_corners, mapping: None })
}

fn activation(operation: &ActivationOperationIr) -> Option<Step<'_>> {
    use ActivationOperationIr::*;
    let (op, x, output) = match operation {
        Relu(unary) => (Op::Relu {}, &unary.input, &unary.out),
        Gelu(unary) => (Op::Gelu { approximate: false }, &unary.input, &unary.out),
        Sigmoid(unary) => (Op::Sigmoid {}, &unary.input, &unary.out),
        LeakyRelu(scalar) => (Op::LeakyRelu { slope: number(scalar.rhs) }, &scalar.lhs, &scalar.out),
        HardSigmoid(hard) => {
            let op = Op::HardSigmoid { alpha: number(hard.alpha), beta: number(hard.beta) };
            (op, &hard.tensor, &hard.out)
        }
        LogSigmoid(unary) => (Op::LogSigmoid {}, &unary.input, &unary.out),
        Softmax(dim) => (Op::Softmax { axis: dim.axis }, &dim.input, &dim.out),
        LogSoftmax(dim) => (Op::LogSoftmax { axis: dim.axis }, &dim.input, &dim.out),
        PRelu(binary) => {
            let params = vec![("slope", &binary.rhs)];
            return Some(Step { op: Op::Prelu {}, inputs: vec![&binary.lhs], params, output: &binary.out });
        }
        _ => return None,
    };
    Some(plain(op, x, output))
}

fn float(operation: &FloatOperationIr) -> Option<Step<'_>> {
    use FloatOperationIr::*;
    let (op, unary) = match operation {
        Exp(unary) => (Op::Exp {}, unary),
        Log(unary) => (Op::Log {}, unary),
        Sqrt(unary) => (Op::Sqrt { of_squares: false }, unary),
        Tanh(unary) => (Op::Tanh {}, unary),
        Erf(unary) => (Op::Erf {}, unary),
        Sin(unary) => (Op::Sin {}, unary),
        Cos(unary) => (Op::Cos {}, unary),
        Recip(unary) => (Op::Pow { exponent: -1.0 }, unary),
        PowfScalar(it) => return Some(plain(Op::Pow { exponent: number(it.rhs) }, &it.lhs, &it.out)),
        _ => return None,
    };
    Some(plain(op, &unary.input, &unary.out))
}

fn numeric(operation: &NumericOperationIr) -> Option<Step<'_>> {
    use NumericOperationIr::*;
    let (op, x, output) = match operation {
        AddScalar(it) => (Op::Add { scalar: Some(number(it.rhs)) }, &it.lhs, &it.out),
        SubScalar(it) => (Op::Sub { scalar: Some(number(it.rhs)) }, &it.lhs, &it.out),
        MulScalar(it) => (Op::Mul { scalar: Some(number(it.rhs)) }, &it.lhs, &it.out),
        DivScalar(it) => (Op::Div { scalar: Some(number(it.rhs)) }, &it.lhs, &it.out),
        // Cards have no negation of their own, so that passes know one form.
        Neg(it) => (Op::Mul { scalar: Some(-1.0) }, &it.input, &it.out),
        Abs(it) => (Op::Abs {}, &it.input, &it.out),
        PowiScalar(it) => (Op::Pow { exponent: number(it.rhs) }, &it.lhs, &it.out),
        Clamp(it) => (clip(number(it.min), number(it.max)), &it.tensor, &it.out),
        // A clip of a card has both ends.
        ClampMin(it) => (clip(number(it.rhs), f64::from(f32::MAX)), &it.lhs, &it.out),
        ClampMax(it) => (clip(f64::from(f32::MIN), number(it.rhs)), &it.lhs, &it.out),
        MeanDim(it) => (Op::ReduceMean { axes: vec![it.axis], keep_dims: keeps(it) }, &it.input, &it.out),
        SumDim(it) => (Op::ReduceSum { axes: vec![it.axis], keep_dims: keeps(it) }, &it.input, &it.out),
        MaxDim(it) => (Op::ReduceMax { axes: vec![it.axis], keep_dims: keeps(it) }, &it.input, &it.out),
        MinDim(it) => (Op::ReduceMin { axes: vec![it.axis], keep_dims: keeps(it) }, &it.input, &it.out),
        _ => return None,
    };
    Some(plain(op, x, output))
}

fn base(operation: &BaseOperationIr) -> Option<Step<'_>> {
    match operation {
        BaseOperationIr::Permute(it) => {
            Some(plain(Op::Transpose { perm: it.axes.clone() }, &it.input, &it.out))
        }
        BaseOperationIr::SwapDims(it) => {
            let mut perm: Vec<usize> = (0..it.input.shape.num_dims()).collect();
            perm.swap(it.dim1, it.dim2);
            Some(plain(Op::Transpose { perm }, &it.input, &it.out))
        }
        BaseOperationIr::Cat(it) => {
            let op = Op::Concat { axis: it.dim, at: 0 };
            Some(Step { op, inputs: it.tensors.iter().collect(), params: vec![], output: &it.out })
        }
        _ => None,
    }
}

fn plain<'a>(op: Op, input: &'a TensorIr, output: &'a TensorIr) -> Step<'a> {
    Step { op, inputs: vec![input], params: vec![], output }
}

pub(super) fn number(scalar: ScalarIr) -> f64 {
    scalar.elem()
}

fn on_both_sides([vertical, horizontal]: [usize; 2]) -> [usize; 4] {
    [vertical, vertical, horizontal, horizontal]
}

fn keeps(reduce: &ReduceDimOpIr) -> bool {
    reduce.out.shape.num_dims() == reduce.input.shape.num_dims()
}

/// Activations that Burn writes as clamps get their own operations.
fn clip(min: f64, max: f64) -> Op {
    match (min, max) {
        (0.0, 6.0) => Op::Relu6 {},
        (0.0, max) if max == f64::from(f32::MAX) => Op::Relu {},
        _ => Op::Clip { min, max },
    }
}
