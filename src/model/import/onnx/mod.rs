//! From an ONNX file to a graph and its weights, with the names of the framework that wrote it.
//!
//! Receives a file and what the caller knows about the input, returns [`Lowered`]. The messages ([`messages`]) are
//! decoded, local functions and known branches are inlined, nodes are lowered by one function per operation, and what exporters take apart
//! is joined again ([`passes`]). Nodes keep the names that users know them by.
//!
//! Shapes are inferred for two batch sizes at once ([`constant`]). This shows which sizes depend on the batch: a
//! graph that only works for the exporter's single sample is either generalised or refused.

mod arithmetic;
mod border;
mod boxes;
mod branches;
mod builder;
mod cast;
mod chosen;
mod constant;
mod decision;
mod dynamic;
mod einsum;
mod evaluate;
mod file;
mod fold;
mod functions;
mod input;
mod integers;
mod interpret;
mod known;
mod lanes;
mod literal;
mod live;
mod lower;
mod merged;
mod messages;
mod metadata;
mod names;
mod order;
mod output;
mod parts;
mod places;
mod products;
mod quantised;
mod reduce;
mod sequence;
mod shaped;
mod site;
mod size;
mod stated;
mod step;
mod suppression;
mod walk;

use std::path::Path;

use super::request::KnownInput;
use super::state_dict::file_name;
use crate::builder::{Finished, Weight};
use crate::card::{Graph, Node, Op};
use crate::error::{Error, Phrase, Problem, Result};
use crate::passes;
use file::Source;
use messages::GraphProto;
pub(crate) use metadata::Said;
pub(crate) use stated::is_stated_in;
use walk::Walk;

/// What the caller knows and the file may lack.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Options {
    /// Height and width of the input if the file leaves them open.
    pub(crate) size: Option<[usize; 2]>,
    /// Name of the output to explain if the file has several.
    pub(crate) output: Option<String>,
    /// Values of all inputs but the picture.
    pub(crate) inputs: Vec<KnownInput>,
}

/// A weight as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    /// Row-major, the last axis fastest.
    pub(crate) numbers: Vec<f32>,
}

/// A network read from an ONNX file.
#[derive(Debug)]
pub(crate) struct Lowered {
    /// The graph, its nodes under the names of their framework.
    pub(crate) graph: Graph,
    /// The weights in graph order, in the graph's layouts.
    pub(crate) weights: Vec<Stored>,
    /// The input takes integers, so pictures are not scaled.
    pub(crate) whole: bool,
    /// Assumptions, one sentence each.
    pub(crate) notes: Vec<Phrase>,
    /// What the file says of itself.
    pub(crate) said: Said,
}

/// Reads a file.
///
/// # Errors
/// When it cannot be read, is not ONNX, uses an operation that is not supported (with its name, how often it is used and
/// where), or is no classifier of one picture.
pub(crate) fn open(path: &Path, options: &Options) -> Result<Lowered> {
    let mut source = Source::open(path)?;
    branches::put_in(&mut source, options.size, &options.inputs);
    let joined = match options.output {
        None => boxes::join(&mut source.graph),
        Some(_) => None,
    };
    source.said.has_boxes = joined.is_some();
    lower_all(&source, options, joined).map_err(|problem| Error::model(file_name(path), problem))
}

/// The name of the tensor to explain, and notes about the choice.
fn scores(
    graph: &GraphProto,
    options: &Options,
    joined: Option<(String, Phrase)>,
) -> Result<(String, Vec<Phrase>), Problem> {
    let (output, note) = match joined {
        Some((name, note)) => (name, Some(note)),
        None => output::choose(graph, options.output.as_deref())?,
    };
    let before = decision::scores_before(graph, &output).or_else(|| suppression::before(graph, &output));
    let (output, cut) = match before {
        Some((scores, note)) => (scores, Some(note.into())),
        None => (output, None),
    };
    Ok((output, note.into_iter().chain(cut).collect()))
}

fn lower_all(
    source: &Source,
    options: &Options,
    joined: Option<(String, Phrase)>,
) -> Result<Lowered, Problem> {
    let graph = &source.graph;
    let (output, said_of_output) = scores(graph, options, joined)?;
    let walk = Walk::new(source, &output, known::known(graph, &options.inputs)?)?;
    let input = walk.input()?.ok_or("its output does not depend on an input")?;
    let picture = input::Picture::of(source, input, options.size)?;
    let (mut builder, first) = picture.enter(input, source.room)?;
    let rounded = walk.rounds().then(|| {
        Phrase::from("the file rounds to 8 bits on the way: its weights are read as they are, and nothing else is rounded")
    });
    let last = walk.run(&mut builder, (input, first, picture.whole), &output)?;
    let mut draft = builder.end_at(&last);
    passes::canonicalise(&mut draft);
    let names = names::assign(&draft, &graph.node, input);
    let Finished { graph, weights } = draft.finish(&names, |node, role, _| format!("{node}.{role}"))?;
    let weights = weights.into_iter().map(|(name, Weight { shape, values, .. })| Stored {
        name,
        shape,
        numbers: values,
    });
    Ok(Lowered {
        graph,
        weights: weights.collect(),
        whole: picture.whole,
        said: source.said.clone(),
        notes: said_of_output.into_iter().chain(rounded).chain(picture.notes).collect(),
    })
}

/// Whether the graph scales the pixels before its first layer, so that the card must not. Adding zeros, which repeats
/// axes, does not count.
pub(crate) fn normalizes_itself(graph: &Graph, weights: &[Stored]) -> bool {
    let first_layer =
        graph.nodes.iter().position(|node| matches!(node.op, Op::Conv2d { .. } | Op::Linear {}));
    let before = &graph.nodes[..first_layer.unwrap_or(0)];
    let adds_nothing = |node: &Node| {
        let stored =
            node.params.get("other").and_then(|name| weights.iter().find(|weight| weight.name == *name));
        stored.is_some_and(|weight| weight.numbers.iter().all(|number| *number == 0.0))
    };
    before.iter().any(|node| match node.op {
        Op::BatchNorm { .. } | Op::Div { .. } | Op::Mul { .. } => true,
        Op::Add { .. } | Op::Sub { .. } => !adds_nothing(node),
        _ => false,
    })
}
