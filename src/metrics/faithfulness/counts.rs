//! Sums over rectangles of pixels.
//!
//! Receives which pixels are marked; gives how many of them are in a rectangle, in constant time.

use std::ops::Range;

/// How many pixels of a rectangle are marked, from sums over the rectangles that begin at the first pixel.
pub(super) struct Counts {
    sums: Vec<usize>,
    width: usize,
}

impl Counts {
    pub(super) fn new(is_marked: &[bool], [height, columns]: [usize; 2]) -> Self {
        let width = columns + 1;
        let mut sums = vec![0; (height + 1) * width];
        for (at, is_marked) in is_marked.iter().enumerate().take(height * columns) {
            let (row, column) = (at / columns, at % columns);
            let here = row * width + column;
            let others = sums[here + 1] + sums[here + width] - sums[here];
            sums[here + width + 1] = others + usize::from(*is_marked);
        }
        Self { sums, width }
    }

    pub(super) fn of(&self, rows: &Range<usize>, columns: &Range<usize>) -> usize {
        let sum = |row: usize, column: usize| self.sums[row * self.width + column];
        sum(rows.end, columns.end) + sum(rows.start, columns.start)
            - sum(rows.start, columns.end)
            - sum(rows.end, columns.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_of_rectangles_are_counted() {
        let marked = [true, false, true, false, true, true].repeat(2);
        let counts = Counts::new(&marked, [4, 3]);
        assert_eq!(
            [counts.of(&(0..4), &(0..3)), counts.of(&(1..3), &(0..2)), counts.of(&(2..2), &(0..3))],
            [8, 2, 0]
        );
    }
}
