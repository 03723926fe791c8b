//! From a file of weights to a model: names, layouts, precision, and the card.
//!
//! Receives an [`ImportRequest`], gives [`Imported`]: a card with the whole graph and the tensors with Burn's names
//! and layouts, ready for a burnpack file. Weights that do not fit are refused with a [`Diagnosis`]. The caller
//! writes the file.

mod advice;
mod convert;
mod diagnosis;
mod fit;
mod foreign;
mod from_onnx;
mod head;
mod names;
mod onnx;
mod preprocess;
mod record;
mod safetensors_file;
mod select;
mod source_kind;
mod state_dict;
mod torch;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

pub use diagnosis::{Diagnosis, Missing, WrongShape};
pub use preprocess::{PRESETS, PreprocessRequest, Preset, ResizeRequest};
pub use state_dict::{ElementType, StateDict, StateTensor};

use crate::arch;
use crate::card::{Card, Graph, OutputKind, Preprocess, SCHEMA_VERSION, Source as Provenance, Task};
use crate::digest::hex;
use crate::error::{Error, OptionName, Phrase, Problem, Result};
use crate::pack::Pack;
use fit::{Fitted, Source};
use names::Convention;
use preprocess::assumed;
use source_kind::SourceKind;
use state_dict::file_name;

/// What to import, and how.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    /// The file with the weights.
    pub source: PathBuf,
    /// Name of the architecture, one of [`arch::names`]; excludes [`ImportRequest::card`].
    pub arch: Option<String>,
    /// A card whose graph names the tensors of the file, in Burn's convention; excludes [`ImportRequest::arch`]. It
    /// supplies the defaults of the fields below.
    pub card: Option<Card>,
    /// Number of classes of an architecture. Default: from the last layer's weights.
    pub num_classes: Option<usize>,
    /// Class names by class index. Empty: classes are called by their index.
    pub classes: Vec<String>,
    /// The model's name. Default: the architecture's.
    pub name: Option<String>,
    /// Whether to store weights as `f16` instead of `f32`.
    pub half: bool,
    /// The key of the weights in the file, for example `state_dict`. Default: found by the tensors' names.
    pub key: Option<String>,
    /// Height and width of the input, for an architecture or when an ONNX file leaves them open. Default: from
    /// `adjust`, else the usual ones.
    pub input: Option<[usize; 2]>,
    /// The preprocessing. Default: that of the architecture's published weights.
    pub preprocess: Option<Preprocess>,
    /// Changes to the preprocessing; excludes `preprocess`.
    pub adjust: PreprocessRequest,
    /// Name of the output to explain, for an ONNX file with several. Default: the first that holds class scores.
    pub output_name: Option<String>,
    /// The network's task. Together with [`ImportRequest::output`] it replaces both fields of the card. Default: what
    /// the graph proves, else the usual task for this number of outputs.
    pub task: Option<Task>,
    /// The kind of the outputs. Default: what the graph proves, else logits.
    pub output: Option<OutputKind>,
    /// Whether the file may have tensors that the network does not need. Default: no, because they usually belong to
    /// another network.
    pub allow_unused: bool,
    /// Licence of the weights, for the card.
    pub license: Option<String>,
    /// A note for the card.
    pub note: Option<String>,
}

/// A model ready to be written.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The card, with the whole graph.
    pub card: Card,
    /// The weights in graph order, in Burn's names and layouts, as `f32` or `f16`.
    pub tensors: Vec<burn_pack::Tensor>,
    /// Warnings for the caller, one sentence each.
    pub warnings: Vec<String>,
    /// Assumptions about what the file does not state, one sentence each.
    pub assumptions: Vec<Phrase>,
    /// How the file's tensors fit, with the file's own names and layouts.
    pub diagnosis: Diagnosis,
}

/// Imports a file: an ONNX model, weights of PyTorch or safetensors, a burnpack, or a named record of Burn up to
/// 0.21.
///
/// # Errors
/// When neither or both of architecture and card are given, the architecture is not known, the file is not readable,
/// the weights do not fit (with the [`Diagnosis`] in the message), the class names are too many or too few, or a weight
/// is too great for `f16`.
pub fn import(request: &ImportRequest) -> Result<Imported> {
    let asked = ImportRequest { input: request.input.or(request.adjust.input_size()), ..request.clone() };
    let request = &asked;
    let source = match SourceKind::of(&request.source)? {
        SourceKind::Onnx => return from_onnx::import(request),
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
    match (&request.arch, &request.card) {
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
        (None, None) => Err(no_network().of_model(file)),
    }
}

fn two_networks() -> Problem {
    let hint = Phrase::filled("leave out {} or {}", [OptionName::Arch.drop(), OptionName::Card.drop()]);
    Problem::new("network: both an architecture and a card were given").expected("one of them").hint(hint)
}

fn no_network() -> Problem {
    let options = [OptionName::Arch.set("NAME"), OptionName::Card.set("CARD.json")];
    let hint = Phrase::filled("add {} or {}", options);
    Problem::new("holds weights without a network").expected("an architecture or a card").hint(hint)
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
    let (resolved, _) = super::check(&card, &built.parameters.into_iter().collect(), &file)?;
    let warnings: Vec<String> = leftovers(&diagnosis).into_iter().collect();
    let tensors = convert::convert(&parameters, &weights, request.half)
        .map_err(|problem| Error::model(&file, problem))?;
    assumptions.extend(resolved.spec.assumed);
    Ok(Imported { card, tensors, warnings, assumptions, diagnosis })
}

/// A card for a graph, with the request's metadata and the source.
fn card(request: &ImportRequest, name: String, graph: Graph, preprocess: Preprocess) -> Result<Card> {
    Ok(Card {
        schema_version: SCHEMA_VERSION,
        name: request.name.clone().unwrap_or(name),
        arch: None,
        num_classes: None,
        graph: Some(graph),
        preprocess,
        task: request.task,
        output: request.output,
        classes: request.classes.clone(),
        source: Some(Provenance {
            file: Some(file_name(&request.source)),
            sha256: Some(sha256(&request.source)?),
            license: request.license.clone(),
            note: request.note.clone(),
        }),
    })
}

fn leftovers(diagnosis: &Diagnosis) -> Option<String> {
    let (first, _) = diagnosis.unused.first()?;
    Some(match diagnosis.unused.len() {
        1 => format!("tensor '{first}' of the file is not used"),
        count => format!("{count} tensors of the file are not used, for example '{first}'"),
    })
}

/// SHA-256 of a file in lower-case hexadecimal.
fn sha256(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(Error::io("read", path))? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hex(&hash.finalize()))
}

#[cfg(test)]
mod tests;
