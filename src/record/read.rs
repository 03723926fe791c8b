//! Reading records of this version and earlier ones from JSON.

use std::path::{Component, Path};

use serde::Deserialize;

use super::{Record, SCHEMA_VERSION};
use crate::error::{Error, Problem, Result};

/// The only field that every version has.
#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}

impl Record {
    /// Refuses files that are not next to the record. Its writer could otherwise have any file of the reader's opened, and
    /// shown on a page.
    fn refuse_paths(&self) -> Result<()> {
        let all = self.targets.iter().flat_map(|target| &target.artifacts).chain(&self.grid);
        let is_plain = |name: &str| {
            let mut parts = Path::new(name).components();
            matches!((parts.next(), parts.next()), (Some(Component::Normal(one)), None) if one == name)
        };
        match all.map(|artifact| artifact.file.as_str()).find(|name| !is_plain(name)) {
            Some(name) => {
                let problem = Problem::new(format!("names the file '{name}'"));
                Err(problem.expected("the plain name of one next to it").into())
            }
            None => Ok(()),
        }
    }

    /// Reads a record of this or an earlier version. Fields that an earlier version lacks are `None`.
    ///
    /// # Errors
    /// [`Request`](crate::error::ErrorKind::Request) when it is not a record, for a later version, and for files that are not next to it.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        // The version first: the fields of a later one would only give an error about an unknown field.
        let version: Version = serde_json::from_slice(bytes)
            .map_err(|error| Error::request(format!("is not a record of burncam: {error}")))?;
        match version.schema_version {
            version @ 1..=SCHEMA_VERSION => {
                let record: Self = serde_json::from_slice(bytes).map_err(|error| {
                    Error::request(format!("is not a record of burncam, version {version}: {error}"))
                })?;
                record.refuse_paths()?;
                Ok(record)
            }
            version => Err(Error::request(
                Problem::new(format!("has version {version}"))
                    .expected(format!("1 to {SCHEMA_VERSION}"))
                    .hint("a newer burncam may read it"),
            )),
        }
    }
}
