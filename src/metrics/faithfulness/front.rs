//! Dense symmetric matrices of an elimination, in plain loops that compilers turn into vectors.
//!
//! Receives the coefficients among a few unknowns. Gives the factor of the first ones, and the matrix that is left for the others. Which
//! unknowns these are is left to [`super::dissection`].
//!
//! Only the upper triangle is computed, `A = U'U`: rows of it are contiguous, and an elimination takes multiples of whole rows from rows.

/// Side of the blocks in which rows are updated. Rows are padded to whole blocks.
const BLOCK: usize = 4;

/// Rows that are eliminated together, so that every row below is read and written once for all of them.
const PANEL: usize = 8;

/// A symmetric matrix, its upper triangle by rows; what is below the diagonal is unspecified.
#[derive(Debug, Default)]
pub(super) struct Front {
    count: usize,
    /// Values per row.
    width: usize,
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
        self.values.clear();
        self.values.resize(self.width * self.width, 0.0);
    }

    /// Sets a coefficient of the upper triangle.
    pub(super) fn set(&mut self, row: usize, column: usize, value: f64) {
        self.values[row * self.width + column] = value;
    }

    /// Adds the coefficients of another matrix, whose rows are at these places in this one.
    pub(super) fn add(&mut self, other: &Self, places: &[usize]) {
        for (index, row) in places.iter().enumerate() {
            let mut values = &other.values[index * other.width..][index..other.count];
            let mut places = &places[index..];
            // Places mostly rise one by one, because both orders follow the rows of the picture.
            while let Some(first) = places.first().copied() {
                let run = places.iter().zip(first..).take_while(|(place, next)| *place == next).count();
                self.add_run(*row, first, &values[..run]);
                (places, values) = (&places[run..], &values[run..]);
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
    pub(super) fn eliminate(&mut self, pivots: usize) -> (Factor, Self) {
        let width = self.width;
        let mut inverse = Vec::with_capacity(pivots);
        for first in (0..pivots).step_by(PANEL) {
            let end = (first + PANEL).min(pivots);
            let (above, below) = self.values.split_at_mut(end * width);
            let panel = &mut above[first * width..];
            factor(panel, width, first, &mut inverse);
            update(panel, below, width, end);
        }
        let count = self.count - pivots;
        let mut values = Vec::with_capacity(count * count);
        let rows = self.values[pivots * width..].chunks_exact(width.max(1)).take(count);
        rows.for_each(|row| values.extend_from_slice(&row[pivots..self.count]));
        let factor =
            Factor { count: self.count, width, values: self.values[..pivots * width].to_vec(), inverse };
        (factor, Self { count, width: count, values })
    }
}

/// Factors rows among themselves; `first` is the number of the first.
fn factor(panel: &mut [f64], width: usize, first: usize, inverse: &mut Vec<f64>) {
    for at in 0..panel.len() / width {
        let (above, below) = panel.split_at_mut((at + 1) * width);
        let row = &mut above[at * width..];
        let scale = 1.0 / row[first + at].sqrt();
        inverse.push(scale);
        row[first + at..].iter_mut().for_each(|value| *value *= scale);
        for (next, own) in (first + at + 1..).zip(below.chunks_exact_mut(width)) {
            let times = row[next];
            own[next..].iter_mut().zip(&row[next..]).for_each(|(own, value)| *own -= times * value);
        }
    }
}

/// Takes from all rows below, of which the first has the number `end`, their multiples of the panel's rows.
fn update(panel: &[f64], below: &mut [f64], width: usize, end: usize) {
    // The last rows, fewer than a block, one by one.
    for (index, rows) in below.chunks_mut(BLOCK * width).enumerate() {
        let row = end + index * BLOCK;
        if row + BLOCK <= width {
            let columns = (row / BLOCK * BLOCK..width).step_by(BLOCK);
            columns.for_each(|column| subtract::<BLOCK>(panel, rows, width, [row, column]));
        } else {
            for (row, own) in (row..width).zip(rows.chunks_exact_mut(width)) {
                let columns = (row / BLOCK * BLOCK..width).step_by(BLOCK);
                columns.for_each(|column| subtract::<1>(panel, own, width, [row, column]));
            }
        }
    }
}

/// `A[row + i][column + j] -= sum over the panel's rows u of u[row + i] u[column + j]`, sums in the order of the rows.
fn subtract<const ROWS: usize>(panel: &[f64], rows: &mut [f64], width: usize, [row, column]: [usize; 2]) {
    let mut sums = [[0.0; BLOCK]; ROWS];
    for above in panel.chunks_exact(width) {
        let (times, values) = (&above[row..row + ROWS], &above[column..column + BLOCK]);
        for (sums, times) in sums.iter_mut().zip(times) {
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += times * value);
        }
    }
    for (own, sums) in rows.chunks_exact_mut(width).zip(&sums) {
        own[column..column + BLOCK].iter_mut().zip(sums).for_each(|(own, sum)| *own -= sum);
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

    /// Rows, each with its place on the diagonal and the reciprocal there.
    fn rows(&self) -> impl DoubleEndedIterator<Item = (usize, &[f64], f64)> {
        let rows = self.values.chunks_exact(self.width.max(1)).zip(&self.inverse).enumerate();
        rows.map(|(at, (row, inverse))| (at, &row[at + 1..self.count], *inverse))
    }

    /// Eliminates the pivots from right sides, `[sides, count]`.
    pub(super) fn forward(&self, sides: &mut [f64]) {
        for (at, row, inverse) in self.rows() {
            for side in sides.chunks_exact_mut(self.count) {
                let (known, later) = side[at..].split_at_mut(1);
                known[0] *= inverse;
                later.iter_mut().zip(row).for_each(|(value, factor)| *value -= factor * known[0]);
            }
        }
    }

    /// Solves the pivots' equations, `[sides, count]`, all later unknowns being known.
    pub(super) fn backward(&self, sides: &mut [f64]) {
        for (at, row, inverse) in self.rows().rev() {
            for side in sides.chunks_exact_mut(self.count) {
                side[at] = (side[at] - dot(row, &side[at + 1..])) * inverse;
            }
        }
    }
}

/// Sums in parts, so that the compiler may use vectors; their order is fixed.
fn dot(first: &[f64], second: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (firsts, seconds) = (first.chunks_exact(8), second.chunks_exact(8));
    let rest = firsts.remainder().iter().zip(seconds.remainder());
    let rest: f64 = rest.map(|(first, second)| first * second).sum();
    for (first, second) in firsts.zip(seconds) {
        let products = first.iter().zip(second).map(|(first, second)| first * second);
        sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
    }
    rest + sums.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A positive definite matrix of numbers that look random.
    fn matrix(count: usize) -> Vec<Vec<f64>> {
        let value = |row: usize, column: usize| match row == column {
            true => count as f64 + row as f64 / 3.0,
            false => ((row * 7 + column * 7 + row * column) % 11) as f64 / 11.0 - 0.5,
        };
        (0..count).map(|row| (0..count).map(|column| value(row, column)).collect()).collect()
    }

    fn front(matrix: &[Vec<f64>]) -> Front {
        let mut front = Front::default();
        front.clear(matrix.len());
        for (row, values) in matrix.iter().enumerate() {
            (row..values.len()).for_each(|column| front.set(row, column, values[column]));
        }
        front
    }

    #[test]
    fn a_matrix_that_is_eliminated_in_two_steps_solves_its_system() {
        for count in [1, 3, 4, 5, 8, 17, 30, 41] {
            for first in [0, 1, count / 2, count] {
                let matrix = matrix(count);
                let solution: Vec<f64> = (0..2 * count).map(|at| (at as f64 * 0.7).sin()).collect();
                let row = |side: usize, row: usize| {
                    matrix[row].iter().zip(&solution[side * count..]).map(|(a, x)| a * x).sum()
                };
                let mut sides: Vec<f64> = (0..2 * count).map(|at| row(at / count, at % count)).collect();
                let (early, rest) = front(&matrix).eliminate(first);
                let mut whole = Front::default();
                whole.clear(count - first);
                whole.add(&rest, &(0..count - first).collect::<Vec<_>>());
                let (late, nothing) = whole.eliminate(count - first);
                assert_eq!((early.pivots(), late.count(), nothing.count), (first, count - first, 0));
                early.forward(&mut sides);
                for side in sides.chunks_exact_mut(count) {
                    late.forward(&mut side[first..]);
                    late.backward(&mut side[first..]);
                }
                early.backward(&mut sides);
                for (found, expected) in sides.iter().zip(&solution) {
                    assert!(
                        (found - expected).abs() < 1e-12,
                        "{count} {first}: {found}, expected {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn rows_are_added_at_their_places_on_either_side_of_the_diagonal() {
        let mut whole = Front::default();
        whole.clear(5);
        whole.add(&front(&[vec![1.0, 2.0, 3.0], vec![2.0, 4.0, 5.0], vec![3.0, 5.0, 6.0]]), &[3, 4, 1]);
        let value = |row: usize, column: usize| whole.values[row * whole.width + column];
        assert_eq!([value(3, 3), value(3, 4), value(1, 3)], [1.0, 2.0, 3.0]);
        assert_eq!([value(4, 4), value(1, 4), value(1, 1)], [4.0, 5.0, 6.0]);
        assert_eq!(value(0, 0) + value(2, 2) + value(0, 1) + value(2, 4), 0.0);
    }
}
