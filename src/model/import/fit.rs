//! Fits weights to the requested network: an architecture by name, or the graph of a card.
//!
//! Receives a file's tensors; gives [`Fitted`], or refuses with a [`Diagnosis`] that ends with the most likely
//! remedy. Knows neither files nor values.

use super::candidate::{Candidate, Trouble, candidate, diagnose, matching};
use super::diagnosis::Diagnosis;
use super::names::{Source, with_shapes};
use super::preprocess::for_grey;
use super::request::ImportRequest;
use super::screen::Screen;
use super::state_dict::{StateDict, file_name};
use super::{advice, head};
use crate::arch::{self, Architecture, Built};
use crate::card::{Card, Graph, Preprocess};
use crate::error::{Error, Phrase, Problem, Result};

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
    // Only when the usual stem does not fit: the small one must not be preferred.
    let small = arch::small_stem(architecture).filter(|_| !candidate.diagnosis.is_clean());
    if let Some(fitted) = small.and_then(|small| with_small_stem(small, source, request)) {
        return Ok(fitted);
    }
    finished(architecture, candidate, source, request)
}

/// The weights of a candidate, if nothing speaks against them.
///
/// # Errors
/// As [`to_architecture`].
pub(super) fn finished(
    architecture: &Architecture,
    candidate: Candidate,
    source: &Source,
    request: &ImportRequest,
) -> Result<Fitted> {
    let file = file_name(&request.source);
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
    let mut fitted = finished(small, candidate, source, request).ok()?;
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
    // Twice: names select the weights first, and the shapes of the selected ones are then the graph's.
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

/// Another architecture that needs exactly these weights.
fn better_architecture(asked: &Architecture, source: &Source) -> Option<&'static Architecture> {
    let exact = |other: &&Architecture| {
        // Without the caller's wishes, which were meant for the architecture that does not fit.
        let default = ImportRequest::default();
        other.name != asked.name
            && candidate(other, source, &default).is_ok_and(|candidate| candidate.diagnosis.is_clean())
    };
    Screen::new(source).among(arch::all()).find(exact)
}

fn check_class_names(classes: usize, names: usize) -> Result<()> {
    if names == 0 || names == classes {
        return Ok(());
    }
    let expected = format!("{classes}, one for each class of the weights");
    Err(Problem::expected_but(expected, names.to_string()).after("class names: ").into())
}
