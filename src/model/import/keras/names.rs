//! Names of nodes: Keras's own names of layers.
//!
//! If a layer becomes several nodes, the last one, whose value is the layer's, gets its name; the others get the operation as
//! another part of the path. Of a layer over steps it is the last that computes: where the next layer works on the same picture of one
//! row, it reads that node and not the steps behind it. Layers of models inside of a model are `outer/inner`.

use std::collections::HashMap;

use crate::builder::{Draft, ValueId};
use crate::card::Op;
use crate::import::unique::Names;

/// A name for every node of `draft`, in its order; none is `reserved`. `paths` has the layer of each origin.
pub(super) fn assign(draft: &Draft, paths: &[String], reserved: &str) -> Vec<String> {
    let nodes: Vec<(ValueId, usize)> = draft.nodes().map(|(id, node)| (id, node.origin)).collect();
    let mut of_layers: HashMap<usize, Vec<ValueId>> = HashMap::new();
    nodes.iter().for_each(|(id, origin)| of_layers.entry(*origin).or_default().push(*id));
    let last: HashMap<usize, ValueId> =
        of_layers.iter().filter_map(|(origin, ids)| Some((*origin, value(draft, ids)?))).collect();
    let mut given = Names::without(reserved);
    // Names of layers come first, so that none of them is taken by a part of another.
    let mut names: HashMap<ValueId, String> = HashMap::new();
    for (id, origin) in nodes.iter().filter(|(id, origin)| last.get(origin) == Some(id)) {
        names.insert(*id, given.unique(&paths[*origin]));
    }
    for (id, origin) in nodes.iter().filter(|(id, origin)| last.get(origin) != Some(id)) {
        let op = draft.node(*id).map(|node| node.op.name()).unwrap_or_default();
        names.insert(*id, given.unique(&format!("{}/{op}", paths[*origin])));
    }
    nodes.into_iter().map(|(id, _)| names.remove(&id).unwrap_or_default()).collect()
}

/// The node whose value is that of the layer with these nodes.
fn value(draft: &Draft, ids: &[ValueId]) -> Option<ValueId> {
    let op = |id: &ValueId| draft.node(*id).map(|node| &node.op);
    let moves = |id: &ValueId| {
        matches!(op(id), Some(Op::Squeeze { .. } | Op::Unsqueeze { .. } | Op::Transpose { .. }))
    };
    let computed = ids.iter().rposition(|id| !moves(id));
    let behind = computed.map_or(&[][..], |at| &ids[at + 1..]);
    match behind.iter().any(|id| matches!(op(id), Some(Op::Squeeze { .. }))) {
        true => computed.and_then(|at| ids.get(at)).copied(),
        false => ids.last().copied(),
    }
}
