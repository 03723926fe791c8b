//! From a saved Keras model to a graph and its weights, without Python.
//!
//! Receives a `.keras` or `.h5` file with the whole model; returns a card and tensors. The archive or HDF5 file is opened
//! ([`saved`], [`hdf5`]), its configuration read into one form ([`network`]), and the network lowered call by call
//! ([`walk`], [`layers`]) with the weights that belong to each layer ([`weights`]). What the graph decomposes is joined again by
//! the passes that all sources share. Layers keep Keras's names; a model inside of another is a part of their path.

mod calls;
mod family;
mod hdf5;
mod hints;
mod input;
mod layers;
mod names;
mod network;
mod saved;
mod settings;
mod site;
mod walk;
mod weights;

use super::onnx::{Stored, normalizes_itself};
use super::preprocess::{Preset, assumed, preset};
use super::request::{ImportRequest, Imported};
use super::self_contained;
use super::signal;
use super::state_dict::file_name;
use crate::builder::{Builder, Finished, Weight};
use crate::card::{Graph, Op, Preprocess};
use crate::error::{Error, Phrase, Problem, Result};
use crate::passes;
pub(super) use family::known_name;
use network::Network;
use saved::Saved;
use walk::Walk;
use weights::Scope;

/// The version that is assumed where a file has none: only files before Keras 3 lack it.
const USUAL_VERSION: u64 = 2;

/// Imports a saved model.
pub(super) fn import(request: &ImportRequest) -> Result<Imported> {
    let file = file_name(&request.source);
    self_contained::refuse_descriptions(request)?;
    let saved = Saved::open(&request.source)?;
    let Lowered { network, graph, weights, notes: mut assumptions } =
        lower(&saved, request).map_err(|problem| Error::model(&file, problem))?;
    let preprocess = match &request.preprocess {
        _ if graph.input.is_signal() => signal::as_they_are(request, &graph.input, &mut assumptions)?,
        Some(preprocess) => preprocess.clone(),
        None => assume(request, &network, &graph, &weights, &mut assumptions),
    };
    let stem = [".keras", ".h5", ".hdf5"].iter().find_map(|ending| file.strip_suffix(ending));
    self_contained::finish(request, stem.unwrap_or(&file), graph, weights, preprocess, assumptions)
}

/// A network as a graph.
struct Lowered {
    network: Network,
    graph: Graph,
    weights: Vec<Stored>,
    notes: Vec<Phrase>,
}

fn lower(saved: &Saved, request: &ImportRequest) -> Result<Lowered, Problem> {
    let network = Network::read(&saved.config)?;
    let (output, several) = input::output(&network, request.output_name.as_deref())?;
    walk::check_supported(&network)?;
    let (spec, open) = input::read(&network, request.input)?;
    let (name, is_signal) = (spec.name.clone(), spec.is_signal());
    let (mut builder, mut first) = Builder::new(spec, [1]);
    if is_signal {
        // The graph has a row of pixels for the steps, and channels first.
        let steps = builder.unary(Op::Squeeze { axes: vec![2] }, &first)?;
        first = builder.unary(Op::Transpose { perm: vec![0, 2, 1] }, &steps)?;
    }
    let version = saved.version.unwrap_or(USUAL_VERSION);
    let mut walk = Walk { builder, paths: vec![], version, asked_version: false };
    let scope = Scope::of(saved, &network)?;
    let outputs = walk.run(&network, &scope, &[first], &[output], "")?;
    let last = outputs.first().ok_or("has no output")?;
    let assumed_version = (walk.asked_version && saved.version.is_none()).then(|| {
        Phrase::from(
            "the file does not say which version of Keras wrote it: hard_sigmoid is taken as Keras 2 has it",
        )
    });
    let mut draft = walk.builder.end_at(last);
    passes::canonicalise(&mut draft);
    if is_signal && draft.nodes().any(|(at, node)| is_of_pictures(&node.op, draft.shape(at))) {
        let problem = Problem::new(format!("its input '{name}' is a picture without an axis of channels"));
        return Err(problem
            .expected("[batch, height, width, channels]")
            .hint("build it with keras.Input((height, width, 1))"));
    }
    let names = names::assign(&draft, &walk.paths, &name);
    let Finished { graph, weights } = draft.finish(&names, |node, role, _| format!("{node}.{role}"))?;
    let stored = |(name, Weight { shape, values, .. })| Stored { name, shape, numbers: values };
    let notes = several.into_iter().chain(open).chain(assumed_version).collect();
    Ok(Lowered { network, graph, weights: weights.into_iter().map(stored).collect(), notes })
}

/// Whether a layer slides over rows, too: its input is no signal.
fn is_of_pictures(op: &Op, shape: &[usize]) -> bool {
    let slides = matches!(op, Op::Conv2d { .. } | Op::MaxPool2d { .. } | Op::AvgPool2d { .. });
    slides && matches!(shape, [_, _, height, _] if *height > 1)
}

/// The preset that was requested, or that the graph or the network's name suggests, with the caller's changes.
fn assume(
    request: &ImportRequest,
    network: &Network,
    graph: &Graph,
    weights: &[Stored],
    assumptions: &mut Vec<Phrase>,
) -> Preprocess {
    let known =
        || family::known(network).map(|(name, preset)| (preset, format!("a model is called '{name}'")));
    let usual = || (Preset::Tf, "a Keras file does not say how pictures are prepared".to_owned());
    let (chosen, reason) = match request.adjust.preset {
        Some(chosen) => (chosen, None),
        None if normalizes_itself(graph, weights) => {
            (Preset::Raw, Some("the graph normalises its input itself".to_owned()))
        }
        None => {
            let (preset, reason) = known().unwrap_or_else(usual);
            (preset, Some(reason))
        }
    };
    let preprocess =
        request.adjust.apply(preset(chosen, &graph.input), [graph.input.height, graph.input.width]);
    if let Some(reason) = reason {
        assumptions.push(assumed(&reason, &format!("preset '{}'", chosen.name()), &preprocess));
    }
    preprocess
}
