//! PyTorch's names and layouts for the tensors of a graph.
//!
//! Burn calls a batch norm's weight `gamma` and its bias `beta`, and keeps linear weights as `[in, out]`, where
//! PyTorch has `[out, in]`. Everything else agrees.

use std::collections::BTreeMap;

use super::state_dict::StateDict;
use crate::card::{Node, Op};
use crate::model::builder::Built;

/// A tensor of a graph under both conventions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    /// Burn's name.
    pub(super) name: String,
    /// Burn's shape.
    pub(super) shape: Vec<usize>,
    /// PyTorch's name.
    pub(super) torch_name: String,
    /// Whether PyTorch has rows and columns the other way round.
    pub(super) transposed: bool,
}

impl Parameter {
    /// PyTorch's shape.
    pub(super) fn torch_shape(&self) -> Vec<usize> {
        let mut shape = self.shape.clone();
        if self.transposed {
            shape.reverse();
        }
        shape
    }
}

/// The tensors that a graph needs, in its order.
pub(super) fn parameters(built: &Built) -> Vec<Parameter> {
    let users: BTreeMap<&str, (&Node, &str)> = built
        .graph
        .nodes
        .iter()
        .flat_map(|node| node.params.iter().map(move |(role, name)| (name.as_str(), (node, role.as_str()))))
        .collect();
    let convert = |(name, shape): &(String, Vec<usize>)| {
        let (op, role) = users.get(name.as_str()).map_or((None, ""), |(node, role)| (Some(&node.op), *role));
        Parameter {
            name: name.clone(),
            shape: shape.clone(),
            torch_name: torch_name(name, role),
            transposed: matches!(op, Some(Op::Linear {})) && role == "weight",
        }
    };
    built.parameters.iter().map(convert).collect()
}

fn torch_name(name: &str, role: &str) -> String {
    let renamed = match role {
        "gamma" => name.strip_suffix("gamma").map(|module| format!("{module}weight")),
        "beta" => name.strip_suffix("beta").map(|module| format!("{module}bias")),
        _ => None,
    };
    renamed.unwrap_or_else(|| name.to_owned())
}

/// Gives weights the names of today's modules.
///
/// The DenseNet weights that torchvision hands out are older than its module names: `denselayer1.norm.1.weight` is now
/// `denselayer1.norm1.weight`.
pub(super) fn modern_names(weights: StateDict) -> StateDict {
    let rename = |(name, tensor): (String, _)| (modern_name(&name).unwrap_or(name), tensor);
    StateDict { tensors: weights.tensors.into_iter().map(rename).collect() }
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
