//! From an ONNX file to a graph and its weights, with the names of the framework that wrote it.
//!
//! Receives a file and what the caller knows about the input, returns [`Lowered`]. The messages ([`messages`]) are
//! decoded, local functions are inlined, nodes are lowered by one function per operation, and what exporters take apart
//! is joined again ([`tidy`]). Nodes keep the names that users know them by.
//!
//! Shapes are worked out for two batch sizes at once ([`constant`]): what depends on the batch shows, and a graph that
//! only works for the exporter's one sample is either made general or refused.

mod arithmetic;
mod border;
mod builder;
mod cast;
mod constant;
mod decision;
mod file;
mod fold;
mod functions;
mod input;
mod lanes;
mod lower;
mod messages;
mod names;
mod output;
mod parts;
mod reduce;
mod site;
mod tidy;
mod walk;
mod whole;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use ndarray::ArrayD;

use super::state_dict::file_name;
use crate::card::{Graph, Node, Op};
use crate::error::{Error, Phrase, Result};
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

/// A weight as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    /// Row-major, the last axis fastest.
    pub(crate) numbers: Vec<f32>,
}

impl Stored {
    /// Arrays that were sliced, tiled, turned or joined keep their numbers in another order than the one they are read
    /// in, so numbers leave an array through its iterator and never as its memory (`.clippy.toml` refuses that).
    fn new(name: String, values: ArrayD<f32>) -> Self {
        Self { name, shape: values.shape().to_vec(), numbers: values.into_iter().collect() }
    }
}

/// A network that was read from an ONNX file.
#[derive(Debug)]
pub(crate) struct Lowered {
    /// The graph, its nodes under the names of their framework.
    pub(crate) graph: Graph,
    /// The weights in graph order, in the graph's layouts.
    pub(crate) weights: Vec<Stored>,
    /// Its input takes whole numbers only, so that pictures enter as they are.
    pub(crate) whole: bool,
    /// What was assumed, one sentence each.
    pub(crate) notes: Vec<Phrase>,
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
    let graph = &source.graph;
    let (output, note) = output::choose(graph, options.output.as_deref())?;
    let (output, cut) = match decision::scores_before(graph, &output) {
        Some((scores, note)) => (scores, Some(note.into())),
        None => (output, None),
    };
    let walk = Walk::new(source, &output)?;
    let input = walk.input()?;
    let mut builder = Builder::default();
    let picture = input::Picture::read(graph, input, options.size)?;
    let first = picture.enter(&mut builder, input)?;
    let last = walk.run(&mut builder, (input, first, picture.whole), &output)?;
    let last = tidy::tidy(&mut builder, &picture.tensor(input), &last)?;
    let names = names::assign(&builder, &graph.node, input);
    let (nodes, weights, output) = named(builder, &names, &last);
    if nodes.is_empty() {
        return Err("does nothing to its input".into());
    }
    let graph = Graph { input: picture.spec(input), nodes, output };
    Ok(Lowered {
        graph,
        weights,
        whole: picture.whole,
        notes: note.into_iter().chain(cut).chain(picture.notes).collect(),
    })
}

type Finished = (Vec<Node>, Vec<Stored>, String);

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
                weights.push(Stored::new(tensor.clone(), weight.values));
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

/// Whether the graph changes the pixels' scale before its first layer, so that the card must not. Adding nothing, by which
/// axes are repeated, and constants that lie beside the picture do not.
pub(crate) fn normalizes_itself(graph: &Graph, weights: &[Stored]) -> bool {
    let first_layer =
        graph.nodes.iter().position(|node| matches!(node.op, Op::Conv2d { .. } | Op::Linear {}));
    let before = &graph.nodes[..first_layer.unwrap_or(0)];
    let nothing = Op::Mul { scalar: Some(0.0) };
    let is_constant = |node: &Node| {
        let of = |input: &String| before.iter().any(|giver| giver.name == *input && giver.op == nothing);
        node.inputs.iter().any(of)
    };
    let adds_nothing = |node: &Node| {
        let stored =
            node.params.get("other").and_then(|name| weights.iter().find(|weight| weight.name == *name));
        stored.is_some_and(|weight| weight.numbers.iter().all(|number| *number == 0.0))
    };
    before.iter().any(|node| match node.op {
        Op::BatchNorm { .. } | Op::Div { .. } => true,
        Op::Mul { .. } => node.op != nothing,
        Op::Add { .. } | Op::Sub { .. } => !is_constant(node) && !adds_nothing(node),
        _ => false,
    })
}
