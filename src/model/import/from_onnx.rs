//! From an ONNX file to a model: the graph and weights as [`onnx`](super::onnx) reads them, and a card around them.

use crate::card::{Card, Graph, InputSpec, Preprocess, SCHEMA_VERSION, Source};
use crate::error::{Error, Result};

use super::onnx::{self, Lowered, Options};
use super::preprocess::{Preset, describe, preset};
use super::state_dict::file_name;
use super::{Diagnosis, ImportRequest, Imported, convert};

/// Imports an ONNX file.
pub(super) fn import(request: &ImportRequest, sha256: String) -> Result<Imported> {
    let file = file_name(&request.source);
    if let Some(arch) = &request.arch {
        return Err(Error::request(format!(
            "architecture '{arch}': an ONNX file holds its own graph (leave out --arch)"
        )));
    }
    let whole = request.preprocess.as_ref().and_then(Preprocess::output_size);
    let options =
        Options { size: request.adjust.input_size().or(whole), output: request.output_name.clone() };
    let Lowered { graph, weights, notes: mut assumptions } = onnx::open(&request.source, &options)?;
    let preprocess = match &request.preprocess {
        Some(preprocess) => preprocess.clone(),
        None => assume(request, &graph, &mut assumptions),
    };
    let mut tensors = Vec::with_capacity(weights.len());
    for (name, values) in weights {
        let shape = values.shape().to_vec();
        let (numbers, _) = values.into_raw_vec_and_offset();
        let tensor = convert::store(&name, numbers, shape, request.half);
        tensors.push(tensor.map_err(|problem| Error::model(&file, problem))?);
    }
    let applied = tensors.len();
    let card = Card {
        schema_version: SCHEMA_VERSION,
        name: request.name.clone().unwrap_or_else(|| stem(&file)),
        arch: None,
        num_classes: None,
        graph: Some(graph),
        preprocess,
        output: None,
        classes: request.classes.clone(),
        source: Some(Source {
            file: Some(file),
            sha256: Some(sha256),
            license: request.license.clone(),
            note: request.note.clone(),
        }),
    };
    let diagnosis = Diagnosis { applied, ..Diagnosis::default() };
    Ok(Imported { card, tensors, warnings: vec![], assumptions, diagnosis })
}

/// The preset that was asked for or that the graph suggests, with what the caller says otherwise.
fn assume(request: &ImportRequest, graph: &Graph, assumptions: &mut Vec<String>) -> Preprocess {
    let InputSpec { height, width, layout, .. } = graph.input;
    let (chosen, reason) = match request.adjust.preset {
        Some(chosen) => (chosen, None),
        None if onnx::normalizes_itself(graph) => {
            (Preset::Raw, Some("the graph normalises its input itself"))
        }
        None if layout == crate::card::Layout::ChannelsLast => {
            (Preset::Tf, Some("channels come last, as in Keras"))
        }
        None => (Preset::Imagenet, Some("an ONNX file does not say how pictures are prepared")),
    };
    let preprocess = request.adjust.apply(preset(chosen, &graph.input), [height, width]);
    if let Some(reason) = reason {
        assumptions.push(format!(
            "{reason}: preset '{}' ({}); --preset, --resize, --mean, --std, --scale and --color say otherwise",
            chosen.name(),
            describe(&preprocess)
        ));
    }
    preprocess
}

fn stem(file: &str) -> String {
    file.strip_suffix(".onnx").unwrap_or(file).to_owned()
}
