//! From the graph's operations to those that have a kernel.

use super::attention;
use super::node::{Node, NodeKind, Turning};
use super::operation::{Operation, Shapes};
use crate::card::{Class, Op, PadMode, Statistic, ValueId};
use crate::kernels::activation::IDENTITY;
use crate::kernels::conv::ConvGeometry;
use crate::kernels::filters::{self, Filters};
use crate::kernels::pool::{self, Window};
use crate::rule::Rectifier;
use crate::shapes::{self, Stored};

/// Pixels of padding that an image may have however small it is: 2 MB per block of 8 channels.
const MAX_PADDING: usize = 1 << 16;
/// How many times larger than the image its padded version may be beyond that: no real network comes near, and the zeros of an
/// absurd one are memory that nothing else can use.
const MAX_GROWTH: usize = 16;

/// The operation as a node; `None` where no kernel runs it.
pub(crate) fn lower(operation: &Operation<'_>, shapes: &Shapes, lanes: usize) -> Option<Node> {
    let node = operation.node;
    let of = |id: &ValueId| shapes.get(id).copied();
    let inputs: Vec<[usize; 3]> = node.inputs.iter().map(of).collect::<Option<_>>()?;
    let output = of(&operation.output)?;
    // Of two images, too: what is first of a tensor's axes for one may hold more than the batch.
    let is_inferred = |batch: usize| {
        inferred(operation, shapes, batch).is_some_and(|shape| shape == shapes.array(operation.output, batch))
    };
    if !order_fits(operation, shapes) || ![1, 2].into_iter().all(is_inferred) {
        return None;
    }
    let mut reads = node.inputs.clone();
    // The kernels take the whole tensor first; sums and products do not mind, and nothing else with two operands has a
    // kernel.
    if reads.len() == 2 && node.op.is_arithmetic() && inputs[0] != output {
        reads.swap(0, 1);
    }
    let broadcasts = reads.len() == 2 && inputs[0] != inputs[1];
    let (kind, activation) = match node.op.pointwise_kernel() {
        Some(activation) => (NodeKind::Activation, activation),
        None => (kind(operation, shapes, (&inputs, output), lanes)?, IDENTITY),
    };
    let rectifier = Rectifier::of(&node.op);
    let is_linear = node.op.has_channels_last() && node.op.class() == Class::Linear;
    let turning = is_linear.then_some(Turning::Matrix { backward: false });
    Some(Node { activation, broadcasts, rectifier, turning, ..Node::new(kind, reads, operation.output) })
}

/// Whether all tensors have their channels on the axis where the operation has them. Functions of each element have them anywhere, movements
/// may put them elsewhere.
fn order_fits(operation: &Operation<'_>, shapes: &Shapes) -> bool {
    let op = &operation.node.op;
    let is_last = shapes.is_channels_last(operation.output);
    let fits = match op.class() {
        Class::Movement | Class::Join => return true,
        Class::Pointwise(_) | Class::Arithmetic | Class::Nothing => true,
        Class::Product | Class::Softmax => is_last,
        _ => is_last == op.has_channels_last(),
    };
    fits && operation.node.inputs.iter().all(|id| shapes.is_channels_last(*id) == is_last)
}

/// Of operations that are no activation.
fn kind(
    operation: &Operation<'_>,
    shapes: &Shapes,
    (inputs, output): (&[[usize; 3]], [usize; 3]),
    lanes: usize,
) -> Option<NodeKind> {
    let x = inputs[0];
    Some(match &operation.node.op {
        Op::Conv2d { .. } => convolution(operation, x, lanes)?,
        Op::BatchNorm { .. } => NodeKind::BatchNorm,
        op if op.has_channels_last() => of_last_axis(op, operation.weight, x[0])?,
        Op::MaxPool2d { .. } | Op::AvgPool2d { .. } => pooling(&operation.node.op)?,
        op if op.of_whole_maps().is_some() => whole(x, op.of_whole_maps()?)?,
        Op::Add { scalar: None } if fits(inputs, output) => NodeKind::Add,
        Op::Mul { scalar: None } if fits(inputs, output) => NodeKind::Mul,
        op if op.scalar().is_some() => scalar(op)?,
        Op::Add { .. } | Op::Mul { .. } if inputs.len() == 1 => attention::stored(operation, shapes)?,
        op if op.class() == Class::Product => attention::product(inputs, output)?,
        Op::Softmax { axis } if *axis + 1 == shapes.array(operation.output, 1).len() => NodeKind::Softmax,
        op if matches!(op.class(), Class::Movement | Class::Join) => attention::movement(operation, shapes)?,
        Op::Pad { padding, mode: PadMode::Constant, value } if *value == 0.0 => NodeKind::Pad(*padding),
        Op::Dropout {} | Op::Identity {} => NodeKind::Alias,
        _ => return None,
    })
}

/// Whether one of two operands has the output's shape and the other the same or one element per channel.
fn fits(inputs: &[[usize; 3]], output: [usize; 3]) -> bool {
    let [a, b] = *inputs else { return false };
    let other = if a == output { b } else { a };
    [a, b].contains(&output) && (other == output || other == [output[0], 1, 1])
}

/// The shape that the graph's inference gives for these inputs: memory is planned by shapes, so a tensor must not have another one
/// than its operation gives.
fn inferred(operation: &Operation<'_>, shapes: &Shapes, batch: usize) -> Option<Vec<usize>> {
    // A second operand that is stored is not among the inputs, and no kernel reads it.
    let op = &operation.node.op;
    let has_two = op.class() == Class::Product
        || op.is_arithmetic() && op.scalar().is_none() && operation.weight.is_none();
    let operands = if has_two { 2 } else { 1 };
    if operation.node.inputs.len() < operands {
        return None;
    }
    let inputs: Vec<Vec<usize>> = operation.node.inputs.iter().map(|id| shapes.array(*id, batch)).collect();
    let inputs: Vec<&[usize]> = inputs.iter().map(Vec::as_slice).collect();
    let rank = inputs.first().map_or(0, |shape| shape.len());
    let (role, axes) = match (op.has_channels_last(), op.class()) {
        (true, Class::Linear) => ("weight", 0..2),
        (true, _) => ("gamma", 0..1),
        (_, Class::Arithmetic) => ("other", 4_usize.saturating_sub(rank)..4),
        _ => ("weight", 0..4),
    };
    let stored = |shape| Stored { role, name: "", shape: Some(shape) };
    let params: Vec<Stored> = operation.weight.iter().map(|shape| stored(&shape[axes.clone()])).collect();
    shapes::after(op, &inputs, &params).ok()
}

/// A layer norm over the channels, or a linear layer, which is a convolution of one pixel.
fn of_last_axis(op: &Op, weight: Option<[usize; 4]>, channels: usize) -> Option<NodeKind> {
    if let Op::LayerNorm { epsilon } = op {
        return (weight? == [channels, 1, 1, 1]).then_some(NodeKind::LayerNorm(*epsilon as f32));
    }
    let [inputs, out, ..] = weight?;
    let filters = Filters { shape: [out, inputs, 1, 1], groups: 1 };
    Some(NodeKind::Convolution { geometry: ConvGeometry::of_pixels(), filters, depthwise: false })
}

fn convolution(operation: &Operation<'_>, x: [usize; 3], lanes: usize) -> Option<NodeKind> {
    let Op::Conv2d { stride, padding, dilation, groups } = &operation.node.op else { return None };
    let filters = operation.weight?;
    let [_, height, width] = x;
    let [top, bottom, left, right] = *padding;
    // The zeros around an image are kept in memory; there must not be far more of them than pixels.
    if (height + top + bottom) * (width + left + right) > MAX_PADDING + MAX_GROWTH * height * width {
        return None;
    }
    let geometry = ConvGeometry {
        kernel: [filters[2], filters[3]],
        stride: *stride,
        dilation: *dilation,
        padding: [padding[0], padding[2]],
    };
    // Only with one filter per channel; a multiplier above one goes through merged groups.
    let depthwise = *groups == x[0] && filters[0] == x[0] && *groups > 1;
    if !depthwise {
        filters::merged_groups(filters, *groups, lanes, lanes)?;
    }
    Some(NodeKind::Convolution { geometry, filters: Filters { shape: filters, groups: *groups }, depthwise })
}

fn pooling(op: &Op) -> Option<NodeKind> {
    let (window, kind) = match op {
        Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1], .. } => {
            (Window { kernel: *kernel, stride: *stride, padding: *padding }, pool::Kind::Max)
        }
        // Libraries do not agree on what a mean is divided by where the window hangs over the end.
        Op::AvgPool2d { kernel, stride, padding, ceil_mode: false, count_include_pad } => {
            let window = Window { kernel: *kernel, stride: *stride, padding: *padding };
            (window, if *count_include_pad { pool::Kind::MeanWithPadding } else { pool::Kind::Mean })
        }
        _ => return None,
    };
    // A window that is all padding has no greatest element and no mean.
    let [top, bottom, left, right] = window.padding;
    let fits = |side: usize, axis: usize| side < window.kernel[axis].max(1);
    let inside = fits(top, 0) && fits(bottom, 0) && fits(left, 1) && fits(right, 1);
    inside.then_some(NodeKind::Pool(kind, window))
}

fn whole([_, height, width]: [usize; 3], statistic: Statistic) -> Option<NodeKind> {
    let kind = match statistic {
        Statistic::Mean => pool::Kind::Mean,
        Statistic::Max => pool::Kind::Max,
        _ => return None,
    };
    let window = Window { kernel: [height, width], stride: [1, 1], padding: [0; 4] };
    Some(NodeKind::Pool(kind, window))
}

fn scalar(op: &Op) -> Option<NodeKind> {
    let scalar = op.scalar()? as f32;
    Some(match op {
        Op::Add { .. } => NodeKind::Line([1.0, scalar]),
        Op::Sub { .. } => NodeKind::Line([1.0, -scalar]),
        Op::Mul { .. } => NodeKind::Line([scalar, 0.0]),
        // Times the reciprocal: one rounding more than a division, within the kernels' tolerance and many times faster.
        Op::Div { .. } => NodeKind::Line([1.0 / scalar, 0.0]),
        _ => return None,
    })
}
