//! The inner loop of convolution: some pixels of a row times some registers of output channels.
//!
//! Direct convolution over blocked channels, after Georganas et al., "Anatomy of High-Performance Deep Learning
//! Convolutions on SIMD Architectures" (2018): the sums stay in registers while all weights pass by; every weight
//! that is loaded serves `W` pixels and every pixel `O` registers of channels.

use super::split_work;
use super::sums::{Sums, finish, start};
use crate::simd::{Arguments, Avx512Bf16, Compiled, InnerLoop, Instructions, Int8, Simd, reach};

/// How the kernel moves over the input: the same for all tiles of a convolution. Distances are in elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pattern {
    kernel: [usize; 2],
    /// From one row and from one column of the kernel to the next.
    steps: [usize; 2],
    /// From one pixel of a tile to the next.
    pixel: usize,
    block: usize,
    lanes: usize,
    /// How far the kernel reaches in one block, and how many weights it has per pair of channels.
    reach: usize,
    area: usize,
}

impl Pattern {
    pub(crate) fn new(
        kernel @ [rows, columns]: [usize; 2],
        steps: [usize; 2],
        pixel: usize,
        block: usize,
        lanes: usize,
    ) -> Self {
        let reach = reach([[rows, steps[0]], [columns, steps[1]]], lanes);
        Self { kernel, steps, pixel, block, lanes, reach, area: rows.saturating_mul(columns) }
    }
}

/// What one call computes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tile<'a> {
    pub(crate) pattern: &'a Pattern,
    /// The input from the tile's first pixel on.
    pub(crate) x: &'a [f32],
    pub(crate) blocks: usize,
    /// Lanes of the last block that hold channels.
    pub(crate) last_lanes: usize,
    /// `[block][kernel row][kernel column][lane][O registers]`.
    pub(crate) w: &'a [f32],
    pub(crate) sums: Sums<'a>,
}

impl Tile<'_> {
    /// The tile that begins `pixels` to the right.
    #[inline]
    pub(crate) fn right(mut self, pixels: usize) -> Self {
        let sums = &mut self.sums;
        let values = pixels * sums.lanes;
        self.x = &self.x[pixels * self.pattern.pixel..];
        sums.y = &sums.y[values..];
        sums.residual = sums.residual.map(|residual| &residual[values..]);
        self
    }
}

/// [`Tile`] as arguments.
#[derive(Debug)]
pub(crate) struct Tiles;

impl Arguments for Tiles {
    type With<'a> = Tile<'a>;
}

/// A compiled tile.
pub(crate) type TileKernel = Compiled<Tiles>;

/// Sums of `O` registers of channels and `W` pixels.
struct Product<const O: usize, const W: usize>;

impl<const O: usize, const W: usize> InnerLoop for Product<O, W> {
    type Arguments = Tiles;

    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "with iterators the loop over `p` is so large that under link-time optimisation it is unrolled too late for the \
                  sums to get registers (`tests/registers/run`)"
    )]
    fn run<S: Simd>(simd: S, t: Tile<'_>) {
        let Pattern { kernel: [rows, columns], steps, pixel, block: x_block, lanes, area, .. } = *t.pattern;
        // Once per tile, so that the loops need no checks.
        let pixels = reach([[t.blocks, x_block], [W, pixel]], t.pattern.reach);
        let channels = reach([[t.blocks, lanes]], t.last_lanes);
        let weights = channels.saturating_mul(area.saturating_mul(O * S::LANES));
        assert!(
            t.last_lanes <= lanes && pixels <= t.x.len() && weights <= t.w.len(),
            "a tile reaches too far"
        );
        // Registers for the whole tile: arrays of constant length that the compiler keeps out of memory.
        let mut sums = start::<S, O, W>(simd, &t.sums);
        let mut w = t.w.as_ptr();
        // SAFETY: blocks, rows, columns, pixels and lanes stay below the counts that `pixels` was computed from, and `w` advances by
        // `O` registers as often as `weights` has them.
        unsafe {
            for block in 0..t.blocks {
                // The last block may have fewer channels; its other lanes have no weights.
                let lanes = if block + 1 == t.blocks { t.last_lanes } else { lanes };
                for row in 0..rows {
                    for column in 0..columns {
                        let x = t.x.as_ptr().add(block * x_block + row * steps[0] + column * steps[1]);
                        for lane in 0..lanes {
                            let weights: [S::Register; O] =
                                std::array::from_fn(|o| simd.load_from(w.add(o * S::LANES)));
                            w = w.add(O * S::LANES);
                            for p in 0..W {
                                let pixel = simd.splat(*x.add(p * pixel + lane));
                                for o in 0..O {
                                    sums[o][p] = simd.add_product(pixel, weights[o], sums[o][p]);
                                }
                            }
                        }
                    }
                }
            }
        }
        finish::<S, O, W>(simd, &t.sums, &sums);
    }
}

/// [`Product`] compiled for an instruction set, for each `O: W` that its registers hold: `O W` sums, `O` weights and one pixel.
macro_rules! products {
    ($simd:ident, $registers:ident, $pixels:ident, $($o:literal: $($w:literal)+;)+) => {
        match ($registers, $pixels) {
            $($(($o, $w) => Some($simd.compile::<Product<$o, $w>>()),)+)+
            _ => None,
        }
    };
}

/// As [`kernel`], of 32 registers: 28 sums, 2 weights, 1 pixel.
#[cfg(target_arch = "x86_64")]
fn of_32_registers(simd: impl Simd, registers: usize, pixels: usize) -> Option<TileKernel> {
    products!(simd, registers, pixels,
        1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
        2: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
        3: 1 2 3 4 5 6 7 8 9;
    )
}

/// As [`kernel`], of 16 registers: 12 sums, 3 weights, 1 pixel.
#[cfg(target_arch = "x86_64")]
fn of_16_registers(simd: impl Simd, registers: usize, pixels: usize) -> Option<TileKernel> {
    products!(simd, registers, pixels,
        1: 1 2 3 4 5 6 7 8;
        2: 1 2 3 4 5 6;
        3: 1 2 3 4;
    )
}

/// The kernel for this number of registers of output channels and of pixels, where there is one.
pub(crate) fn kernel(instructions: Instructions, registers: usize, pixels: usize) -> Option<TileKernel> {
    match instructions {
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512(simd) => of_32_registers(simd, registers, pixels),
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2(simd) => of_16_registers(simd, registers, pixels),
        // Eight lanes are two registers: 28 of sums, 2 of weights, 1 pixel of 32.
        #[cfg(target_arch = "aarch64")]
        Instructions::Neon(simd) => products!(simd, registers, pixels,
            1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
            2: 1 2 3 4 5 6;
            3: 1 2 3 4;
        ),
        // Eight lanes are two registers of SSE2, of which there are 16.
        Instructions::Portable(simd) => products!(simd, registers, pixels, 1: 1 2 3 4 5 6; 2: 1 2 3;),
    }
}

/// As [`kernel`], where every element of `x` and of `w` is a pair of bf16: of two channels, or of their weights.
#[cfg(target_arch = "x86_64")]
pub(crate) fn kernel_of_pairs(simd: Avx512Bf16, registers: usize, pixels: usize) -> Option<TileKernel> {
    of_32_registers(simd, registers, pixels)
}

/// As [`kernel`], where every element of `x` and of `w` holds integers: of some channels, or their weights.
pub(crate) fn kernel_of_integers(int8: Int8, registers: usize, pixels: usize) -> Option<TileKernel> {
    match int8 {
        #[cfg(target_arch = "x86_64")]
        Int8::Vnni(simd) => of_32_registers(simd, registers, pixels),
        #[cfg(target_arch = "x86_64")]
        Int8::Avx2(simd) => of_16_registers(simd, registers, pixels),
        // As wide as NEON's tiles.
        Int8::Portable(simd) => products!(simd, registers, pixels,
            1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
            2: 1 2 3 4 5 6;
        ),
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn kernel_of_pairs(simd: Avx512Bf16, _: usize, _: usize) -> Option<TileKernel> {
    match simd {}
}

/// A part of a row that one tile covers.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) start: usize,
    pub(crate) width: usize,
    /// By the registers of output channels, less one.
    pub(crate) kernels: Vec<TileKernel>,
}

/// Cuts a row into tiles of nearly equal widths; `kernel` gives those of a number of registers and pixels.
pub(crate) fn columns(
    instructions: Instructions,
    registers: usize,
    width: usize,
    kernel: impl Fn(usize, usize) -> Option<TileKernel>,
) -> Vec<Column> {
    // Nearly equal widths: a narrow last tile would load the weights again for a few pixels.
    let parts = width.div_ceil(widest(instructions, registers));
    let column = |part: usize| {
        let [start, end] = [0, 1].map(|next| split_work(width, parts, part + next));
        let kernels = (1..=registers).filter_map(|o| kernel(o, end - start)).collect();
        Column { start, width: end - start, kernels }
    };
    (0..parts).map(column).collect()
}

/// Pixels of the widest tile with this number of registers of output channels; 0 where there is none.
pub(crate) fn widest(instructions: Instructions, registers: usize) -> usize {
    (1..).take_while(|pixels| kernel(instructions, registers, *pixels).is_some()).last().unwrap_or(0)
}
