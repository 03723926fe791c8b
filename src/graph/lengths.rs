//! Finds square roots that are lengths: roots of sums of squares, as in norms and standard deviations.
//!
//! At zero a root has an infinite slope and a square a slope of zero, and their product is NaN. PyTorch defines the
//! slope of norms and standard deviations as zero there; exporters decompose both. Receives a graph, marks its roots.

use std::collections::HashMap;

use crate::card::{Class, Graph, Node, Op};

/// Limit on the operations between a root and its squares.
const BUDGET: usize = 64;

/// Marks every root of a sum of squares.
pub fn mark(graph: &mut Graph) {
    let givers: HashMap<&str, &Node> = graph.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
    let lengths: Vec<bool> = graph
        .nodes
        .iter()
        .map(|node| matches!(node.op, Op::Sqrt { .. }) && is_sum_of_squares(&node.inputs, &givers))
        .collect();
    for (node, is_length) in graph.nodes.iter_mut().zip(lengths) {
        if let Op::Sqrt { of_squares } = &mut node.op {
            *of_squares = is_length;
        }
    }
}

/// Whether these tensors consist of squares, combined by sums, positive factors and rearrangement only.
fn is_sum_of_squares(values: &[String], givers: &HashMap<&str, &Node>) -> bool {
    let mut open: Vec<&str> = values.iter().map(String::as_str).collect();
    let mut left = BUDGET;
    while let Some(node) = open.pop().map(|name| givers.get(name)) {
        let Some(node) = node.filter(|_| left > 0) else { return false };
        left -= 1;
        match (&node.op, &node.inputs[..]) {
            (Op::Pow { exponent }, _) if *exponent > 0.0 && exponent % 2.0 == 0.0 => {}
            (Op::Mul { scalar: None }, [first, second]) if first == second => {}
            (Op::Mul { scalar: Some(factor) } | Op::Div { scalar: Some(factor) }, [of]) if *factor > 0.0 => {
                open.push(of);
            }
            (Op::Maximum { scalar: Some(0.0) }, [of]) => open.push(of),
            (Op::Add { scalar: None }, [first, second]) => open.extend([first.as_str(), second]),
            (op, parts) if keeps_sign(op) => open.extend(parts.iter().map(String::as_str)),
            _ => return false,
        }
    }
    true
}

fn keeps_sign(op: &Op) -> bool {
    match op.class() {
        Class::Window(statistic) | Class::Reduction(statistic) => statistic.is_average(),
        Class::Movement | Class::Join | Class::Nothing => true,
        _ => *op == Op::Relu {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{InputSpec, Layout};

    /// Whether the root at the end of these operations on `x` is a length.
    fn is_length(ops: &[(&str, Op, &[&str])]) -> bool {
        let input =
            InputSpec { name: "x".into(), channels: 3, height: 4, width: 4, layout: Layout::default() };
        let node = |(name, op, inputs): &(&str, Op, &[&str])| Node {
            name: (*name).into(),
            inputs: inputs.iter().map(|input| (*input).into()).collect(),
            params: std::collections::BTreeMap::new(),
            op: op.clone(),
        };
        let mut nodes: Vec<Node> = ops.iter().map(node).collect();
        let last = nodes.last().unwrap().name.clone();
        nodes.push(node(&("root", Op::Sqrt { of_squares: false }, &[last.as_str()])));
        let mut graph = Graph { input, nodes, output: "root".into() };
        mark(&mut graph);
        graph.nodes.last().unwrap().op == (Op::Sqrt { of_squares: true })
    }

    #[test]
    fn a_standard_deviation_that_is_spelled_out_is_a_length() {
        let axes = vec![2, 3];
        assert!(is_length(&[
            ("mean", Op::GlobalAvgPool {}, &["x"]),
            ("centred", Op::Sub { scalar: None }, &["x", "mean"]),
            ("squares", Op::Mul { scalar: None }, &["centred", "centred"]),
            ("variance", Op::ReduceMean { axes, keep_dims: false }, &["squares"]),
            ("unbiased", Op::Mul { scalar: Some(16.0 / 15.0) }, &["variance"]),
        ]));
    }

    #[test]
    fn a_root_of_anything_else_is_none() {
        assert!(!is_length(&[("relu", Op::Relu {}, &["x"])]));
        let powers = [
            ("square", Op::Pow { exponent: 2.0 }, &["x"][..]),
            ("cube", Op::Pow { exponent: 3.0 }, &["x"][..]),
        ];
        let [square, cube] = powers;
        assert!(is_length(std::slice::from_ref(&square)) && !is_length(std::slice::from_ref(&cube)));
        let shifted = ("shifted", Op::Add { scalar: Some(1.0) }, &["square"][..]);
        assert!(!is_length(&[square, shifted]), "its slope at zero is finite");
    }
}
