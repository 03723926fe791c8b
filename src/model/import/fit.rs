//! Whether weights fit the network that was asked for: an architecture by name, or the graph of a card.
//!
//! Receives the table of a file's tensors, hands on [`Fitted`], or refuses with a [`Diagnosis`] that ends with what is
//! most likely to help. Knows neither files nor numbers.

use std::collections::BTreeSet;

use super::diagnosis::Diagnosis;
use super::names::{Convention, parameters, with_shapes};
use super::select;
use super::state_dict::{StateDict, StateTensor};
use super::{ImportRequest, file_name};
use crate::card::{Card, Graph, Preprocess};
use crate::error::{Error, Result};
use crate::model::arch::{self, Architecture, Built};

/// Number of classes when neither the weights nor the caller say it: ImageNet's.
const USUAL_CLASSES: usize = 1000;

/// The tensors of a file, in whose names and layouts they are.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) tensors: StateDict,
    pub(super) convention: Convention,
}

/// A network and the weights that fit it.
pub(super) struct Fitted {
    pub(super) built: Built,
    /// The network's own name.
    pub(super) name: String,
    /// How its pictures are usually prepared.
    pub(super) preprocess: Preprocess,
    pub(super) weights: StateDict,
    pub(super) diagnosis: Diagnosis,
}

/// Fits weights to an architecture.
///
/// # Errors
/// With the diagnosis, when they do not fit, or fit another architecture better.
pub(super) fn to_architecture(
    architecture: &Architecture,
    source: &Source,
    request: &ImportRequest,
) -> Result<Fitted> {
    let file = file_name(&request.source);
    let weights = choose(architecture, source).map_err(|problem| Error::model(&file, problem))?;
    let classes = class_count(architecture, &weights, request)?;
    let built = architecture.build(classes, request.input)?;
    let diagnosis = diagnose(&built, &weights, source.convention);
    // A deeper network of the family has every tensor of a shallower one: leftovers need a second look.
    let better = if diagnosis.is_clean() { None } else { better_architecture(architecture, source) };
    if !diagnosis.fits() || better.is_some() {
        let hint = match (better, source.convention) {
            (Some(better), _) => format!("the weights fit --arch {}", better.name),
            (None, Convention::Torch) => "does --arch name the right architecture?".into(),
            (None, Convention::Burn) => {
                "does --arch name the right architecture? Modules with other names need a card, see --spec"
                    .into()
            }
        };
        let diagnosis = advise(diagnosis, hint, better.is_some(), &weights);
        let problem = format!("the weights do not fit '{}': {diagnosis}", architecture.name);
        return Err(Error::model(file, problem));
    }
    check_class_names(classes, request.classes.len())?;
    let preprocess = architecture.preprocess(request.input);
    Ok(Fitted { built, name: architecture.name.to_owned(), preprocess, weights, diagnosis })
}

/// Fits weights to the graph of a card. Which shapes it needs is known only once it is run through.
///
/// # Errors
/// With the diagnosis, when tensors are missing.
pub(super) fn to_graph(
    card: &Card,
    graph: &Graph,
    source: &Source,
    request: &ImportRequest,
) -> Result<Fitted> {
    let file = file_name(&request.source);
    if let Some(classes) = request.num_classes {
        return Err(Error::request(format!(
            "number of classes: {classes} was asked for, but the card's graph has its own (leave it out)"
        )));
    }
    let named = with_shapes(graph, &StateDict::default(), source.convention);
    let weights = matching(&named, source).map_err(|problem| Error::model(&file, problem))?;
    let built = with_shapes(graph, &weights, source.convention);
    let diagnosis = diagnose(&built, &weights, source.convention);
    if !diagnosis.fits() {
        let diagnosis =
            advise(diagnosis, "are the names in the card those of the file?".into(), false, &weights);
        return Err(Error::model(file, format!("the weights do not fit the card: {diagnosis}")));
    }
    Ok(Fitted { built, name: card.name.clone(), preprocess: card.preprocess.clone(), weights, diagnosis })
}

/// The tensors that belong to the network, under the names that the source's convention has for them.
fn choose(architecture: &Architecture, source: &Source) -> Result<StateDict, String> {
    // Names do not depend on the number of classes.
    let built = architecture.build(1, None).map_err(|error| error.to_string())?;
    matching(&built, source)
}

fn matching(built: &Built, source: &Source) -> Result<StateDict, String> {
    let parameters = parameters(built, source.convention);
    let needed: BTreeSet<&str> = parameters.iter().map(|parameter| parameter.source_name.as_str()).collect();
    select::matching(source.tensors.clone(), &needed)
}

/// What was asked for, or else the length of the last layer's bias, or else the number of names.
fn class_count(architecture: &Architecture, weights: &StateDict, request: &ImportRequest) -> Result<usize> {
    if let Some(classes) = request.num_classes {
        return Ok(classes);
    }
    let built = architecture.build(1, None)?;
    // A classifier's bias has the same name and shape in both conventions.
    let last = built.parameters.last().and_then(|(name, _)| weights.tensors.get(name));
    Ok(match last.map(StateTensor::shape) {
        Some([classes]) if *classes > 0 => *classes,
        _ if !request.classes.is_empty() => request.classes.len(),
        _ => USUAL_CLASSES,
    })
}

fn diagnose(built: &Built, weights: &StateDict, convention: Convention) -> Diagnosis {
    let expected: Vec<_> = parameters(built, convention)
        .into_iter()
        .map(|parameter| (parameter.source_name.clone(), parameter.source_shape()))
        .collect();
    Diagnosis::compare(&expected, &weights.weights())
}

/// Another architecture that needs exactly these weights.
fn better_architecture(asked: &Architecture, source: &Source) -> Option<&'static Architecture> {
    let exact = |other: &&Architecture| {
        other.name != asked.name
            && choose(other, source).is_ok_and(|weights| {
                let classes = class_count(other, &weights, &ImportRequest::default());
                let built = classes.and_then(|classes| other.build(classes, None));
                built.is_ok_and(|built| diagnose(&built, &weights, source.convention).is_clean())
            })
    };
    arch::ALL.iter().find(exact)
}

/// Adds the one thing that is most likely to help: `hint`, if it is `certain` or nothing else is known.
fn advise(mut diagnosis: Diagnosis, hint: String, certain: bool, weights: &StateDict) -> Diagnosis {
    let integers = diagnosis.missing.iter().find(|missing| weights.tensors.contains_key(&missing.name));
    match integers {
        Some(integers) if !certain => diagnosis
            .hints
            .push(format!("tensor '{}' holds integers: quantised weights cannot be imported", integers.name)),
        None if !certain && !diagnosis.hints.is_empty() => {}
        _ => diagnosis.hints.push(hint),
    }
    diagnosis
}

fn check_class_names(classes: usize, names: usize) -> Result<()> {
    if names == 0 || names == classes {
        return Ok(());
    }
    Err(Error::request(format!(
        "class names: expected {classes}, one for each class of the weights, got {names}"
    )))
}
