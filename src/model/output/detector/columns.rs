//! Where some columns of a tensor come from, through all that only moves or joins values, and the same columns before the
//! activation that they have behind them.
//!
//! Receives a graph with shapes for a batch of one; gives the nodes that compute the columns, or new nodes at the end of the graph
//! that move what these nodes read in the same way.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::sides::free_name;
use super::arithmetic::is_shift;
use crate::axes::range_of_part;
use crate::card::{Class, Graph, Node, Op, ValueId};

/// Columns along one axis of a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) id: ValueId,
    pub(super) axis: usize,
    pub(super) range: Range<usize>,
}

/// A graph with its shapes, to which nodes are added.
pub(super) struct Columned<'a> {
    pub(super) graph: &'a mut Graph,
    pub(super) shapes: &'a mut Vec<Vec<usize>>,
    /// Begins the names of new nodes.
    pub(super) base: String,
}

impl Columned<'_> {
    pub(super) fn shape(&self, id: ValueId) -> &[usize] {
        id.node().and_then(|at| self.shapes.get(at)).map_or(&[], Vec::as_slice)
    }

    /// The nodes that compute the columns.
    pub(super) fn sources(&self, columns: &Columns) -> Vec<Columns> {
        let (mut open, mut found) = (vec![columns.clone()], Vec::new());
        while let Some(columns) = open.pop() {
            match self.before(&columns) {
                // The first stays on top, so that sources keep their order.
                Some(before) => open.extend(before.into_iter().rev()),
                None => found.push(columns),
            }
        }
        found
    }

    /// Whether the values of a tensor are a layer's with weights, moved at most.
    pub(super) fn is_of_weights(&self, mut id: ValueId) -> bool {
        while let Some(node) = self.graph.node(id) {
            match (node.op.class(), node.inputs.first()) {
                (Class::Linear | Class::Product, _) => return true,
                (Class::Movement | Class::Nothing, Some(before)) => id = *before,
                // The bias of a layer whose product was not joined with it.
                _ => return is_shift(&node.op) && !node.params.is_empty(),
            }
        }
        false
    }

    /// Whether a tensor is a join along `axis` whose first part has this many columns.
    pub(super) fn starts_with(&self, id: ValueId, axis: usize, columns: usize) -> bool {
        let is_join = |node: &&Node| matches!(node.op, Op::Concat { axis: along, .. } if along == axis);
        let first = self.graph.node(id).filter(is_join).and_then(|node| node.inputs.first());
        first.is_some_and(|first| self.shape(*first).get(axis) == Some(&columns))
    }

    /// The same columns in what a node moves or joins; `None` for one that computes.
    fn before(&self, Columns { id, axis, range }: &Columns) -> Option<Vec<Columns>> {
        let node = self.graph.node(*id)?;
        let first = *node.inputs.first()?;
        let one = |axis: usize, range: Range<usize>| Some(vec![Columns { id: first, axis, range }]);
        match &node.op {
            Op::Concat { axis: along, .. } if !node.params.is_empty() || *along == 0 => None,
            Op::Concat { axis: along, .. } if along == axis => Some(self.parts(node, *axis, range)),
            Op::Concat { .. } => {
                let of = |id: &ValueId| Columns { id: *id, axis: *axis, range: range.clone() };
                Some(node.inputs.iter().map(of).collect())
            }
            Op::Transpose { perm } => one(*perm.get(*axis)?, range.clone()),
            Op::Slice { axis: along, start, step: 1, .. } => {
                let start = if along == axis { *start } else { 0 };
                one(*axis, range.start + start..range.end + start)
            }
            Op::Split { axis: along, sizes, part } => {
                let start = if along == axis { range_of_part(sizes, *part).start } else { 0 };
                one(*axis, range.start + start..range.end + start)
            }
            Op::Reshape { .. } | Op::Flatten { .. } | Op::Squeeze { .. } | Op::Unsqueeze { .. } => {
                one(kept(self.shape(*id), self.shape(first), *axis)?, range.clone())
            }
            op if op.class() == Class::Nothing => one(*axis, range.clone()),
            _ => None,
        }
    }

    /// The parts of a join that the columns are in.
    fn parts(&self, node: &Node, axis: usize, range: &Range<usize>) -> Vec<Columns> {
        let (mut start, mut found) = (0, Vec::new());
        for id in &node.inputs {
            let end = start + self.shape(*id).get(axis).copied().unwrap_or_default();
            let (low, high) = (range.start.max(start), range.end.min(end));
            if low < high {
                found.push(Columns { id: *id, axis, range: low - start..high - start });
            }
            start = end;
        }
        found
    }

    /// The columns as one tensor: what the nodes of `sources` read, where `undo` is set, moved and joined as their results are.
    pub(super) fn taken(&mut self, columns: &Columns, undo: bool) -> Option<ValueId> {
        let Columns { id, axis, range } = columns;
        let Some(before) = (if undo { self.before(columns) } else { None }) else {
            let id = if undo { *self.graph.node(*id)?.inputs.first()? } else { *id };
            return self.sliced(id, *axis, range);
        };
        let op = self.graph.node(*id)?.op.clone();
        let taken: Vec<ValueId> =
            before.iter().map(|columns| self.taken(columns, undo)).collect::<Option<_>>()?;
        let mut shape = self.shape(*id).to_vec();
        *shape.get_mut(*axis)? = range.len();
        let again = match op {
            _ if op.class() == Class::Nothing => None,
            Op::Slice { axis: along, .. } | Op::Split { axis: along, .. } if along == *axis => None,
            Op::Concat { .. } if taken.len() == 1 => None,
            Op::Reshape { .. } | Op::Flatten { .. } | Op::Squeeze { .. } | Op::Unsqueeze { .. } => {
                let sides = shape.iter().skip(1).map(|side| *side as i64);
                Some(Op::Reshape { shape: [0].into_iter().chain(sides).collect() })
            }
            op => Some(op),
        };
        match again {
            Some(op) => Some(self.push("columns", op, &taken, shape)),
            None => taken.first().copied(),
        }
    }

    /// Some columns of a tensor; of a join the part that they are.
    fn sliced(&mut self, id: ValueId, axis: usize, range: &Range<usize>) -> Option<ValueId> {
        let mut shape = self.shape(id).to_vec();
        if *range == (0..*shape.get(axis)?) {
            return Some(id);
        }
        let node = self.graph.node(id)?;
        if matches!(node.op, Op::Concat { axis: along, .. } if along == axis && node.params.is_empty())
            && let [only] = &self.parts(node, axis, range)[..]
        {
            let only = only.clone();
            return self.sliced(only.id, axis, &only.range);
        }
        shape[axis] = range.len();
        let op = Op::Slice { axis, start: range.start, end: range.end, step: 1 };
        Some(self.push("columns", op, &[id], shape))
    }

    /// Adds a node.
    pub(super) fn push(&mut self, suffix: &str, op: Op, inputs: &[ValueId], shape: Vec<usize>) -> ValueId {
        let name = free_name(self.graph, format!("{}.{suffix}", self.base));
        self.graph.nodes.push(Node { name, inputs: inputs.to_vec(), params: BTreeMap::new(), op });
        self.shapes.push(shape);
        ValueId::of_node(self.graph.nodes.len() - 1)
    }
}

/// The axis of a reshaped tensor that becomes `axis`: of the same size, with as many values before it.
fn kept(to: &[usize], from: &[usize], axis: usize) -> Option<usize> {
    let before = |shape: &[usize], axis: usize| shape[..axis].iter().product::<usize>();
    let side = *to.get(axis)?;
    (0..from.len()).find(|old| from[*old] == side && before(from, *old) == before(to, axis))
}
