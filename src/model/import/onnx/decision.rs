//! Graphs that end in a decision: `ArgMax`, `TopK` or a threshold.
//!
//! Receives the name of an output; returns the name of the scores that the decision depends on. A decision has no
//! gradient, so the scores are explained instead.

use std::collections::HashMap;

use super::messages::{GraphProto, NodeProto};

/// Operations allowed between a decision and the output.
const PASSES: [&str; 6] = ["Cast", "Identity", "Squeeze", "Unsqueeze", "Reshape", "Flatten"];

/// The scores before `output`, and a note for the user; `None` if it is not a decision.
pub(super) fn scores_before(graph: &GraphProto, output: &str) -> Option<(String, String)> {
    let givers: HashMap<&str, &NodeProto> = graph
        .node
        .iter()
        .flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)))
        .collect();
    let is_constant = |name: &str| {
        graph.initializer.iter().any(|tensor| tensor.name == name)
            || givers.get(name).is_some_and(|node| node.op_type == "Constant")
    };
    let mut node = *givers.get(output)?;
    // Bounds the walk: a damaged file may have a circle.
    for _ in 0..graph.node.len() {
        let first = node.input.first()?;
        let scores = match node.op_type.as_str() {
            op if PASSES.contains(&op) => {
                node = *givers.get(first.as_str())?;
                continue;
            }
            "ArgMax" | "TopK" | "Round" => first,
            "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" => {
                node.input.iter().find(|name| !is_constant(name))?
            }
            _ => return None,
        };
        let note = format!(
            "the output '{output}' is a decision ({}), through which there is no gradient: '{scores}', which it is made of, \
             is explained",
            node.op_type
        );
        return givers.contains_key(scores.as_str()).then(|| (scores.clone(), note));
    }
    None
}
