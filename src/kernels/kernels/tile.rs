//! The inner loop of convolution: a few pixels of a row times a few registers of output channels.
//!
//! Direct convolution over blocked channels, after Georganas et al., "Anatomy of High-Performance Deep Learning
//! Convolutions on SIMD Architectures" (2018): the sums stay in registers while all weights pass by, every weight
//! that is loaded serves `W` pixels and every pixel `O` registers of channels.

use super::{Packed, Run, spread};
#[cfg(target_arch = "x86_64")]
use crate::simd::x86::{Avx2, Avx512, Avx512Bf16};
use crate::simd::{Isa, Portable, Simd};
use crate::view::View;

/// What one call computes. Distances are in numbers.
///
/// # Safety
/// `x` is good for reading wherever `blocks`, the kernel's extent and the tile's pixels reach, `w` for all their weights
/// in a row, `y`, `residual` and `bias` (where they are not null) for the tile's pixels and registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tile {
    pub(crate) x: *const f32,
    pub(crate) x_block: usize,
    /// From one row of the kernel to the next.
    pub(crate) x_row: usize,
    /// From one column of the kernel to the next.
    pub(crate) x_column: usize,
    /// From one pixel of the tile to the next.
    pub(crate) x_pixel: usize,
    pub(crate) blocks: usize,
    pub(crate) lanes: usize,
    /// Lanes of the last block that hold channels.
    pub(crate) last_lanes: usize,
    pub(crate) kernel: [usize; 2],
    /// `[block][kernel row][kernel column][lane][O registers]`.
    pub(crate) w: *const f32,
    pub(crate) sums: Sums,
}

/// Where a tile's sums begin and where they go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums {
    pub(crate) y: *mut f32,
    pub(crate) y_block: usize,
    /// Added at the end; null where there is nothing to add.
    pub(crate) residual: *const f32,
    pub(crate) residual_block: usize,
    /// Where the sums begin; null where they go on from what `y` holds.
    pub(crate) bias: *const f32,
    /// The sums are complete after this call: add the residual and keep them between these.
    pub(crate) range: Option<[f32; 2]>,
}

impl Sums {
    /// Those of a panel's channels from one pixel of a row on, over some of the input's blocks: the first of them, the last, or both.
    pub(crate) fn new(
        (run, packed): (&Run<'_>, &Packed),
        (output, residual): (&View, Option<&View>),
        first_block: usize,
        [image, row, column]: [usize; 3],
        [is_first, is_last]: [bool; 2],
        range: [f32; 2],
    ) -> Self {
        let at = |view: &View| view.at(run.batch, image, first_block, row, 0) + column * view.lanes;
        let residual = residual.filter(|_| is_last);
        Self {
            y: run.write(at(output)),
            y_block: output.block(),
            residual: residual.map_or(std::ptr::null(), |view| run.read(at(view))),
            residual_block: residual.map_or(0, View::block),
            bias: if is_first {
                packed.bias.as_slice()[first_block * output.lanes..].as_ptr()
            } else {
                std::ptr::null()
            },
            range: is_last.then_some(range),
        }
    }
}

/// A compiled tile.
pub(crate) type TileKernel = unsafe fn(&Tile);

/// Sums of `O` registers of channels and `W` pixels.
///
/// # Safety
/// As for [`Tile`], and the instruction set is there.
#[inline(always)]
unsafe fn body<S: Simd, const O: usize, const W: usize>(t: &Tile) {
    // SAFETY: the caller's promise covers every address below; they are the tile's documented reach.
    unsafe {
        let mut sums = [[S::splat(0.0); W]; O];
        for (o, sums) in sums.iter_mut().enumerate() {
            for (p, sum) in sums.iter_mut().enumerate() {
                *sum = if t.sums.bias.is_null() {
                    S::load(t.sums.y.add(o * t.sums.y_block + p * S::LANES))
                } else {
                    S::load(t.sums.bias.add(o * S::LANES))
                };
            }
        }
        let mut w = t.w;
        for block in 0..t.blocks {
            let lanes = if block + 1 == t.blocks { t.last_lanes } else { t.lanes };
            for row in 0..t.kernel[0] {
                for column in 0..t.kernel[1] {
                    let x = t.x.add(block * t.x_block + row * t.x_row + column * t.x_column);
                    for lane in 0..lanes {
                        let weights: [S::Register; O] = std::array::from_fn(|o| S::load(w.add(o * S::LANES)));
                        w = w.add(O * S::LANES);
                        for p in 0..W {
                            let pixel = S::splat(*x.add(p * t.x_pixel + lane));
                            for (sums, weights) in sums.iter_mut().zip(weights) {
                                sums[p] = S::mul_add(pixel, weights, sums[p]);
                            }
                        }
                    }
                }
            }
        }
        finish::<S, O, W>(t, &sums);
    }
}

/// Adds the residual, keeps the range, stores.
///
/// # Safety
/// As for [`body`].
#[inline(always)]
unsafe fn finish<S: Simd, const O: usize, const W: usize>(t: &Tile, sums: &[[S::Register; W]; O]) {
    // SAFETY: as for `body`.
    unsafe {
        let [low, high] = t.sums.range.unwrap_or([f32::NEG_INFINITY, f32::INFINITY]);
        let (low, high) = (S::splat(low), S::splat(high));
        for (o, sums) in sums.iter().enumerate() {
            for (p, sum) in sums.iter().enumerate() {
                let mut sum = *sum;
                if t.sums.range.is_some() {
                    if !t.sums.residual.is_null() {
                        sum = S::add(
                            sum,
                            S::load(t.sums.residual.add(o * t.sums.residual_block + p * S::LANES)),
                        );
                    }
                    sum = S::at_most(high, S::at_least(low, sum));
                }
                S::store(t.sums.y.add(o * t.sums.y_block + p * S::LANES), sum);
            }
        }
    }
}

/// Compiles [`body`] for an instruction set, for each pair of `O` and `W` that its registers hold.
macro_rules! compiled {
    ($name:ident, $simd:ty, $([$feature:literal])?, $($o:literal: $($w:literal)+;)+) => {
        fn $name(o: usize, w: usize) -> Option<TileKernel> {
            // SAFETY (of the call inside): whoever calls this function promises what `body` demands.
            $(#[target_feature(enable = $feature)])?
            unsafe fn tile<const O: usize, const W: usize>(t: &Tile) {
                unsafe { body::<$simd, O, W>(t) }
            }
            match (o, w) {
                $($(($o, $w) => Some(tile::<$o, $w>),)+)+
                _ => None,
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
compiled!(avx512, Avx512, ["avx512f,avx2,fma"],
    1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
    2: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
    3: 1 2 3 4 5 6 7 8 9;
);
#[cfg(target_arch = "x86_64")]
compiled!(avx512_bf16, Avx512Bf16, ["avx512f,avx512bf16,avx2,fma"],
    1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
    2: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
    3: 1 2 3 4 5 6 7 8 9;
);
#[cfg(target_arch = "x86_64")]
compiled!(avx2, Avx2, ["avx2,fma"],
    1: 1 2 3 4 5 6 7 8;
    2: 1 2 3 4 5 6;
    3: 1 2 3 4;
);
compiled!(portable, Portable, , 1: 1 2 3 4 5 6; 2: 1 2 3;);

/// The kernel for so many registers of output channels and so many pixels, where there is one.
pub(crate) fn kernel(isa: Isa, registers: usize, pixels: usize) -> Option<TileKernel> {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => avx512(registers, pixels),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => avx2(registers, pixels),
        Isa::Portable => portable(registers, pixels),
    }
}

/// As [`kernel`], where every number of `x` and of `w` is a pair of bf16: of two channels, or of their weights.
#[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "there are none"))]
pub(crate) fn kernel_of_pairs(registers: usize, pixels: usize) -> Option<TileKernel> {
    #[cfg(target_arch = "x86_64")]
    return avx512_bf16(registers, pixels);
    #[cfg(not(target_arch = "x86_64"))]
    return None;
}

/// A stretch of a row that one tile covers.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) start: usize,
    pub(crate) width: usize,
    /// By the registers of output channels, less one.
    pub(crate) kernels: Vec<TileKernel>,
}

/// Cuts a row into tiles of nearly equal widths; `kernel` gives those of so many registers and pixels.
pub(crate) fn columns(
    isa: Isa,
    registers: usize,
    width: usize,
    kernel: impl Fn(usize, usize) -> Option<TileKernel>,
) -> Vec<Column> {
    let parts = width.div_ceil(widest(isa, registers));
    let column = |part: usize| {
        let [start, end] = [0, 1].map(|next| spread(width, parts, part + next));
        let kernels = (1..=registers).filter_map(|o| kernel(o, end - start)).collect();
        Column { start, width: end - start, kernels }
    };
    (0..parts).map(column).collect()
}

/// The widest tile of so many registers of output channels; 0 where there is none.
pub(crate) fn widest(isa: Isa, registers: usize) -> usize {
    (1..).take_while(|pixels| kernel(isa, registers, *pixels).is_some()).last().unwrap_or(0)
}
