//! Both sides of a binary output: added nodes that give the score of no and the score of yes.

use std::collections::BTreeMap;

use super::activation::FinalActivation;
use super::scores::Scores;
use crate::card::{Graph, Node, Op, ValueId};

/// Appends the other side of the single score to the graph, `-z` of a logit `z` or `1 - p` of a probability `p`, and
/// joins both to `[batch, 2]`. Returns the index of the joined node.
pub(super) fn append(
    graph: &mut Graph,
    shapes: &mut Vec<Vec<usize>>,
    scores: &Scores,
    own_first: bool,
) -> usize {
    let base = graph.nodes[scores.at].name.clone();
    let mut push = |suffix: &str, op: Op, inputs: &[ValueId], width: usize| {
        let name = free_name(graph, format!("{base}.{suffix}"));
        graph.nodes.push(Node { name, inputs: inputs.to_vec(), params: BTreeMap::new(), op });
        shapes.push(vec![1, width]);
        graph.nodes.len() - 1
    };
    let of = ValueId::of_node;
    let own = of(push("yes", Op::Reshape { shape: vec![0, 1] }, &[of(scores.at)], 1));
    let negative = of(push("negative", Op::Mul { scalar: Some(-1.0) }, &[own], 1));
    let other = match scores.activation {
        FinalActivation::Sigmoid => negative,
        _ => of(push("no", Op::Add { scalar: Some(1.0) }, &[negative], 1)),
    };
    let inputs = if own_first { [own, other] } else { [other, own] };
    push("sides", Op::Concat { axis: 1, at: 0 }, &inputs, 2)
}

/// A name for a new node that no tensor of the graph has.
pub(super) fn free_name(graph: &Graph, mut wanted: String) -> String {
    while graph.position(&wanted).is_some() || graph.input.name == wanted {
        wanted.push('_');
    }
    wanted
}
