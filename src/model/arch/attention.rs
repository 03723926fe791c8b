//! Self-attention between the positions of a window or of the whole picture.
//!
//! Positions are the last axis but one, `[batch, positions, features]` or `[batch, windows, positions, features]`; the windows
//! share everything.
//!
//! Reference: A. Vaswani et al., "Attention Is All You Need", 2017, section 3.2.

use crate::builder::{Activation, Derived, GraphBuilder, Rule, Value};

/// Queries, keys and values of each head, `[..., heads, positions, width]`, from one linear layer's output that holds the
/// three one after another.
pub(super) fn split(b: &mut GraphBuilder, at: &str, joined: &Value, heads: usize) -> [Value; 3] {
    let features = joined.features() / 3;
    let last = joined.shape().len() - 1;
    let mut part = |name: &str, index: usize| {
        let range = index * features..(index + 1) * features;
        let x = b.slice(&format!("{at}.{name}.chunk"), joined, last, range, 1);
        per_head(b, &format!("{at}.{name}"), &x, heads)
    };
    [part("query", 0), part("key", 1), part("value", 2)]
}

/// `[..., heads, positions, width]` from `[..., positions, heads * width]`.
pub(super) fn per_head(b: &mut GraphBuilder, at: &str, input: &Value, heads: usize) -> Value {
    let mut shape = input.shape().to_vec();
    let features = shape.pop().unwrap_or_default();
    shape[0] = 0;
    shape.extend([heads, features / heads]);
    // The batch is not known here: 0 keeps its axis as it is.
    let x = b.reshape(&format!("{at}.view"), input, &shape);
    // Heads before positions, so that a matrix product works on each head by itself.
    let perm = swapped(shape.len(), shape.len() - 3);
    b.transpose(&format!("{at}.transpose"), &x, &perm)
}

/// The product of each query with each key, `[..., heads, positions, positions]`.
pub(super) fn scores(b: &mut GraphBuilder, at: &str, query: &Value, key: &Value) -> Value {
    let rank = key.shape().len();
    let key = b.transpose(&format!("{at}.key.transpose_1"), key, &swapped(rank, rank - 2));
    b.matmul(&format!("{at}.matmul"), query, &key)
}

/// The values weighted by the softmax of the scores, `[..., positions, heads * width]`.
pub(super) fn attend(b: &mut GraphBuilder, at: &str, scores: &Value, value: &Value) -> Value {
    let weights = b.softmax(&format!("{at}.softmax"), scores);
    let x = b.matmul(&format!("{at}.matmul_1"), &weights, value);
    let rank = x.shape().len();
    let x = b.transpose(&format!("{at}.transpose"), &x, &swapped(rank, rank - 3));
    let mut shape = x.shape()[..rank - 1].to_vec();
    shape[0] = 0;
    shape[rank - 2] *= x.features();
    b.reshape(&format!("{at}.reshape"), &x, &shape)
}

/// The two linear layers after an attention, four times as wide between them.
pub(super) fn mlp(b: &mut GraphBuilder, at: &str, input: &Value) -> Value {
    let width = input.features();
    let x = b.linear(&format!("{at}.mlp.0"), input, 4 * width);
    let x = b.activation(&format!("{at}.mlp.1"), &x, Activation::Gelu);
    // Number 2 is a dropout in torchvision, which has no weights.
    b.linear(&format!("{at}.mlp.3"), &x, width)
}

/// What each pair of cells of a square window gets for its distance, from a stored table.
pub(super) fn table_bias(at: &str, side: usize, heads: usize) -> Derived {
    let distances = 2 * side - 1;
    let table = (format!("{at}.relative_position_bias_table"), vec![distances * distances, heads]);
    Derived { sources: vec![table], rule: Rule::TableRows(self::distances(side)) }
}

/// All axes, with `first` and the one after it changed.
fn swapped(rank: usize, first: usize) -> Vec<usize> {
    let mut perm: Vec<usize> = (0..rank).collect();
    perm.swap(first, first + 1);
    perm
}

/// For each pair of cells of a square window the row of a table of distances, the second cell fastest.
pub(super) fn distances(side: usize) -> Vec<usize> {
    let cells = || (0..side).flat_map(move |row| (0..side).map(move |column| (row, column)));
    let pair = |(row, column): (usize, usize), (other_row, other_column): (usize, usize)| {
        // Distances begin at -(side - 1); rows of the table are counted from 0.
        let rows = row + side - 1 - other_row;
        let columns = column + side - 1 - other_column;
        rows * (2 * side - 1) + columns
    };
    cells().flat_map(|first| cells().map(move |second| pair(first, second))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows of two by two: nine distances.
    #[test]
    fn distances_are_numbered_by_rows_then_columns() {
        let expected = [4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4];
        assert_eq!(distances(2), expected);
    }
}
