//! The size of a network and the work of one pass.

use std::collections::BTreeMap;

use crate::card::{Graph, Node, Op};

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
    names.dedup();
    let parameters = names.iter().filter_map(|name| tensors.get(*name)).map(|shape| size(shape)).sum();
    let depth = |node: &Node| -> u64 {
        let weight = node.params.get("weight").and_then(|name| tensors.get(name));
        match (&node.op, weight.map(Vec::as_slice)) {
            (Op::Conv2d { .. }, Some([_, rest @ ..])) => size(rest),
            (Op::Linear {}, Some([input, _])) => *input as u64,
            (Op::Matmul {}, _) => {
                let left = node.inputs.first().and_then(|id| id.node());
                left.and_then(|at| shapes[at].last()).map_or(0, |inner| *inner as u64)
            }
            _ => 0,
        }
    };
    let multiply_adds = graph.nodes.iter().zip(shapes).map(|(node, shape)| depth(node) * size(shape)).sum();
    Cost { parameters, multiply_adds }
}
