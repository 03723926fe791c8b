//! Any of the kernels, with its views: what it reads of parameters, and in how many units it runs.

use super::operation::Parameters;
use crate::error::{Error, Result};
use crate::kernels::bf16::ConvBf16;
use crate::kernels::contract::Contract;
use crate::kernels::conv::Conv;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::filters::{ConvWeights, Filters};
use crate::kernels::int8::{ConvInt8, Extent};
use crate::kernels::layer_norm::LayerNorm;
use crate::kernels::layout::{self, Copy};
use crate::kernels::movement::Move;
use crate::kernels::pointwise::{Kind, Pointwise};
use crate::kernels::pool::Pool;
use crate::kernels::product::Product;
use crate::kernels::slope::Slope;
use crate::kernels::softmax::Softmax;
use crate::kernels::spread::Spread;
use crate::kernels::unpool::Unpool;
use crate::kernels::winograd::Winograd;
use crate::kernels::{Packed, Unit};
use crate::view::{Region, View};

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
    LayerNorm(Box<LayerNorm>),
    Product(Box<Product>),
    Softmax(Box<Softmax>),
    Move(Box<Move>),
    Copy(Copy),
    Slope(Box<Slope>),
    Unpool(Box<Unpool>),
    Contract(Box<Contract>),
    Spread(Box<Spread>),
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
            Self::LayerNorm(norm) => &norm.output,
            Self::Product(product) => &product.output,
            Self::Softmax(softmax) => &softmax.output,
            Self::Move(movement) => movement.output(),
            Self::Copy(copy) => &copy.output,
            Self::Slope(slope) => &slope.output,
            Self::Unpool(unpool) => &unpool.output,
            Self::Contract(contract) => &contract.output,
            Self::Spread(spread) => &spread.output,
        }
    }

    /// Units that threads may run at the same time: those of the kernel, then one per image that clears the output's halo.
    pub(crate) fn units(&self, batch: usize) -> usize {
        self.kernel_units(batch) + if self.output().is_dense() { 0 } else { batch }
    }

    /// The same kernel, with the same packed parameters, for a region of its output; every pixel gets the value that it gets in the whole.
    /// `None` for kernels that compute whole tensors only.
    pub(crate) fn window(&self, region: &Region) -> Option<Self> {
        Some(match self {
            Self::Conv(conv) => Self::Conv(Box::new(conv.window(region))),
            Self::Winograd(conv) => Self::Winograd(Box::new(conv.window(region))),
            Self::Depthwise(conv) => Self::Depthwise(Box::new(conv.window(region))),
            Self::Pool(pool) => Self::Pool(pool.window(region)),
            Self::Pointwise(pointwise) if pointwise.has_windows() => {
                Self::Pointwise(Box::new(pointwise.window(region)))
            }
            _ => return None,
        })
    }

    /// What differs in the last bit, too, where a region of the output differs.
    pub(crate) fn reached(&self, region: Region) -> Region {
        match self {
            Self::Winograd(conv) => conv.whole_tiles(&region),
            _ => region,
        }
    }

    /// Whether [`Kernel::window`] gives one.
    pub(crate) fn has_windows(&self) -> bool {
        self.window(&self.output().sides().map(|side| 0..side)).is_some()
    }

    /// Units without those that clear the halo.
    pub(crate) fn kernel_units(&self, batch: usize) -> usize {
        match self {
            Self::Conv(conv) => conv.units(batch),
            Self::ConvBf16(conv) => conv.conv.units(batch),
            Self::ConvInt8(conv) => conv.conv.units(batch),
            Self::Extent(extent) => extent.units(batch),
            Self::Winograd(conv) => conv.units(batch),
            Self::Depthwise(depthwise) => depthwise.units(batch),
            Self::Pool(pool) => pool.units(batch),
            Self::Pointwise(pointwise) => pointwise.units(batch),
            Self::LayerNorm(norm) => norm.units(batch),
            Self::Product(product) => product.units(batch),
            Self::Softmax(softmax) => softmax.units(batch),
            Self::Move(movement) => movement.units(batch),
            Self::Copy(copy) => copy.units(batch),
            Self::Slope(slope) => slope.units(batch),
            Self::Unpool(unpool) => unpool.units(batch),
            Self::Contract(contract) => contract.units(batch),
            Self::Spread(spread) => spread.units(batch),
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
                let of = |role: &str, count: usize| elements(parameters, role, count);
                if let Kind::Stored(stored) = &pointwise.kind {
                    pointwise.pack_stored(of("other", stored.elements())?, stored.inner, packed);
                } else {
                    let channels = pointwise.output.channels;
                    pointwise.pack(of("scale", channels)?, of("shift", channels)?, packed);
                }
            }
            Self::LayerNorm(norm) => {
                let channels = norm.output.channels;
                let gamma = elements(parameters, "gamma", channels)?;
                let beta = parameters.contains_key("beta").then(|| elements(parameters, "beta", channels));
                norm.pack(gamma, beta.transpose()?, packed);
            }
            Self::Slope(slope) => {
                slope.pack(elements(parameters, "scale", slope.output.channels)?, packed);
            }
            Self::Pool(_)
            | Self::Product(_)
            | Self::Softmax(_)
            | Self::Move(_)
            | Self::Copy(_)
            | Self::Extent(_)
            | Self::Unpool(_)
            | Self::Contract(_)
            | Self::Spread(_) => {}
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
            Self::LayerNorm(norm) => norm.unit(unit, packed),
            Self::Product(product) => product.unit(unit),
            Self::Softmax(softmax) => softmax.unit(unit),
            Self::Move(movement) => movement.unit(unit),
            Self::Copy(copy) => copy.unit(unit),
            Self::Slope(slope) => slope.unit(unit, packed),
            Self::Unpool(unpool) => unpool.unit(unit),
            Self::Contract(contract) => contract.unit(unit),
            Self::Spread(spread) => spread.unit(unit),
        }
    }
}

/// A convolution's weights, or a linear layer's matrix, if they have the shape that was planned for.
fn weights(parameters: &Parameters, filters: Filters) -> Result<ConvWeights<'_>> {
    let (weight, found) = parameters.get("weight").ok_or_else(missing)?;
    let elements: usize = filters.shape.iter().product();
    let [out, inputs, ..] = filters.shape;
    let by_input = found[..] == [inputs, out];
    if !by_input && found[..] != filters.shape || weight.len() != elements {
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
    Ok(ConvWeights { weight, by_input, bias })
}

fn elements<'a>(parameters: &'a Parameters, role: &str, count: usize) -> Result<&'a [f32]> {
    match parameters.get(role) {
        Some((values, _)) if values.len() == count => Ok(values),
        _ => Err(missing()),
    }
}

fn missing() -> Error {
    Error::internal("a parameter was not loaded")
}
