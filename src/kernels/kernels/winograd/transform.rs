//! The transforms of F(4x4, 3x3): patches of the input to 36 frequencies, frequencies to tiles of the output, filters once.
//!
//! Toom-Cook with the points 0, ±5/8, ±3/2 and infinity. They and the constants made of them are exact in single precision,
//! and of the symmetric sets tried (±1 ±2, ±1 ±1/2, ±3/4 ±5/4, ±√½ ±√2, ...) theirs is the smallest error: with 512 channels
//! 4e-6 of the largest output, where direct convolution has 2.5e-6 and the textbook's ±1 ±2 has 1.6e-5.

use crate::kernels::compiled;
use crate::simd::Simd;

/// Rows and columns of an output tile.
pub(super) const TILE: usize = 4;
/// Rows and columns of the input that a tile sees, and of its frequencies.
pub(super) const PATCH: usize = TILE + 2;
/// Products an output tile, a pair of channels.
pub(super) const FREQUENCIES: usize = PATCH * PATCH;

const A: f64 = 0.625;
const B: f64 = 1.5;

/// One tile's patch of every input block. Distances are in numbers.
///
/// # Safety
/// `x` is good for reading `rows` by `columns` pixels of every block, `v` for writing a register at every frequency and block.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) x: *const f32,
    pub(super) x_block: usize,
    pub(super) x_row: usize,
    pub(super) blocks: usize,
    /// Rows and columns of the patch that lie in the view; the others count as zeros.
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) v: *mut f32,
    pub(super) v_block: usize,
    pub(super) v_frequency: usize,
}

/// One tile of some output blocks.
///
/// # Safety
/// `m` is good for reading a register at every frequency and block, `y` and `residual` (where it is not null) for `rows` by
/// `columns` pixels of every block, `bias` for a register a block.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) m: *const f32,
    pub(super) m_block: usize,
    pub(super) m_frequency: usize,
    pub(super) blocks: usize,
    /// Rows and columns of the tile that lie in the picture.
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) y: *mut f32,
    pub(super) y_block: usize,
    pub(super) y_row: usize,
    pub(super) residual: *const f32,
    pub(super) residual_block: usize,
    pub(super) residual_row: usize,
    pub(super) bias: *const f32,
    pub(super) range: [f32; 2],
}

compiled!(
    /// The input's transform for an instruction set.
    pub(super) compiled_input(Input) = input
);
compiled!(
    /// The output's transform for an instruction set.
    pub(super) compiled_output(Output) = output
);

/// # Safety
/// As for [`Input`], and the instruction set is there.
#[inline(always)]
unsafe fn input<S: Simd>(t: &Input) {
    // SAFETY: the caller's promise.
    unsafe {
        if t.rows == PATCH && t.columns == PATCH { patches::<S, true>(t) } else { patches::<S, false>(t) }
    }
}

/// `FULL`: the whole patch lies in the view.
///
/// # Safety
/// As for [`input`].
#[inline(always)]
unsafe fn patches<S: Simd, const FULL: bool>(t: &Input) {
    // SAFETY: only pixels within `rows` and `columns` are read, and one register a frequency and block is written.
    unsafe {
        for block in 0..t.blocks {
            let (x, v) = (t.x.add(block * t.x_block), t.v.add(block * t.v_block));
            let mut half = [[S::splat(0.0); PATCH]; PATCH];
            for column in 0..PATCH {
                let mut line = [S::splat(0.0); PATCH];
                for (row, pixel) in line.iter_mut().enumerate() {
                    if FULL || (row < t.rows && column < t.columns) {
                        *pixel = S::load(x.add(row * t.x_row + column * S::LANES));
                    }
                }
                for (half, value) in half.iter_mut().zip(to_frequencies::<S>(line)) {
                    half[column] = value;
                }
            }
            for (row, line) in half.into_iter().enumerate() {
                for (column, value) in to_frequencies::<S>(line).into_iter().enumerate() {
                    S::store(v.add((row * PATCH + column) * t.v_frequency), value);
                }
            }
        }
    }
}

/// # Safety
/// As for [`Output`], and the instruction set is there.
#[inline(always)]
unsafe fn output<S: Simd>(t: &Output) {
    // SAFETY: one register a frequency and block is read, and only pixels within `rows` and `columns` are touched.
    unsafe {
        let (low, high) = (S::splat(t.range[0]), S::splat(t.range[1]));
        for block in 0..t.blocks {
            let m = t.m.add(block * t.m_block);
            let mut half = [[S::splat(0.0); PATCH]; TILE];
            for column in 0..PATCH {
                let at = |row: usize| S::load(m.add((row * PATCH + column) * t.m_frequency));
                let line = from_frequencies::<S>(std::array::from_fn(at));
                for (half, value) in half.iter_mut().zip(line) {
                    half[column] = value;
                }
            }
            let bias = S::load(t.bias.add(block * S::LANES));
            for (row, line) in half.into_iter().enumerate().take(t.rows) {
                let line = from_frequencies::<S>(line);
                let y = t.y.add(block * t.y_block + row * t.y_row);
                let residual = t.residual.wrapping_add(block * t.residual_block + row * t.residual_row);
                for (column, sum) in line.into_iter().enumerate().take(t.columns) {
                    let mut sum = S::add(sum, bias);
                    if !t.residual.is_null() {
                        sum = S::add(sum, S::load(residual.add(column * S::LANES)));
                    }
                    S::store(y.add(column * S::LANES), S::at_most(high, S::at_least(low, sum)));
                }
            }
        }
    }
}

/// Six pixels as values at the six points: each a polynomial's coefficients, its roots the other points. Opposite points share
/// their even and odd parts.
///
/// # Safety
/// The instruction set is there.
#[inline(always)]
unsafe fn to_frequencies<S: Simd>(d: [S::Register; PATCH]) -> [S::Register; PATCH] {
    // SAFETY: the caller's promise; nothing touches memory.
    unsafe {
        let add = |a, factor: f64, b| S::mul_add(b, S::splat(factor as f32), a);
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
}

/// Six products at the points as four sums: powers of the points.
///
/// # Safety
/// The instruction set is there.
#[inline(always)]
unsafe fn from_frequencies<S: Simd>(m: [S::Register; PATCH]) -> [S::Register; TILE] {
    // SAFETY: the caller's promise; nothing touches memory.
    unsafe {
        let add = |a, factor: f64, b| S::mul_add(b, S::splat(factor as f32), a);
        let times = |factor: f64, a| S::mul(a, S::splat(factor as f32));
        let even = [S::add(m[1], m[2]), S::add(m[3], m[4])];
        let odd = [add(m[1], -1.0, m[2]), add(m[3], -1.0, m[4])];
        [
            S::add(m[0], S::add(even[0], even[1])),
            add(times(A, odd[0]), B, odd[1]),
            add(times(A * A, even[0]), B * B, even[1]),
            add(add(m[5], A * A * A, odd[0]), B * B * B, odd[1]),
        ]
    }
}

/// The frequencies of eight filters at once, in double precision until they are done.
pub(super) fn filters(weights: &[[f64; 8]; 9]) -> [[f32; 8]; FREQUENCIES] {
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
