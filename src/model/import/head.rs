//! Heads and stems that differ from the published network's.
//!
//! Receives an architecture's graph and the tensors of a file; gives the head that stands in the place of the
//! architecture's own, and says what weights do not: the function between two linear layers. A head with one linear layer
//! computes the same as the layer, since a dropout next to it changes nothing. A first convolution of one channel takes
//! grey pictures.

use std::str::FromStr;

use super::head_parts::{Kind, Part, parts};
use super::names::{self, Convention};
use super::state_dict::StateDict;
use crate::arch::Built;
use crate::builder::{ACTIVATIONS, Activation, Head, HeadLayer};
use crate::card::Op;
use crate::error::{Error, OptionName, Phrase};

/// What the caller says about the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadRequest {
    /// One linear layer, with or without a dropout before it, under any name.
    Linear,
    /// Linear layers with this function between them; `None` takes the rectifier, and says so.
    Mlp(Option<Activation>),
}

impl FromStr for HeadRequest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let kinds = ["linear", "dropout-linear", "mlp", "mlp:ACTIVATION"];
        match text.split_once(':') {
            None if text == "linear" || text == "dropout-linear" => Ok(Self::Linear),
            None if text == "mlp" => Ok(Self::Mlp(None)),
            Some(("mlp", activation)) => activation.parse().map(|activation| Self::Mlp(Some(activation))),
            _ => Err(Error::unknown("head", text, kinds)),
        }
    }
}

/// A head in the place of an architecture's own.
pub(super) struct Changed {
    pub(super) head: Head,
    /// What was assumed.
    pub(super) note: Option<Phrase>,
    /// Names of the linear layers between which something stands that neither the weights nor the caller say.
    pub(super) unsaid: Option<[String; 2]>,
}

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

/// The head that the weights have in the place of the architecture's own; `None` when it is its own, or none that can be
/// read from names and shapes. The innermost module that fits is taken.
pub(super) fn changed(
    built: &Built,
    weights: &StateDict,
    convention: Convention,
    asked: Option<HeadRequest>,
) -> Option<Changed> {
    if convention != Convention::Torch || is_own(built, weights) {
        return None;
    }
    // The innermost first: it leaves most of the network's own head as it is.
    built.heads.iter().rev().find_map(|module| {
        let width = input_width(built, module)?;
        let parts = parts(weights, module, width)?;
        let linear = parts.iter().filter(|part| matches!(part.kind, Kind::Linear { .. })).count();
        match (linear, asked) {
            (1, Some(HeadRequest::Linear)) => Some(as_they_are(module, &parts)),
            // A layer in the place of a whole list.
            (1, None) if parts.len() == 1 && parts[0].name == *module => Some(as_they_are(module, &parts)),
            (2.., None | Some(HeadRequest::Mlp(_))) => with_functions(module, &parts, asked),
            _ => None,
        }
    })
}

/// Whether the weights have the tensors of the architecture's own head, for any number of classes.
fn is_own(built: &Built, weights: &StateDict) -> bool {
    let Some(module) = built.heads.first() else { return true };
    let last = built.heads.last().map_or("", String::as_str);
    let parameters = names::parameters(built, Convention::Torch);
    let mut own = parameters.iter().filter(|parameter| is_within(&parameter.source_name, module));
    own.all(|parameter| {
        let Some(found) = weights.tensors.get(&parameter.source_name) else { return false };
        let (needed, found) = (parameter.source_shape(), found.shape());
        // The first axis of the last layer is the number of classes.
        let from = usize::from(is_within(&parameter.source_name, last));
        needed.len() == found.len() && needed[from..] == found[from..]
    })
}

/// Number of features that a module of the architecture's head receives.
fn input_width(built: &Built, module: &str) -> Option<usize> {
    let (_, shape) = built.parameters.iter().find(|(name, _)| is_within(name, module))?;
    shape.first().copied()
}

fn layer(part: &Part) -> (String, HeadLayer) {
    let layer = match part.kind {
        Kind::Linear { outputs, bias, .. } => HeadLayer::Linear { outputs, bias },
        Kind::BatchNorm(_) => HeadLayer::BatchNorm,
        Kind::LayerNorm(_) => HeadLayer::LayerNorm,
    };
    (part.name.clone(), layer)
}

fn as_they_are(module: &str, parts: &[Part]) -> Changed {
    let head = Head { module: module.to_owned(), layers: parts.iter().map(layer).collect() };
    let words = format!("the head '{module}' is taken for {}", described(&head));
    Changed { head, note: Some(words.into()), unsaid: None }
}

/// With a function in each gap between two linear layers; `None` when there are two places for it.
fn with_functions(module: &str, parts: &[Part], asked: Option<HeadRequest>) -> Option<Changed> {
    let said = match asked {
        Some(HeadRequest::Mlp(said)) => said,
        _ => None,
    };
    let activation = said.unwrap_or(Activation::Relu);
    let mut layers = Vec::new();
    let mut unsaid = None;
    // The linear layer before, and whether a function stands after it already.
    let mut before: Option<(&Part, bool)> = None;
    for (at, part) in parts.iter().enumerate() {
        if let (Some((linear, done)), true) = (before, at > 0 && part.has_gap_before) {
            // Two gaps after one linear layer: weights do not say in which of them the function stands.
            if done {
                return None;
            }
            layers.push((parts[at - 1].next_name(module), HeadLayer::Activation(activation)));
            unsaid = unsaid.or_else(|| Some([linear.name.clone(), String::new()]));
            before = Some((linear, true));
        }
        if matches!(part.kind, Kind::Linear { .. }) {
            if let Some([_, second]) = unsaid.as_mut().filter(|[_, second]| second.is_empty()) {
                second.clone_from(&part.name);
            }
            before = Some((part, false));
        }
        layers.push(layer(part));
    }
    let head = Head { module: module.to_owned(), layers };
    let words = format!("the head '{module}' is taken for {}", described(&head));
    let note = match (said, &unsaid) {
        (None, Some(_)) => Phrase::from(format!("{words}: weights do not say the function; "))
            .set(OptionName::Head, "mlp:ACTIVATION")
            .text(" does"),
        _ => words.into(),
    };
    // Asked for as an MLP the function is assumed and noted; unasked it is an error with a way out.
    let unsaid = unsaid.filter(|_| asked.is_none());
    Some(Changed { head, note: Some(note), unsaid })
}

/// `linear 'fc.0' to 256, relu, linear 'fc.3' to 10`.
fn described(head: &Head) -> String {
    let words = head.layers.iter().map(|(name, layer)| match layer {
        HeadLayer::Linear { outputs, .. } => format!("linear '{name}' to {outputs}"),
        HeadLayer::BatchNorm => format!("batch norm '{name}'"),
        HeadLayer::LayerNorm => format!("layer norm '{name}'"),
        HeadLayer::Activation(activation) => activation.to_string(),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// What to say when the function between two layers is open.
pub(super) fn way_out([first, second]: &[String; 2]) -> Phrase {
    let usual = ACTIVATIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    Phrase::from(format!("weights do not say what stands between '{first}' and '{second}': use "))
        .set(OptionName::Head, "mlp:relu")
        .text(format!(" or another of {usual}, as in the program that trained it"))
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
