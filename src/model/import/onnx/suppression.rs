//! Detectors that end in a choice of boxes: `TopK` or `NonMaxSuppression`, and gathers of what they chose.
//!
//! Receives the graph and the name of an output; returns the name of the tensor with all boxes and classes, or of the two that have them.
//! A choice has no gradient, and its boxes are no longer at their anchors.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::messages::{GraphProto, NodeProto};

/// Layers with weights, behind which a choice is looked for.
const LAYERS: [&str; 4] = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

/// The last tensor before `output` that all of it is chosen from, and a note for the user; `None` where nothing is chosen behind the
/// last layer with weights.
pub(super) fn before(graph: &GraphProto, output: &str) -> Option<(String, String)> {
    before_in(graph, &givers(graph), &moving(graph), output)
}

fn before_in(
    graph: &GraphProto,
    givers: &HashMap<&str, usize>,
    moving: &HashSet<usize>,
    output: &str,
) -> Option<(String, String)> {
    // Nodes stand in the order in which they run, so from the last on each is met after all that read it.
    let mut open = BTreeSet::from([*givers.get(output)?]);
    let mut choice: Option<&NodeProto> = None;
    while let Some(at) = open.pop_last() {
        let node = &graph.node[at];
        if let (true, Some(choice), "Concat" | "Transpose") = (open.is_empty(), choice, node.op_type.as_str())
        {
            let all = node.output.first()?.clone();
            let note = format!(
                "the output '{output}' is a choice of boxes ({}), through which there is no gradient: '{all}', which has all of them, \
                 is explained",
                choice.op_type
            );
            return Some((all, note));
        }
        match node.op_type.as_str() {
            layer if LAYERS.contains(&layer) => return None,
            "TopK" | "NonMaxSuppression" => choice = Some(node),
            _ => {}
        }
        let read = node.input.iter().filter_map(|name| givers.get(name.as_str()));
        // A damaged file may read what comes later.
        open.extend(read.filter(|giver| **giver < at && moving.contains(*giver)));
    }
    None
}

/// What makes one row of the scores of all boxes and classes.
const ROW_OF_ALL: [&str; 5] = ["Flatten", "Reshape", "Squeeze", "ReduceMax", "Identity"];

/// Boxes and scores apart from each other.
pub(super) struct Apart {
    pub(super) boxes: String,
    pub(super) scores: String,
    /// The operation that chooses.
    pub(super) choice: String,
}

/// The boxes that are gathered at the places of the greatest scores, and these scores, as RT-DETR's exports end; `None` where the outputs
/// end otherwise.
pub(super) fn apart(graph: &GraphProto) -> Option<Apart> {
    let givers = givers(graph);
    let moving = moving(graph);
    let giver = |name: &str| givers.get(name).copied().filter(|at| moving.contains(at));
    let outputs = || graph.output.iter().map(|output| output.name.as_str());
    if outputs().any(|output| before_in(graph, &givers, &moving, output).is_some()) {
        return None;
    }
    let mut open: Vec<usize> = outputs().filter_map(giver).collect();
    let mut seen: HashSet<usize> = open.iter().copied().collect();
    let (mut gathered, mut chosen) = (BTreeSet::new(), BTreeSet::new());
    while let Some(at) = open.pop() {
        let node = &graph.node[at];
        let read = match node.op_type.as_str() {
            layer if LAYERS.contains(&layer) => continue,
            "TopK" if chosen.insert(at) => continue,
            "Gather" | "GatherElements" | "GatherND" => {
                gathered.insert(node.input.first()?);
                node.input.get(1..2)?
            }
            _ => &node.input[..],
        };
        open.extend(read.iter().filter_map(|name| giver(name)).filter(|giver| seen.insert(*giver)));
    }
    let (boxes, choice) = (gathered.pop_first()?, chosen.pop_first()?);
    let is_only = gathered.is_empty() && chosen.is_empty() && giver(boxes).is_some();
    let choice = &graph.node[choice];
    let mut scores = choice.input.first()?;
    // What makes one row of all scores. A damaged file may have a circle.
    for _ in 0..graph.node.len() {
        let before = &graph.node[giver(scores)?];
        if !ROW_OF_ALL.contains(&before.op_type.as_str()) {
            break;
        }
        scores = before.input.first()?;
    }
    let choice = choice.op_type.clone();
    is_only.then(|| Apart { boxes: boxes.clone(), scores: scores.clone(), choice })
}

/// The node that gives each tensor.
fn givers(graph: &GraphProto) -> HashMap<&str, usize> {
    let nodes = graph.node.iter().enumerate();
    nodes.flat_map(|(at, node)| node.output.iter().map(move |name| (name.as_str(), at))).collect()
}

/// The nodes that depend on the network's input.
fn moving(graph: &GraphProto) -> HashSet<usize> {
    let stored: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let inputs = graph.input.iter().map(|input| input.name.as_str());
    let mut names: HashSet<&str> = inputs.filter(|name| !stored.contains(name)).collect();
    let mut found = HashSet::new();
    for (at, node) in graph.node.iter().enumerate() {
        if node.input.iter().any(|name| names.contains(name.as_str())) {
            names.extend(node.output.iter().map(String::as_str));
            found.insert(at);
        }
    }
    found
}
