//! Names of nodes: Keras's own names of layers.
//!
//! If a layer becomes several nodes, the last one, whose value is the layer's, gets its name; the others get the operation as
//! another part of the path. Layers of models inside of a model are `outer/inner`.

use std::collections::HashMap;

use crate::builder::{Draft, ValueId};
use crate::import::unique::Names;

/// A name for every node of `draft`, in its order; none is `reserved`. `paths` has the layer of each origin.
pub(super) fn assign(draft: &Draft, paths: &[String], reserved: &str) -> Vec<String> {
    let nodes: Vec<(ValueId, usize)> = draft.nodes().map(|(id, node)| (id, node.origin)).collect();
    let last: HashMap<usize, ValueId> = nodes.iter().map(|(id, origin)| (*origin, *id)).collect();
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
