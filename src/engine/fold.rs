//! From the graph's nodes to steps, with batch norm folded where its input is not needed.
//!
//! Directly after a convolution with no other reader a batch norm needs no step: [`super::parameters`] puts it into the
//! convolution's weights. A convolution to be explained keeps its own output.

use std::collections::HashSet;

use super::step::{Source, Step};
use crate::card::{Graph, Node, Op, ValueId, Values};

/// Steps up to the tensor `last`, in graph order. The tensors in `kept` stay as in the graph.
pub(super) fn plan(graph: &Graph, last: ValueId, kept: &[ValueId], source: &Source) -> Vec<Step> {
    let nodes = &graph.nodes[..last.node().map_or(0, |at| at + 1)];
    let mut readers = Values::filled(0, last);
    nodes.iter().flat_map(|node| &node.inputs).for_each(|id| readers[*id] += 1);
    // Another reader needs the convolution without the norm, and so does a caller who asked for it.
    let folds = |id: ValueId| readers[id] == 1 && id != last && !kept.contains(&id);
    let folded: Vec<Option<usize>> = nodes
        .iter()
        .map(|node| convolution_before(graph, node).filter(|id| folds(*id)))
        .map(|id| id?.node())
        .collect();
    let gone: HashSet<usize> = folded.iter().copied().flatten().collect();
    let left = nodes.iter().enumerate().filter(|(at, _)| !gone.contains(at));
    left.map(|(at, node)| match folded[at] {
        Some(before) => Step::new(nodes[before].clone(), Some(node.clone()), at, source),
        None => Step::new(node.clone(), None, at, source),
    })
    .collect()
}

/// The convolution whose result a batch norm reads.
fn convolution_before(graph: &Graph, node: &Node) -> Option<ValueId> {
    let Op::BatchNorm { .. } = node.op else { return None };
    let before = *node.inputs.first()?;
    matches!(graph.node(before)?.op, Op::Conv2d { .. }).then_some(before)
}
