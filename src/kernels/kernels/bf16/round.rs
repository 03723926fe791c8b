//! Numbers to pairs of bf16: two neighbouring channels, rounded to the nearest (even where two are as near), in the place of one.

use half::bf16;

use super::PAIRS;
use crate::kernels::Packed;
use crate::kernels::filters::{Filters, Numbers, Panel, each_panel, pack_bias};

/// Some pixels of one block of channels. Distances are in numbers.
///
/// # Safety
/// `x` is good for reading `lanes` numbers of every pixel, `y` for writing `PAIRS` numbers a pixel, one pixel after the other.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) x: *const f32,
    pub(super) x_pixel: usize,
    pub(super) pixels: usize,
    /// Lanes that hold channels; the others count as zeros.
    pub(super) lanes: usize,
    pub(super) y: *mut f32,
}

/// What rounds a line, where the target has the instruction.
pub(super) fn rounding() -> Option<unsafe fn(&Line)> {
    #[cfg(target_arch = "x86_64")]
    return Some(line);
    #[cfg(not(target_arch = "x86_64"))]
    return None;
}

/// # Safety
/// As for [`Line`], and the instructions are there.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn line(l: &Line) {
    use std::arch::x86_64::{
        __m256bh, __m512bh, _mm512_cvtne2ps_pbh, _mm512_cvtneps_pbh, _mm512_maskz_loadu_ps,
    };

    let mask = ((1_u32 << l.lanes) - 1) as u16;
    // SAFETY: masked lanes are not read; the rest is the line's documented reach.
    unsafe {
        let load = |pixel: usize| _mm512_maskz_loadu_ps(mask, l.x.add(pixel * l.x_pixel));
        for two in 0..l.pixels / 2 {
            let pairs = _mm512_cvtne2ps_pbh(load(2 * two + 1), load(2 * two));
            l.y.add(2 * two * PAIRS).cast::<__m512bh>().write_unaligned(pairs);
        }
        if l.pixels % 2 == 1 {
            let last = l.pixels - 1;
            let pairs = _mm512_cvtneps_pbh(load(last));
            l.y.add(last * PAIRS).cast::<__m256bh>().write_unaligned(pairs);
        }
    }
}

/// Weights by panel, then `[block][kernel row][kernel column][pair][register]`, and one bias a channel.
pub(super) fn pack(
    filters: Filters,
    numbers: &Numbers<'_>,
    panels: &[Panel],
    lanes: usize,
    packed: &mut Packed,
) {
    pack_bias(filters, numbers, lanes, packed);
    each_panel(filters, panels, lanes, packed, |panel, to| {
        pack_panel(filters, numbers, panel, lanes, bytemuck::cast_slice_mut(to));
    });
}

/// One panel's weights, a block of input channels and a register of output channels at a time.
fn pack_panel(filters: Filters, numbers: &Numbers<'_>, panel: &Panel, lanes: usize, to: &mut [u32]) {
    let [out, channels, height, width] = filters.shape;
    let area = height * width;
    let step = panel.registers * lanes;
    for (block, to) in to.chunks_mut(PAIRS * area * step).enumerate() {
        let pairs = to.len() / (area * step);
        for register in 0..panel.registers {
            let first = (panel.first + register) * lanes;
            let rows: [&[f32]; 2 * PAIRS] = std::array::from_fn(|at| match first + at {
                filter if filter < out => &numbers.weight[filter * channels * area..][..channels * area],
                _ => &[],
            });
            for pair in 0..pairs {
                let even = 2 * (block * PAIRS + pair) * area;
                for tap in 0..area {
                    let number = |row: &[f32], at: usize| {
                        bf16::from_f32(row.get(at).copied().unwrap_or(0.0)).to_bits()
                    };
                    let both = |row| {
                        u32::from(number(row, even + tap)) | u32::from(number(row, even + area + tap)) << 16
                    };
                    to[(tap * pairs + pair) * step + register * lanes..][..lanes]
                        .copy_from_slice(&rows.map(both));
                }
            }
        }
    }
}
