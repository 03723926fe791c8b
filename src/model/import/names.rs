//! The names of a graph's tensors in a source, and whether they are transposed there.
//!
//! Burn calls a batch norm's weight `gamma` and its bias `beta`, and stores linear weights as `[in, out]`, PyTorch as
//! `[out, in]`. Everything else agrees.

use std::collections::{BTreeMap, BTreeSet};

use super::state_dict::StateDict;
use crate::builder::{Built, Derived, Named};
use crate::card::{Graph, Node, Op};

/// The naming and layout convention of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Convention {
    Torch,
    Burn,
}

/// The tensors of a file, and the convention of their names and layouts.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) tensors: StateDict,
    pub(super) convention: Convention,
}

/// A tensor of a graph, in Burn's convention and the source's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    /// Burn's name.
    pub(super) name: String,
    /// Burn's shape.
    pub(super) shape: Vec<usize>,
    /// The source's name.
    pub(super) source_name: String,
    /// Whether the source stores the transpose.
    pub(super) transposed: bool,
    /// How it is made from other tensors of the source.
    pub(super) derived: Option<Derived>,
}

impl Parameter {
    /// The source's shape.
    pub(super) fn source_shape(&self) -> Vec<usize> {
        turned(&self.shape, self.transposed)
    }

    /// Name and shape of the tensors that the source must have for it.
    pub(super) fn sources(&self) -> Vec<Named> {
        match &self.derived {
            Some(derived) => derived.sources.clone(),
            None => vec![(self.source_name.clone(), self.source_shape())],
        }
    }
}

/// The tensors that a graph needs, without duplicates, in graph order.
pub(super) fn parameters(built: &Built, convention: Convention) -> Vec<Parameter> {
    let users: BTreeMap<&str, (&Node, &str)> = built
        .graph
        .nodes
        .iter()
        .flat_map(|node| node.params.iter().map(move |(role, name)| (name.as_str(), (node, role.as_str()))))
        .collect();
    let convert = |(name, shape): &(String, Vec<usize>)| {
        let (op, role) = users.get(name.as_str()).map_or((None, ""), |(node, role)| (Some(&node.op), *role));
        let torch = convention == Convention::Torch;
        Parameter {
            name: name.clone(),
            shape: shape.clone(),
            source_name: if torch { torch_name(name, role) } else { name.clone() },
            transposed: torch && matches!(op, Some(Op::Linear {})) && role == "weight",
            // Burn's own files have the tensors as the graph wants them.
            derived: built.derived.get(name).filter(|_| torch).cloned(),
        }
    };
    built.parameters.iter().map(convert).collect()
}

/// The graph of a card with the tensors that it names, with shapes from `weights`; empty where a tensor is missing.
pub(super) fn with_shapes(graph: &Graph, weights: &StateDict, convention: Convention) -> Built {
    let mut seen = BTreeSet::new();
    let names = graph.nodes.iter().flat_map(|node| node.params.values()).filter(|name| seen.insert(*name));
    let unshaped = names.map(|name| (name.clone(), vec![])).collect();
    let mut built =
        Built { graph: graph.clone(), parameters: unshaped, derived: BTreeMap::new(), heads: vec![] };
    let named = parameters(&built, convention);
    for ((_, shape), parameter) in built.parameters.iter_mut().zip(&named) {
        if let Some(tensor) = weights.tensors.get(&parameter.source_name) {
            *shape = turned(tensor.shape(), parameter.transposed);
        }
    }
    built
}

fn turned(shape: &[usize], transposed: bool) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if transposed {
        shape.reverse();
    }
    shape
}

fn torch_name(name: &str, role: &str) -> String {
    let renamed = match role {
        "gamma" => name.strip_suffix("gamma").map(|module| format!("{module}weight")),
        "beta" => name.strip_suffix("beta").map(|module| format!("{module}bias")),
        _ => None,
    };
    renamed.unwrap_or_else(|| name.to_owned())
}

/// Renames weights to today's module names.
///
/// torchvision's DenseNet weights are older than its module names: `denselayer1.norm.1.weight` is now
/// `denselayer1.norm1.weight`.
pub(super) fn modern_names(weights: StateDict) -> StateDict {
    let rename = |(name, tensor): (String, _)| (modern_name(&name).unwrap_or(name), tensor);
    StateDict { tensors: weights.tensors.into_iter().map(rename).collect(), ..weights }
}

fn modern_name(name: &str) -> Option<String> {
    let (before, rest) = name.split_once(".denselayer")?;
    let parts: Vec<&str> = rest.split('.').collect();
    match parts[..] {
        [layer, kind @ ("norm" | "conv"), number @ ("1" | "2"), tensor] => {
            Some(format!("{before}.denselayer{layer}.{kind}{number}.{tensor}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_old_densenet_weights_are_brought_up_to_date() {
        let old = "features.denseblock1.denselayer12.norm.2.running_var";
        let new = "features.denseblock1.denselayer12.norm2.running_var";
        assert_eq!(modern_name(old).as_deref(), Some(new));
        assert_eq!(modern_name(new), None);
        assert_eq!(modern_name("layer1.0.conv.1.weight"), None);
    }
}
