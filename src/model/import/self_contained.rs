//! Files that hold their own network, with its weights: ONNX and Keras models.
//!
//! Receives what an importer made of such a file; gives the model. How a file is read is the importers' business.

use super::convert;
use super::describe::card;
use super::diagnosis::Diagnosis;
use super::onnx::Stored;
use super::request::{ImportRequest, Imported};
use super::state_dict::file_name;
use crate::card::{Graph, Preprocess};
use crate::error::{Error, OptionName, Phrase, Problem, Result};
use crate::fits::check;

/// Refuses options that describe weights without a network.
pub(super) fn refuse_descriptions(request: &ImportRequest) -> Result<()> {
    use OptionName::{Arch, Card, Head, Key, NumClasses, Rename};
    let ImportRequest { arch, card: given, head, rename, num_classes, key, .. } = request;
    let is_about_weights = head.is_some() || !rename.is_empty() || num_classes.is_some() || key.is_some();
    if arch.is_some() || given.is_some() || is_about_weights {
        let problem = Problem::new("holds its own graph and weights, but something was said about them");
        let options = [Arch, Card, Head, Rename, NumClasses, Key].map(OptionName::drop);
        let hint = Phrase::filled("leave out {}, {}, {}, {}, {} and {}", options);
        return Err(problem.hint(hint).of_model(file_name(&request.source)));
    }
    Ok(())
}

/// The model with a card for a graph, checked.
pub(super) fn finish(
    request: &ImportRequest,
    name: &str,
    graph: Graph,
    weights: Vec<Stored>,
    preprocess: Preprocess,
    mut assumptions: Vec<Phrase>,
) -> Result<Imported> {
    let file = file_name(&request.source);
    let shapes = weights.iter().map(|weight| (weight.name.clone(), weight.shape.clone())).collect();
    let mut tensors = Vec::with_capacity(weights.len());
    for Stored { name, shape, numbers } in weights {
        let tensor = convert::store(&name, numbers, shape, request.half);
        tensors.push(tensor.map_err(|problem| Error::model(&file, problem))?);
    }
    let applied = tensors.len();
    let card = card(request, name.to_owned(), graph, preprocess)?;
    let (resolved, warnings) = check(&card, &shapes, &file)?;
    assumptions.extend(resolved.spec.assumed);
    let diagnosis = Diagnosis { applied, ..Diagnosis::default() };
    Ok(Imported { card, tensors, warnings: [warnings, resolved.warnings].concat(), assumptions, diagnosis })
}
