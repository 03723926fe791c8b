//! Cancels axes of size 1 that one node takes away and a later one puts in again, or the other way round.

use crate::card::{Class, Op, ValueId};
use crate::draft::Draft;

/// Removes such pairs, also around functions of each element. The first node of a pair stays if others read it.
pub(super) fn cancel(draft: &mut Draft) {
    for id in draft.ids() {
        sink(draft, id);
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

/// Takes functions of each element out of a pair: they work on the tensor that keeps its axes. So layers of a network over sequences are
/// maps of one row, as those of its convolutions are.
fn sink(draft: &mut Draft, id: ValueId) -> Option<()> {
    let Op::Unsqueeze { axes } = &draft.node(id)?.op else { return None };
    let axes = axes.clone();
    let (mut chain, mut end) = (Vec::new(), draft.only_before(id)?);
    while matches!(draft.node(end)?.op.class(), Class::Pointwise(_) | Class::Nothing) {
        chain.push(end);
        end = draft.only_before(end)?;
    }
    let first =
        draft.node(end).filter(|first| matches!(&first.op, Op::Squeeze { axes: own } if *own == axes))?;
    let source = first.inputs.clone();
    let (front, last) = (*chain.last()?, *chain.first()?);
    for at in &chain {
        let shape = crate::axes::unsqueeze(draft.shape(*at), &axes).ok()?;
        draft.reshape(*at, shape);
    }
    let op = draft.node(front)?.op.clone();
    draft.replace(front, op, source, Default::default());
    draft.redirect(id, last);
    Some(())
}
