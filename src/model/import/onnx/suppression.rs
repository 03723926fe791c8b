//! Detectors that end in a choice of boxes: `TopK` or `NonMaxSuppression`, and gathers of what they chose.
//!
//! Receives the name of an output; returns the name of the tensor with all boxes and classes. A choice has no gradient, and its
//! boxes are no longer at their anchors.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::messages::{GraphProto, NodeProto};

/// The last tensor before `output` that all of it is chosen from, and a note for the user; `None` where nothing is chosen behind the
/// last layer with weights.
pub(super) fn before(graph: &GraphProto, output: &str) -> Option<(String, String)> {
    let givers: HashMap<&str, usize> = graph
        .node
        .iter()
        .enumerate()
        .flat_map(|(at, node)| node.output.iter().map(move |name| (name.as_str(), at)))
        .collect();
    let moving = moving(graph);
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
            "Conv" | "ConvTranspose" | "Gemm" | "MatMul" => return None,
            "TopK" | "NonMaxSuppression" => choice = Some(node),
            _ => {}
        }
        let read = node.input.iter().filter_map(|name| givers.get(name.as_str()));
        // A damaged file may read what comes later.
        open.extend(read.filter(|giver| **giver < at && moving.contains(*giver)));
    }
    None
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
