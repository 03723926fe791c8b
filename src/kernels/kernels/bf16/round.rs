//! Elements to pairs of bf16: two neighbouring channels, rounded to nearest, ties to even, in place of one.

use crate::kernels::Packed;
use crate::kernels::filters::{ConvWeights, Filters, Panel, each_panel, pack_bias, pack_block};
use crate::kernels::gathered::Line;
use crate::simd::{Arguments, Avx512Bf16, Compiled};

/// Pairs of channels in a block.
pub(super) const PAIRS: usize = 8;

/// [`Line`] as arguments.
#[derive(Debug)]
pub(super) struct Lines;

impl Arguments for Lines {
    type With<'a> = Line<'a>;
}

/// What rounds a line.
#[cfg(target_arch = "x86_64")]
pub(super) fn rounding(_: Avx512Bf16) -> Compiled<Lines> {
    // SAFETY: the token proves the instructions.
    unsafe { Compiled::<Lines>::new(line) }
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn rounding(simd: Avx512Bf16) -> Compiled<Lines> {
    match simd {}
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
fn line(l: Line<'_>) {
    use std::arch::x86_64::{
        __m256bh, __m512bh, _mm512_cvtne2ps_pbh, _mm512_cvtneps_pbh, _mm512_maskz_loadu_ps,
    };

    use crate::simd::reach;

    assert!(
        l.lanes <= 2 * PAIRS && reach([[l.pixels, l.x_pixel]], l.lanes) <= l.x.len(),
        "a line reaches too far"
    );
    let y = l.y[..l.pixels * PAIRS].as_ptr().cast_mut();
    // Lanes without a channel may hold anything; the mask makes them zeros.
    let mask = ((1_u32 << l.lanes) - 1) as u16;
    // SAFETY: of each pixel only the lanes of the mask are read, which `reach` has checked; two pixels are one register of pairs, one
    // is half of it, and `y` has room for all; cells are written through shared references.
    unsafe {
        let load = |pixel: usize| _mm512_maskz_loadu_ps(mask, l.x.as_ptr().add(pixel * l.x_pixel));
        for two in 0..l.pixels / 2 {
            // The second operand becomes the lower half of the register, that is the first pixel.
            let pairs = _mm512_cvtne2ps_pbh(load(2 * two + 1), load(2 * two));
            y.add(2 * two * PAIRS).cast::<__m512bh>().write_unaligned(pairs);
        }
        // Half a register, so that nothing is written behind the last pixel.
        if l.pixels % 2 == 1 {
            let last = l.pixels - 1;
            let pairs = _mm512_cvtneps_pbh(load(last));
            y.add(last * PAIRS).cast::<__m256bh>().write_unaligned(pairs);
        }
    }
}

/// Weights by panel, then `[block][kernel row][kernel column][pair][register]`, and one bias per channel.
pub(super) fn pack(
    filters: Filters,
    weights: &ConvWeights<'_>,
    panels: &[Panel],
    lanes: usize,
    packed: &mut Packed,
) {
    pack_bias(filters, weights, lanes, packed);
    each_panel(filters, panels, lanes, packed, |panel, to| pack_panel(filters, weights, panel, lanes, to));
}

/// One panel's weights, a block of input channels at a time: in single precision as other convolutions have them, into a buffer that
/// stays in the first-level cache, where they are rounded in whole rows of output channels.
fn pack_panel(filters: Filters, weights: &ConvWeights<'_>, panel: &Panel, lanes: usize, to: &mut [f32]) {
    let [_, channels, height, width] = filters.shape;
    let (area, step) = (height * width, panel.registers * lanes);
    let mut singles = vec![0.0; 2 * PAIRS * area * step];
    for (block, to) in to.chunks_mut(PAIRS * area * step).enumerate() {
        let inside = 2 * PAIRS * block;
        let rows = (channels - inside).min(2 * PAIRS);
        let singles = &mut singles[..rows * area * step];
        pack_block(filters, weights, panel.first * lanes, inside, singles, step);
        let (of_taps, to_taps) = (singles.chunks(rows * step), to.chunks_mut(rows.div_ceil(2) * step));
        for (tap, to) in of_taps.zip(to_taps) {
            for (two, to) in tap.chunks(2 * step).zip(to.chunks_mut(step)) {
                let (even, odd) = two.split_at(step);
                round_pairs(even, odd, to);
            }
        }
    }
}

/// Each even channel's weight in the lower half and the odd one's in the upper, as the conversion of pixels puts them; zeros where
/// there is no odd channel.
fn round_pairs(even: &[f32], odd: &[f32], to: &mut [f32]) {
    if odd.is_empty() {
        return to.iter_mut().zip(even).for_each(|(to, even)| *to = f32::from_bits(rounded(*even) >> 16));
    }
    for ((to, even), odd) in to.iter_mut().zip(even).zip(odd) {
        *to = f32::from_bits(rounded(*even) >> 16 | rounded(*odd) & 0xffff_0000);
    }
}

/// The bits of a value whose upper half is the nearest bf16, ties to even. Without branches, which `half` has, so that loops
/// over it are vectorised.
#[inline]
fn rounded(value: f32) -> u32 {
    let bits = value.to_bits();
    // Half of the last place that is kept, less one where that place is even: then a tie stays below. A value near the greatest
    // becomes infinity, as it should.
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    // A NaN could lose its last bit or become a zero; one bit more keeps it.
    if value.is_nan() { bits | 0x0040_0000 } else { nearest }
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::filters::panels;

    #[test]
    fn rounding_is_to_nearest_even_for_every_kind_of_number() {
        let mut bits: Vec<u32> = (0..=u16::MAX).map(|upper| u32::from(upper) << 16).collect();
        // Around each bf16: a tie, its neighbours, and the ends.
        let below: Vec<u32> = bits
            .iter()
            .flat_map(|upper| [1, 0x7fff, 0x8000, 0x8001, 0xffff].map(|lower| upper | lower))
            .collect();
        bits.extend(below);
        for bits in bits {
            let value = f32::from_bits(bits);
            assert_eq!((rounded(value) >> 16) as u16, bf16::from_f32(value).to_bits(), "{value} ({bits:#x})");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_weight_is_where_the_inner_loop_reads_it(
            (out, channels, height, width) in (1..70_usize, 1..70_usize, 1..4_usize, 1..4_usize),
            lanes in prop_oneof![Just(8_usize), Just(16)], registers in 1..4_usize,
        ) {
            let filters = Filters { shape: [out, channels, height, width], groups: 1 };
            let area = height * width;
            // No two are equal, and none is a bf16.
            let weight: Vec<f32> = (0..out * channels * area).map(|at| (at as f32).sin() + 2.0).collect();
            let pairs = Filters { shape: [out, channels.div_ceil(2), height, width], groups: 1 };
            let panels = panels(pairs, 1, PAIRS, lanes, registers);
            let mut packed = Packed::default();
            pack(filters, &ConvWeights { weight: &weight, by_input: false, bias: None }, &panels, lanes, &mut packed);
            let value = |filter: usize, channel: usize, tap: usize| {
                let is_there = filter < out && channel < channels;
                bf16::from_f32(if is_there { weight[(filter * channels + channel) * area + tap] } else { 0.0 })
            };
            let mut found = packed.weights.as_slice().iter().map(|pair| pair.to_bits());
            for panel in &panels {
                for block in 0..panel.blocks {
                    let in_block = (channels.div_ceil(2) - block * PAIRS).min(PAIRS);
                    for (tap, pair) in (0..area).flat_map(|tap| (0..in_block).map(move |pair| (tap, pair))) {
                        for filter in panel.first * lanes..(panel.first + panel.registers) * lanes {
                            let channel = 2 * (block * PAIRS + pair);
                            let [even, odd] = [channel, channel + 1].map(|c| u32::from(value(filter, c, tap).to_bits()));
                            prop_assert_eq!(found.next(), Some(even | odd << 16));
                        }
                    }
                }
            }
        }
    }
}
