//! The loops of an elimination, on rows of numbers.
//!
//! Inlined wherever they are called, so that they are compiled for the registers of the caller: closures might not be, and are avoided.

/// Side of the blocks in which rows are updated. Rows are padded to whole blocks.
pub(super) const BLOCK: usize = 4;

/// Rows that are eliminated together, so that every row below is read and written once for all of them.
const PANEL: usize = 8;

/// The first rows of a factor, and the reciprocals of their diagonal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) count: usize,
    pub(super) width: usize,
    pub(super) values: &'a [f64],
    pub(super) inverse: &'a [f64],
}

impl<'a> Rows<'a> {
    /// The row of a pivot after its diagonal.
    #[inline(always)]
    fn row(self, at: usize) -> &'a [f64] {
        &self.values[at * self.width..][at + 1..self.count]
    }
}

/// Factors the first `pivots` rows, and takes their multiples from the others.
#[inline(always)]
pub(super) fn eliminate(values: &mut [f64], width: usize, pivots: usize, inverse: &mut Vec<f64>) {
    for first in (0..pivots).step_by(PANEL) {
        let end = (first + PANEL).min(pivots);
        let (above, below) = values.split_at_mut(end * width);
        let panel = &mut above[first * width..];
        factor(panel, width, first, inverse);
        update(panel, below, width, end);
    }
}

/// Factors rows among themselves; `first` is the number of the first.
#[inline(always)]
fn factor(panel: &mut [f64], width: usize, first: usize, inverse: &mut Vec<f64>) {
    for at in 0..panel.len() / width {
        let (above, below) = panel.split_at_mut((at + 1) * width);
        let row = &mut above[at * width..];
        let scale = 1.0 / row[first + at].sqrt();
        inverse.push(scale);
        for value in &mut row[first + at..] {
            *value *= scale;
        }
        for (next, own) in (first + at + 1..).zip(below.chunks_exact_mut(width)) {
            let times = row[next];
            for (own, value) in own[next..].iter_mut().zip(&row[next..]) {
                *own -= times * value;
            }
        }
    }
}

/// Takes from all rows below, of which the first has the number `end`, their multiples of the panel's rows.
#[inline(always)]
fn update(panel: &[f64], below: &mut [f64], width: usize, end: usize) {
    // The last rows, fewer than a block, one by one.
    for (index, rows) in below.chunks_mut(BLOCK * width).enumerate() {
        let row = end + index * BLOCK;
        if row + BLOCK <= width {
            for column in (row / BLOCK * BLOCK..width).step_by(BLOCK) {
                subtract::<BLOCK>(panel, rows, width, [row, column]);
            }
        } else {
            for (row, own) in (row..width).zip(rows.chunks_exact_mut(width)) {
                for column in (row / BLOCK * BLOCK..width).step_by(BLOCK) {
                    subtract::<1>(panel, own, width, [row, column]);
                }
            }
        }
    }
}

/// `A[row + i][column + j] -= sum over the panel's rows u of u[row + i] u[column + j]`, sums in the order of the rows.
#[inline(always)]
fn subtract<const ROWS: usize>(panel: &[f64], rows: &mut [f64], width: usize, [row, column]: [usize; 2]) {
    let mut sums = [[0.0; BLOCK]; ROWS];
    for above in panel.chunks_exact(width) {
        let (times, values) = (&above[row..row + ROWS], &above[column..column + BLOCK]);
        for (sums, times) in sums.iter_mut().zip(times) {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += times * value;
            }
        }
    }
    for (own, sums) in rows.chunks_exact_mut(width).zip(&sums) {
        for (own, sum) in own[column..column + BLOCK].iter_mut().zip(sums) {
            *own -= sum;
        }
    }
}

/// Eliminates the pivots from right sides, `[sides, count]`.
#[inline(always)]
pub(super) fn forward(factor: Rows, sides: &mut [f64]) {
    for at in 0..factor.inverse.len() {
        let (row, inverse) = (factor.row(at), factor.inverse[at]);
        for side in sides.chunks_exact_mut(factor.count) {
            let (known, later) = side[at..].split_at_mut(1);
            known[0] *= inverse;
            for (value, factor) in later.iter_mut().zip(row) {
                *value -= factor * known[0];
            }
        }
    }
}

/// Solves the pivots' equations, `[sides, count]`, all later unknowns being known.
#[inline(always)]
pub(super) fn backward(factor: Rows, sides: &mut [f64]) {
    for at in (0..factor.inverse.len()).rev() {
        let (row, inverse) = (factor.row(at), factor.inverse[at]);
        for side in sides.chunks_exact_mut(factor.count) {
            side[at] = (side[at] - dot(row, &side[at + 1..])) * inverse;
        }
    }
}

/// Sums in parts, so that the compiler may use vectors; their order is fixed.
#[inline(always)]
fn dot(first: &[f64], second: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (firsts, seconds) = (first.chunks_exact(8), second.chunks_exact(8));
    let mut rest = 0.0;
    for (first, second) in firsts.remainder().iter().zip(seconds.remainder()) {
        rest += first * second;
    }
    for (first, second) in firsts.zip(seconds) {
        for ((sum, first), second) in sums.iter_mut().zip(first).zip(second) {
            *sum += first * second;
        }
    }
    rest + sums.iter().sum::<f64>()
}
