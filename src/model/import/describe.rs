//! The card of an imported network.
//!
//! Receives a request, and the graph and preprocessing that were found; gives a card that names the file and its hash.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::request::ImportRequest;
use super::state_dict::file_name;
use crate::card::{Card, Graph, Preprocess, SCHEMA_VERSION, Source};
use crate::digest::hex;
use crate::error::{Error, Result};

/// A card for a graph, with the request's metadata and the source.
pub(super) fn card(
    request: &ImportRequest,
    name: String,
    graph: Graph,
    preprocess: Preprocess,
) -> Result<Card> {
    Ok(Card {
        schema_version: SCHEMA_VERSION,
        name: request.name.clone().unwrap_or(name),
        arch: None,
        num_classes: None,
        graph: Some(graph),
        preprocess,
        task: request.task,
        output: request.output,
        classes: request.classes.clone(),
        source: Some(Source {
            file: Some(file_name(&request.source)),
            sha256: Some(sha256(&request.source)?),
            license: request.license.clone(),
            note: request.note.clone(),
        }),
    })
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
