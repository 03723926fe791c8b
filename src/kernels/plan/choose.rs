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
use crate::kernels::pointwise::{Kind, Pointwise};
use crate::kernels::pool::Pool;
use crate::kernels::slope::Slope;
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
    let pointwise =
        |kind: Kind| Kernel::Pointwise(Box::new(Pointwise::new(instructions, kind, views, node.activation)));
    let second = || node.inputs.get(1).copied().map(view);
    let kernel = match &node.kind {
        NodeKind::Alias => return Ok(Vec::new()),
        NodeKind::Channels([first, _]) if memory.is_shared(node, *first, output.lanes) => {
            return Ok(Vec::new());
        }
        NodeKind::Concat => return Ok(joined(node, memory, shapes, instructions.lanes())),
        NodeKind::Spread { step, places } => {
            let inputs = node.inputs.iter().copied().map(view);
            return Ok(spread(inputs, output, *step, places));
        }
        NodeKind::Convolution { .. } => {
            convolution(tokens, node, views, [node.residual, node.extent].map(|slot| slot.map(view)))?
        }
        NodeKind::Extent => Kernel::Extent(Extent::new(instructions, views)),
        NodeKind::BatchNorm => pointwise(Kind::Affine),
        NodeKind::Line(line) => pointwise(same_for_all(*line)),
        NodeKind::Activation => pointwise(same_for_all([1.0, 0.0])),
        NodeKind::Add => pointwise(Kind::Add(view(node.inputs[1]))),
        NodeKind::Mul => pointwise(Kind::Mul(view(node.inputs[1]))),
        NodeKind::LayerNorm(e) | NodeKind::LayerNormBack(e) => layer_norm(instructions, *e, views, second()),
        NodeKind::Pool(kind, window) => Kernel::Pool(Pool::new(instructions, *kind, *window, views)),
        NodeKind::Slope { .. } | NodeKind::Unpool(..) | NodeKind::Contract => {
            backward(instructions, node, views, second(), node.residual.map(view))?
        }
        kind => Kernel::Copy(moved(kind, copy(views))),
    };
    Ok(vec![kernel])
}

fn layer_norm(instructions: Instructions, epsilon: f32, views: [View; 2], gradient: Option<View>) -> Kernel {
    Kernel::LayerNorm(Box::new(LayerNorm::new(instructions, epsilon, views, gradient)))
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
