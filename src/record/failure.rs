//! What stands in the place of a record, in lists of records, for an image that could not be explained.

use serde::{Deserialize, Serialize};

use super::{LabelRecord, SCHEMA_VERSION};

/// A record of which only `error` tells anything: the fields of a [`Record`](super::Record) that readers of lists go by, in its
/// order, with nothing in them. It is never written beside pictures, since there are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureRecord {
    /// Version of this format; [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name of the model.
    pub estimator: String,
    /// What this is, for people.
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

/// A file of which nothing is known but its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedInput {
    /// The path as the caller gave it, `-` for standard input.
    pub path: String,
}

impl FailureRecord {
    /// Says of `path` that `error` kept `method` (its title) from explaining it.
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
    /// Never, as far as its types go; what the serialiser says is handed on.
    pub fn to_json_line(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| error.to_string())
    }
}
