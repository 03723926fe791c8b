//! Attention inside of the windows of a map with channels last, `[batch, height, width, features]`.

use super::attention;
use crate::builder::{Derived, GraphBuilder, Rule, Value};

/// How a map is divided, and how the cells of a part attend to each other.
pub(super) struct Window {
    /// Height and width of a window in cells.
    pub(super) side: usize,
    /// By how many cells the windows are shifted.
    pub(super) shift: usize,
    pub(super) heads: usize,
    /// Of the Swin transformer.
    pub(super) version: usize,
}

/// What a pair of cells gets that are not neighbours in the unshifted map.
/// The value in the paper's code: after the softmax nothing of it is left in 32 bits.
const FAR: f32 = -100.0;

impl Window {
    pub(super) fn attend(&self, b: &mut GraphBuilder, at: &str, input: &Value) -> Value {
        let &[_, height, width, features] = input.shape() else { return input.clone() };
        let missing = [height, width].map(|side| (self.side - side % self.side) % self.side);
        // The zeros take part in the attention of the outer windows, as in torchvision, which masks the shift only.
        let x = pad(b, at, input, missing);
        let size = [height + missing[0], width + missing[1]];
        // A window that takes the whole map has nowhere to shift to.
        let shift = size.map(|side| if self.side >= side { 0 } else { self.shift });
        let x = roll(b, &format!("{at}.roll"), &x, shift);
        let x = self.partition(b, at, &x);
        let x = self.inside(b, at, &x, size, shift);
        let x = b.linear(&format!("{at}.proj"), &x, features);
        let x = self.assemble(b, at, &x, size);
        let back = [0, 1].map(|axis| (size[axis] - shift[axis]) % size[axis]);
        let x = roll(b, &format!("{at}.unroll"), &x, back);
        let x = crop(b, &format!("{at}.rows"), &x, 1, height);
        crop(b, &format!("{at}.columns"), &x, 2, width)
    }

    /// `[batch, windows, cells, features]`.
    fn partition(&self, b: &mut GraphBuilder, at: &str, input: &Value) -> Value {
        let &[_, height, width, features] = input.shape() else { return input.clone() };
        let (side, [down, across]) = (self.side, [height / self.side, width / self.side]);
        let x = b.reshape(&format!("{at}.view"), input, &[0, down, side, across, side, features]);
        let x = b.transpose(&format!("{at}.permute"), &x, &[0, 1, 3, 2, 4, 5]);
        b.reshape(&format!("{at}.windows"), &x, &[0, down * across, side * side, features])
    }

    /// The opposite of [`Window::partition`].
    fn assemble(&self, b: &mut GraphBuilder, at: &str, input: &Value, [height, width]: [usize; 2]) -> Value {
        let (side, features) = (self.side, input.features());
        let shape = [0, height / side, width / side, side, side, features];
        let x = b.reshape(&format!("{at}.view_1"), input, &shape);
        let x = b.transpose(&format!("{at}.permute_1"), &x, &[0, 1, 3, 2, 4, 5]);
        b.reshape(&format!("{at}.map"), &x, &[0, height, width, features])
    }

    /// Attention of the cells of each window, without the projection after it.
    fn inside(
        &self,
        b: &mut GraphBuilder,
        at: &str,
        input: &Value,
        size: [usize; 2],
        shift: [usize; 2],
    ) -> Value {
        if b.is_cut() {
            return input.clone();
        }
        let features = input.features();
        let joined = self.joined(b, at, input);
        let [query, key, value] = attention::split(b, at, &joined, self.heads);
        let mut x = if self.version == 1 {
            let scale = ((features / self.heads) as f64).powf(-0.5);
            let query = b.times(&format!("{at}.scale"), &query, scale);
            attention::scores(b, at, &query, &key)
        } else {
            let query = b.normalised(&format!("{at}.query.normalize"), &query);
            let key = b.normalised(&format!("{at}.key.normalize"), &key);
            let x = attention::scores(b, at, &query, &key);
            let source = (format!("{at}.logit_scale"), vec![self.heads, 1, 1]);
            let scale = Derived { sources: vec![source], rule: Rule::Exponential };
            b.scale_by(&format!("{at}.scale"), &x, &[self.heads, 1, 1], scale)
        };
        let cells = self.side * self.side;
        x = b.shift_by(&format!("{at}.bias"), &x, &[self.heads, cells, cells], self.bias(at));
        if shift != [0, 0] {
            let mask = self.mask(size, shift);
            let shape = [mask.len() / (cells * cells), 1, cells, cells];
            let mask = Derived { sources: vec![], rule: Rule::Constant(mask) };
            x = b.shift_by(&format!("{at}.mask"), &x, &shape, mask);
        }
        attention::attend(b, at, &x, &value)
    }

    /// Queries, keys and values; the keys of version 2 have no bias.
    fn joined(&self, b: &mut GraphBuilder, at: &str, input: &Value) -> Value {
        let (name, features) = (format!("{at}.qkv"), 3 * input.features());
        if self.version == 1 {
            return b.linear(&name, input, features);
        }
        let x = b.projection(&name, input, features);
        let source = (format!("{name}.bias"), vec![features]);
        let bias = Derived { sources: vec![source], rule: Rule::WithoutMiddle };
        b.shift_by(&format!("{name}.add"), &x, &[features], bias)
    }

    /// What each pair of cells of a window gets for its distance.
    fn bias(&self, at: &str) -> Derived {
        if self.version == 1 {
            return attention::table_bias(at, self.side, self.heads);
        }
        let rows = attention::distances(self.side);
        let distances = 2 * self.side - 1;
        /// Width of the layer between coordinates and heads.
        const HIDDEN: usize = 512;
        let sources = vec![
            (format!("{at}.relative_coords_table"), vec![1, distances, distances, 2]),
            (format!("{at}.cpb_mlp.0.weight"), vec![HIDDEN, 2]),
            (format!("{at}.cpb_mlp.0.bias"), vec![HIDDEN]),
            (format!("{at}.cpb_mlp.2.weight"), vec![self.heads, HIDDEN]),
        ];
        Derived { sources, rule: Rule::ComputedTable(rows) }
    }

    /// `[windows, 1, cells, cells]`: [`FAR`] for cells that only the shift brought into one window.
    fn mask(&self, size: [usize; 2], shift: [usize; 2]) -> Vec<f32> {
        // Which of the three stripes of an axis a cell is in, after the shift.
        let stripe = |at: usize, axis: usize| {
            usize::from(at >= size[axis] - self.side) + usize::from(at >= size[axis] - shift[axis])
        };
        let region = |row: usize, column: usize| 3 * stripe(row, 0) + stripe(column, 1);
        let side = self.side;
        let mut mask = Vec::new();
        for window in 0..size[0] / side * (size[1] / side) {
            let (top, left) = (window / (size[1] / side) * side, window % (size[1] / side) * side);
            let cells: Vec<usize> =
                (0..side * side).map(|cell| region(top + cell / side, left + cell % side)).collect();
            for first in &cells {
                mask.extend(cells.iter().map(|second| if first == second { 0.0 } else { FAR }));
            }
        }
        mask
    }
}

/// With rows of zeros below and columns of zeros right.
pub(super) fn pad(b: &mut GraphBuilder, at: &str, input: &Value, [rows, columns]: [usize; 2]) -> Value {
    if [rows, columns] == [0, 0] {
        return input.clone();
    }
    let x = b.transpose(&format!("{at}.pad.permute"), input, &[0, 3, 1, 2]);
    let x = b.pad(&format!("{at}.pad"), &x, [0, rows, 0, columns]);
    b.transpose(&format!("{at}.pad.permute_1"), &x, &[0, 2, 3, 1])
}

/// Each cell at `shift` comes first; what was before it comes last.
fn roll(b: &mut GraphBuilder, at: &str, input: &Value, shift: [usize; 2]) -> Value {
    let mut x = input.clone();
    for (axis, shift) in [(1, shift[0]), (2, shift[1])] {
        let side = x.shape()[axis];
        if shift > 0 {
            // Cards have no rotation of an axis: two slices and a concatenation are one.
            let end = b.slice(&format!("{at}.end{axis}"), &x, axis, shift..side, 1);
            let begin = b.slice(&format!("{at}.begin{axis}"), &x, axis, 0..shift, 1);
            x = b.concat_along(&format!("{at}.cat{axis}"), &[&end, &begin], axis);
        }
    }
    x
}

fn crop(b: &mut GraphBuilder, at: &str, input: &Value, axis: usize, side: usize) -> Value {
    if input.shape()[axis] == side { input.clone() } else { b.slice(at, input, axis, 0..side, 1) }
}
