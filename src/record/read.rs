//! Reading records of this version and earlier ones from JSON.

use serde::Deserialize;

use super::{Record, SCHEMA_VERSION};
use crate::error::{Error, Problem, Result};

/// The only field that every version has.
#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}

impl Record {
    /// Reads a record of this or an earlier version. Fields that an earlier version lacks are `None`.
    ///
    /// # Errors
    /// [`Request`](crate::error::ErrorKind::Request) when it is not a record, and for a later version.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        // The version first: the fields of a later one would only give an error about an unknown field.
        let version: Version = serde_json::from_slice(bytes)
            .map_err(|error| Error::request(format!("is not a record of burncam: {error}")))?;
        match version.schema_version {
            version @ 1..=SCHEMA_VERSION => serde_json::from_slice(bytes).map_err(|error| {
                Error::request(format!("is not a record of burncam, version {version}: {error}"))
            }),
            version => Err(Error::request(
                Problem::new(format!("has version {version}"))
                    .expected(format!("1 to {SCHEMA_VERSION}"))
                    .hint("a newer burncam may read it"),
            )),
        }
    }
}
