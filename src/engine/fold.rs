//! From a graph and stored weights to steps on a device, with batch norm folded where its input is not needed.
//!
//! A batch norm in evaluation mode is `x s + t` per channel, with `s = gamma / sqrt(running_var + epsilon)` and `t =
//! beta - running_mean s`. Directly after a convolution with no other consumer it is folded into that convolution:
//! weights times `s`, bias times `s` plus `t`. A convolution to be explained keeps its own output.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use burn::tensor::Device;

use super::step::{Floats, Source, Step};
use crate::card::{Graph, Node, Op};
use crate::error::Result;
use crate::model::Weights;

/// Steps up to node `last`, in graph order. The outputs of the nodes in `kept` stay as in the graph.
pub(super) fn plan(
    graph: &Graph,
    last: usize,
    kept: &[usize],
    weights: &Arc<Weights>,
    device: &Device,
) -> Vec<Step> {
    let slots: HashMap<&str, usize> = std::iter::once((graph.input.name.as_str(), 0))
        .chain(graph.nodes.iter().enumerate().map(|(at, node)| (node.name.as_str(), at + 1)))
        .collect();
    let folded = foldable(graph, last, kept);
    let mut steps = Vec::new();
    for (at, node) in graph.nodes.iter().enumerate().take(last + 1) {
        if folded.values().any(|convolution| *convolution == at) {
            continue;
        }
        let (node, norm) = match folded.get(&at) {
            Some(convolution) => (&graph.nodes[*convolution], Some(node.clone())),
            None => (node, None),
        };
        let inputs = node.inputs.iter().filter_map(|name| slots.get(name.as_str()).copied()).collect();
        let source =
            Source { node: node.clone(), norm, weights: Arc::clone(weights), device: device.clone() };
        steps.push(Step::new(inputs, at + 1, source));
    }
    steps
}

/// Batch norm -> the convolution before it, if nothing else reads the convolution's output.
fn foldable(graph: &Graph, last: usize, kept: &[usize]) -> HashMap<usize, usize> {
    let mut readers: HashMap<&str, usize> = HashMap::new();
    for node in &graph.nodes[..=last] {
        for input in &node.inputs {
            *readers.entry(input).or_default() += 1;
        }
    }
    let nodes = graph.nodes.iter().enumerate().take(last + 1);
    nodes
        .filter(|(_, node)| matches!(node.op, Op::BatchNorm { .. }))
        .filter_map(|(at, node)| Some((at, graph.position(node.inputs.first()?)?)))
        .filter(|(_, before)| {
            let node = &graph.nodes[*before];
            matches!(node.op, Op::Conv2d { .. })
                && readers.get(node.name.as_str()) == Some(&1)
                && !kept.contains(before)
                && *before != last
        })
        .collect()
}

/// A node's parameters.
pub(super) fn floats_of(node: &Node, weights: &Weights) -> Result<Floats> {
    if let Op::BatchNorm { .. } = node.op {
        let (scale, shift) = scale_and_shift(node, weights)?;
        let shape = vec![scale.len()];
        let narrow = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect();
        return Ok(BTreeMap::from([
            ("scale".to_owned(), (narrow(scale), shape.clone())),
            ("shift".to_owned(), (narrow(shift), shape)),
        ]));
    }
    node.params.iter().map(|(role, name)| Ok((role.clone(), weights.floats(name)?))).collect()
}

/// A convolution's parameters with the following batch norm folded in.
pub(super) fn folded_floats(convolution: &Node, norm: &Node, weights: &Weights) -> Result<Floats> {
    let mut floats = floats_of(convolution, weights)?;
    let (scale, shift) = scale_and_shift(norm, weights)?;
    if let Some((values, shape)) = floats.get_mut("weight") {
        let per_channel = shape[1..].iter().product();
        for (filter, scale) in values.chunks_mut(per_channel).zip(&scale) {
            filter.iter_mut().for_each(|weight| *weight = (f64::from(*weight) * scale) as f32);
        }
    }
    let old = floats.remove("bias").map_or_else(|| vec![0.0; scale.len()], |(values, _)| values);
    let new = old.iter().zip(scale.iter().zip(&shift));
    let bias: Vec<f32> =
        new.map(|(bias, (scale, shift))| (f64::from(*bias) * scale + shift) as f32).collect();
    let shape = vec![bias.len()];
    floats.insert("bias".to_owned(), (bias, shape));
    Ok(floats)
}

/// Factor and shift per channel, in double precision.
fn scale_and_shift(norm: &Node, weights: &Weights) -> Result<(Vec<f64>, Vec<f64>)> {
    let epsilon = if let Op::BatchNorm { epsilon } = norm.op { epsilon } else { 0.0 };
    let read = |role: &str| weights.floats(&norm.params[role]).map(|(values, _)| values);
    let (gamma, beta) = (read("gamma")?, read("beta")?);
    let (mean, variance) = (read("running_mean")?, read("running_var")?);
    let scale: Vec<f64> = gamma
        .iter()
        .zip(&variance)
        .map(|(gamma, variance)| f64::from(*gamma) / (f64::from(*variance) + epsilon).sqrt())
        .collect();
    let shift = beta
        .iter()
        .zip(mean.iter().zip(&scale))
        .map(|(beta, (mean, scale))| f64::from(*beta) - f64::from(*mean) * scale)
        .collect();
    Ok((scale, shift))
}
