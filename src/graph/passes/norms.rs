//! Normalisations that a source decomposes, for operator sets or libraries that lack them.
//!
//! | formula | operation |
//! |---|---|
//! | `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon)` over the last axis, times gamma, plus beta | layer norm |
//! | the same of `x` in the shape `[batch, groups, -1]`, or a norm of each group there, and back to the shape of `x` | group norm |
//! | a group norm without gamma or beta, times or plus one number per channel | group norm with that |

use std::collections::BTreeMap;

use super::constant::per_channel;
use super::formula::{mean, sqrt, square, x, y};
use super::pattern::{Found, Pattern};
use crate::card::{Op, ValueId};
use crate::draft::{Draft, DraftNode, WeightId};

/// `y / sqrt(mean(y^2) + epsilon)` with `y = x - mean(x)`.
fn standardised() -> Pattern {
    (x() - mean(x())).named(1) / sqrt(mean(square(y())).plus_number())
}

/// Replaces every formula; the node that ends it becomes the norm.
pub(super) fn join(draft: &mut Draft) {
    let standardised = standardised();
    for id in draft.ids() {
        let Some(node) = draft.node(id) else { continue };
        match node.op {
            Op::Add { scalar: None } => {
                // The longer formula first: a sum that ends a layer norm is no beta of a group norm.
                let is_layer_norm = layer_norm(draft, id, &standardised);
                if !is_layer_norm {
                    take_parameter(draft, id, "beta");
                }
            }
            Op::Mul { scalar: None } => drop(take_parameter(draft, id, "gamma")),
            Op::Reshape { .. } | Op::Flatten { .. } => drop(group_norm(draft, id, &standardised)),
            _ => {}
        }
    }
}

/// The one operand of arithmetic with a parameter, and the parameter.
fn with_parameter(node: &DraftNode) -> Option<(ValueId, WeightId)> {
    match (&node.inputs[..], node.params.get("other")) {
        ([input], Some(other)) => Some((*input, *other)),
        _ => None,
    }
}

/// `last` adds beta to what gamma multiplies.
fn layer_norm(draft: &mut Draft, last: ValueId, standardised: &Pattern) -> bool {
    let Some((source, params, epsilon)) = spelled_out(draft, last, standardised) else { return false };
    draft.replace(last, Op::LayerNorm { epsilon }, vec![source], params);
    true
}

fn spelled_out(
    draft: &Draft,
    last: ValueId,
    standardised: &Pattern,
) -> Option<(ValueId, BTreeMap<&'static str, WeightId>, f64)> {
    let (scaled, beta) = with_parameter(draft.node(last)?)?;
    let scaled = draft.node(scaled).filter(|node| node.op == Op::Mul { scalar: None })?;
    let (divided, gamma) = with_parameter(scaled)?;
    let Found { tensors: [source, _], axes, number } = standardised.find(draft, divided)?;
    let (source, epsilon) = (source?, number?);
    let (last_axis, side) = draft.shape(source).iter().copied().enumerate().next_back()?;
    let listed = |id: WeightId| draft.weight(id).shape == [side];
    // A mean over several last axes, or over others, is another norm than this operation.
    let fits = axes? == [last_axis] && listed(gamma) && listed(beta);
    fits.then(|| (source, [("gamma", gamma), ("beta", beta)].into(), epsilon))
}

/// `last` reshapes normalised groups back to what was reshaped into groups.
fn group_norm(draft: &mut Draft, last: ValueId, standardised: &Pattern) -> Option<()> {
    let normed = *draft.node(last)?.inputs.first()?;
    let (open, epsilon) = match draft.node(normed)? {
        norm @ DraftNode { op: Op::GroupNorm { groups, epsilon }, inputs, .. } => {
            let open = *inputs.first()?;
            let fits = is_plain(draft, norm) && draft.shape(open).get(1) == Some(groups);
            fits.then_some((open, *epsilon))?
        }
        _ => {
            let found = standardised.find(draft, normed)?;
            (found.axes? == [2]).then_some((found.tensors[0]?, found.number?))?
        }
    };
    let opened =
        draft.node(open).filter(|node| matches!(node.op, Op::Reshape { .. } | Op::Flatten { .. }))?;
    let source = *opened.inputs.first()?;
    let (&[_, groups, _], [_, channels, _, ..]) = (draft.shape(open), draft.shape(source)) else {
        return None;
    };
    let fits = draft.shape(source) == draft.shape(last) && channels.is_multiple_of(groups);
    fits.then(|| draft.replace(last, Op::GroupNorm { groups, epsilon }, vec![source], BTreeMap::new()))
}

/// Whether a norm only normalises: its gamma is one and its beta zero.
fn is_plain(draft: &Draft, norm: &DraftNode) -> bool {
    let all = |role: &str, value: f32| {
        draft.weight_of(norm, role).is_none_or(|weight| is_all(&weight.values, value))
    };
    all("gamma", 1.0) && all("beta", 0.0)
}

fn is_all(values: &[f32], value: f32) -> bool {
    !values.is_empty() && values.iter().all(|own| *own == value)
}

/// Makes the constant that `at` multiplies or adds the gamma or beta of the group norm before it, which has none.
fn take_parameter(draft: &mut Draft, at: ValueId, role: &'static str) -> Option<()> {
    let (input, constant) = with_parameter(draft.node(at)?)?;
    let norm = draft.node(input).filter(|_| draft.only_reader(input) == Some(at))?;
    let Op::GroupNorm { .. } = norm.op else { return None };
    // A norm's beta is not multiplied by a gamma that comes after it.
    let is_free = match role {
        "gamma" => is_plain(draft, norm),
        _ => draft.weight_of(norm, "beta").is_none_or(|beta| is_all(&beta.values, 0.0)),
    };
    let shape = draft.shape(at);
    let (channels, rank) = (*shape.get(1)?, shape.len());
    if !is_free || draft.shape(input) != shape {
        return None;
    }
    let weight = per_channel(draft.weight(constant), channels, rank - 2)?;
    let (op, inputs, mut params) = (norm.op.clone(), norm.inputs.clone(), norm.params.clone());
    params.insert(role, draft.store(weight));
    draft.replace(at, op, inputs, params);
    Some(())
}
