//! Heads and stems that differ from the published network's and are fully described by their weights.
//!
//! A head that is a list of modules with a single linear layer (such as a dropout and the layer) computes the same as
//! the layer. A first convolution of one channel takes grey pictures. All other differences need a graph.

use super::names::Convention;
use super::state_dict::StateDict;
use crate::arch::Built;
use crate::card::Op;
use crate::error::Phrase;

/// The module of the last layer, for example `fc`.
pub(super) fn last_layer(built: &Built) -> Option<&str> {
    built.parameters.last().and_then(|(name, _)| name.strip_suffix(".bias"))
}

/// Renames the only linear layer of a head to the architecture's name, and notes the assumption.
pub(super) fn single_linear(
    built: &Built,
    weights: &mut StateDict,
    convention: Convention,
) -> Option<Phrase> {
    let head = last_layer(built)?;
    let is_linear =
        built.graph.nodes.iter().any(|node| node.name == head && matches!(node.op, Op::Linear {}));
    if convention != Convention::Torch
        || !is_linear
        || weights.tensors.contains_key(&format!("{head}.weight"))
    {
        return None;
    }
    // `classifier.1` may be the second module of a head that only consists of this layer.
    let parent = head.rsplit_once('.').map(|(parent, _)| parent).filter(|parent| {
        let inside = built.parameters.iter().filter(|(name, _)| is_within(name, parent));
        inside.count() == 2
    });
    let found = [Some(head), parent].into_iter().flatten().find_map(|module| only_child(weights, module))?;
    for role in ["weight", "bias"] {
        let tensor = weights.tensors.remove(&format!("{found}.{role}"))?;
        weights.tensors.insert(format!("{head}.{role}"), tensor);
    }
    let what = format!(
        "'{found}' is the only layer of the head with weights: taken for '{head}', since a dropout next to it changes nothing"
    );
    Some(what.into())
}

fn is_within(name: &str, module: &str) -> bool {
    name.strip_prefix(module).is_some_and(|rest| rest.starts_with('.'))
}

/// `MODULE.N`, if the tensors in `module` are its weight and bias.
fn only_child(weights: &StateDict, module: &str) -> Option<String> {
    let floats = weights.weights();
    let inside: Vec<&str> =
        floats.iter().filter_map(|(name, _)| name.strip_prefix(module)?.strip_prefix('.')).collect();
    let [bias, weight] = inside[..] else { return None };
    let number = weight.strip_suffix(".weight")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && bias.strip_suffix(".bias") == Some(number)).then(|| format!("{module}.{number}"))
}

/// Number of channels of the pictures: 1 if the first convolution has one input channel, else 3.
pub(super) fn channels(built: &Built, weights: &StateDict) -> usize {
    let first = built.parameters.first();
    let found = first.and_then(|(name, _)| weights.tensors.get(name)).map(|tensor| tensor.shape());
    match (first.map(|(_, shape)| shape.as_slice()), found) {
        (Some([out, _, height, width]), Some(found)) if found == [*out, 1, *height, *width] => 1,
        _ => 3,
    }
}
