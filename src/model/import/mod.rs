//! From a PyTorch or safetensors file to a model: names, layouts, precision, and the card.
//!
//! Receives an [`ImportRequest`], hands on [`Imported`]: a card with the whole graph in it and the tensors in Burn's
//! names and layouts, ready for a burnpack file. Refuses with a [`Diagnosis`] what does not fit. Writing the file is
//! left to the caller.

mod convert;
mod diagnosis;
mod from_onnx;
pub(crate) mod onnx;
mod preprocess;
mod safetensors_file;
mod select;
mod state_dict;
mod torch;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

pub use diagnosis::{Diagnosis, Missing, WrongShape};
pub use preprocess::{PRESETS, PreprocessRequest, Preset, ResizeRequest};
pub use state_dict::{ElementType, StateDict, StateTensor};

use crate::card::{Card, Preprocess, SCHEMA_VERSION, Source};
use crate::digest::hex;
use crate::error::{Error, Result};
use crate::model::arch::{self, Architecture, Built};
use state_dict::file_name;

/// Number of classes when neither the weights nor the caller say it: ImageNet's.
const USUAL_CLASSES: usize = 1000;

/// What to import, and how.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    /// The file with the weights.
    pub source: PathBuf,
    /// Name of the architecture, one of [`arch::names`].
    pub arch: Option<String>,
    /// Number of classes. Default: told from the last layer's weights.
    pub num_classes: Option<usize>,
    /// Class names, index = class. Empty: classes go by their number.
    pub classes: Vec<String>,
    /// The model's name. Default: the architecture's.
    pub name: Option<String>,
    /// Whether to store weights as `f16` instead of `f32`.
    pub half: bool,
    /// The key under which the weights lie in the file, for example `state_dict`. Default: found by the names.
    pub key: Option<String>,
    /// Height and width of the network's input. Default: the architecture's.
    pub input: Option<[usize; 2]>,
    /// How pictures become the input. Default: as for the architecture's published weights.
    pub preprocess: Option<Preprocess>,
    /// Changes to how pictures become the input; not beside a whole `preprocess`.
    pub adjust: PreprocessRequest,
    /// Name of the output to explain, for an ONNX file with several. Default: the first.
    pub output_name: Option<String>,
    /// Licence of the weights, for the card.
    pub license: Option<String>,
    /// Anything else for the card.
    pub note: Option<String>,
}

/// A model that is ready to be written.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The card, with the whole graph in it.
    pub card: Card,
    /// The weights in graph order, in Burn's names and layouts, as `f32` or `f16`.
    pub tensors: Vec<burn_pack::Tensor>,
    /// What the caller should know, one sentence each.
    pub warnings: Vec<String>,
    /// What the file does not say and was taken for granted, one sentence each.
    pub assumptions: Vec<String>,
    /// How the file's tensors fitted, in PyTorch's names and layouts.
    pub diagnosis: Diagnosis,
}

/// Imports weights.
///
/// # Errors
/// When the architecture is not known, the file is not readable, the weights do not fit (with the [`Diagnosis`] in the
/// message), the class names are too many or too few, or a weight is too great for `f16`.
pub fn import(request: &ImportRequest) -> Result<Imported> {
    let file = file_name(&request.source);
    if request.source.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx")) {
        return from_onnx::import(request, sha256(&request.source)?);
    }
    let architecture = arch::find(request.arch.as_deref().unwrap_or_default())?;
    let all = torch::modern_names(StateDict::open(&request.source)?);
    let all = match &request.key {
        Some(key) => select::under_key(all, key).map_err(|problem| Error::model(&file, problem))?,
        None => all,
    };
    let weights = choose(architecture, all.clone()).map_err(|problem| Error::model(&file, problem))?;
    let classes = class_count(architecture, &weights, request)?;
    let built = architecture.build(classes, request.input)?;

    let diagnosis = diagnose(&built, &weights);
    // A deeper network of the family has every tensor of a shallower one: leftovers need a second look.
    let better = if diagnosis.is_clean() { None } else { better_architecture(architecture, &all) };
    if !diagnosis.fits() || better.is_some() {
        let diagnosis = advise(diagnosis, better, &weights);
        let problem = format!("the weights do not fit '{}': {diagnosis}", architecture.name);
        return Err(Error::model(file, problem));
    }
    check_class_names(classes, request.classes.len())?;

    let warnings: Vec<String> = leftovers(&diagnosis).into_iter().collect();
    let tensors = convert::convert(&torch::parameters(&built), &weights, request.half)
        .map_err(|problem| Error::model(&file, problem))?;
    let card = card(request, architecture, built, sha256(&request.source)?);
    Ok(Imported { card, tensors, warnings, assumptions: vec![], diagnosis })
}

/// The tensors that belong to the network, under the names that PyTorch has for them.
fn choose(architecture: &Architecture, all: StateDict) -> Result<StateDict, String> {
    // Names do not depend on the number of classes.
    let built = architecture.build(1, None).map_err(|error| error.to_string())?;
    let parameters = torch::parameters(&built);
    let needed: BTreeSet<&str> = parameters.iter().map(|parameter| parameter.torch_name.as_str()).collect();
    select::matching(all, &needed)
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

fn diagnose(built: &Built, weights: &StateDict) -> Diagnosis {
    let expected: Vec<_> = torch::parameters(built)
        .into_iter()
        .map(|parameter| (parameter.torch_name.clone(), parameter.torch_shape()))
        .collect();
    Diagnosis::compare(&expected, &weights.weights())
}

/// Another architecture that needs exactly these weights.
fn better_architecture(asked: &Architecture, all: &StateDict) -> Option<&'static Architecture> {
    let exact = |other: &&Architecture| {
        other.name != asked.name
            && choose(other, all.clone()).is_ok_and(|weights| {
                let classes = class_count(other, &weights, &ImportRequest::default());
                let built = classes.and_then(|classes| other.build(classes, None));
                built.is_ok_and(|built| diagnose(&built, &weights).is_clean())
            })
    };
    arch::ALL.iter().find(exact)
}

/// Adds the one thing that is most likely to help.
fn advise(mut diagnosis: Diagnosis, better: Option<&Architecture>, weights: &StateDict) -> Diagnosis {
    let integers = diagnosis.missing.iter().find(|missing| weights.tensors.contains_key(&missing.name));
    let hint = match (better, integers) {
        (Some(better), _) => format!("the weights fit --arch {}", better.name),
        (None, Some(integers)) => {
            format!("tensor '{}' holds integers: quantised weights cannot be imported", integers.name)
        }
        (None, None) if !diagnosis.hints.is_empty() => return diagnosis,
        (None, None) => "does --arch name the right architecture?".into(),
    };
    diagnosis.hints.push(hint);
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

fn leftovers(diagnosis: &Diagnosis) -> Option<String> {
    let (first, _) = diagnosis.unused.first()?;
    let count = diagnosis.unused.len();
    Some(format!("{count} tensors of the file are not used, for example '{first}'"))
}

fn card(request: &ImportRequest, architecture: &Architecture, built: Built, sha256: String) -> Card {
    Card {
        schema_version: SCHEMA_VERSION,
        name: request.name.clone().unwrap_or_else(|| architecture.name.to_owned()),
        arch: None,
        num_classes: None,
        graph: Some(built.graph),
        preprocess: request.preprocess.clone().unwrap_or_else(|| architecture.preprocess(request.input)),
        output: None,
        classes: request.classes.clone(),
        source: Some(Source {
            file: Some(file_name(&request.source)),
            sha256: Some(sha256),
            license: request.license.clone(),
            note: request.note.clone(),
        }),
    }
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
