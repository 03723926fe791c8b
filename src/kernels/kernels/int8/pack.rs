//! Weights to signed bytes, some input channels in one element, in the order in which tiles read them.

use super::quantise::INTEGERS;
use crate::kernels::Packed;
use crate::kernels::filters::{ConvWeights, Filters, Panel, each_panel};

/// The greatest weight: symmetric, so that zero stays zero.
const GREATEST: f32 = 127.0;

/// What the packed bias holds, by output channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channels<'a> {
    pub(super) bias: &'a [f32],
    /// What a byte of the weights stands for.
    pub(super) scales: &'a [f32],
    /// Sums of a filter's bytes: integers, all of which singles hold exactly up to 2^24.
    pub(super) sums: &'a [f32],
}

impl<'a> Channels<'a> {
    pub(super) fn of(packed: &'a Packed, out: usize) -> Self {
        let [bias, scales, sums] = [0, 1, 2].map(|part| &packed.bias.as_slice()[part * out..][..out]);
        Self { bias, scales, sums }
    }
}

/// Weights by panel, then `[block][kernel row][kernel column][element][register]`, and the three parts of [`Channels`].
pub(super) fn pack(
    filters: Filters,
    weights: &ConvWeights<'_>,
    panels: &[Panel],
    [channels, lanes]: [usize; 2],
    packed: &mut Packed,
) {
    let [out, inside, height, width] = filters.shape;
    let len = inside * height * width;
    let padded = out.next_multiple_of(lanes);
    let to = packed.bias.grow_with(weights.bias.unwrap_or_default(), 3 * padded);
    let mut bytes = vec![0_i8; out * len];
    for (at, (from, bytes)) in weights.weight.chunks_exact(len).zip(bytes.chunks_exact_mut(len)).enumerate() {
        (to[padded + at], to[2 * padded + at]) = quantise(from, bytes);
    }
    each_panel(filters, panels, lanes, packed, |panel, to| match channels {
        4 => pack_panel(filters, &bytes, panel, lanes, bytemuck::cast_slice_mut::<_, [i8; 4]>(to)),
        _ => pack_panel(filters, &bytes, panel, lanes, bytemuck::cast_slice_mut::<_, [i16; 2]>(to)),
    });
}

/// A filter as bytes; what one of them stands for, and their sum.
fn quantise(from: &[f32], to: &mut [i8]) -> (f32, f32) {
    // Without their signs, bits are ordered as the numbers are, with infinity and NaN above all others.
    let magnitude = |weight: &f32| weight.to_bits() & !(1 << 31);
    let greatest = f32::from_bits(from.iter().map(magnitude).fold(0, u32::max));
    let inverse = if greatest == 0.0 { 0.0 } else { GREATEST / greatest };
    let mut sum = 0;
    for (from, to) in from.iter().zip(to) {
        *to = (from * inverse + INTEGERS).to_bits() as i8;
        sum += i32::from(*to);
    }
    // A weight that is not finite must show in the results.
    (if greatest.is_finite() { greatest / GREATEST } else { f32::NAN }, sum as f32)
}

/// One panel's weights, a block of input channels at a time, so that what is written stays in the first-level cache.
fn pack_panel<T: From<i8> + Copy, const CHANNELS: usize>(
    filters: Filters,
    bytes: &[i8],
    panel: &Panel,
    lanes: usize,
    to: &mut [[T; CHANNELS]],
) {
    let [out, inside, height, width] = filters.shape;
    let area = height * width;
    let step = panel.registers * lanes;
    let per_block = lanes / CHANNELS;
    to.fill([T::from(0); CHANNELS]);
    for (block, to) in to.chunks_mut(per_block * area * step).enumerate() {
        let elements = to.len() / (area * step);
        let first = panel.first * lanes;
        for (at, filter) in (first..out.min(first + step)).enumerate() {
            let row = &bytes[filter * inside * area..][..inside * area];
            let row = row.chunks_exact(area).skip(block * lanes).take(lanes).enumerate();
            for ((channel, taps), tap) in row.flat_map(|row| (0..area).map(move |tap| (row, tap))) {
                let element = (tap * elements + channel / CHANNELS) * step + at;
                to[element][channel % CHANNELS] = T::from(taps[tap]);
            }
        }
    }
}
