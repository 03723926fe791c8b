//! Cancels axes of size 1 that one node takes away and the next puts in again, or the other way round.

use crate::card::Op;
use crate::draft::Draft;

/// Removes such pairs. The first node of a pair stays if others read it.
pub(super) fn cancel(draft: &mut Draft) {
    for id in draft.ids() {
        let Some(node) = draft.node(id) else { continue };
        let Some(&before) = node.inputs.first() else { continue };
        let undone = draft.node(before).filter(|before| match (&before.op, &node.op) {
            (Op::Squeeze { axes: first }, Op::Unsqueeze { axes: second })
            | (Op::Unsqueeze { axes: first }, Op::Squeeze { axes: second }) => first == second,
            _ => false,
        });
        let source = undone.and_then(|before| before.inputs.first().copied());
        if let Some(source) = source {
            draft.redirect(id, source);
        }
    }
}
