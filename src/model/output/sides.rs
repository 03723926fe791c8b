//! Both sides of a binary output: added nodes that give the score of no and the score of yes.

use std::collections::BTreeMap;

use super::scores::Scores;
use super::spec::FinalActivation;
use crate::card::{Graph, Node, Op};
use crate::error::Problem;

/// Appends the other side of the single score to the graph, `-z` of a logit `z` or `1 - p` of a probability `p`, and
/// joins both to `[batch, 2]`. Returns the index of the joined node.
pub(super) fn append(
    graph: &mut Graph,
    shapes: &mut Vec<Vec<usize>>,
    scores: &Scores,
    own_first: bool,
) -> Result<usize, Problem> {
    let base = graph.nodes[scores.at].name.clone();
    if base == graph.input.name {
        return Err("does nothing to its input".into());
    }
    let mut push = |suffix: &str, op: Op, inputs: &[&str], width: usize| {
        let mut name = format!("{base}.{suffix}");
        while graph.position(&name).is_some() || graph.input.name == name {
            name.push('_');
        }
        let inputs = inputs.iter().map(|input| (*input).to_owned()).collect();
        graph.nodes.push(Node { name: name.clone(), inputs, params: BTreeMap::new(), op });
        shapes.push(vec![1, width]);
        name
    };
    let own = push("yes", Op::Reshape { shape: vec![0, 1] }, &[&base], 1);
    let negative = push("negative", Op::Mul { scalar: Some(-1.0) }, &[&own], 1);
    let other = match scores.activation {
        FinalActivation::Sigmoid => negative,
        _ => push("no", Op::Add { scalar: Some(1.0) }, &[&negative], 1),
    };
    let inputs = if own_first { [own.as_str(), &other] } else { [other.as_str(), &own] };
    push("sides", Op::Concat { axis: 1 }, &inputs, 2);
    Ok(graph.nodes.len() - 1)
}
