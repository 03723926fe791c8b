//! Which nodes of an ONNX graph the scores depend on, and an order for them.
//!
//! Receives the graph and the name of an output; returns positions of nodes. Refuses names that nothing or two nodes
//! give, and cycles. What the nodes do is not looked at.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::messages::{GraphProto, TensorProto};
use crate::error::Problem;

/// Positions of the nodes that lead to `output`, in an order in which they can run. Iterative, because the graph may be
/// too deep for recursion.
pub(super) fn leading_to(
    output: &str,
    graph: &GraphProto,
    weights: &HashMap<&str, &TensorProto>,
) -> Result<Vec<usize>, Problem> {
    let mut givers: HashMap<&str, usize> = HashMap::new();
    for (at, node) in graph.node.iter().enumerate() {
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            if givers.insert(name, at).is_some() {
                return Err(Problem::new(format!(
                    "{} gives '{name}', which an earlier node gives too",
                    node.called()
                )));
            }
        }
    }
    let inputs: HashSet<&str> = graph.input.iter().map(|input| input.name.as_str()).collect();
    let last = givers.get(output).ok_or_else(|| format!("nothing gives its output '{output}'"))?;
    let (mut open, mut found) = (vec![*last], HashSet::from([*last]));
    while let Some(at) = open.pop() {
        let node = &graph.node[at];
        for name in node.input.iter().filter(|name| !name.is_empty()) {
            match givers.get(name.as_str()) {
                Some(giver) if found.insert(*giver) => open.push(*giver),
                Some(_) => {}
                None if weights.contains_key(name.as_str()) || inputs.contains(name.as_str()) => {}
                None => {
                    let known = givers.keys().chain(weights.keys()).chain(&inputs).copied();
                    let problem = format!("{} reads '{name}', which nothing gives", node.called());
                    return Err(Problem::new(problem).near(name, known));
                }
            }
        }
    }
    in_order(graph, &found, &givers)
}

/// The nodes in an order in which they can run: that of the file, except that a node comes after those it reads.
fn in_order(
    graph: &GraphProto,
    needed: &HashSet<usize>,
    givers: &HashMap<&str, usize>,
) -> Result<Vec<usize>, Problem> {
    let mut waiting: HashMap<usize, usize> = HashMap::new();
    let mut readers: HashMap<usize, Vec<usize>> = HashMap::new();
    for at in needed {
        let reads: HashSet<usize> =
            graph.node[*at].input.iter().filter_map(|name| givers.get(name.as_str()).copied()).collect();
        waiting.insert(*at, reads.len());
        reads.into_iter().for_each(|giver| readers.entry(giver).or_default().push(*at));
    }
    let free = waiting.iter().filter(|(_, reads)| **reads == 0);
    let mut ready: BTreeSet<usize> = free.map(|(at, _)| *at).collect();
    let mut order = Vec::with_capacity(needed.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for reader in readers.get(&at).into_iter().flatten() {
            let left = waiting.entry(*reader).or_default();
            *left -= 1;
            if *left == 0 {
                ready.insert(*reader);
            }
        }
    }
    if order.len() < needed.len() {
        let stuck = needed.iter().filter(|at| waiting.get(at) != Some(&0)).min();
        let stuck = stuck.map_or_else(String::new, |at| graph.node[*at].called());
        return Err(Problem::new(format!("has a cycle that {stuck} waits for"))
            .expected("nodes that can run one after the other"));
    }
    Ok(order)
}
