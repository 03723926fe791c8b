//! Writing of model files that are verified before they get their name.

use std::path::Path;

use tempfile::TempPath;

use super::Model;
use super::pack::{StoredTensor, publish};
use super::temporary::{self, Leftovers};
use crate::card::Card;
use crate::error::{Error, Problem, Result};

impl Model {
    /// Writes a model file as [`Model::save`] does, opens it, and only then renames it to `path`. On failure no file
    /// is left and an existing one is kept.
    ///
    /// # Errors
    /// As [`Model::save`] and [`Model::open`].
    pub fn create(path: &Path, card: &Card, tensors: Vec<StoredTensor>, overwrite: bool) -> Result<Self> {
        let name = path.file_name().ok_or_else(|| {
            Error::request(
                Problem::new("is not a file name").expected("NAME.bpk").named("output", path.display()),
            )
        })?;
        let folder = temporary::directory(path);
        Leftovers::sweep(folder);
        // A private directory next to the file, so that errors show the file's real name.
        let scratch = temporary::create_directory(path)?;
        let unproved = scratch.path().join(name);
        Self::save(&unproved, card, tensors, false)?;
        Self::open(&unproved, None)?;
        let proved = TempPath::try_from_path(unproved).map_err(Error::write_into(folder))?;
        publish(proved, path, overwrite)?;
        Self::open(path, None)
    }

    /// Writes this model's weights with another card to `path`, replacing any file there, and opens the result.
    ///
    /// # Errors
    /// As [`Model::create`], and when the weights can no longer be read.
    pub fn with_card(&self, path: &Path, card: &Card) -> Result<Self> {
        let tensors = self.weights()?.into_tensors().into_values().collect();
        Self::create(path, card, tensors, true)
    }
}
