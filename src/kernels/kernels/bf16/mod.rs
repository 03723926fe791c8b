//! Convolution with pixels and weights rounded to bf16 and sums in single precision: two products per lane instead of one.

mod round;

use super::conv::Layer;
use super::filters::ConvWeights;
use super::gathered::Gathered;
use super::sums::Parameters;
use super::{Packed, Unit, tile};
use crate::simd::{Avx512Bf16, Compiled, Instructions};
use round::{Lines, PAIRS, rounding};

/// A convolution whose sums may take a residual and are clamped.
#[derive(Debug)]
pub(crate) struct ConvBf16 {
    pub(crate) conv: Gathered,
    round: Compiled<Lines>,
}

/// Whether this kernel can run the convolution.
pub(crate) fn fits(layer: &Layer) -> bool {
    layer.filters.groups == 1 && layer.input.lanes == 2 * PAIRS
}

impl ConvBf16 {
    pub(crate) fn new((instructions, bf16): (Instructions, Avx512Bf16), layer: Layer) -> Self {
        let kernel = |registers, pixels| tile::kernel_of_pairs(bf16, registers, pixels);
        Self { conv: Gathered::new(instructions, [2, 3], layer, kernel), round: rounding(bf16) }
    }

    /// Rounds and packs the weights.
    pub(crate) fn pack(&self, weights: &ConvWeights<'_>, packed: &mut Packed) {
        let Layer { filters, output, .. } = self.conv.layer;
        round::pack(filters, weights, &self.conv.panels, output.lanes, packed);
    }

    /// Computes some panels of output channels in one band of one image.
    pub(crate) fn unit(&self, unit: &Unit<'_>, packed: &Packed) {
        self.conv.unit(unit, Parameters::of(packed), &|line| self.round.call(line));
    }
}
