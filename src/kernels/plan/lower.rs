//! From the graph's operations to those that the kernels know.

use super::{Node, NodeKind, Operation, Shapes, shape};
use crate::card::{Op, PadMode};
use crate::kernels::activation::Activation;
use crate::kernels::conv::Motion;
use crate::kernels::filters;
use crate::kernels::pool::{self, Window};

/// Pixels of padding that a picture may have however small it is.
const MOST_ZEROS: usize = 1 << 16;

/// The operation as a node; `None` where no kernel does it.
pub(super) fn lower(operation: &Operation<'_>, shapes: &Shapes, lanes: usize) -> Option<Node> {
    let of = |slot: &usize| shapes.get(slot).copied();
    let inputs: Vec<[usize; 3]> = operation.inputs.iter().map(of).collect::<Option<_>>()?;
    let output = of(&operation.output)?;
    if shape::after(operation, &inputs)? != output || output.contains(&0) {
        return None;
    }
    let x = *inputs.first()?;
    let mut slots = operation.inputs.clone();
    let mut activation = Activation::NONE;
    let kind = match operation.op {
        Op::Conv2d { .. } => convolution(operation, x, lanes)?,
        Op::BatchNorm { .. } => NodeKind::BatchNorm,
        Op::MaxPool2d { .. } | Op::AvgPool2d { .. } => pooling(operation.op)?,
        Op::GlobalAvgPool {} | Op::AdaptiveAvgPool2d { output_size: [1, 1] } => whole(x, pool::Kind::Mean),
        Op::ReduceMean { axes, keep_dims: true } if axes[..] == [2, 3] => whole(x, pool::Kind::Mean),
        Op::GlobalMaxPool {} => whole(x, pool::Kind::Max),
        Op::ReduceMax { axes, keep_dims: true } if axes[..] == [2, 3] => whole(x, pool::Kind::Max),
        Op::Add { scalar: None } | Op::Mul { scalar: None } if inputs.len() == 2 => {
            if inputs[0] != output {
                slots.swap(0, 1);
            }
            two_sided(operation.op, of(&slots[0])?, of(&slots[1])?, output)?
        }
        Op::Minimum { scalar: Some(_) } | Op::Maximum { scalar: Some(_) } => {
            activation = activation_of(operation.op)?;
            NodeKind::Activation
        }
        op if op.scalar().is_some() => scalar(op)?,
        Op::Concat { axis: 1 } => NodeKind::Concat,
        Op::Slice { axis: 1, start, end, step: 1 } => {
            NodeKind::Channels([*start, (*end).min(x[0]).checked_sub(*start)?])
        }
        Op::Split { axis: 1, sizes, part } => {
            NodeKind::Channels([sizes[..*part].iter().sum(), *sizes.get(*part)?])
        }
        Op::Pad { padding, mode: PadMode::Constant, value } if *value == 0.0 => NodeKind::Pad(*padding),
        Op::Dropout {} | Op::Identity {} => NodeKind::Alias,
        op => {
            activation = activation_of(op)?;
            NodeKind::Activation
        }
    };
    let broadcasts = slots.len() == 2 && inputs[0] != inputs[1];
    let output = operation.output;
    Some(Node { kind, inputs: slots, output, activation, residual: None, broadcasts, source: 0 })
}

fn convolution(operation: &Operation<'_>, x: [usize; 3], lanes: usize) -> Option<NodeKind> {
    let Op::Conv2d { stride, padding, dilation, groups } = operation.op else { return None };
    let filters = operation.weight?;
    let [_, height, width] = x;
    let [top, bottom, left, right] = *padding;
    // The zeros around a picture are kept in memory; there must not be far more of them than of the picture.
    if (height + top + bottom) * (width + left + right) > MOST_ZEROS + 16 * height * width {
        return None;
    }
    let motion = Motion {
        kernel: [filters[2], filters[3]],
        stride: *stride,
        dilation: *dilation,
        padding: [padding[0], padding[2]],
    };
    let depthwise = *groups == x[0] && filters[0] == x[0] && *groups > 1;
    if !depthwise {
        filters::merged_groups(filters, *groups, lanes, lanes)?;
    }
    Some(NodeKind::Convolution { motion, filters, groups: *groups, depthwise })
}

fn pooling(op: &Op) -> Option<NodeKind> {
    let (window, kind) = match op {
        Op::MaxPool2d { kernel, stride, padding, dilation, .. } => {
            let window = Window { kernel: *kernel, stride: *stride, dilation: *dilation, padding: *padding };
            (window, pool::Kind::Max)
        }
        // Libraries do not agree on what a mean divides by where the window hangs over the end.
        Op::AvgPool2d { kernel, stride, padding, ceil_mode: false, count_include_pad } => {
            let window = Window { kernel: *kernel, stride: *stride, dilation: [1, 1], padding: *padding };
            (window, if *count_include_pad { pool::Kind::MeanWithPadding } else { pool::Kind::Mean })
        }
        _ => return None,
    };
    // A window that lies in the padding altogether has no largest number and no mean.
    let [top, bottom, left, right] = window.padding;
    let fits = |side: usize, axis: usize| side < window.kernel[axis].max(1);
    let inside = fits(top, 0) && fits(bottom, 0) && fits(left, 1) && fits(right, 1);
    (inside && window.dilation == [1, 1]).then_some(NodeKind::Pool(kind, window))
}

fn whole([_, height, width]: [usize; 3], kind: pool::Kind) -> NodeKind {
    let window = Window { kernel: [height, width], stride: [1, 1], dilation: [1, 1], padding: [0; 4] };
    NodeKind::Pool(kind, window)
}

fn two_sided(op: &Op, x: [usize; 3], other: [usize; 3], output: [usize; 3]) -> Option<NodeKind> {
    let broadcasts = other == output || other == [output[0], 1, 1];
    if x != output || !broadcasts {
        return None;
    }
    Some(if matches!(op, Op::Add { .. }) { NodeKind::Add } else { NodeKind::Mul })
}

fn scalar(op: &Op) -> Option<NodeKind> {
    let number = op.scalar()? as f32;
    Some(match op {
        Op::Add { .. } => NodeKind::Line([1.0, number]),
        Op::Sub { .. } => NodeKind::Line([1.0, -number]),
        Op::Mul { .. } => NodeKind::Line([number, 0.0]),
        Op::Div { .. } => NodeKind::Line([1.0 / number, 0.0]),
        _ => return None,
    })
}

fn activation_of(op: &Op) -> Option<Activation> {
    Some(match op {
        Op::Relu {} => Activation::Range([0.0, f32::INFINITY]),
        Op::Relu6 {} => Activation::Range([0.0, 6.0]),
        Op::Clip { min, max } => Activation::Range([*min as f32, *max as f32]),
        Op::Minimum { scalar: Some(most) } => Activation::Range([f32::NEG_INFINITY, *most as f32]),
        Op::Maximum { scalar: Some(least) } => Activation::Range([*least as f32, f32::INFINITY]),
        Op::LeakyRelu { slope } => Activation::Leaky(*slope as f32),
        Op::Sigmoid {} => Activation::Sigmoid,
        Op::Silu {} => Activation::Silu,
        Op::HardSigmoid { alpha, beta } => Activation::HardSigmoid([*alpha as f32, *beta as f32]),
        Op::HardSwish {} => Activation::HardSwish,
        _ => return None,
    })
}
