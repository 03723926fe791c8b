//! Fits weights to the requested network: an architecture by name, or the graph of a card.
//!
//! Receives a file's tensors; gives [`Fitted`], or refuses with a [`Diagnosis`] that ends with the most likely
//! remedy. Knows neither files nor values.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnosis::{Diagnosis, WrongShape};
use super::names::{Convention, Parameter, Source, parameters, with_shapes};
use super::preprocess::for_grey;
use super::request::ImportRequest;
use super::select::{self, Selected};
use super::state_dict::{StateDict, StateTensor, file_name};
use super::{advice, head};
use crate::arch::{self, Architecture, Built};
use crate::builder::Head;
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
pub(super) struct Candidate {
    pub(super) built: Built,
    channels: usize,
    /// Height and width, where these are not the published ones.
    input: Option<[usize; 2]>,
    selected: Selected,
    pub(super) diagnosis: Diagnosis,
    assumptions: Vec<Phrase>,
    /// As in [`head::Changed`].
    unsaid: Option<[String; 2]>,
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
    let with_file = |error| match error {
        Trouble::Selection(problem) => Error::model(&file, problem),
        Trouble::Request(error) => error,
    };
    let candidate = candidate(architecture, source, request).map_err(with_file)?;
    let small = arch::small_stem(architecture).filter(|_| !candidate.diagnosis.is_clean());
    if let Some(fitted) = small.and_then(|small| with_small_stem(small, source, request)) {
        return Ok(fitted);
    }
    let Candidate { built, channels, input, selected, diagnosis, assumptions, unsaid } = candidate;
    // A deeper network of the same family has every tensor of a shallower one, so unused tensors need a closer look.
    let better = if diagnosis.is_clean() { None } else { better_architecture(architecture, source) };
    let lead = format!("the weights do not fit '{}': ", architecture.name);
    if better.is_some() || !is_acceptable(&diagnosis, request) {
        let hint =
            advice::for_architecture(architecture, &built, &diagnosis, &selected, source, request, better);
        return Err(diagnosis.with_hint(hint).problem(&lead).of_model(file));
    }
    if let Some(layers) = unsaid {
        let what = format!("{lead}its head has other layers");
        return Err(Problem::new(what).hint(head::way_out(&layers)).of_model(file));
    }
    let classes = built.parameters.last().and_then(|(_, shape)| shape.last().copied()).unwrap_or_default();
    check_class_names(classes, request.classes.len())?;
    let mut preprocess = architecture.preprocess(input);
    if channels == 1 {
        preprocess = for_grey(preprocess);
    }
    let name = architecture.name.to_owned();
    Ok(Fitted { built, name, preprocess, weights: selected.weights, diagnosis, assumptions })
}

/// The same network with a first convolution for small pictures, if the weights fit that.
fn with_small_stem(small: &Architecture, source: &Source, request: &ImportRequest) -> Option<Fitted> {
    let candidate = candidate(small, source, request).ok()?;
    if !candidate.diagnosis.is_clean() {
        return None;
    }
    let mut fitted = to_architecture(small, source, request).ok()?;
    fitted.assumptions.insert(0, small_stem(small));
    Some(fitted)
}

/// What a first convolution of 3x3 is taken to mean.
pub(super) fn small_stem(small: &Architecture) -> Phrase {
    Phrase::from(format!(
        "the first convolution is 3x3: taken for '{}', without a stride and without a pool after it, which weights do not \
         say; an ONNX file does",
        small.name
    ))
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
pub(super) enum Trouble {
    Selection(Problem),
    Request(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Request(error)
    }
}

/// Builds an architecture for the weights' number of classes, channels, head and positions, and compares.
pub(super) fn candidate(
    architecture: &Architecture,
    source: &Source,
    request: &ImportRequest,
) -> Result<Candidate, Trouble> {
    let candidate = candidate_of(architecture, source, request)?;
    let other = positions_input(architecture, &candidate.diagnosis).filter(|_| request.input.is_none());
    let Some(side) = other else { return Ok(candidate) };
    let request = ImportRequest { input: Some([side; 2]), ..request.clone() };
    let fitting = candidate_of(architecture, source, &request)?;
    Ok(if fitting.diagnosis.fits() { fitting } else { candidate })
}

/// The side of the input for which weights have positions, where these are all that does not fit.
fn positions_input(architecture: &Architecture, diagnosis: &Diagnosis) -> Option<usize> {
    let [WrongShape { expected, found, .. }] = &diagnosis.wrong_shape[..] else { return None };
    let ([1, own, width], [1, positions, other]) = (&expected[..], &found[..]) else { return None };
    if width != other || *own < 2 || *positions < 2 {
        return None;
    }
    // One position is the class token's, the others are a square.
    let (own, positions) = ((own - 1).isqrt(), (positions - 1).isqrt());
    Some(architecture.input_size() / own * positions)
}

fn candidate_of(
    architecture: &Architecture,
    source: &Source,
    request: &ImportRequest,
) -> Result<Candidate, Trouble> {
    // Names do not depend on the number of classes.
    let small = architecture.build(1, None)?;
    let mut selected = matching(&small, source).map_err(Trouble::Selection)?;
    let mut assumptions = Vec::new();
    assumptions.extend(head::single_linear(&small, &mut selected.weights, source.convention));
    let changed = head::changed(&small, &selected.weights, source.convention, request.head);
    let (head, unsaid) = match changed {
        Some(changed) => {
            assumptions.extend(changed.note);
            (Some(changed.head), changed.unsaid)
        }
        None => (None, None),
    };
    let channels = head::channels(&small, &selected.weights);
    let classes = class_count(&small, head.as_ref(), &selected.weights, request);
    let head = head.map(|head| head.with_outputs(classes));
    let built = architecture.build_for(channels, classes, request.input, head)?;
    let mut diagnosis = diagnose(&built, &selected.weights, source.convention);
    let before = diagnosis.unused.len();
    diagnosis.unused.retain(|(name, _)| !architecture.is_training_only(name));
    if diagnosis.unused.len() < before {
        let count = before - diagnosis.unused.len();
        assumptions.push(
            format!("{count} tensors of auxiliary classifiers are left out: only training uses them").into(),
        );
    }
    Ok(Candidate { built, channels, input: request.input, selected, diagnosis, assumptions, unsaid })
}

/// The tensors of the network, under the names of the source's convention.
fn matching(built: &Built, source: &Source) -> Result<Selected, Problem> {
    let parameters = parameters(built, source.convention);
    let sources: Vec<_> = parameters.iter().flat_map(Parameter::sources).collect();
    let needed: BTreeSet<&str> = sources.iter().map(|(name, _)| name.as_str()).collect();
    select::matching(source.tensors.clone(), &needed)
}

/// The requested number, else the outputs of the changed head or the length of the last layer's bias, else the number of names.
fn class_count(built: &Built, head: Option<&Head>, weights: &StateDict, request: &ImportRequest) -> usize {
    // A classifier's bias has the same name and shape in both conventions.
    let last = built.parameters.last().and_then(|(name, _)| weights.tensors.get(name));
    match last.map(StateTensor::shape) {
        _ if request.num_classes.is_some() => request.num_classes.unwrap_or_default(),
        _ if head.is_some() => head.and_then(Head::outputs).unwrap_or(USUAL_CLASSES),
        // A weight without bias, [out, in] as both conventions have a last layer's only tensor in PyTorch.
        Some([classes] | [classes, _]) if *classes > 0 => *classes,
        _ if !request.classes.is_empty() => request.classes.len(),
        _ => USUAL_CLASSES,
    }
}

/// Compares, ignoring unused counters.
fn diagnose(built: &Built, weights: &StateDict, convention: Convention) -> Diagnosis {
    let expected: Vec<_> = parameters(built, convention).iter().flat_map(Parameter::sources).collect();
    let shapes: BTreeMap<&str, &Vec<usize>> =
        expected.iter().map(|(name, shape)| (name.as_str(), shape)).collect();
    let mut found = weights.weights();
    found.retain(|(name, _)| !select::is_counter(name));
    for (name, shape) in &mut found {
        if let Some(expected) = shapes.get(name.as_str()).filter(|expected| is_same_layer(shape, expected)) {
            shape.clone_from(expected);
        }
    }
    Diagnosis::compare(&expected, &found)
}

/// Whether both are shapes of the same values in the same order: a linear layer may be stored as a convolution that takes the
/// whole picture, and a value for each channel may have axes of size 1 after it.
fn is_same_layer(found: &[usize], expected: &[usize]) -> bool {
    let values = |shape: &[usize]| shape.iter().product::<usize>();
    let is_shorter = found.len() < expected.len() && expected[found.len()..].iter().all(|side| *side == 1);
    found.first() == expected.first()
        && values(found) == values(expected)
        && (is_shorter && expected.starts_with(found)
            || expected.len() == 2 && found.len() == 4
            || expected.len() == 1)
}

/// Another architecture that needs exactly these weights.
fn better_architecture(asked: &Architecture, source: &Source) -> Option<&'static Architecture> {
    let exact = |other: &&Architecture| {
        let default = ImportRequest::default();
        other.name != asked.name
            && candidate(other, source, &default).is_ok_and(|candidate| candidate.diagnosis.is_clean())
    };
    arch::all().find(exact)
}

fn check_class_names(classes: usize, names: usize) -> Result<()> {
    if names == 0 || names == classes {
        return Ok(());
    }
    let expected = format!("{classes}, one for each class of the weights");
    Err(Problem::expected_but(expected, names.to_string()).after("class names: ").into())
}
