//! The size of a network and the work of one pass.

use std::collections::BTreeMap;

use crate::card::{Class, Graph, Node, Op};

/// Size and work of a network, for one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Number of trained values, including running statistics.
    pub parameters: u64,
    /// Multiply-accumulate operations of its convolutions and matrix products; twice that in FLOPs.
    pub multiply_adds: u64,
}

/// Computes the cost from shapes alone.
pub fn of(graph: &Graph, shapes: &[Vec<usize>], tensors: &BTreeMap<String, Vec<usize>>) -> Cost {
    let size = |shape: &[usize]| shape.iter().map(|side| *side as u64).product::<u64>();
    let mut names: Vec<&String> = graph.nodes.iter().flat_map(|node| node.params.values()).collect();
    names.sort_unstable();
    // A tensor that several nodes share is one parameter.
    names.dedup();
    let parameters = names.iter().filter_map(|name| tensors.get(*name)).map(|shape| size(shape)).sum();
    let picture = [1, graph.input.channels, graph.input.height, graph.input.width];
    let read = |node: &Node| -> Option<&[usize]> {
        Some(node.inputs.first()?.node().map_or(&picture[..], |at| &shapes[at]))
    };
    let work = |(node, shape): (&Node, &Vec<usize>)| -> u64 {
        let weight = node.params.get("weight").and_then(|name| tensors.get(name));
        match (node.op.class(), weight.map(Vec::as_slice), read(node)) {
            (Class::Linear, Some([input, _]), _) => *input as u64 * size(shape),
            // Each value that it reads goes to a window of its output.
            (Class::Linear, Some([_, rest @ ..]), Some(read))
                if matches!(node.op, Op::ConvTranspose2d { .. }) =>
            {
                size(rest) * size(read)
            }
            // A convolution: one multiplication per element of a filter for each output value.
            (Class::Linear, Some([_, rest @ ..]), _) => size(rest) * size(shape),
            (Class::Product, _, Some([.., inner])) => *inner as u64 * size(shape),
            _ => 0,
        }
    };
    let multiply_adds = graph.nodes.iter().zip(shapes).map(work).sum();
    Cost { parameters, multiply_adds }
}
