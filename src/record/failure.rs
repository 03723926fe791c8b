//! The entry for an image that could not be explained, in lists of records.

use serde::{Deserialize, Serialize};

use super::{LabelRecord, SCHEMA_VERSION};
use crate::error::Problem;

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
    /// A failure of `method` (its title) on `path`, with the message `error`.
    #[must_use]
    pub fn new(estimator: &str, method: &str, path: &str, label: Option<LabelRecord>, error: &str) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            estimator: estimator.to_owned(),
            description: format!("{method}: the image could not be explained"),
            error: error.to_owned(),
            method: method.to_owned(),
            is_regression: false,
            targets: [],
            input: FailedInput { path: path.to_owned() },
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
