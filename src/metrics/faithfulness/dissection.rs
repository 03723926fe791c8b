//! Linear systems on the pixels of a grid, solved exactly: sparse Cholesky factorisation, pixels ordered by nested dissection.
//!
//! Receives which pixels are unknown, how pixels couple, and right sides. Gives the unknowns. Knows nothing of pictures.
//!
//! A line of pixels through the middle of a rectangle separates its halves, for pixels only couple with their eight neighbours. The
//! halves are eliminated first, each within its own small dense matrix, and the line last (George 1973, *Nested dissection of a regular
//! finite element mesh*; Duff and Reid 1983, the multifrontal method). The work grows with the number of unknowns to the power of 1.5,
//! and needs no general sparse matrix. Where a rectangle and all around it is unknown, it has the factor of every other such rectangle of its
//! size, so that this is computed once for all systems on a grid.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use super::counts::Counts;
use super::front::{Factor, Front, Triangle};

/// Rectangles up to this many pixels are eliminated at once. Measured: from 9 to 36 it makes no difference.
const LEAF: usize = 16;

/// How neighbouring pixels couple: the equation of a pixel is `sum of weights * x - sum of weight * neighbour = right side`, over the
/// neighbours that exist.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights {
    /// Of a neighbour in the same row or column.
    pub(super) side: f64,
    /// Of a neighbour at a corner.
    pub(super) corner: f64,
}

impl Weights {
    /// The neighbours of a pixel, at most eight, with their weights.
    pub(super) fn around(
        self,
        pixel: usize,
        [height, width]: [usize; 2],
    ) -> impl Iterator<Item = (usize, f64)> {
        let (row, column) = (pixel / width, pixel % width);
        let rows = row.saturating_sub(1)..(row + 2).min(height);
        let columns = column.saturating_sub(1)..(column + 2).min(width);
        let weight = move |y: usize, x: usize| if y == row || x == column { self.side } else { self.corner };
        let all = rows.flat_map(move |y| columns.clone().map(move |x| (y * width + x, weight(y, x))));
        all.filter(move |(other, _)| *other != pixel)
    }
}

/// Systems on one grid. Keeps what they share.
#[derive(Debug)]
pub(super) struct Grid {
    size: [usize; 2],
    weights: Weights,
    /// Rectangles all of whose surroundings are unknown, by height and width.
    inner: HashMap<[usize; 2], Inner>,
    /// Scratch: the row of a pixel in the matrix at hand, plus one.
    place: Vec<usize>,
    /// Scratch: the matrix at hand.
    front: Front,
}

/// An elimination of a rectangle, as it was done first.
#[derive(Debug)]
struct Inner {
    /// Its first pixel.
    first: usize,
    steps: Vec<Step>,
    rests: Vec<Rest>,
}

/// What an elimination leaves: the coefficients among unknowns around a rectangle.
#[derive(Debug, Clone)]
struct Rest {
    coefficients: Rc<Triangle>,
    unknowns: Pixels,
}

/// Some pixels, of the rectangle in which they were found or of one of its size elsewhere.
#[derive(Debug, Clone)]
struct Pixels {
    found: Rc<[usize]>,
    moved: isize,
}

impl Pixels {
    fn iter(&self) -> impl Iterator<Item = usize> {
        self.found.iter().map(|pixel| pixel.wrapping_add_signed(self.moved))
    }

    fn moved(&self, by: isize) -> Self {
        Self { found: Rc::clone(&self.found), moved: self.moved + by }
    }
}

/// The pivots' rows of one elimination.
#[derive(Debug, Clone)]
struct Step {
    factor: Rc<Factor>,
    unknowns: Pixels,
    /// Whether right sides are zero here, because no neighbour is known.
    is_inner: bool,
}

impl Step {
    /// Copies what belongs to the unknowns from `[sides, pixels]`, and returns it to the first `kept` of them after `change`. `own` is
    /// scratch.
    fn with(
        &self,
        values: &mut [f64],
        pixels: usize,
        own: &mut Vec<f64>,
        kept: usize,
        change: impl Fn(&Factor, &mut [f64]),
    ) {
        let (found, count) = (&self.unknowns.found, self.factor.count());
        let place = |pixel: &usize| pixel.wrapping_add_signed(self.unknowns.moved);
        own.clear();
        for side in values.chunks_exact(pixels) {
            own.extend(found.iter().map(|pixel| side[place(pixel)]));
        }
        change(&self.factor, own);
        for (own, side) in own.chunks_exact(count).zip(values.chunks_exact_mut(pixels)) {
            found[..kept].iter().zip(own).for_each(|(pixel, value)| side[place(pixel)] = *value);
        }
    }
}

impl Grid {
    pub(super) fn new(size: [usize; 2], weights: Weights) -> Self {
        Self {
            size,
            weights,
            inner: HashMap::new(),
            place: vec![0; size[0] * size[1]],
            front: Front::default(),
        }
    }

    /// Solves the equations of the unknown pixels. `values` are right sides, `[sides, height, width]`, zero where a pixel is known, and
    /// become the solution.
    pub(super) fn solve(&mut self, is_unknown: &[bool], values: &mut [f64]) {
        let (pixels, size) = (self.place.len(), self.size);
        let counts = Counts::new(is_unknown, size);
        let mut elimination = Elimination { grid: self, is_unknown, counts, steps: Vec::new() };
        elimination.eliminate(0..size[0], 0..size[1], &mut Vec::new());
        let steps = elimination.steps;
        let mut own = Vec::new();
        for step in steps.iter().filter(|step| !step.is_inner) {
            step.with(values, pixels, &mut own, step.factor.count(), Factor::forward);
        }
        // Unknowns were eliminated from the leaves to the root; each needs those after it.
        for step in steps.iter().rev() {
            step.with(values, pixels, &mut own, step.factor.pivots(), Factor::backward);
        }
    }
}

struct Elimination<'a> {
    grid: &'a mut Grid,
    is_unknown: &'a [bool],
    counts: Counts,
    steps: Vec<Step>,
}

impl Elimination<'_> {
    /// Eliminates the unknowns of a rectangle, and adds what is left to `rests`.
    fn eliminate(&mut self, rows: Range<usize>, columns: Range<usize>, rests: &mut Vec<Rest>) {
        if self.counts.of(&rows, &columns) == 0 {
            return;
        }
        if !self.is_inner(&rows, &columns) {
            return self.eliminate_parts(&rows, &columns, rests);
        }
        let (size, first) = ([rows.len(), columns.len()], rows.start * self.grid.size[1] + columns.start);
        if let Some(inner) = self.grid.inner.get(&size) {
            let moved = first.wrapping_sub(inner.first).cast_signed();
            let moved_step = |step: &Step| Step { unknowns: step.unknowns.moved(moved), ..step.clone() };
            self.steps.extend(inner.steps.iter().map(moved_step));
            let moved_rest = |rest: &Rest| Rest { unknowns: rest.unknowns.moved(moved), ..rest.clone() };
            return rests.extend(inner.rests.iter().map(moved_rest));
        }
        let (step, rest) = (self.steps.len(), rests.len());
        self.eliminate_parts(&rows, &columns, rests);
        self.steps[step..].iter_mut().for_each(|step| step.is_inner = true);
        let inner = Inner { first, steps: self.steps[step..].to_vec(), rests: rests[rest..].to_vec() };
        self.grid.inner.insert(size, inner);
    }

    /// Whether all pixels in a rectangle and around it exist and are unknown.
    fn is_inner(&self, rows: &Range<usize>, columns: &Range<usize>) -> bool {
        let [height, width] = self.grid.size;
        if rows.start == 0 || columns.start == 0 || rows.end == height || columns.end == width {
            return false;
        }
        let (rows, columns) = (rows.start - 1..rows.end + 1, columns.start - 1..columns.end + 1);
        self.counts.of(&rows, &columns) == rows.len() * columns.len()
    }

    /// The halves first, and then the line between them. What is left couples unknowns around the rectangle.
    fn eliminate_parts(&mut self, rows: &Range<usize>, columns: &Range<usize>, rests: &mut Vec<Rest>) {
        let (height, width) = (rows.len(), columns.len());
        let mut parts = Vec::new();
        let line = if height * width <= LEAF {
            [rows.clone(), columns.clone()]
        } else if height > width {
            let middle = rows.start + height / 2;
            self.eliminate(rows.start..middle, columns.clone(), &mut parts);
            self.eliminate(middle + 1..rows.end, columns.clone(), &mut parts);
            [middle..middle + 1, columns.clone()]
        } else {
            let middle = columns.start + width / 2;
            self.eliminate(rows.clone(), columns.start..middle, &mut parts);
            self.eliminate(rows.clone(), middle + 1..columns.end, &mut parts);
            [rows.clone(), middle..middle + 1]
        };
        let mut unknowns = Vec::new();
        self.find(&line[0], &line[1], &mut unknowns);
        let pivots = unknowns.len();
        if pivots == 0 {
            // Nothing joins the halves here.
            return rests.append(&mut parts);
        }
        self.find_around(rows, columns, &mut unknowns);
        self.keep_coupled(&mut unknowns, pivots, &parts);
        self.assemble(&unknowns, pivots, &parts);
        let (factor, rest) = self.grid.front.eliminate(pivots);
        let pixels = |found: &[usize]| Pixels { found: found.into(), moved: 0 };
        let step = Step { factor: Rc::new(factor), unknowns: pixels(&unknowns), is_inner: false };
        self.steps.push(step);
        rests.push(Rest { coefficients: Rc::new(rest), unknowns: pixels(&unknowns[pivots..]) });
    }

    /// Of the unknowns around a rectangle only those that couple with a pivot or with what is left of the halves.
    fn keep_coupled(&mut self, unknowns: &mut Vec<usize>, pivots: usize, parts: &[Rest]) {
        let Grid { size, weights, place, .. } = &mut *self.grid;
        let mark = |place: &mut [usize], pivots: &[usize], value: usize| {
            for pixel in pivots {
                weights.around(*pixel, *size).for_each(|(neighbour, _)| place[neighbour] = value);
            }
            parts.iter().flat_map(|part| part.unknowns.iter()).for_each(|pixel| place[pixel] = value);
        };
        mark(place, &unknowns[..pivots], 1);
        let around = unknowns.split_off(pivots);
        unknowns.extend(around.into_iter().filter(|pixel| place[*pixel] == 1));
        mark(place, &unknowns[..pivots], 0);
    }

    /// Adds the unknowns of a rectangle.
    fn find(&self, rows: &Range<usize>, columns: &Range<usize>, into: &mut Vec<usize>) {
        let width = self.grid.size[1];
        for row in rows.clone() {
            let pixels = row * width + columns.start..row * width + columns.end;
            into.extend(pixels.filter(|pixel| self.is_unknown[*pixel]));
        }
    }

    /// Adds the unknowns in the frame of one pixel around a rectangle.
    fn find_around(&self, rows: &Range<usize>, columns: &Range<usize>, into: &mut Vec<usize>) {
        let [height, width] = self.grid.size;
        let wide = columns.start.saturating_sub(1)..(columns.end + 1).min(width);
        if rows.start > 0 {
            self.find(&(rows.start - 1..rows.start), &wide, into);
        }
        if columns.start > 0 {
            self.find(rows, &(columns.start - 1..columns.start), into);
        }
        if columns.end < width {
            self.find(rows, &(columns.end..columns.end + 1), into);
        }
        if rows.end < height {
            self.find(&(rows.end..rows.end + 1), &wide, into);
        }
    }

    /// The equations of the pivots, and what the halves left.
    fn assemble(&mut self, unknowns: &[usize], pivots: usize, parts: &[Rest]) {
        let Grid { size, weights, place, front, .. } = &mut *self.grid;
        unknowns.iter().enumerate().for_each(|(row, pixel)| place[*pixel] = row + 1);
        front.clear(unknowns.len());
        for (row, pixel) in unknowns[..pivots].iter().enumerate() {
            let mut sum = 0.0;
            weights.around(*pixel, *size).for_each(|(neighbour, weight)| {
                sum += weight;
                // Unknowns that are not in this matrix were eliminated before, with this coupling.
                if place[neighbour] > row + 1 {
                    front.set(row, place[neighbour] - 1, -weight);
                }
            });
            front.set(row, row, sum);
        }
        for part in parts {
            let places: Vec<usize> = part.unknowns.iter().map(|pixel| place[pixel] - 1).collect();
            front.add(&part.coefficients, &places);
        }
        unknowns.iter().for_each(|pixel| place[*pixel] = 0);
    }
}
