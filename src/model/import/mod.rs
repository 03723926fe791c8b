//! From a file of weights to a model: names, layouts, precision, and the card.
//!
//! Receives an [`ImportRequest`], gives [`Imported`]: a card with the whole graph and the tensors with Burn's names
//! and layouts, ready for a burnpack file. Weights that do not fit are refused with a [`Diagnosis`]. The caller
//! writes the file.

mod advice;
mod candidate;
mod convert;
mod decode;
mod describe;
mod diagnosis;
mod element;
mod fit;
mod foreign;
mod from_onnx;
mod head;
mod head_parts;
mod keras;
mod kinds;
mod name_room;
mod names;
mod neighbours;
mod onnx;
mod padding;
mod preprocess;
mod recognise;
mod record;
mod request;
mod safetensors_file;
mod screen;
mod select;
mod self_contained;
mod signal;
mod source_kind;
mod state_dict;
mod torch;
mod unique;

pub use diagnosis::{Diagnosis, Missing, WrongShape};
pub use head::HeadRequest;
pub use preprocess::{PreprocessRequest, Preset, ResizeRequest};
pub use request::{ImportRequest, Imported, KnownInput};

use crate::arch;
use crate::card::Card;
use crate::error::{Error, OptionName, Phrase, Problem, Result};
use crate::fits::check;
use crate::pack::Pack;
use describe::card;
use fit::Fitted;
use names::{Convention, Source};
use preprocess::assumed;
use source_kind::SourceKind;
use state_dict::{StateDict, file_name};

/// Imports a file: an ONNX or Keras model, weights of PyTorch or safetensors, a burnpack, or a named record of Burn up to
/// 0.21.
///
/// # Errors
/// When both architecture and card are given, the architecture is not known or, with neither, not recognised, the file is not readable,
/// the weights do not fit (with the [`Diagnosis`] in the message), the class names are too many or too few, or a weight
/// is too great for `f16`.
pub fn import(request: &ImportRequest) -> Result<Imported> {
    let (asked, notes) = neighbours::read(request);
    let asked = ImportRequest { input: asked.input.or(asked.adjust.input_size()), ..asked };
    let mut imported = import_from(&asked)?;
    imported.assumptions.splice(0..0, notes);
    Ok(imported)
}

fn import_from(request: &ImportRequest) -> Result<Imported> {
    let source = match SourceKind::of(&request.source)? {
        SourceKind::Onnx => return from_onnx::import(request),
        SourceKind::Keras => return keras::import(request),
        SourceKind::StateDict => Source {
            tensors: names::modern_names(StateDict::open(&request.source)?),
            convention: Convention::Torch,
        },
        SourceKind::Burnpack => Source {
            tensors: StateDict::from_pack(Pack::open(&request.source)?.weights()?.into_tensors()),
            convention: Convention::Burn,
        },
        SourceKind::Record { encoding, gzip } => {
            Source { tensors: record::read(&request.source, encoding, gzip)?, convention: Convention::Burn }
        }
    };
    import_weights(request, source)
}

/// Weights alone do not describe a network: an architecture or a card must.
fn import_weights(request: &ImportRequest, mut source: Source) -> Result<Imported> {
    let file = file_name(&request.source);
    if let Some(output) = &request.output_name {
        let problem = Problem::new(format!("holds weights, but its output '{output}' was asked for"));
        let hint = Phrase::filled("leave out {}", [OptionName::OutputName.drop()]);
        return Err(problem.hint(hint).of_model(file));
    }
    if let Some(key) = &request.key {
        source.tensors =
            select::under_key(source.tensors, key).map_err(|problem| Error::model(&file, problem))?;
    }
    source.tensors =
        select::renamed(source.tensors, &request.rename).map_err(|problem| Error::model(&file, problem))?;
    match (&request.arch, &request.card) {
        (None, None) => recognised(request, &source),
        (Some(arch), None) if recognise::is_asked(arch) => recognised(request, &source),
        (Some(arch), None) => {
            finish(request, &source, fit::to_architecture(arch::find(arch)?, &source, request)?)
        }
        (None, Some(card)) => {
            let request = with_defaults(request, card);
            match (&card.arch, &card.graph) {
                (Some(arch), _) => {
                    let fitted = fit::to_architecture(arch::find(arch)?, &source, &request)?;
                    finish(&request, &source, Fitted { preprocess: card.preprocess.clone(), ..fitted })
                }
                (None, Some(graph)) => {
                    finish(&request, &source, fit::to_graph(card, graph, &source, &request)?)
                }
                (None, None) => {
                    Err(Problem::new("card: has neither 'arch' nor 'graph'").expected("one of them").into())
                }
            }
        }
        (Some(_), Some(_)) => Err(two_networks().into()),
    }
}

/// The architecture is the one whose tensors the file has.
fn recognised(request: &ImportRequest, source: &Source) -> Result<Imported> {
    let (architecture, candidate, said) = recognise::architecture(source, request)?;
    let mut fitted = fit::finished(architecture, candidate, source, request)?;
    if architecture.has_small_stem() {
        fitted.assumptions.insert(0, fit::small_stem(architecture));
    }
    fitted.assumptions.insert(0, said);
    let note = format!("recognised as {} by its tensors", architecture.name);
    let note = request.note.clone().or(Some(note));
    finish(&ImportRequest { note, ..request.clone() }, source, fitted)
}

fn two_networks() -> Problem {
    let hint = Phrase::filled("leave out {} or {}", [OptionName::Arch.drop(), OptionName::Card.drop()]);
    Problem::new("network: both an architecture and a card were given").expected("one of them").hint(hint)
}

/// The request, with the card's values where the request has none.
fn with_defaults(request: &ImportRequest, card: &Card) -> ImportRequest {
    let mut request = request.clone();
    request.num_classes = request.num_classes.or(card.num_classes);
    if request.classes.is_empty() {
        request.classes.clone_from(&card.classes);
    }
    request.name.get_or_insert_with(|| card.name.clone());
    if request.task.is_none() && request.output.is_none() {
        (request.task, request.output) = (card.task, card.output);
    }
    request.input = request.input.or_else(|| card.preprocess.output_size());
    let source = card.source.clone().unwrap_or_default();
    request.license = request.license.or(source.license);
    request.note = request.note.or(source.note);
    request
}

/// Converts weights that fit.
fn finish(request: &ImportRequest, source: &Source, fitted: Fitted) -> Result<Imported> {
    let file = file_name(&request.source);
    let Fitted { built, name, preprocess, weights, diagnosis, mut assumptions } = fitted;
    let parameters = names::parameters(&built, source.convention);
    let usual = request.adjust.change(preprocess, &built.graph.input);
    let preprocess = request.preprocess.clone().unwrap_or(usual);
    if request.card.is_none() && request.preprocess.is_none() && request.adjust.preset.is_none() {
        let reason = "weights do not say how pictures are prepared";
        assumptions.push(assumed(reason, &format!("the way of {name}'s published weights"), &preprocess));
    }
    let card = card(request, name, built.graph, preprocess)?;
    let (resolved, _) = check(&card, &built.parameters.into_iter().collect(), &file)?;
    let warnings: Vec<String> = leftovers(&diagnosis).into_iter().collect();
    let tensors = convert::convert(&parameters, &weights, request.half)
        .map_err(|problem| Error::model(&file, problem))?;
    assumptions.extend(resolved.spec.assumed);
    Ok(Imported { card, tensors, warnings, assumptions, diagnosis })
}

fn leftovers(diagnosis: &Diagnosis) -> Option<String> {
    let (first, _) = diagnosis.unused.first()?;
    Some(match diagnosis.unused.len() {
        1 => format!("tensor '{first}' of the file is not used"),
        count => format!("{count} tensors of the file are not used, for example '{first}'"),
    })
}

#[cfg(test)]
mod tests;
