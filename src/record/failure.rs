//! The entry for an image that could not be explained, in lists of records.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{LabelRecord, SCHEMA_VERSION};
use crate::error::{ErrorKind, Problem};

/// An image that could not be explained, in a [`Summary`](super::Summary).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The path as the caller gave it.
    pub path: String,
    /// The reason.
    pub error: String,
    /// As [`FailureRecord::kind`].
    pub kind: Option<ErrorKind>,
    /// As [`FailureRecord::hint`].
    pub hint: Option<HintRecord>,
}

/// The way out that a message offers, with options called as the message calls them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HintRecord {
    /// In words, as in the message.
    pub text: String,
    /// Options to give a value, and the values.
    pub set: BTreeMap<String, String>,
    /// Options to give a greater value.
    pub raise: Vec<String>,
    /// Options to give another value.
    pub change: Vec<String>,
    /// Options to leave out.
    pub drop: Vec<String>,
}

/// A record with nothing but an error: the fields of a [`Record`](super::Record) that list readers use, in the same
/// order, empty. It only appears in lists, never as a file, because there are no pictures for it to describe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureRecord {
    /// Version of this format; [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name of the model.
    pub estimator: String,
    /// Summary for people.
    pub description: String,
    /// Why the image could not be explained; not empty.
    pub error: String,
    /// Whose fault it is: that of the `model`, the `image`, the `request`, the operating system (`io`), or burncam
    /// (`internal`); null where that is not known.
    pub kind: Option<ErrorKind>,
    /// The way out that the message offers, if it offers one.
    pub hint: Option<HintRecord>,
    /// Title of the method.
    pub method: String,
    /// Always `false`.
    pub is_regression: bool,
    /// Always empty.
    pub targets: [(); 0],
    /// The file.
    pub input: FailedInput,
    /// Always empty.
    pub predictions: [(); 0],
    /// The true class, where the caller named it.
    pub label: Option<LabelRecord>,
    /// Always empty.
    pub warnings: [(); 0],
}

/// A file of which only the path is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedInput {
    /// The path as the caller gave it, `-` for standard input.
    pub path: String,
}

impl FailureRecord {
    /// A failure of `method` (its title).
    #[must_use]
    pub fn new(estimator: &str, method: &str, label: Option<LabelRecord>, failure: &Failure) -> Self {
        let Failure { path, error, kind, hint } = failure.clone();
        Self {
            schema_version: SCHEMA_VERSION,
            estimator: estimator.to_owned(),
            description: format!("{method}: the image could not be explained"),
            error,
            kind,
            hint,
            method: method.to_owned(),
            is_regression: false,
            targets: [],
            input: FailedInput { path },
            predictions: [],
            label,
            warnings: [],
        }
    }

    /// One line of JSON without a line break.
    ///
    /// # Errors
    /// Never for these types; an error of the serialiser is passed through.
    pub fn to_json_line(&self) -> Result<String, Problem> {
        serde_json::to_string(self).map_err(|error| error.to_string().into())
    }
}
