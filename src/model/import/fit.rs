//! Fits weights to the requested network: an architecture by name, or the graph of a card.
//!
//! Receives a file's tensors; gives [`Fitted`], or refuses with a [`Diagnosis`] that ends with the most likely
//! remedy. Knows neither files nor values.

use std::collections::BTreeSet;

use super::diagnosis::Diagnosis;
use super::names::{Convention, Source, parameters, with_shapes};
use super::preprocess::for_grey;
use super::request::ImportRequest;
use super::select::{self, Selected};
use super::state_dict::{StateDict, StateTensor, file_name};
use super::{advice, head};
use crate::arch::{self, Architecture, Built};
use crate::card::{Card, Graph, Preprocess};
use crate::error::{Error, Phrase, Problem, Result};

/// ImageNet's number of classes, used when neither the weights nor the caller determine it.
const USUAL_CLASSES: usize = 1000;

/// A network and the weights that fit it.
pub(super) struct Fitted {
    pub(super) built: Built,
    /// The network's own name.
    pub(super) name: String,
    /// The usual preprocessing.
    pub(super) preprocess: Preprocess,
    pub(super) weights: StateDict,
    pub(super) diagnosis: Diagnosis,
    /// Assumptions, one sentence each.
    pub(super) assumptions: Vec<Phrase>,
}

/// An architecture for the weights of a file.
struct Candidate {
    built: Built,
    channels: usize,
    selected: Selected,
    diagnosis: Diagnosis,
    assumptions: Vec<Phrase>,
}

/// Fits weights to an architecture.
///
/// # Errors
/// With the diagnosis, when they do not fit, fit another architecture better, or leave tensors unused.
pub(super) fn to_architecture(
    architecture: &Architecture,
    source: &Source,
    request: &ImportRequest,
) -> Result<Fitted> {
    let file = file_name(&request.source);
    let candidate = candidate(architecture, source, request).map_err(|error| match error {
        Trouble::Selection(problem) => Error::model(&file, problem),
        Trouble::Request(error) => error,
    })?;
    let Candidate { built, channels, selected, diagnosis, assumptions } = candidate;
    // A deeper network of the same family has every tensor of a shallower one, so unused tensors need a closer look.
    let better = if diagnosis.is_clean() { None } else { better_architecture(architecture, source) };
    if better.is_some() || !is_acceptable(&diagnosis, request) {
        let hint =
            advice::for_architecture(architecture, &built, &diagnosis, &selected, source, request, better);
        let lead = format!("the weights do not fit '{}': ", architecture.name);
        return Err(diagnosis.with_hint(hint).problem(&lead).of_model(file));
    }
    let classes = built.parameters.last().and_then(|(_, shape)| shape.last().copied()).unwrap_or_default();
    check_class_names(classes, request.classes.len())?;
    let mut preprocess = architecture.preprocess(request.input);
    if channels == 1 {
        preprocess = for_grey(preprocess);
    }
    let name = architecture.name.to_owned();
    Ok(Fitted { built, name, preprocess, weights: selected.weights, diagnosis, assumptions })
}

/// Fits weights to the graph of a card. The required shapes are only known after shape inference.
///
/// # Errors
/// With the diagnosis, when tensors are missing or unused.
pub(super) fn to_graph(
    card: &Card,
    graph: &Graph,
    source: &Source,
    request: &ImportRequest,
) -> Result<Fitted> {
    let file = file_name(&request.source);
    if let Some(classes) = request.num_classes {
        let what = format!("number of classes: {classes} was asked for, but the card's graph has its own");
        return Err(Problem::new(what).hint("leave it out").into());
    }
    let size = [graph.input.height, graph.input.width];
    if let Some([height, width]) = request.adjust.input_size().filter(|asked| *asked != size) {
        let what = format!(
            "input size: {height}x{width} was asked for, but the card's graph takes {}x{}",
            size[0], size[1]
        );
        return Err(Problem::new(what).hint("leave it out").into());
    }
    let named = with_shapes(graph, &StateDict::default(), source.convention);
    let selected = matching(&named, source).map_err(|problem| Error::model(&file, problem))?;
    let built = with_shapes(graph, &selected.weights, source.convention);
    let diagnosis = diagnose(&built, &selected.weights, source.convention);
    if !is_acceptable(&diagnosis, request) {
        let hint = advice::for_card(&diagnosis, &selected, source, request);
        let diagnosis = diagnosis.with_hint(Some(hint));
        return Err(diagnosis.problem("the weights do not fit the card: ").of_model(file));
    }
    Ok(Fitted {
        built,
        name: card.name.clone(),
        preprocess: card.preprocess.clone(),
        weights: selected.weights,
        diagnosis,
        assumptions: vec![],
    })
}

/// Whether weights may be imported: nothing is missing, and nothing is unused unless that was allowed.
fn is_acceptable(diagnosis: &Diagnosis, request: &ImportRequest) -> bool {
    diagnosis.is_clean() || (diagnosis.fits() && request.allow_unused)
}

/// Why weights cannot be compared with an architecture.
enum Trouble {
    Selection(Problem),
    Request(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Request(error)
    }
}

/// Builds an architecture for the weights' number of classes and channels, and compares.
fn candidate(
    architecture: &Architecture,
    source: &Source,
    request: &ImportRequest,
) -> Result<Candidate, Trouble> {
    // Names do not depend on the number of classes.
    let small = architecture.build(1, None)?;
    let mut selected = matching(&small, source).map_err(Trouble::Selection)?;
    let assumptions = head::single_linear(&small, &mut selected.weights, source.convention);
    let channels = head::channels(&small, &selected.weights);
    let classes = class_count(&small, &selected.weights, request);
    let built = architecture.build_for(channels, classes, request.input)?;
    let diagnosis = diagnose(&built, &selected.weights, source.convention);
    Ok(Candidate { built, channels, selected, diagnosis, assumptions: assumptions.into_iter().collect() })
}

/// The tensors of the network, under the names of the source's convention.
fn matching(built: &Built, source: &Source) -> Result<Selected, Problem> {
    let parameters = parameters(built, source.convention);
    let needed: BTreeSet<&str> = parameters.iter().map(|parameter| parameter.source_name.as_str()).collect();
    select::matching(source.tensors.clone(), &needed)
}

/// The requested number, else the length of the last layer's bias, else the number of names.
fn class_count(built: &Built, weights: &StateDict, request: &ImportRequest) -> usize {
    // A classifier's bias has the same name and shape in both conventions.
    let last = built.parameters.last().and_then(|(name, _)| weights.tensors.get(name));
    match last.map(StateTensor::shape) {
        _ if request.num_classes.is_some() => request.num_classes.unwrap_or_default(),
        Some([classes]) if *classes > 0 => *classes,
        _ if !request.classes.is_empty() => request.classes.len(),
        _ => USUAL_CLASSES,
    }
}

/// Compares, ignoring unused counters.
fn diagnose(built: &Built, weights: &StateDict, convention: Convention) -> Diagnosis {
    let expected: Vec<_> = parameters(built, convention)
        .into_iter()
        .map(|parameter| (parameter.source_name.clone(), parameter.source_shape()))
        .collect();
    let mut found = weights.weights();
    found.retain(|(name, _)| !select::is_counter(name));
    Diagnosis::compare(&expected, &found)
}

/// Another architecture that needs exactly these weights.
fn better_architecture(asked: &Architecture, source: &Source) -> Option<&'static Architecture> {
    let exact = |other: &&Architecture| {
        let default = ImportRequest::default();
        other.name != asked.name
            && candidate(other, source, &default).is_ok_and(|candidate| candidate.diagnosis.is_clean())
    };
    arch::ALL.iter().find(exact)
}

fn check_class_names(classes: usize, names: usize) -> Result<()> {
    if names == 0 || names == classes {
        return Ok(());
    }
    let expected = format!("{classes}, one for each class of the weights");
    Err(Problem::expected_but(expected, names.to_string()).after("class names: ").into())
}
