//! How the weights of a file fit an architecture.
//!
//! Receives an architecture and a file's tensors; gives a [`Candidate`] with a [`Diagnosis`], whether or not they fit. It does not
//! judge: what is acceptable, and which architecture is meant, is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnosis::{Diagnosis, WrongShape};
use super::head;
use super::names::{Convention, Parameter, Source, parameters};
use super::request::ImportRequest;
use super::select::{self, Selected};
use super::state_dict::{StateDict, StateTensor};
use crate::arch::{Architecture, Built};
use crate::builder::Head;
use crate::error::{Error, Phrase, Problem, Result};

/// ImageNet's number of classes, used when neither the weights nor the caller determine it.
const USUAL_CLASSES: usize = 1000;

/// An architecture for the weights of a file.
pub(super) struct Candidate {
    pub(super) built: Built,
    pub(super) channels: usize,
    /// Height and width, where these are not the published ones.
    pub(super) input: Option<[usize; 2]>,
    pub(super) selected: Selected,
    pub(super) diagnosis: Diagnosis,
    pub(super) assumptions: Vec<Phrase>,
    /// As in [`head::Changed`].
    pub(super) unsaid: Option<[String; 2]>,
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
    // Built again for the size that the positions say; kept only if everything fits then.
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
    // Auxiliary classifiers of GoogLeNet and Inception: published weights have them, inference does not.
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
pub(super) fn matching(built: &Built, source: &Source) -> Result<Selected, Problem> {
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
pub(super) fn diagnose(built: &Built, weights: &StateDict, convention: Convention) -> Diagnosis {
    let expected: Vec<_> = parameters(built, convention).iter().flat_map(Parameter::sources).collect();
    let shapes: BTreeMap<&str, &Vec<usize>> =
        expected.iter().map(|(name, shape)| (name.as_str(), shape)).collect();
    let mut found = weights.weights();
    found.retain(|(name, _)| !select::is_counter(name));
    for (name, shape) in &mut found {
        if let Some(expected) = shapes.get(name.as_str()).filter(|expected| is_same_layer(shape, expected)) {
            // As if it had the expected shape: the values are the same in the same order.
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
