//! Elements to pairs of bf16: two neighbouring channels, rounded to nearest, ties to even, in place of one.

use std::cell::Cell;

use half::bf16;

use crate::kernels::Packed;
use crate::kernels::filters::{ConvWeights, Filters, Panel, each_panel, pack_bias};
use crate::simd::{Arguments, Avx512Bf16, Compiled};

/// Pairs of channels in a block.
pub(super) const PAIRS: usize = 8;

/// Some pixels of one block of channels. Distances are in elements.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "no loop for it"))]
pub(super) struct Line<'a> {
    /// The input from the first pixel on.
    pub(super) x: &'a [f32],
    pub(super) x_pixel: usize,
    pub(super) pixels: usize,
    /// Lanes that hold channels; the others count as zeros.
    pub(super) lanes: usize,
    /// `PAIRS` elements per pixel.
    pub(super) y: &'a [Cell<f32>],
}

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
    each_panel(filters, panels, lanes, packed, |panel, to| {
        pack_panel(filters, weights, panel, lanes, bytemuck::cast_slice_mut(to));
    });
}

/// One panel's weights, a block of input channels and a register of output channels at a time.
fn pack_panel(filters: Filters, weights: &ConvWeights<'_>, panel: &Panel, lanes: usize, to: &mut [u32]) {
    let [out, channels, height, width] = filters.shape;
    let area = height * width;
    let step = panel.registers * lanes;
    for (block, to) in to.chunks_mut(PAIRS * area * step).enumerate() {
        let pairs = to.len() / (area * step);
        for register in 0..panel.registers {
            let first = (panel.first + register) * lanes;
            let rows: [&[f32]; 2 * PAIRS] = std::array::from_fn(|at| match first + at {
                filter if filter < out => &weights.weight[filter * channels * area..][..channels * area],
                _ => &[],
            });
            for pair in 0..pairs {
                let even = 2 * (block * PAIRS + pair) * area;
                for tap in 0..area {
                    let rounded = |row: &[f32], at: usize| {
                        bf16::from_f32(row.get(at).copied().unwrap_or(0.0)).to_bits()
                    };
                    // The lower half holds the even channel, as the conversion of pixels puts it.
                    let both = |row| {
                        u32::from(rounded(row, even + tap)) | u32::from(rounded(row, even + area + tap)) << 16
                    };
                    to[(tap * pairs + pair) * step + register * lanes..][..lanes]
                        .copy_from_slice(&rows.map(both));
                }
            }
        }
    }
}
