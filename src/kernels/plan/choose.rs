//! Which kernels compute a node, with its views.

use super::kernel::Kernel;
use super::memory_plan::MemoryPlan;
use super::node::{Node, NodeKind};
use super::operation::Shapes;
use crate::card::{PointwiseKernel, ValueId};
use crate::error::{Error, Result};
use crate::kernels::bf16::{self, ConvBf16};
use crate::kernels::contract::Contract;
use crate::kernels::conv::{Conv, Layer};
use crate::kernels::depthwise::Depthwise;
use crate::kernels::int8::{ConvInt8, Extent};
use crate::kernels::layer_norm::LayerNorm;
use crate::kernels::layout::Copy;
use crate::kernels::movement::{Move, Way};
use crate::kernels::places::Places;
use crate::kernels::pointwise::{Kind, Pointwise};
use crate::kernels::pool::Pool;
use crate::kernels::product::Product;
use crate::kernels::slope::Slope;
use crate::kernels::softmax::Softmax;
use crate::kernels::spread::Spread;
use crate::kernels::unpool::Unpool;
use crate::kernels::winograd::{self, Winograd};
use crate::precision::Tokens;
use crate::simd::Instructions;
use crate::view::View;

/// The kernels of one node: none for a concatenation whose inputs are all written in place.
pub(crate) fn kernels(
    tokens: Tokens,
    node: &Node,
    memory: &MemoryPlan,
    shapes: &Shapes,
) -> Result<Vec<Kernel>> {
    let instructions = tokens.instructions;
    let view = |slot: ValueId| memory.view(slot, shapes[&slot][0]);
    let views @ [_, output] = [view(node.inputs[0]), view(node.output)];
    let second = || node.inputs.get(1).copied().map(view);
    if let Some(kind) = of_each_element(&node.kind, second()) {
        let pointwise = Pointwise::new(instructions, kind, views, node.activation);
        return Ok(vec![Kernel::Pointwise(Box::new(pointwise))]);
    }
    let kernel = match &node.kind {
        NodeKind::Alias => return Ok(Vec::new()),
        NodeKind::Channels([first, _]) if memory.is_shared(node, *first, output.lanes) => {
            return Ok(Vec::new());
        }
        NodeKind::Concat | NodeKind::Spread { .. } | NodeKind::Join(_) => {
            return Ok(of_many(node, memory, shapes, instructions.lanes()));
        }
        NodeKind::Convolution { .. } => {
            convolution(tokens, node, views, [node.residual, node.extent].map(|slot| slot.map(view)))?
        }
        NodeKind::Extent => Kernel::Extent(Extent::new(instructions, views)),
        NodeKind::LayerNorm(e) | NodeKind::LayerNormBack(e) => layer_norm(instructions, *e, views, second()),
        NodeKind::Product(_) | NodeKind::Softmax | NodeKind::SoftmaxBack | NodeKind::Move(..) => {
            of_attention(instructions, node, views, second())?
        }
        NodeKind::Pool(kind, window) => Kernel::Pool(Pool::new(instructions, *kind, *window, views)),
        NodeKind::Slope { .. } | NodeKind::Unpool(..) | NodeKind::Contract => {
            backward(instructions, node, views, second(), node.residual.map(view))?
        }
        kind => Kernel::Copy(moved(kind, copy(views))),
    };
    Ok(vec![kernel])
}

/// What nodes compute that do the same to each element.
fn of_each_element(node: &NodeKind, second: Option<View>) -> Option<Kind> {
    match node {
        NodeKind::BatchNorm => Some(Kind::Affine),
        NodeKind::Line(line) => Some(same_for_all(*line)),
        NodeKind::Activation => Some(same_for_all([1.0, 0.0])),
        NodeKind::Stored(stored) => Some(Kind::Stored(stored.clone())),
        NodeKind::Add => second.map(Kind::Add),
        NodeKind::Mul => second.map(Kind::Mul),
        _ => None,
    }
}

/// The kernels that each put an input, or what is not there yet of it, into the output.
fn of_many(node: &Node, memory: &MemoryPlan, shapes: &Shapes, lanes: usize) -> Vec<Kernel> {
    let view = |slot: ValueId| memory.view(slot, shapes[&slot][0]);
    let (inputs, output) = (node.inputs.iter().copied().map(view), view(node.output));
    match &node.kind {
        NodeKind::Spread { step, places } => spread(inputs, output, *step, places),
        NodeKind::Join(all) => {
            let one = |(input, places)| moved_to(places, Way::Scatter, [input, output]);
            inputs.zip(all).map(one).collect()
        }
        _ => joined(node, memory, shapes, lanes),
    }
}

fn layer_norm(instructions: Instructions, epsilon: f32, views: [View; 2], gradient: Option<View>) -> Kernel {
    Kernel::LayerNorm(Box::new(LayerNorm::new(instructions, epsilon, views, gradient)))
}

/// Products of tensors, softmax and movements.
fn of_attention(
    instructions: Instructions,
    node: &Node,
    views: [View; 2],
    second: Option<View>,
) -> Result<Kernel> {
    Ok(match &node.kind {
        NodeKind::Product(turned) => {
            let second = second.ok_or_else(|| Error::internal("a product has one factor"))?;
            let product = Product::new(instructions, *turned, [views[0], second], views[1]);
            Kernel::Product(Box::new(product))
        }
        NodeKind::Move(places, way) => moved_to(places, *way, views),
        _ => Kernel::Softmax(Box::new(Softmax::new(instructions, views, second))),
    })
}

fn moved_to(places: &Places, way: Way, views: [View; 2]) -> Kernel {
    Kernel::Move(Box::new(Move::new(places, way, views)))
}

/// What a movement changes of a copy of everything.
fn moved(kind: &NodeKind, copy: Copy) -> Copy {
    match kind {
        NodeKind::Channels(channels) => Copy { channels: *channels, ..copy },
        NodeKind::Pad([top, _, left, _]) => Copy { to_pixel: [*top, *left], clear: true, ..copy },
        NodeKind::Embed(first) => Copy { to_channel: *first, clear: true, ..copy },
        NodeKind::Crop(from_pixel) => Copy { from_pixel: *from_pixel, ..copy },
        _ => copy,
    }
}

/// The kernels that passes forward do not have. `second` is what was kept, or the other factor.
fn backward(
    instructions: Instructions,
    node: &Node,
    views: [View; 2],
    second: Option<View>,
    added: Option<View>,
) -> Result<Kernel> {
    Ok(match &node.kind {
        NodeKind::Slope { function, is_scaled } => {
            let kept = second.ok_or_else(|| Error::internal("a slope has nothing that was kept"))?;
            let (what, views) = ((*function, node.rectifier), [views[0], kept, views[1]]);
            Kernel::Slope(Box::new(Slope::new(instructions, what, views, added, *is_scaled)))
        }
        NodeKind::Unpool(kind, window) => {
            let pool = Pool::new(instructions, *kind, *window, [views[1], views[0]]);
            Kernel::Unpool(Box::new(Unpool::new(instructions, pool, views, second)))
        }
        _ => Kernel::Contract(Box::new(Contract::new(instructions, views, second))),
    })
}

/// Copies of the inputs of a concatenation that are not written in place.
fn joined(node: &Node, memory: &MemoryPlan, shapes: &Shapes, lanes: usize) -> Vec<Kernel> {
    let view = |slot: ValueId| memory.view(slot, shapes[&slot][0]);
    let output = view(node.output);
    let copied = memory.copied_inputs(node, shapes, lanes).into_iter();
    copied.map(|(slot, to_channel)| Kernel::Copy(Copy { to_channel, ..copy([view(slot), output]) })).collect()
}

/// One kernel for each input; the first one clears what none of them fills.
fn spread(
    inputs: impl Iterator<Item = View>,
    output: View,
    step: [usize; 2],
    places: &[Vec<[usize; 2]>],
) -> Vec<Kernel> {
    let filled: usize = places.iter().map(Vec::len).sum();
    let one = |(at, (input, places)): (usize, (View, &Vec<[usize; 2]>))| {
        let clear = at == 0 && filled < step[0] * step[1];
        Kernel::Spread(Box::new(Spread { input, output, step, places: places.clone(), clear }))
    };
    inputs.zip(places).enumerate().map(one).collect()
}

fn same_for_all(line: [f32; 2]) -> Kind {
    let [scale, shift] = line.map(|value| [value; _]);
    Kind::Line { scale, shift }
}

/// All of the input to the start of the output.
fn copy([input, output]: [View; 2]) -> Copy {
    let channels = [0, input.channels];
    Copy { input, output, channels, to_channel: 0, from_pixel: [0, 0], to_pixel: [0, 0], clear: false }
}

fn convolution(
    tokens: Tokens,
    node: &Node,
    views @ [input, output]: [View; 2],
    [residual, extent]: [Option<View>; 2],
) -> Result<Kernel> {
    let Tokens { instructions, bf16, int8, winograd } = tokens;
    let (NodeKind::Convolution { geometry, filters, depthwise }, PointwiseKernel::Range(range)) =
        (&node.kind, node.activation)
    else {
        return Err(Error::internal("a convolution got an activation that is not a range"));
    };
    let (geometry, filters) = (*geometry, *filters);
    if *depthwise {
        let conv = Depthwise::new(instructions, filters, geometry, views, range);
        return Ok(Kernel::Depthwise(Box::new(conv)));
    }
    let layer = Layer { filters, geometry, input, output, residual, range };
    if let (Some(int8), Some(extent)) = (int8, extent) {
        return Ok(Kernel::ConvInt8(Box::new(ConvInt8::new((instructions, int8), layer, extent))));
    }
    // Before bf16: a quarter of the products is fewer than half of them, and nothing is rounded. An input with fewer lanes has
    // a few channels, which the transforms would fill up with zeros.
    if winograd
        && input.lanes == instructions.lanes()
        && winograd::pays(filters, &geometry, [output.height, output.width])
    {
        return Ok(Kernel::Winograd(Box::new(Winograd::new(instructions, layer))));
    }
    if let Some(bf16) = bf16
        && !node.is_linear()
        && bf16::fits(&layer)
    {
        return Ok(Kernel::ConvBf16(Box::new(ConvBf16::new((instructions, bf16), layer))));
    }
    Conv::new(instructions, layer)
        .map(|conv| Kernel::Conv(Box::new(conv)))
        .ok_or_else(|| Error::internal("the groups fill no registers"))
}
