//! Rearrangements of more axes than a tensor may have: a reshape, a transpose and reshapes behind it.
//!
//! Axes that the transpose leaves side by side are one axis for it, and an axis of size 1 is none. Windows of windows
//! (`[batch, windows, h, 2, w, 2, channels]`) need six axes at most that way, so that no engine has to run more.

use crate::axes;
use crate::card::{Op, ValueId};
use crate::draft::Draft;
use crate::shapes::MAX_RANK;

/// Lowers the ranks of all such rearrangements. What cannot be lowered stays, and is refused with the finished graph.
pub(super) fn lower(draft: &mut Draft) {
    for id in draft.ids() {
        if draft.shape(id).len() > MAX_RANK {
            _ = lower_around(draft, id);
        }
    }
}

/// Lowers the rank of the transpose `id`, of the reshape before it, and of nothing else.
fn lower_around(draft: &mut Draft, id: ValueId) -> Option<()> {
    let Op::Transpose { perm } = &draft.node(id)?.op else { return None };
    let before = draft.only_before(id)?;
    let batch = open_axis(&draft.node(before)?.op)?;
    let Folded { sides, perm } = folded(draft.shape(before), batch, perm)?;
    let readers = draft.readers(id).to_vec();
    // All of them are looked at before any is changed.
    let ends: Vec<(ValueId, Vec<i64>)> =
        readers.iter().map(|reader| Some((*reader, end(draft, *reader)?))).collect::<Option<_>>()?;
    if draft.output() == Some(id) {
        return None;
    }
    for (reader, shape) in ends {
        draft.edit(reader, |op, _| *op = Op::Reshape { shape });
    }
    let source = draft.shape(*draft.node(before)?.inputs.first()?).to_vec();
    let shape = axes::reshape(&source, &sides).ok()?;
    let turned = perm.iter().map(|axis| shape[*axis]).collect();
    draft.edit(before, |op, _| *op = Op::Reshape { shape: sides });
    draft.reshape(before, shape);
    draft.edit(id, |op, _| *op = Op::Transpose { perm });
    draft.reshape(id, turned);
    Some(())
}

/// The only axis whose size a reshape leaves open: that of the pictures.
fn open_axis(op: &Op) -> Option<usize> {
    let Op::Reshape { shape } = op else { return None };
    let mut open = (0..shape.len()).filter(|axis| shape[*axis] <= 0);
    open.next().filter(|_| open.next().is_none())
}

/// The shape that the reshape `id` gives, without axes that it copies from its input by their position.
fn end(draft: &Draft, id: ValueId) -> Option<Vec<i64>> {
    let batch = match draft.node(id)?.op {
        Op::Flatten { start_axis: 1 } => 0,
        ref op => open_axis(op)?,
    };
    let mut shape: Vec<i64> = draft.shape(id).iter().map(|side| *side as i64).collect();
    shape[batch] = -1;
    Some(shape)
}

/// A reshape and a transpose of fewer axes.
struct Folded {
    /// -1 for the axis that has the pictures.
    sides: Vec<i64>,
    perm: Vec<usize>,
}

/// The same rearrangement of `shape` with as few axes as it needs; `None` if that is more than a tensor may have.
fn folded(shape: &[usize], batch: usize, perm: &[usize]) -> Option<Folded> {
    let counts = |axis: &usize| *axis == batch || shape[*axis] != 1;
    let source: Vec<usize> = (0..shape.len()).filter(counts).collect();
    let turned: Vec<usize> = perm.iter().copied().filter(counts).collect();
    let place = |axis: usize| source.iter().position(|other| *other == axis);
    // Runs of axes that follow each other before the transpose and after it, in the order after it.
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for axis in turned {
        match runs.last_mut() {
            Some(run) if place(axis) == run.last().and_then(|last| place(*last)).map(|at| at + 1) => {
                run.push(axis);
            }
            _ => runs.push(vec![axis]),
        }
    }
    let mut ordered: Vec<&Vec<usize>> = runs.iter().collect();
    ordered.sort_unstable();
    let perm =
        runs.iter().map(|run| ordered.iter().position(|other| *other == run)).collect::<Option<_>>()?;
    let side = |run: &&Vec<usize>| match run.contains(&batch) {
        true => -1,
        false => run.iter().map(|axis| shape[*axis] as i64).product(),
    };
    let sides: Vec<i64> = ordered.iter().map(side).collect();
    (sides.len() <= MAX_RANK).then_some(Folded { sides, perm })
}
