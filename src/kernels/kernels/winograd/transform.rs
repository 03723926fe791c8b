//! The transforms of F(4x4, 3x3): patches of the input to 36 frequencies, frequencies to tiles of the output, filters once.
//!
//! Toom-Cook with the points 0, ±5/8, ±3/2 and infinity. They and the constants made of them are exact in single precision,
//! and of the symmetric sets tried (±1 ±2, ±1 ±1/2, ±3/4 ±5/4, ±√½ ±√2, ...) they give the smallest error: with 512 channels
//! 4e-6 of the greatest output, against 2.5e-6 of direct convolution and 1.6e-5 of the textbook's ±1 ±2.

use std::cell::Cell;

use crate::simd::{Arguments, InnerLoop, Simd, reach};

/// Rows and columns of an output tile.
pub(super) const TILE: usize = 4;
/// Rows and columns of the input that a tile sees, and of its frequencies.
pub(super) const PATCH: usize = TILE + 2;
/// Products per output tile and pair of channels.
pub(super) const FREQUENCIES: usize = PATCH * PATCH;

const A: f64 = 0.625;
const B: f64 = 1.5;

/// One tile's patch of every input block. Distances are in elements.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch<'a> {
    /// The input from the patch's first pixel on.
    pub(super) x: &'a [f32],
    pub(super) x_block: usize,
    pub(super) x_row: usize,
    pub(super) blocks: usize,
    /// Rows and columns of the patch that are inside the view; the others count as zeros.
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// A register per block and frequency is written.
    pub(super) v: &'a [Cell<f32>],
    pub(super) v_block: usize,
    pub(super) v_frequency: usize,
}

/// One tile of some output blocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output<'a> {
    /// A register per block and frequency is read.
    pub(super) m: &'a [f32],
    pub(super) m_block: usize,
    pub(super) m_frequency: usize,
    pub(super) blocks: usize,
    /// Rows and columns of the tile that are inside the image.
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// The output from the tile's first pixel on.
    pub(super) y: &'a [Cell<f32>],
    pub(super) y_block: usize,
    pub(super) y_row: usize,
    pub(super) residual: Option<&'a [f32]>,
    pub(super) residual_block: usize,
    pub(super) residual_row: usize,
    /// A register per block.
    pub(super) bias: &'a [f32],
    pub(super) range: [f32; 2],
}

/// [`Patch`] as arguments, and its transform.
#[derive(Debug)]
pub(super) struct ToFrequencies;

/// [`Output`] as arguments, and its transform.
#[derive(Debug)]
pub(super) struct FromFrequencies;

impl Arguments for ToFrequencies {
    type With<'a> = Patch<'a>;
}

impl Arguments for FromFrequencies {
    type With<'a> = Output<'a>;
}

impl InnerLoop for ToFrequencies {
    type Arguments = Self;

    #[inline(always)]
    fn run<S: Simd>(simd: S, t: Patch<'_>) {
        // Nearly all patches are whole, and their loop has no branches.
        if t.rows == PATCH && t.columns == PATCH {
            patches::<S, true>(simd, &t);
        } else {
            patches::<S, false>(simd, &t);
        }
    }
}

/// `FULL`: the whole patch is inside the view.
#[inline(always)]
fn patches<S: Simd, const FULL: bool>(simd: S, t: &Patch<'_>) {
    let [rows, columns] = if FULL { [PATCH; 2] } else { [t.rows, t.columns] };
    let read = reach([[t.blocks, t.x_block], [rows, t.x_row], [columns, S::LANES]], S::LANES);
    let written = reach([[t.blocks, t.v_block], [FREQUENCIES, t.v_frequency]], S::LANES);
    assert!(read <= t.x.len() && written <= t.v.len(), "a patch reaches too far");
    let v = t.v.as_ptr().cast_mut().cast::<f32>();
    for block in 0..t.blocks {
        let mut half = [[simd.splat(0.0); PATCH]; PATCH];
        for column in 0..PATCH {
            let mut line = [simd.splat(0.0); PATCH];
            for (row, pixel) in line.iter_mut().enumerate() {
                if FULL || (row < rows && column < columns) {
                    let at = block * t.x_block + row * t.x_row + column * S::LANES;
                    // SAFETY: below the counts that `read` was computed from.
                    *pixel = unsafe { simd.load_from(t.x.as_ptr().add(at)) };
                }
            }
            for (half, value) in half.iter_mut().zip(to_frequencies(simd, line)) {
                half[column] = value;
            }
        }
        for (row, line) in half.into_iter().enumerate() {
            for (column, value) in to_frequencies(simd, line).into_iter().enumerate() {
                let at = block * t.v_block + (row * PATCH + column) * t.v_frequency;
                // SAFETY: below the counts that `written` was computed from; cells are written through shared references.
                unsafe { simd.store_to(v.add(at), value) };
            }
        }
    }
}

impl Output<'_> {
    /// Panics where the loop would reach past the end of a slice.
    #[inline(always)]
    fn check(&self, lanes: usize) {
        let pixels =
            |block, row| reach([[self.blocks, block], [self.rows, row], [self.columns, lanes]], lanes);
        let read = reach([[self.blocks, self.m_block], [FREQUENCIES, self.m_frequency]], lanes);
        let added = self.residual.map_or(0, |_| pixels(self.residual_block, self.residual_row));
        assert!(
            read <= self.m.len() && pixels(self.y_block, self.y_row) <= self.y.len(),
            "a tile reaches too far"
        );
        assert!(added <= self.residual.map_or(0, <[f32]>::len), "a residual is too short");
    }
}

impl InnerLoop for FromFrequencies {
    type Arguments = Self;

    #[inline(always)]
    fn run<S: Simd>(simd: S, t: Output<'_>) {
        t.check(S::LANES);
        let (low, high) = (simd.splat(t.range[0]), simd.splat(t.range[1]));
        let y = t.y.as_ptr().cast_mut().cast::<f32>();
        for block in 0..t.blocks {
            let mut half = [[simd.splat(0.0); PATCH]; TILE];
            for column in 0..PATCH {
                let at = |row: usize| block * t.m_block + (row * PATCH + column) * t.m_frequency;
                // SAFETY: `check` has compared these counts with the length.
                let line = std::array::from_fn(|row| unsafe { simd.load_from(t.m.as_ptr().add(at(row))) });
                for (half, value) in half.iter_mut().zip(from_frequencies(simd, line)) {
                    half[column] = value;
                }
            }
            let bias = simd.load(&t.bias[block * S::LANES..]);
            for (row, line) in half.into_iter().enumerate().take(t.rows) {
                let line = from_frequencies(simd, line);
                for (column, sum) in line.into_iter().enumerate().take(t.columns) {
                    let at = |block_stride, row_stride| {
                        block * block_stride + row * row_stride + column * S::LANES
                    };
                    let mut sum = simd.add(sum, bias);
                    if let Some(residual) = t.residual {
                        // SAFETY: `check` has compared these counts with the length.
                        let residual = unsafe {
                            simd.load_from(residual.as_ptr().add(at(t.residual_block, t.residual_row)))
                        };
                        sum = simd.add(sum, residual);
                    }
                    // SAFETY: `check` has compared these counts with the length; cells are written through shared references.
                    unsafe {
                        simd.store_to(y.add(at(t.y_block, t.y_row)), simd.min(high, simd.max(low, sum)));
                    };
                }
            }
        }
    }
}

/// Six pixels as values at the six points: each a polynomial's coefficients, its roots the other points. Opposite points share
/// their even and odd parts.
#[inline(always)]
fn to_frequencies<S: Simd>(simd: S, d: [S::Register; PATCH]) -> [S::Register; PATCH] {
    let add = |a, factor: f64, b| simd.mul_add(b, simd.splat(factor as f32), a);
    let (product, sum) = (A * A * B * B, A * A + B * B);
    let even = [add(d[4], -B * B, d[2]), add(d[4], -A * A, d[2])];
    let odd = [add(d[3], -B * B, d[1]), add(d[3], -A * A, d[1])];
    [
        add(add(d[4], -sum, d[2]), product, d[0]),
        add(even[0], A, odd[0]),
        add(even[0], -A, odd[0]),
        add(even[1], B, odd[1]),
        add(even[1], -B, odd[1]),
        add(add(d[5], -sum, d[3]), product, d[1]),
    ]
}

/// Six products at the points as four sums: powers of the points.
#[inline(always)]
fn from_frequencies<S: Simd>(simd: S, m: [S::Register; PATCH]) -> [S::Register; TILE] {
    let add = |a, factor: f64, b| simd.mul_add(b, simd.splat(factor as f32), a);
    let times = |factor: f64, a| simd.mul(a, simd.splat(factor as f32));
    let even = [simd.add(m[1], m[2]), simd.add(m[3], m[4])];
    let odd = [add(m[1], -1.0, m[2]), add(m[3], -1.0, m[4])];
    [
        simd.add(m[0], simd.add(even[0], even[1])),
        add(times(A, odd[0]), B, odd[1]),
        add(times(A * A, even[0]), B * B, even[1]),
        add(add(m[5], A * A * A, odd[0]), B * B * B, odd[1]),
    ]
}

/// The frequencies of eight filters at once, in double precision until they are done.
pub(super) fn filters(weights: &[[f64; 8]; 9]) -> [[f32; 8]; FREQUENCIES] {
    // The transform is separable: first along columns, then along rows.
    let mut half = [[[0.0; 8]; PATCH]; 3];
    for (column, half) in half.iter_mut().enumerate() {
        *half = filter_line(std::array::from_fn(|row| &weights[row * 3 + column]));
    }
    let mut frequencies = [[0.0; 8]; FREQUENCIES];
    for (row, frequencies) in frequencies.chunks_exact_mut(PATCH).enumerate() {
        let line = filter_line(std::array::from_fn(|column| &half[column][row]));
        for (to, line) in frequencies.iter_mut().zip(line) {
            *to = line.map(|value| value as f32);
        }
    }
    frequencies
}

/// Polynomials with three coefficients each at the six points, divided by the products of the distances to the other points.
fn filter_line(w: [&[f64; 8]; 3]) -> [[f64; 8]; PATCH] {
    let mut points = [[0.0; 8]; PATCH];
    for at in 0..8 {
        let [first, second, third] = w.map(|w| w[at]);
        points[0][at] = first / (A * A * B * B);
        for (pair, p, other) in [(1, A, B), (3, B, A)] {
            let scale = 1.0 / (2.0 * p * p * (p * p - other * other));
            let (even, odd) = (scale * first + scale * p * p * third, scale * p * second);
            points[pair][at] = even + odd;
            points[pair + 1][at] = even - odd;
        }
        points[5][at] = third;
    }
    points
}
