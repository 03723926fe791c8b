//! From an ONNX file to a graph and its weights, with the names of the framework that wrote it.
//!
//! Receives a file or bytes and what the caller knows about the input; hands on [`Lowered`]. `onnx-ir`, Burn's parser,
//! reads the messages. Its own graph is not used: it renames everything, and users know their layers by name. So nodes
//! are lowered here, one function an operation, and what exporters took apart is joined again ([`tidy`]).
//!
//! Shapes are worked out for two batch sizes at once ([`constant`]): what depends on the batch shows, and a graph that
//! only works for the exporter's one sample is either made general or refused.

mod arithmetic;
mod builder;
mod constant;
mod decision;
mod file;
mod fold;
mod functions;
mod input;
mod lower;
mod names;
mod parts;
mod reduce;
mod site;
mod tidy;
mod walk;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use ndarray::ArrayD;

use super::state_dict::file_name;
use crate::card::{Graph, Op};
use crate::error::{Error, Result};
use builder::{Builder, Draft};
use file::Source;
use walk::Walk;

/// What the caller knows and the file may not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Height and width of the input, where the file leaves them open.
    pub(crate) size: Option<[usize; 2]>,
    /// Name of the output to explain, where the file has several.
    pub(crate) output: Option<String>,
}

/// A network that was read from an ONNX file.
#[derive(Debug)]
pub(crate) struct Lowered {
    /// The graph, its nodes under the names of their framework.
    pub(crate) graph: Graph,
    /// The weights in graph order, in the graph's layouts.
    pub(crate) weights: Vec<(String, ArrayD<f32>)>,
    /// What was assumed, one sentence each.
    pub(crate) notes: Vec<String>,
}

/// Reads a file.
///
/// # Errors
/// When it cannot be read, is not ONNX, uses an operation that is not supported (with its name, how often it is used and
/// where), or is no classifier of one picture.
pub(crate) fn open(path: &Path, options: &Options) -> Result<Lowered> {
    let source = Source::open(path)?;
    lower_all(&source, options).map_err(|problem| Error::model(file_name(path), problem))
}

fn lower_all(source: &Source, options: &Options) -> Result<Lowered, String> {
    let graph = &functions::inline(&source.model)?;
    let (output, note) = input::choose_output(graph, options.output.as_deref())?;
    let (output, cut) = match decision::scores_before(graph, &output) {
        Some((scores, note)) => (scores, Some(note)),
        None => (output, None),
    };
    let walk = Walk::new(source, graph, &output)?;
    let input = walk.input()?;
    let mut builder = Builder::default();
    let picture = input::Picture::read(graph, input, options.size)?;
    let first = picture.enter(&mut builder, input)?;
    let last = walk.run(&mut builder, (input, first), &output)?;
    let last = tidy::tidy(&mut builder, &picture.tensor(input), &last)?;
    let names = names::assign(&builder, &graph.node, input);
    let (nodes, weights, output) = named(builder, &names, &last);
    if nodes.is_empty() {
        return Err("does nothing to its input".into());
    }
    let graph = Graph { input: picture.spec(input), nodes, output };
    Ok(Lowered { graph, weights, notes: note.into_iter().chain(cut).chain(picture.notes).collect() })
}

type Finished = (Vec<crate::card::Node>, Vec<(String, ArrayD<f32>)>, String);

/// Puts the final names in place of the provisional ones. A weight is called after the node that takes it first.
fn named(mut builder: Builder, names: &[String], output: &str) -> Finished {
    let values: HashMap<String, &String> =
        builder.drafts.iter().zip(names).map(|(draft, name)| (draft.node.name.clone(), name)).collect();
    let rename = |name: &str| values.get(name).map_or_else(|| name.to_owned(), |name| (*name).clone());
    let mut weights = Vec::new();
    let mut called: BTreeMap<String, String> = BTreeMap::new();
    let mut nodes = Vec::with_capacity(builder.drafts.len());
    for (Draft { mut node, .. }, name) in builder.drafts.into_iter().zip(names) {
        node.inputs = node.inputs.iter().map(|input| rename(input)).collect();
        for (role, key) in &mut node.params {
            if let Some(weight) = builder.weights.remove(key) {
                let tensor = format!("{name}.{role}");
                weights.push((tensor.clone(), weight.values));
                called.insert(key.clone(), tensor);
            }
            if let Some(tensor) = called.get(key) {
                tensor.clone_into(key);
            }
        }
        node.name.clone_from(name);
        nodes.push(node);
    }
    (nodes, weights, rename(output))
}

/// Whether the graph leaves the pixels as they are before its first layer, so that the card must say how to scale them.
pub(crate) fn normalizes_itself(graph: &Graph) -> bool {
    let first_layer =
        graph.nodes.iter().position(|node| matches!(node.op, Op::Conv2d { .. } | Op::Linear {}));
    graph.nodes.iter().take(first_layer.unwrap_or(0)).any(|node| {
        matches!(
            node.op,
            Op::Add { .. } | Op::Sub { .. } | Op::Mul { .. } | Op::Div { .. } | Op::BatchNorm { .. }
        )
    })
}
