//! A node with its views: which kernel computes it, and from which of its parameters.

use super::homes::Homes;
use super::{Node, NodeKind, Parameters, Shapes};
use crate::error::{Error, Result};
use crate::kernels::activation::Activation;
use crate::kernels::bf16::{self, ConvBf16};
use crate::kernels::conv::{Conv, Motion};
use crate::kernels::depthwise::Depthwise;
use crate::kernels::filters::{Filters, Numbers};
use crate::kernels::layout::{self, Copy};
use crate::kernels::pointwise::{Kind, Pointwise};
use crate::kernels::pool::Pool;
use crate::kernels::winograd::{self, Winograd};
use crate::kernels::{Packed, Run};
use crate::precision::{Arithmetic, Precision};
use crate::view::View;

/// Any of the kernels.
#[derive(Debug)]
pub(crate) enum Kernel {
    Conv(Box<Conv>),
    ConvBf16(Box<ConvBf16>),
    Winograd(Box<Winograd>),
    Depthwise(Box<Depthwise>),
    Pool(Pool),
    Pointwise(Box<Pointwise>),
    Copy(Copy),
}

impl Kernel {
    pub(crate) fn output(&self) -> &View {
        match self {
            Self::Conv(conv) => &conv.output,
            Self::ConvBf16(conv) => &conv.output,
            Self::Winograd(conv) => &conv.output,
            Self::Depthwise(depthwise) => &depthwise.output,
            Self::Pool(pool) => &pool.output,
            Self::Pointwise(pointwise) => &pointwise.output,
            Self::Copy(copy) => &copy.output,
        }
    }

    /// Parts that threads may compute side by side; those that only write zeros around the value come last.
    pub(crate) fn units(&self, batch: usize) -> usize {
        self.parts(batch) + if self.output().is_dense() { 0 } else { batch }
    }

    fn parts(&self, batch: usize) -> usize {
        match self {
            Self::Conv(conv) => conv.units(batch),
            Self::ConvBf16(conv) => conv.units(batch),
            Self::Winograd(conv) => conv.units(batch),
            Self::Depthwise(depthwise) => depthwise.units(batch),
            Self::Pool(pool) => pool.units(batch),
            Self::Pointwise(pointwise) => pointwise.units(batch),
            Self::Copy(copy) => copy.units(batch),
        }
    }

    /// Orders an operation's parameters as [`Kernel::unit`] reads them, in memory that may have served another kernel.
    ///
    /// # Errors
    /// When one is missing or has another shape than was planned for.
    pub(crate) fn pack(&self, parameters: &Parameters, packed: &mut Packed) -> Result<()> {
        match self {
            Self::Conv(conv) => conv.pack(&numbers(parameters, conv.filters)?, packed),
            Self::ConvBf16(conv) => conv.pack(&numbers(parameters, conv.filters)?, packed),
            Self::Winograd(conv) => conv.pack(&numbers(parameters, conv.filters)?, packed),
            Self::Depthwise(conv) => conv.pack(&numbers(parameters, conv.filters)?, packed),
            Self::Pointwise(pointwise) => {
                let channels = pointwise.output.channels;
                let of = |role: &str| match parameters.get(role) {
                    Some((values, _)) if values.len() == channels => Ok(&values[..]),
                    _ => Err(missing()),
                };
                pointwise.pack(of("scale")?, of("shift")?, packed);
            }
            Self::Pool(_) | Self::Copy(_) => {}
        }
        Ok(())
    }

    /// Computes one part.
    ///
    /// # Safety
    /// The run's memory is as large as the plan's size times the batch, all kernels before this one have run, and `packed`
    /// is what [`Kernel::pack`] filled for this kernel.
    pub(crate) unsafe fn unit(&self, run: &Run<'_>, packed: &Packed, unit: usize) {
        let parts = self.parts(run.batch);
        // SAFETY: the plan gives values that live at the same time different memory, within its size; different units
        // write different parts of the output, and the halo is part of no unit but its own.
        unsafe {
            if unit >= parts {
                let view = self.output();
                (0..view.blocks()).for_each(|block| layout::clear_halo(run, view, unit - parts, block));
                return;
            }
            match self {
                Self::Conv(conv) => conv.unit(run, packed, unit),
                Self::ConvBf16(conv) => conv.unit(run, packed, unit),
                Self::Winograd(conv) => conv.unit(run, packed, unit),
                Self::Depthwise(depthwise) => depthwise.unit(run, packed, unit),
                Self::Pool(pool) => pool.unit(run, unit),
                Self::Pointwise(pointwise) => pointwise.unit(run, packed, unit),
                Self::Copy(copy) => copy.unit(run, unit),
            }
        }
    }
}

/// The kernels of one node: none for a concatenation whose parts already lie side by side.
pub(super) fn kernels(
    arithmetic: Arithmetic,
    node: &Node,
    homes: &Homes,
    shapes: &Shapes,
) -> Result<Vec<Kernel>> {
    let isa = arithmetic.isa;
    let view = |slot: usize| homes.view(slot, shapes[&slot][0]);
    let views = [view(node.inputs[0]), view(node.output)];
    let pointwise =
        |kind: Kind| Ok(vec![Kernel::Pointwise(Box::new(Pointwise::new(isa, kind, views, node.activation)))]);
    let channels = views[0].channels;
    let same = |numbers: [f32; 2]| {
        let [scale, shift] = numbers.map(|number| [number; _]);
        Kind::Line { scale, shift }
    };
    match &node.kind {
        NodeKind::Convolution { motion, filters, groups, depthwise } => {
            let residual = node.residual.map(view);
            let filters = Filters { shape: *filters, groups: *groups };
            let kernel =
                convolution(arithmetic, (views, residual), *motion, (filters, *depthwise), node.activation);
            Ok(vec![kernel?])
        }
        NodeKind::BatchNorm => pointwise(Kind::Affine),
        NodeKind::Line(numbers) => pointwise(same(*numbers)),
        NodeKind::Activation => pointwise(same([1.0, 0.0])),
        NodeKind::Add => pointwise(Kind::Add(view(node.inputs[1]))),
        NodeKind::Mul => pointwise(Kind::Mul(view(node.inputs[1]))),
        NodeKind::Pool(kind, window) => Ok(vec![Kernel::Pool(Pool::new(isa, *kind, *window, views))]),
        NodeKind::Concat => {
            let strangers = homes.strangers(node, shapes, isa.lanes());
            let copy = |(slot, to_channel): (usize, usize)| {
                let input = view(slot);
                let channels = [0, input.channels];
                Kernel::Copy(Copy {
                    input,
                    output: views[1],
                    channels,
                    to_channel,
                    to_pixel: [0, 0],
                    clear: false,
                })
            };
            Ok(strangers.into_iter().map(copy).collect())
        }
        NodeKind::Channels(channels) => Ok(vec![Kernel::Copy(Copy {
            input: views[0],
            output: views[1],
            channels: *channels,
            to_channel: 0,
            to_pixel: [0, 0],
            clear: false,
        })]),
        NodeKind::Pad([top, _, left, _]) => Ok(vec![Kernel::Copy(Copy {
            input: views[0],
            output: views[1],
            channels: [0, channels],
            to_channel: 0,
            to_pixel: [*top, *left],
            clear: true,
        })]),
        NodeKind::Alias => Ok(vec![]),
    }
}

fn convolution(
    Arithmetic { isa, precision }: Arithmetic,
    (views, residual): ([View; 2], Option<View>),
    motion: Motion,
    (filters, depthwise): (Filters, bool),
    activation: Activation,
) -> Result<Kernel> {
    let Activation::Range(range) = activation else {
        return Err(Error::internal("a convolution got an activation that is not a range"));
    };
    if depthwise {
        return Ok(Kernel::Depthwise(Box::new(Depthwise::new(isa, filters, motion, views, range))));
    }
    if winograd::pays(filters, &motion, [&views[0], &views[1]], isa.lanes()) {
        let conv = Winograd::new(isa, filters, motion.padding, views, residual, range);
        return Ok(Kernel::Winograd(Box::new(conv)));
    }
    if precision == Precision::Bf16 && bf16::fits(filters, &views[0]) {
        let conv = ConvBf16::new(isa, filters, motion, views, residual, range);
        return conv
            .map(|conv| Kernel::ConvBf16(Box::new(conv)))
            .ok_or_else(|| Error::internal("this target has no bf16"));
    }
    let conv = Conv::new(isa, filters, motion, views, residual, range);
    conv.map(|conv| Kernel::Conv(Box::new(conv)))
        .ok_or_else(|| Error::internal("the groups fill no registers"))
}

/// A convolution's weights, if they are as many as was planned for.
fn numbers(parameters: &Parameters, filters: Filters) -> Result<Numbers<'_>> {
    let (weight, found) = parameters.get("weight").ok_or_else(missing)?;
    if found[..] != filters.shape {
        return Err(Error::internal(format!("a weight has shape {found:?}, expected {:?}", filters.shape)));
    }
    let bias = parameters.get("bias").map(|(values, _)| &values[..]);
    if bias.is_some_and(|bias| bias.len() != filters.shape[0]) {
        return Err(Error::internal("a bias has not one number a channel"));
    }
    Ok(Numbers { weight, bias })
}

fn missing() -> Error {
    Error::internal("a parameter was not loaded")
}
