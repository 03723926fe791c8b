//! Dense symmetric matrices of an elimination, in plain loops that compilers turn into vectors ([`wide`]).
//!
//! Receives the coefficients among a few unknowns. Gives the factor of the first ones, and the matrix that is left for the others. Which
//! unknowns these are is left to [`super::dissection`].
//!
//! Only the upper triangle is computed, `A = U'U`: rows of it are contiguous, and an elimination takes multiples of whole rows from rows.

mod loops;
mod wide;

use loops::{BLOCK, Rows};

/// A symmetric matrix, its upper triangle by rows; what is below the diagonal is unspecified.
#[derive(Debug, Default)]
pub(super) struct Front {
    count: usize,
    /// Values per row.
    width: usize,
    values: Vec<f64>,
}

/// The upper triangle of a symmetric matrix, each row from its diagonal on.
#[derive(Debug)]
pub(super) struct Triangle {
    values: Vec<f64>,
}

/// The first rows of a factor `U`, and the reciprocals of their diagonal.
#[derive(Debug)]
pub(super) struct Factor {
    count: usize,
    width: usize,
    values: Vec<f64>,
    inverse: Vec<f64>,
}

impl Front {
    /// Makes this a matrix of zeros with `count` rows, in the same memory.
    pub(super) fn clear(&mut self, count: usize) {
        (self.count, self.width) = (count, count.next_multiple_of(BLOCK));
        self.values.resize(self.width * self.width, 0.0);
        for (row, values) in self.values.chunks_exact_mut(self.width.max(1)).enumerate() {
            // Rows are updated in blocks, which reach below the diagonal by less than two of them.
            values[row.saturating_sub(2 * BLOCK)..].fill(0.0);
        }
    }

    /// Sets a coefficient of the upper triangle.
    pub(super) fn set(&mut self, row: usize, column: usize, value: f64) {
        self.values[row * self.width + column] = value;
    }

    /// Adds the coefficients of another matrix, whose rows are at these places in this one.
    pub(super) fn add(&mut self, other: &Triangle, places: &[usize]) {
        // Places mostly rise one by one, because both orders follow the rows of the picture.
        let runs: Vec<&[usize]> = places.chunk_by(|place, next| place + 1 == *next).collect();
        let (mut values, mut first, mut done) = (&other.values[..], 0, 0);
        for row in places {
            for (index, run) in runs[first..].iter().enumerate() {
                let run = if index == 0 { &run[done..] } else { run };
                let (own, later) = values.split_at(run.len());
                self.add_run(*row, run[0], own);
                values = later;
            }
            done += 1;
            if done == runs[first].len() {
                (first, done) = (first + 1, 0);
            }
        }
    }

    /// Adds to neighbouring coefficients of a row, or of a column where they are below the diagonal.
    fn add_run(&mut self, row: usize, first: usize, values: &[f64]) {
        if first >= row {
            let own = &mut self.values[row * self.width + first..][..values.len()];
            own.iter_mut().zip(values).for_each(|(own, value)| *own += value);
            return;
        }
        for (column, value) in (first..).zip(values) {
            self.values[row.min(column) * self.width + row.max(column)] += value;
        }
    }

    /// Cholesky's factorisation of the first `pivots` rows, and what it leaves of the others.
    pub(super) fn eliminate(&mut self, pivots: usize) -> (Factor, Triangle) {
        let width = self.width;
        let mut inverse = Vec::with_capacity(pivots);
        wide::eliminate(&mut self.values, width, pivots, &mut inverse);
        let count = self.count - pivots;
        let mut values = Vec::with_capacity(count * (count + 1) / 2);
        let rows = self.values[pivots * width..].chunks_exact(width.max(1)).zip(pivots..self.count);
        rows.for_each(|(row, diagonal)| values.extend_from_slice(&row[diagonal..self.count]));
        let factor =
            Factor { count: self.count, width, values: self.values[..pivots * width].to_vec(), inverse };
        (factor, Triangle { values })
    }
}

impl Factor {
    /// Unknowns of the matrix, the pivots among them.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Number of unknowns that were eliminated.
    pub(super) fn pivots(&self) -> usize {
        self.inverse.len()
    }

    fn rows(&self) -> Rows<'_> {
        Rows { count: self.count, width: self.width, values: &self.values, inverse: &self.inverse }
    }

    /// Eliminates the pivots from right sides, `[sides, count]`.
    pub(super) fn forward(&self, sides: &mut [f64]) {
        wide::forward(self.rows(), sides);
    }

    /// Solves the pivots' equations, `[sides, count]`, all later unknowns being known.
    pub(super) fn backward(&self, sides: &mut [f64]) {
        wide::backward(self.rows(), sides);
    }
}

#[cfg(test)]
mod tests;
