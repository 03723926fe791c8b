//! A node with its views: which kernel computes it, and from which of its parameters.

use super::memory_plan::MemoryPlan;
use super::node::{Node, NodeKind};
use super::operation::{Parameters, Shapes};
use crate::card::{PointwiseKernel, ValueId};
use crate::error::{Error, Result};
use crate::kernels::bf16::{self, ConvBf16};
use crate::kernels::conv::{Conv, Layer};
use crate::kernels::depthwise::Depthwise;
use crate::kernels::filters::{ConvWeights, Filters};
use crate::kernels::int8::{ConvInt8, Extent};
use crate::kernels::layout::{self, Copy};
use crate::kernels::pointwise::{Kind, Pointwise};
use crate::kernels::pool::Pool;
use crate::kernels::winograd::{self, Winograd};
use crate::kernels::{Packed, Unit};
use crate::precision::Tokens;
use crate::view::View;

/// Any of the kernels.
#[derive(Debug)]
pub(crate) enum Kernel {
    Conv(Box<Conv>),
    ConvBf16(Box<ConvBf16>),
    ConvInt8(Box<ConvInt8>),
    Extent(Extent),
    Winograd(Box<Winograd>),
    Depthwise(Box<Depthwise>),
    Pool(Pool),
    Pointwise(Box<Pointwise>),
    Copy(Copy),
}

impl Kernel {
    pub(crate) fn output(&self) -> &View {
        match self {
            Self::Conv(conv) => &conv.layer.output,
            Self::ConvBf16(conv) => &conv.conv.layer.output,
            Self::ConvInt8(conv) => &conv.conv.layer.output,
            Self::Extent(extent) => &extent.output,
            Self::Winograd(conv) => &conv.layer.output,
            Self::Depthwise(depthwise) => &depthwise.output,
            Self::Pool(pool) => &pool.output,
            Self::Pointwise(pointwise) => &pointwise.output,
            Self::Copy(copy) => &copy.output,
        }
    }

    /// Units that threads may run at the same time: those of the kernel, then one per image that clears the output's halo.
    pub(crate) fn units(&self, batch: usize) -> usize {
        self.kernel_units(batch) + if self.output().is_dense() { 0 } else { batch }
    }

    fn kernel_units(&self, batch: usize) -> usize {
        match self {
            Self::Conv(conv) => conv.units(batch),
            Self::ConvBf16(conv) => conv.conv.units(batch),
            Self::ConvInt8(conv) => conv.conv.units(batch),
            Self::Extent(extent) => extent.units(batch),
            Self::Winograd(conv) => conv.units(batch),
            Self::Depthwise(depthwise) => depthwise.units(batch),
            Self::Pool(pool) => pool.units(batch),
            Self::Pointwise(pointwise) => pointwise.units(batch),
            Self::Copy(copy) => copy.units(batch),
        }
    }

    /// Packs an operation's parameters as [`Kernel::unit`] reads them, in memory that may have served another kernel.
    ///
    /// # Errors
    /// When one is missing or has another shape than was planned for.
    pub(crate) fn pack(&self, parameters: &Parameters, packed: &mut Packed) -> Result<()> {
        match self {
            Self::Conv(conv) => conv.pack(&weights(parameters, conv.layer.filters)?, packed),
            Self::ConvBf16(conv) => conv.pack(&weights(parameters, conv.conv.layer.filters)?, packed),
            Self::ConvInt8(conv) => conv.pack(&weights(parameters, conv.conv.layer.filters)?, packed),
            Self::Winograd(conv) => conv.pack(&weights(parameters, conv.layer.filters)?, packed),
            Self::Depthwise(conv) => conv.pack(&weights(parameters, conv.filters)?, packed),
            Self::Pointwise(pointwise) => {
                let channels = pointwise.output.channels;
                let of = |role: &str| match parameters.get(role) {
                    Some((values, _)) if values.len() == channels => Ok(&values[..]),
                    _ => Err(missing()),
                };
                pointwise.pack(of("scale")?, of("shift")?, packed);
            }
            Self::Pool(_) | Self::Copy(_) | Self::Extent(_) => {}
        }
        Ok(())
    }

    /// Computes one unit. `packed` is what [`Kernel::pack`] filled for this kernel.
    pub(crate) fn unit(&self, unit: &Unit<'_>, packed: &Packed) {
        let kernel_units = self.kernel_units(unit.run.batch);
        if unit.index >= kernel_units {
            let view = self.output();
            // SAFETY: the kernels' own units access pixels only, and each of these units has an image of its own.
            unsafe { layout::clear_halo(unit, view, unit.index - kernel_units, 0..view.blocks()) };
            return;
        }
        match self {
            Self::Conv(conv) => conv.unit(unit, packed),
            Self::ConvBf16(conv) => conv.unit(unit, packed),
            Self::ConvInt8(conv) => conv.unit(unit, packed),
            Self::Extent(extent) => extent.unit(unit),
            Self::Winograd(conv) => conv.unit(unit, packed),
            Self::Depthwise(depthwise) => depthwise.unit(unit, packed),
            Self::Pool(pool) => pool.unit(unit),
            Self::Pointwise(pointwise) => pointwise.unit(unit, packed),
            Self::Copy(copy) => copy.unit(unit),
        }
    }
}

/// The kernels of one node: none for a concatenation whose inputs are all written in place.
pub(super) fn kernels(
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
    let kernel = match &node.kind {
        NodeKind::Alias => return Ok(Vec::new()),
        NodeKind::Concat => {
            let copied = memory.copied_inputs(node, shapes, instructions.lanes());
            let copy = |(slot, to_channel)| Kernel::Copy(Copy { to_channel, ..copy([view(slot), output]) });
            return Ok(copied.into_iter().map(copy).collect());
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
        NodeKind::Pool(kind, window) => Kernel::Pool(Pool::new(instructions, *kind, *window, views)),
        NodeKind::Channels(channels) => Kernel::Copy(Copy { channels: *channels, ..copy(views) }),
        NodeKind::Pad([top, _, left, _]) => {
            Kernel::Copy(Copy { to_pixel: [*top, *left], clear: true, ..copy(views) })
        }
    };
    Ok(vec![kernel])
}

fn same_for_all(line: [f32; 2]) -> Kind {
    let [scale, shift] = line.map(|value| [value; _]);
    Kind::Line { scale, shift }
}

/// All of the input to the start of the output.
fn copy([input, output]: [View; 2]) -> Copy {
    let channels = [0, input.channels];
    Copy { input, output, channels, to_channel: 0, to_pixel: [0, 0], clear: false }
}

fn convolution(
    tokens: Tokens,
    node: &Node,
    views @ [input, output]: [View; 2],
    [residual, extent]: [Option<View>; 2],
) -> Result<Kernel> {
    let Tokens { instructions, bf16, int8 } = tokens;
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
    if input.lanes == instructions.lanes()
        && winograd::pays(filters, &geometry, [output.height, output.width])
    {
        return Ok(Kernel::Winograd(Box::new(Winograd::new(instructions, layer))));
    }
    if let Some(bf16) = bf16
        && bf16::fits(&layer)
    {
        return Ok(Kernel::ConvBf16(Box::new(ConvBf16::new((instructions, bf16), layer))));
    }
    Conv::new(instructions, layer)
        .map(|conv| Kernel::Conv(Box::new(conv)))
        .ok_or_else(|| Error::internal("the groups fill no registers"))
}

/// A convolution's weights, if they have the shape that was planned for.
fn weights(parameters: &Parameters, filters: Filters) -> Result<ConvWeights<'_>> {
    let (weight, found) = parameters.get("weight").ok_or_else(missing)?;
    let elements: usize = filters.shape.iter().product();
    if found[..] != filters.shape || weight.len() != elements {
        return Err(Error::internal(format!(
            "a weight has shape {found:?} and {} elements, expected {:?}",
            weight.len(),
            filters.shape
        )));
    }
    let bias = parameters.get("bias").map(|(values, _)| &values[..]);
    if bias.is_some_and(|bias| bias.len() != filters.shape[0]) {
        return Err(Error::internal("a bias does not have one element per channel"));
    }
    Ok(ConvWeights { weight, bias })
}

fn missing() -> Error {
    Error::internal("a parameter was not loaded")
}
