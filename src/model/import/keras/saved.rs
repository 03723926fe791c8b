//! A saved model: its configuration, and where its weights are.
//!
//! A `.keras` file is a zip archive of `metadata.json`, `config.json` and `model.weights.h5`; a `.h5` file has the configuration
//! in an attribute, and the weights next to it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;
use zip::CompressionMethod;

use super::hdf5::{Hdf5, Object, Store};
use crate::error::{Error, Problem, Result};
use crate::import::state_dict::file_name;
use crate::import::torch::open_zip;
use crate::memory::{Part, allow, of_tree};

/// Bytes that unpacking an archive may give beyond a hundred times the archive, which no weights reach.
const SLACK: u64 = 64 << 20;

/// The parts of a saved model.
#[derive(Debug)]
pub(super) struct Saved {
    pub(super) config: Value,
    /// The major version of Keras that wrote it.
    pub(super) version: Option<u64>,
    pub(super) weights: Hdf5,
    pub(super) format: Format,
}

/// Where a layer's weights are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// By position in the model: `layers/conv2d_1/vars/0`.
    Archive,
    /// By name: `model_weights/conv1/conv1/kernel:0`.
    Legacy,
}

impl Saved {
    /// Opens a file of either kind.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or holds weights without a network.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("read", path))?;
        let length = file.metadata().map_err(Error::io("read", path))?.len();
        let mut head = [0; 4];
        let is_archive = (&file).read_exact(&mut head).is_ok() && head.starts_with(b"PK");
        let name = file_name(path);
        let opened = if is_archive { archive(&file, length) } else { legacy(file, length) };
        opened.map_err(|problem| Error::model(name, problem))
    }
}

fn archive(file: &File, length: u64) -> Result<Saved, Problem> {
    let damaged =
        |error: &dyn std::fmt::Display| Problem::new(format!("cannot be read as a zip archive: {error}"));
    let mut archive = open_zip(file).map_err(|problem| problem.after("cannot be read: "))?;
    let mut part = |name: &str| -> Result<Vec<u8>, Problem> {
        let part = archive.by_name(name).map_err(|_| Problem::new(format!("has no '{name}'")))?;
        // Sizes in an archive are its writer's word: no more than this is unpacked.
        let (limit, mut bytes) = (Part::Config.most().min(part.size()), Vec::new());
        part.take(limit).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
        allow(of_tree(&bytes))?;
        Ok(bytes)
    };
    let config = json(&part("config.json")?)?;
    let version = part("metadata.json").ok().and_then(|text| json(&text).ok());
    let version = version.as_ref().and_then(|metadata| major(metadata.get("keras_version")?.as_str()?));
    let weights = archive.by_name("model.weights.h5").map_err(|_| {
        Problem::new("has no 'model.weights.h5'").hint("save the whole model with model.save('model.keras')")
    })?;
    let (start, size) = (weights.data_start(), weights.size());
    // Keras stores the weights uncompressed, so that they are read where they are; others are unpacked into memory.
    let store = match (weights.compression(), start) {
        (CompressionMethod::Stored, Some(start)) => {
            if start.checked_add(size).is_none_or(|end| end > length) {
                return Err("has fewer bytes than its weights need".into());
            }
            let copy = file.try_clone().map_err(|error| damaged(&error))?;
            Store::of_file(copy, start, size)
        }
        _ if size > length.saturating_mul(100) + SLACK => {
            return Err(format!("would unpack to {size} bytes, which no weights need").into());
        }
        _ => {
            allow(size.saturating_mul(2))?;
            let mut bytes = Vec::new();
            weights.take(size).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
            Store::of_memory(bytes)
        }
    };
    Ok(Saved { config, version, weights: Hdf5::open(store)?, format: Format::Archive })
}

fn legacy(file: File, length: u64) -> Result<Saved, Problem> {
    let weights = Hdf5::open(Store::of_file(file, 0, length))?;
    let root = Object::root(&weights)?;
    let Some(config) = root.text("model_config")? else {
        let what = match root.children()?.contains_key("layers") || root.texts("layer_names")?.is_some() {
            true => "holds the weights of a Keras model without the network",
            false => "is an HDF5 file without a Keras model",
        };
        return Err(Problem::new(what).hint("save the whole model with model.save('model.keras')"));
    };
    allow(of_tree(config.as_bytes()))?;
    let config = json(config.as_bytes())?;
    let version = root.text("keras_version")?.and_then(|version| major(&version));
    // It borrows the file, which moves into the result.
    drop(root);
    Ok(Saved { config, version, weights, format: Format::Legacy })
}

/// Keras writes NaN and infinities as bare words, which JSON does not have; they only occur in settings of training.
fn json(bytes: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(bytes).or_else(|error| {
        let text = String::from_utf8_lossy(bytes);
        let plain = ["-Infinity", "Infinity", "NaN"].iter().fold(text.into_owned(), |text, word| {
            text.replace(&format!(": {word}"), ": null").replace(&format!("[{word}"), "[null")
        });
        serde_json::from_str(&plain)
            .map_err(|_| Problem::new(format!("its configuration is no JSON: {error}")))
    })
}

fn major(version: &str) -> Option<u64> {
    version.split('.').next()?.parse().ok()
}
