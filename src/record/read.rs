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
    /// Reads a record of this or an earlier version. Fields that an earlier version lacks are `None`.
    ///
    /// # Errors
    /// [`Request`](crate::error::ErrorKind::Request) when it is not a record, for a later version, and for files that are not next to it.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let record = Self::parsed(bytes)?;
        let elsewhere = record.artifacts().find(|name| parts_below(name) != Some(1)).map(str::to_owned);
        match elsewhere {
            Some(name) => {
                let problem = Problem::new(format!("names the file '{name}'"));
                Err(problem.expected("the plain name of one next to it").into())
            }
            None => Ok(record),
        }
    }

    /// Reads a line of a list, whose files are relative to the list. Files that are not below the list's directory are left out, for the same
    /// reason for which [`Record::from_json`] refuses them.
    ///
    /// # Errors
    /// [`Request`](crate::error::ErrorKind::Request) when it is not a record, and for a later version.
    pub fn from_list(line: &[u8]) -> Result<Self> {
        let mut record = Self::parsed(line)?;
        for target in &mut record.targets {
            target.artifacts.retain(|artifact| parts_below(&artifact.file).is_some());
        }
        record.grid = record.grid.filter(|artifact| parts_below(&artifact.file).is_some());
        Ok(record)
    }

    fn artifacts(&self) -> impl Iterator<Item = &str> {
        let all = self.targets.iter().flat_map(|target| &target.artifacts).chain(&self.grid);
        all.map(|artifact| artifact.file.as_str())
    }

    fn parsed(bytes: &[u8]) -> Result<Self> {
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

/// Number of parts of a path that leads down only. The writer of a record could otherwise have any file of the reader's opened, and shown on a
/// page.
fn parts_below(name: &str) -> Option<usize> {
    let parts = Path::new(name).components().map(|part| match part {
        Component::Normal(part) => part.to_str(),
        _ => None,
    });
    let parts = parts.collect::<Option<Vec<&str>>>()?;
    // As written: `a/./b` and `a/` are not, and neither is `a\b` where that has two parts.
    parts.iter().copied().eq(name.split('/')).then_some(parts.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_that_lead_down_as_written_count() {
        let found = ["a.png", "x/a.png", "../a.png", "x/../a.png", "/a.png", "x/./a.png", "a.png/", "", "."];
        let expected = [Some(1), Some(2), None, None, None, None, None, None, None];
        assert_eq!(found.map(parts_below), expected);
    }
}
