//! Chooses the output to explain.

use std::collections::{HashMap, HashSet};

use super::cast::is_real;
use super::messages::{GraphProto, NodeProto, ValueInfoProto};
use crate::error::{OptionName, Phrase, Problem};

/// The requested output, or the one that looks like scores; adds a note if there were others.
pub(super) fn choose(graph: &GraphProto, asked: Option<&str>) -> Result<(String, Option<Phrase>), Problem> {
    let names: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    let first = *names.first().ok_or("has no output")?;
    match asked {
        Some(name) => match tensor(graph, name) {
            Some(found) => Ok((found.into(), None)),
            None => {
                let problem =
                    Problem::new(format!("has no output '{name}'")).near(name, names.iter().copied());
                let problem = problem.known("its outputs are", names);
                Err(problem.hint("tensors inside the graph may be named too, and nodes for what they give"))
            }
        },
        None => {
            let (chosen, reason) = scores(graph).unwrap_or((first, "the first"));
            let others: Vec<&str> = names.iter().copied().filter(|name| *name != chosen).collect();
            let others = others.join(", ");
            let note = format!("the file has several outputs: '{chosen}' is taken, {reason}, not {others} (");
            let note = Phrase::from(note).option(OptionName::OutputName).text(" chooses)");
            Ok((chosen.into(), (names.len() > 1).then_some(note)))
        }
    }
}

/// The tensor of this name, anywhere in the graph, or else the first that the node of this name gives.
fn tensor<'a>(graph: &'a GraphProto, name: &str) -> Option<&'a str> {
    let outputs = graph.output.iter().map(|output| &output.name);
    let inner = graph.node.iter().flat_map(|node| &node.output);
    let called = graph.node.iter().filter(|node| node.name == name).filter_map(|node| node.output.first());
    let of_name = outputs.chain(inner).find(|own| *own == name);
    of_name.or_else(|| called.into_iter().next()).map(String::as_str).filter(|found| !found.is_empty())
}

/// Scores have one number per class and are at the end of the network. An output from which a layer computes scores
/// is features.
fn scores(graph: &GraphProto) -> Option<(&str, &'static str)> {
    let listed: Vec<&str> = graph
        .output
        .iter()
        .filter(|output| may_be_scores(output))
        .map(|output| output.name.as_str())
        .collect();
    let weighted = read_by_layers(graph, &listed);
    let chosen = listed.iter().copied().find(|name| !weighted.contains(name))?;
    let first = graph.output.first().is_some_and(|output| output.name == chosen);
    Some((chosen, if first { "the first" } else { "the first that has one number a class" }))
}

/// Whether the shape is unknown, or `[batch]` or `[batch, classes]` of real numbers, with optional axes of size 1 at
/// the end.
fn may_be_scores(output: &ValueInfoProto) -> bool {
    let Some(tensor) = output.tensor() else { return true };
    if tensor.elem_type != 0 && is_real(i64::from(tensor.elem_type)) != Some(true) {
        return false;
    }
    let Some(shape) = tensor.shape.as_ref() else { return true };
    shape.dim.iter().skip(2).all(|side| side.dim_value == Some(1))
}

/// The values from which one of `outputs` is computed by at least one layer with weights.
pub(super) fn read_by_layers<'a>(graph: &'a GraphProto, outputs: &[&'a str]) -> HashSet<&'a str> {
    let givers: HashMap<&str, &NodeProto> = graph
        .node
        .iter()
        .flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)))
        .collect();
    let mut open: Vec<(&str, bool)> = outputs.iter().map(|name| (*name, false)).collect();
    let mut seen: HashSet<(&str, bool)> = HashSet::new();
    while let Some((name, weighted)) = open.pop() {
        let Some(node) = givers.get(name) else { continue };
        let weighted = weighted || matches!(node.op_type.as_str(), "Gemm" | "MatMul" | "Conv");
        for input in node.input.iter().map(String::as_str) {
            if seen.insert((input, weighted)) {
                open.push((input, weighted));
            }
        }
    }
    seen.into_iter().filter(|(_, weighted)| *weighted).map(|(name, _)| name).collect()
}
