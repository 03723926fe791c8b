//! Indices that `TopK` chooses: numbers in the file, in the graph a row of zeros and a one for each.

use super::builder::Tensor;

/// The indices of the greatest along the last axis of `[batch, all]`.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    /// `[batch, chosen, all]`.
    pub(super) rows: Tensor,
    pub(super) form: Form,
}

/// How the file has the indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `[batch, chosen]`.
    Plain,
    /// `[batch, chosen, count]`, each repeated that often.
    Repeated(usize),
    /// `[batch * chosen]`.
    Listed,
    /// The same, each counted through the places of all pictures before its own.
    ListedInBatch,
}

impl Chosen {
    /// The shape that the indices have in the file, for both batch sizes.
    pub(super) fn shapes(&self) -> [Vec<usize>; 2] {
        self.rows.shapes.each_ref().map(|shape| match (&shape[..], self.form) {
            (own, Form::Plain) => own[..2].to_vec(),
            (own, Form::Repeated(count)) => [&own[..2], &[count]].concat(),
            (own, Form::Listed | Form::ListedInBatch) => vec![own[0] * own[1]],
        })
    }

    /// The same indices in another form.
    pub(super) fn as_form(&self, form: Form) -> Self {
        Self { rows: self.rows.clone(), form }
    }
}
