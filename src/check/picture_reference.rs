//! Another framework's results for a picture, from a small JSON file.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Problem, Result, Subject as About};
use crate::explain::Target;
use crate::input::read_file;
use crate::model::Model;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The network's input, a `.npy` file; relative to this file's directory.
    input: Option<PathBuf>,
    /// One per class.
    probabilities: Option<Row>,
    /// One per class.
    logits: Option<Row>,
    /// Some classes with their probabilities.
    top: Option<Vec<Top>>,
}

/// A list, or a batch with one list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Row {
    Flat(Vec<f64>),
    Batch([Vec<f64>; 1]),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Top {
    class: Class,
    proba: f64,
}

/// A class by index or name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Class {
    Index(usize),
    Name(String),
}

/// A reference that was checked against the model.
#[derive(Debug)]
pub(super) struct PictureReference {
    /// The `.npy` file of the network's input.
    pub(super) input: Option<PathBuf>,
    pub(super) scores: Scores,
}

/// The values to compare.
#[derive(Debug, PartialEq)]
pub(super) enum Scores {
    /// Classes with their probabilities.
    Probabilities(Vec<(usize, f64)>),
    /// One for every class.
    Logits(Vec<f32>),
}

impl Scores {
    /// Number of classes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Probabilities(pairs) => pairs.len(),
            Self::Logits(values) => values.len(),
        }
    }
}

impl PictureReference {
    /// Reads a file.
    pub(super) fn open(path: &Path, model: &Model) -> Result<Self> {
        let bytes = read_file(path)?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let file: File = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let cause = error.inner().to_string().replace('`', "'");
            refuse(path, format!("is not a reference in JSON: at '{}': {cause}", error.path()))
        })?;
        let scores = match (file.probabilities, file.logits, file.top) {
            (Some(row), None, None) => {
                let values = row.of(path, "probabilities", model)?;
                proper(path, values.iter())?;
                Scores::Probabilities(values.into_iter().enumerate().collect())
            }
            #[allow(clippy::cast_possible_truncation)] // compared as 32-bit floats, like the network's own
            (None, Some(row), None) => {
                Scores::Logits(row.of(path, "logits", model)?.into_iter().map(|value| value as f32).collect())
            }
            (None, None, Some(top)) if !top.is_empty() => {
                proper(path, top.iter().map(|class| &class.proba))?;
                let pairs = top.into_iter().map(|Top { class, proba }| {
                    let target = match class {
                        Class::Index(index) => Target::Index(index),
                        Class::Name(name) => Target::Name(name),
                    };
                    Ok((target.class(model).map_err(|error| refuse(path, error))?, proba))
                });
                Scores::Probabilities(pairs.collect::<Result<_>>()?)
            }
            _ => {
                return Err(refuse(
                    path,
                    Problem::default().expected("one of 'probabilities', 'logits' and 'top'"),
                ));
            }
        };
        // Relative to the file that names it, so that both can be moved together.
        let input = file.input.map(|input| path.parent().unwrap_or(Path::new("")).join(input));
        Ok(Self { input, scores })
    }
}

impl Row {
    /// The values, one per class.
    fn of(self, path: &Path, name: &str, model: &Model) -> Result<Vec<f64>> {
        let (Self::Flat(values) | Self::Batch([values])) = self;
        match (values.len(), model.num_classes()) {
            (found, classes) if found != classes => {
                let problem = Problem::new(format!("'{name}' has {found} numbers"));
                Err(refuse(path, problem.expected(format!("{classes}, one per class"))))
            }
            _ => Ok(values),
        }
    }
}

/// Refuses values that are not probabilities.
fn proper<'a>(path: &Path, mut values: impl Iterator<Item = &'a f64>) -> Result<()> {
    match values.find(|value| !(0.0..=1.0).contains(*value)) {
        Some(value) => {
            let problem = Problem::new(format!("probability {value}: "));
            Err(refuse(path, problem.expected("0 to 1").hint("is it a logit?")))
        }
        None => Ok(()),
    }
}

/// An error about the reference file.
fn refuse(path: &Path, problem: impl Into<Problem>) -> Error {
    problem.into().about(About::Reference(path.display().to_string())).into()
}
