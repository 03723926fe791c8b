//! Slices of a stack that take out one of the tensors that were stacked.
//!
//! Decoders stack the outputs of all their layers and take the last one. Without the stack the other outputs lead nowhere, and what the
//! scores are made of is in sight. Tensors that are joined without an axis of their own, a class token before the others, stay joined:
//! their join is the layer that all scores read.

use crate::axes::range_of_part;
use crate::card::{Op, ValueId};
use crate::draft::Draft;

/// Lets the readers of such a slice read the tensor itself.
pub(super) fn take(draft: &mut Draft) {
    for id in draft.ids() {
        if let Some(part) = whole_part(draft, id) {
            draft.redirect(id, part);
        }
    }
}

/// The joined tensor that the slice `id` gives unchanged.
fn whole_part(draft: &Draft, id: ValueId) -> Option<ValueId> {
    let node = draft.node(id)?;
    let (axis, start, end) = match &node.op {
        Op::Slice { axis, start, end, step: 1 } => (*axis, *start, *end),
        Op::Split { axis, sizes, part } => {
            let range = range_of_part(sizes, *part);
            (*axis, range.start, range.end)
        }
        _ => return None,
    };
    let join = draft.node(*node.inputs.first()?)?;
    // A stored part is no tensor that could be read instead.
    if !matches!(join.op, Op::Concat { axis: along, .. } if along == axis) || !join.params.is_empty() {
        return None;
    }
    let mut before = 0;
    let part = join.inputs.iter().copied().find(|part| {
        let from = before;
        before += draft.shape(*part)[axis];
        (from, before) == (start, end)
    })?;
    matches!(&draft.node(part)?.op, Op::Unsqueeze { axes } if *axes == [axis]).then_some(part)
}
