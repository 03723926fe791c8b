//! Reshapes, and operations on the rows of a tensor as operations on the whole tensor.
//!
//! Burn multiplies matrices row by row: a linear layer of a tensor with more axes is a reshape to rows, a product, and a reshape back.
//! Cards apply a linear layer to the last axis of any tensor, so the reshapes go.

use burn::backend::ir::TensorIr;

use super::context::{Constant, Context, Value};
use crate::card::Op;
use burncam_graph::builder::Tensor;

impl Context {
    /// A tensor in another shape: nothing, a flattening, or a reshape.
    pub(super) fn reshape(&mut self, input: &TensorIr, output: &TensorIr) -> Option<()> {
        let (from, to) = (input.shape.to_vec(), output.shape.to_vec());
        if let Some(constant) = self.constant(input) {
            self.known.insert(output.id, Value::Constant(Constant { shape: to, ..constant }));
            return Some(());
        }
        if from == to {
            return self.alias(input, output);
        }
        let start_axis = to.len().saturating_sub(1);
        let flattens = start_axis > 0 && start_axis < from.len() && from[..start_axis] == to[..start_axis];
        let op = if flattens {
            Op::Flatten { start_axis }
        } else {
            // Zero keeps the batch size.
            let shape = to
                .iter()
                .enumerate()
                .map(|(axis, side)| if axis == 0 && *side == 1 { 0 } else { *side as i64 });
            Op::Reshape { shape: shape.collect() }
        };
        let tensor = self.tensor(input)?;
        // Back to the shape before the rows: the reshapes on both sides of a product cancel.
        if let Some(whole) = self.whole(&tensor).filter(|whole| whole.shapes[0] == to) {
            self.known.insert(output.id, Value::Tensor(whole));
            return Some(());
        }
        self.push(op, &[&tensor], vec![], output)?;
        // Burn multiplies matrices row by row, and brings the product back into shape.
        if to.len() == 2 && from.len() > 2 && to.last() == from.last() {
            self.note_rows(&tensor, output)?;
        }
        Some(())
    }

    /// The tensor whose rows a tensor has.
    pub(super) fn whole(&self, rows: &Tensor) -> Option<Tensor> {
        self.rows.get(&rows.id).cloned()
    }

    /// Remembers that `output` has the rows of `whole`.
    fn note_rows(&mut self, whole: &Tensor, output: &TensorIr) -> Option<()> {
        let rows = self.tensor(output)?;
        self.rows.insert(rows.id, whole.clone());
        Some(())
    }

    /// Puts an operation on rows on the tensor that has them. Its result is there in rows, too, for other readers.
    pub(super) fn push_on_rows(
        &mut self,
        op: Op,
        whole: &Tensor,
        param: (&str, Constant),
        output: &TensorIr,
    ) -> Option<()> {
        self.push(op, &[whole], vec![param], output)?;
        let result = self.tensor(output)?;
        let shape = output.shape.iter().map(|side| *side as i64).collect();
        self.push(Op::Reshape { shape }, &[&result], vec![], output)?;
        self.note_rows(&result, output)
    }
}
