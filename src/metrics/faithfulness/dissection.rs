//! Linear systems on the pixels of a grid, solved exactly: sparse Cholesky factorisation, pixels ordered by nested dissection.
//!
//! Receives which pixels are unknown, and for each its equation. Gives the unknowns. Knows nothing of pictures.
//!
//! A line of pixels through the middle of a rectangle separates its halves, for pixels only couple with their eight neighbours. The
//! halves are eliminated first, each within its own small dense matrix, and the line last (George 1973, *Nested dissection of a regular
//! finite element mesh*; Duff and Reid 1983, the multifrontal method). The work grows with the number of unknowns to the power of 1.5,
//! and needs no general sparse matrix.

use std::ops::Range;

/// A symmetric positive definite system of unknown pixels.
pub(super) trait System {
    /// Whether the pixel is an unknown.
    fn is_unknown(&self, pixel: usize) -> bool;
    /// The diagonal coefficient of an unknown.
    fn diagonal(&self, pixel: usize) -> f64;
    /// The coefficient between two neighbouring unknowns.
    fn coupling(&self, pixel: usize, neighbour: usize) -> f64;
    /// The right sides of an unknown's equation.
    fn right(&self, pixel: usize, sides: &mut [f64]);
}

/// Rectangles up to this many pixels are eliminated at once. Measured: larger ones compute more zeros, smaller ones gain nothing.
const LEAF: usize = 16;

/// The solution of a system on `height` by `width` pixels with `sides` right sides: `[pixels, sides]`, zeros where nothing is unknown.
pub(super) fn solve(system: &dyn System, [height, width]: [usize; 2], sides: usize) -> Vec<f64> {
    let pixels = height * width;
    let mut elimination =
        Elimination { system, size: [height, width], sides, place: vec![0; pixels], steps: Vec::new() };
    elimination.eliminate(0..height, 0..width);
    let mut solution = vec![0.0; pixels * sides];
    // Unknowns were eliminated from the leaves to the root; each needs those after it.
    elimination.steps.iter().rev().for_each(|step| step.substitute(&mut solution, sides));
    solution
}

/// Rows of a lower triangle, the right sides as further rows below it.
struct Front {
    unknowns: Vec<usize>,
    width: usize,
    values: Vec<f64>,
}

impl Front {
    fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.width..(row + 1) * self.width]
    }
}

/// What is kept of an elimination: the first `pivots` columns of its factor.
struct Step {
    pivots: usize,
    front: Front,
}

impl Step {
    /// Solves the pivots' equations, all later unknowns being known.
    fn substitute(&self, solution: &mut [f64], sides: usize) {
        let count = self.front.unknowns.len();
        for side in 0..sides {
            let mut values = self.front.row(count + side)[..self.pivots].to_vec();
            for row in (0..count).rev() {
                let factors = self.front.row(row);
                let at = self.front.unknowns[row] * sides + side;
                let is_pivot = row < self.pivots;
                if is_pivot {
                    solution[at] = values[row] / factors[row];
                }
                let known = solution[at];
                let before = &mut values[..row.min(self.pivots)];
                before.iter_mut().zip(factors).for_each(|(value, factor)| *value -= factor * known);
            }
        }
    }
}

struct Elimination<'a> {
    system: &'a dyn System,
    size: [usize; 2],
    sides: usize,
    /// Scratch: the row of a pixel in the front at hand, plus one.
    place: Vec<usize>,
    steps: Vec<Step>,
}

impl Elimination<'_> {
    /// Eliminates the unknowns of a rectangle. What is left couples the unknowns around it.
    fn eliminate(&mut self, rows: Range<usize>, columns: Range<usize>) -> Option<Front> {
        let (height, width) = (rows.len(), columns.len());
        let (halves, line) = if height * width <= LEAF {
            (Vec::new(), [rows.clone(), columns.clone()])
        } else if height > width {
            let middle = rows.start + height / 2;
            let halves = [rows.start..middle, middle + 1..rows.end].map(|half| (half, columns.clone()));
            (halves.to_vec(), [middle..middle + 1, columns.clone()])
        } else {
            let middle = columns.start + width / 2;
            let halves = [columns.start..middle, middle + 1..columns.end].map(|half| (rows.clone(), half));
            (halves.to_vec(), [rows.clone(), middle..middle + 1])
        };
        let parts: Vec<Front> =
            halves.into_iter().filter_map(|(rows, columns)| self.eliminate(rows, columns)).collect();
        let mut unknowns = self.unknowns(&line[0], &line[1]);
        let pivots = unknowns.len();
        if pivots == 0 && parts.is_empty() {
            return None;
        }
        unknowns.extend(self.around(&rows, &columns));
        let mut front = self.assemble(unknowns, pivots, &parts);
        factor(&mut front, pivots, self.sides);
        let rest = rest(&front, pivots, self.sides);
        self.steps.push(Step { pivots, front: columns_of(front, pivots) });
        Some(rest)
    }

    fn unknowns(&self, rows: &Range<usize>, columns: &Range<usize>) -> Vec<usize> {
        let width = self.size[1];
        let pixels = rows.clone().flat_map(|row| columns.clone().map(move |column| row * width + column));
        pixels.filter(|pixel| self.system.is_unknown(*pixel)).collect()
    }

    /// Unknowns in the frame of one pixel around a rectangle.
    fn around(&self, rows: &Range<usize>, columns: &Range<usize>) -> Vec<usize> {
        let [height, width] = self.size;
        let wide = columns.start.saturating_sub(1)..(columns.end + 1).min(width);
        let mut found = Vec::new();
        if rows.start > 0 {
            found.extend(self.unknowns(&(rows.start - 1..rows.start), &wide));
        }
        if columns.start > 0 {
            found.extend(self.unknowns(rows, &(columns.start - 1..columns.start)));
        }
        if columns.end < width {
            found.extend(self.unknowns(rows, &(columns.end..columns.end + 1)));
        }
        if rows.end < height {
            found.extend(self.unknowns(&(rows.end..rows.end + 1), &wide));
        }
        found
    }

    /// The equations of the pivots, and what the halves left.
    fn assemble(&mut self, unknowns: Vec<usize>, pivots: usize, parts: &[Front]) -> Front {
        let (count, sides) = (unknowns.len(), self.sides);
        unknowns.iter().enumerate().for_each(|(row, pixel)| self.place[*pixel] = row + 1);
        let mut values = vec![0.0; (count + sides) * count];
        let mut right = vec![0.0; sides];
        for (column, pixel) in unknowns[..pivots].iter().enumerate() {
            values[column * count + column] = self.system.diagonal(*pixel);
            for neighbour in neighbours(*pixel, self.size) {
                // Unknowns that are not in this front were eliminated before, with this coupling.
                let row = self.place[neighbour];
                if row > column + 1 {
                    values[(row - 1) * count + column] = self.system.coupling(*pixel, neighbour);
                }
            }
            self.system.right(*pixel, &mut right);
            right
                .iter()
                .enumerate()
                .for_each(|(side, value)| values[(count + side) * count + column] = *value);
        }
        for part in parts {
            let places: Vec<usize> = part.unknowns.iter().map(|pixel| self.place[*pixel] - 1).collect();
            for (row, at) in places.iter().enumerate() {
                for (value, other) in part.row(row)[..=row].iter().zip(&places) {
                    values[at.max(other) * count + at.min(other)] += value;
                }
            }
            for side in 0..sides {
                let into = &mut values[(count + side) * count..];
                part.row(places.len() + side).iter().zip(&places).for_each(|(value, at)| into[*at] += value);
            }
        }
        unknowns.iter().for_each(|pixel| self.place[*pixel] = 0);
        Front { unknowns, width: count, values }
    }
}

/// The pixels around one, at most eight.
pub(super) fn neighbours(pixel: usize, [height, width]: [usize; 2]) -> impl Iterator<Item = usize> {
    let (row, column) = (pixel / width, pixel % width);
    let rows = row.saturating_sub(1)..(row + 2).min(height);
    let columns = column.saturating_sub(1)..(column + 2).min(width);
    let all = rows.flat_map(move |row| columns.clone().map(move |column| row * width + column));
    all.filter(move |other| *other != pixel)
}

/// Cholesky's factorisation of the first `pivots` columns, and what it takes from the others.
fn factor(front: &mut Front, pivots: usize, sides: usize) {
    let count = front.width;
    for row in 0..count + sides {
        let (above, own) = front.values.split_at_mut(row * count);
        let own = &mut own[..count];
        for column in 0..row.min(count) {
            let other = &above[column * count..(column + 1) * count];
            let done = column.min(pivots);
            own[column] -= dot(&own[..done], &other[..done]);
            if column < pivots {
                own[column] /= other[column];
            }
        }
        if row < count {
            let done = row.min(pivots);
            own[row] -= dot(&own[..done], &own[..done]);
            if row < pivots {
                own[row] = own[row].sqrt();
            }
        }
    }
}

/// Sums in eight parts, so that the compiler may use vectors; their order is fixed.
fn dot(first: &[f64], second: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (firsts, seconds) = (first.chunks_exact(8), second.chunks_exact(8));
    let rest: f64 =
        firsts.remainder().iter().zip(seconds.remainder()).map(|(first, second)| first * second).sum();
    for (first, second) in firsts.zip(seconds) {
        sums.iter_mut()
            .zip(first.iter().zip(second))
            .for_each(|(sum, (first, second))| *sum += first * second);
    }
    rest + sums.iter().sum::<f64>()
}

/// What the elimination leaves for the unknowns that are not its pivots.
fn rest(front: &Front, pivots: usize, sides: usize) -> Front {
    let rows = pivots..front.width + sides;
    let values = rows.flat_map(|row| front.row(row)[pivots..].iter().copied()).collect();
    Front { unknowns: front.unknowns[pivots..].to_vec(), width: front.width - pivots, values }
}

/// The columns of the pivots alone.
fn columns_of(front: Front, pivots: usize) -> Front {
    let values =
        front.values.chunks_exact(front.width.max(1)).flat_map(|row| row[..pivots].to_vec()).collect();
    Front { unknowns: front.unknowns, width: pivots, values }
}
