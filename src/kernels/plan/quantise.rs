//! Which convolutions multiply in int8, and the extents that they need.
//!
//! Receives nodes after they are joined; gives them with the node before each such convolution that finds the extent of what it
//! reads, once for all convolutions that read the same tensor.

use std::collections::HashMap;

use super::node::{Node, NodeKind};
use super::operation::Shapes;
use crate::card::ValueId;
use crate::kernels::int8::{self, Extent};
use crate::kernels::winograd;
use crate::simd::Int8;

/// Adds the extents, with their shapes.
pub(super) fn quantise(int8: Int8, nodes: Vec<Node>, shapes: &mut Shapes, lanes: usize) -> Vec<Node> {
    let mut extents: HashMap<ValueId, ValueId> = HashMap::new();
    let mut all = Vec::with_capacity(nodes.len());
    // Tensors that no operation gives get numbers after all others.
    let mut next = shapes.keys().copied().max().and_then(ValueId::node).map_or(0, |last| last + 1);
    for mut node in nodes {
        if multiplies_in_int8(int8, &node, shapes, lanes) {
            let x = node.inputs[0];
            node.extent = Some(*extents.entry(x).or_insert_with(|| {
                let output = ValueId::of_node(next);
                next += 1;
                let channels = Extent::channels(shapes[&x][0], lanes);
                shapes.insert(output, [channels, 1, 1]);
                all.push(extent(x, output));
                output
            }));
        }
        all.push(node);
    }
    all
}

fn multiplies_in_int8(int8: Int8, node: &Node, shapes: &Shapes, lanes: usize) -> bool {
    let NodeKind::Convolution { geometry, filters, depthwise: false } = &node.kind else { return false };
    if node.is_linear() {
        return false;
    }
    let [_, height, width] = shapes[&node.output];
    // A quarter of the products is as few as four products per lane make of them, and nothing is rounded.
    let winograd = winograd::pays(*filters, geometry, [height, width]);
    !winograd && filters.groups == 1 && int8::pays(int8, filters.shape, lanes)
}

fn extent(input: ValueId, output: ValueId) -> Node {
    Node::new(NodeKind::Extent, vec![input], output)
}
