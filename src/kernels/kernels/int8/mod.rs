//! Convolution of 8-bit integers: up to four products per lane instead of one.
//!
//! Pixels become unsigned bytes, by the extent of their tensor in their own image ([`Extent`]), so that the results for an image
//! depend on no other. Weights become signed bytes, by the greatest of each filter. The sums of products are exact on all
//! instruction sets, and become single precision again in the last step:
//!
//! `y = scale_x scale_w (sum of (q_x - zero) q_w) + bias`, with `x = scale_x (q_x - zero)` and `w = scale_w q_w`.

mod extent;
mod pack;
mod quantise;

use super::conv::Layer;
use super::filters::ConvWeights;
use super::gathered::Gathered;
use super::sums::{Parameters, Rescale};
use super::{Packed, Unit, tile};
use crate::simd::{Instructions, Int8};
use crate::view::View;
pub(crate) use extent::Extent;
use quantise::{Converter, Pixels};

/// Most products in a sum: as many of the greatest ones, 255 times 127, fit in 32 bits.
const MOST: usize = (i32::MAX / (255 * 127)) as usize;

/// A convolution whose sums may take a residual and are clamped.
#[derive(Debug)]
pub(crate) struct ConvInt8 {
    pub(crate) conv: Gathered,
    /// What [`Extent`] found in the input.
    pub(crate) extent: View,
    convert: Converter,
}

/// Whether this kernel can run a convolution without groups that has filters of this shape, and is faster than others.
pub(crate) fn pays(int8: Int8, [_, channels, height, width]: [usize; 4], lanes: usize) -> bool {
    // Tensors with fewer channels may have narrower blocks.
    channels >= lanes && (int8.products()..=MOST).contains(&(channels * height * width))
}

impl ConvInt8 {
    pub(crate) fn new((instructions, int8): (Instructions, Int8), layer: Layer, extent: View) -> Self {
        let kernel = |registers, pixels| tile::kernel_of_integers(int8, registers, pixels);
        let conv = Gathered::new(instructions, [int8.channels(), int8.registers()], layer, kernel);
        Self { conv, extent, convert: Converter::new(int8) }
    }

    /// Quantises and packs the weights.
    pub(crate) fn pack(&self, weights: &ConvWeights<'_>, packed: &mut Packed) {
        let Layer { filters, output, .. } = self.conv.layer;
        pack::pack(filters, weights, &self.conv.panels, [self.convert.channels(), output.lanes], packed);
    }

    /// Computes some panels of output channels in one band of one image.
    pub(crate) fn unit(&self, unit: &Unit<'_>, packed: &Packed) {
        let image = self.conv.image(unit);
        // SAFETY: the extent is no unit's output.
        let extent = unsafe { unit.read(self.extent.range(unit.run.batch, image)) };
        let pixels = Pixels::new(extent::of_image(&self.extent, extent, self.conv.layer.input.channels));
        let channels =
            pack::Channels::of(packed, self.conv.layer.output.blocks() * self.conv.layer.output.lanes);
        let start: Vec<f32> = channels.sums.iter().map(|sum| pixels.start(*sum)).collect();
        let scale: Vec<f32> = channels.scales.iter().map(|scale| pixels.scale * scale).collect();
        let rescale = Some(Rescale { scale: &scale, bias: channels.bias });
        let parameters = Parameters { weights: packed.weights.as_slice(), start: &start, rescale };
        self.conv.unit(unit, parameters, &|line| self.convert.call(line, pixels));
    }
}
