//! Reductions along one axis after another.

use crate::card::{Op, ValueId};
use crate::draft::Draft;

/// Joins two reductions of one kind that both keep their axes.
pub(super) fn join(draft: &mut Draft) {
    for id in draft.ids() {
        let _ = widen(draft, id);
    }
}

fn widen(draft: &mut Draft, last: ValueId) -> Option<()> {
    let first = draft.only_before(last)?;
    let (before, after) = (&draft.node(first)?.op, &draft.node(last)?.op);
    let joined = |axes: &[usize], more: &[usize]| {
        let mut axes = [axes, more].concat();
        // In one order, so that the same reduction is the same operation whichever axis came first.
        axes.sort_unstable();
        axes.dedup();
        axes
    };
    let op = match (before, after) {
        // Only where axes are kept: else the second counts its axes in another shape.
        (Op::ReduceMean { axes, keep_dims: true }, Op::ReduceMean { axes: more, keep_dims: true }) => {
            Op::ReduceMean { axes: joined(axes, more), keep_dims: true }
        }
        (Op::ReduceSum { axes, keep_dims: true }, Op::ReduceSum { axes: more, keep_dims: true }) => {
            Op::ReduceSum { axes: joined(axes, more), keep_dims: true }
        }
        (Op::ReduceMin { axes, keep_dims: true }, Op::ReduceMin { axes: more, keep_dims: true }) => {
            Op::ReduceMin { axes: joined(axes, more), keep_dims: true }
        }
        (Op::ReduceMax { axes, keep_dims: true }, Op::ReduceMax { axes: more, keep_dims: true }) => {
            Op::ReduceMax { axes: joined(axes, more), keep_dims: true }
        }
        _ => return None,
    };
    let source = draft.node(first)?.inputs.clone();
    draft.replace(last, op, source, Default::default());
    Some(())
}
