//! Finds square roots that are lengths: roots of sums of squares, as in norms and standard deviations.
//!
//! At zero a root has an infinite slope and a square a slope of zero, and their product is NaN. PyTorch defines the
//! slope of norms and standard deviations as zero there; exporters decompose both. Receives a graph, marks its roots.

use crate::card::{Class, Graph, Node, Op, ValueId};

/// Limit on the operations between a root and its squares.
const BUDGET: usize = 64;

/// Marks every root of a sum of squares.
pub fn mark(graph: &mut Graph) {
    let is_length =
        |node: &Node| matches!(node.op, Op::Sqrt { .. }) && is_sum_of_squares(&node.inputs, graph);
    let lengths: Vec<bool> = graph.nodes.iter().map(is_length).collect();
    for (node, is_length) in graph.nodes.iter_mut().zip(lengths) {
        if let Op::Sqrt { of_squares } = &mut node.op {
            *of_squares = is_length;
        }
    }
}

/// Whether these tensors consist of squares, combined by sums, positive factors and rearrangement only.
fn is_sum_of_squares(values: &[ValueId], graph: &Graph) -> bool {
    let mut open = values.to_vec();
    let mut left = BUDGET;
    while let Some(id) = open.pop() {
        // A sum over a whole network is no length; without a limit every root would walk all of it.
        let Some(node) = graph.node(id).filter(|_| left > 0) else { return false };
        left -= 1;
        match (&node.op, &node.inputs[..]) {
            (Op::Pow { exponent }, _) if *exponent > 0.0 && exponent % 2.0 == 0.0 => {}
            (Op::Mul { scalar: None }, [first, second]) if first == second => {}
            (Op::Mul { scalar: Some(factor) } | Op::Div { scalar: Some(factor) }, [of]) if *factor > 0.0 => {
                open.push(*of);
            }
            (Op::Add { scalar: None }, [first, second]) => open.extend([*first, *second]),
            // What is joined to them is stored and may be negative.
            (op, parts) if keeps_sign(op) && node.params.is_empty() => open.extend(parts),
            _ => return false,
        }
    }
    true
}

fn keeps_sign(op: &Op) -> bool {
    match op.class() {
        Class::Window(statistic) | Class::Reduction(statistic) => statistic.is_average(),
        Class::Movement | Class::Join | Class::Nothing => true,
        _ => op.clip() == Some([0.0, f64::INFINITY]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{InputSpec, Layout};

    /// Whether the root of the last of these operations is a length. Each reads what it names: the input is 0, an operation the
    /// number of those up to it.
    fn is_length(ops: &[(Op, &[usize])]) -> bool {
        let input =
            InputSpec { name: "x".into(), channels: 3, height: 4, width: 4, layout: Layout::default() };
        let id = |at: usize| at.checked_sub(1).map_or(ValueId::INPUT, ValueId::of_node);
        let node = |(op, inputs): &(Op, &[usize])| Node {
            name: String::new(),
            inputs: inputs.iter().map(|input| id(*input)).collect(),
            params: std::collections::BTreeMap::new(),
            op: op.clone(),
        };
        let mut nodes: Vec<Node> = ops.iter().map(node).collect();
        nodes.push(node(&(Op::Sqrt { of_squares: false }, &[ops.len()])));
        let mut graph = Graph { input, nodes, output: ValueId::of_node(ops.len()) };
        mark(&mut graph);
        graph.nodes.last().unwrap().op == (Op::Sqrt { of_squares: true })
    }

    #[test]
    fn a_standard_deviation_that_is_spelled_out_is_a_length() {
        let axes = vec![2, 3];
        let (mean, centred, squares, variance) = (1, 2, 3, 4);
        assert!(is_length(&[
            (Op::GlobalAvgPool {}, &[0]),
            (Op::Sub { scalar: None }, &[0, mean]),
            (Op::Mul { scalar: None }, &[centred, centred]),
            (Op::ReduceMean { axes, keep_dims: false }, &[squares]),
            (Op::Mul { scalar: Some(16.0 / 15.0) }, &[variance]),
        ]));
    }

    #[test]
    fn a_root_of_anything_else_is_none() {
        assert!(!is_length(&[(Op::Relu {}, &[0])]));
        let [square, cube] = [2.0, 3.0].map(|exponent| (Op::Pow { exponent }, &[0][..]));
        assert!(is_length(std::slice::from_ref(&square)) && !is_length(std::slice::from_ref(&cube)));
        let shifted = (Op::Add { scalar: Some(1.0) }, &[1][..]);
        assert!(!is_length(&[square, shifted]), "its slope at zero is finite");
    }
}
