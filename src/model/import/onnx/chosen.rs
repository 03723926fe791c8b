//! Indices that `TopK` chooses: numbers in the file, in the graph a row of zeros and a one for each.

use super::builder::Tensor;

/// The indices of the greatest along the last axis of `[batch, all]`.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    /// `[batch, chosen, all]`.
    pub(super) rows: Tensor,
    /// How often each index is repeated along an axis behind theirs, if there is one.
    pub(super) repeated: Option<usize>,
}

impl Chosen {
    /// The shape that the indices have in the file, for both batch sizes.
    pub(super) fn shapes(&self) -> [Vec<usize>; 2] {
        let own = |shape: &Vec<usize>| shape.iter().take(2).copied().chain(self.repeated).collect();
        self.rows.shapes.each_ref().map(own)
    }

    /// The same indices, each repeated that often along an axis behind theirs.
    pub(super) fn repeated(&self, count: usize) -> Self {
        Self { rows: self.rows.clone(), repeated: Some(count) }
    }
}
