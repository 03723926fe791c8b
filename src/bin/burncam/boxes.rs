//! `--boxes`: the objects of each input, from a file or directory of boxes.
//!
//! Receives its path, the model and the inputs; gives the boxes of one input at a time, with their classes as the model's indices.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burncam::Model;
use burncam_metrics::localisation::Bounds;
use burncam_metrics::truth::Truth;

use crate::discover::Input;
use crate::labels::class_called;

/// Boxes of a file or directory.
pub(crate) struct Boxes {
    truth: Truth,
    /// The entry of each input that has one.
    entries: HashMap<PathBuf, usize>,
    /// The class of each label that is one of the model's.
    classes: HashMap<String, usize>,
}

impl Boxes {
    /// Reads boxes and finds those of the inputs. `is_part` is true for the inputs of a shard, which may have none.
    ///
    /// # Errors
    /// When a file is not readable, no label is a class of the model, or no input has an entry.
    pub(crate) fn open(path: &Path, model: &Model, inputs: &[Input], is_part: bool) -> Result<Self> {
        let truth = Truth::read(path)?;
        let paths: Vec<&Path> = inputs.iter().map(|input| input.path.as_path()).collect();
        let found = truth.assign(&paths)?;
        let entries: HashMap<PathBuf, usize> = inputs
            .iter()
            .zip(found)
            .filter_map(|(input, entry)| Some((input.path.clone(), entry?)))
            .collect();
        if entries.is_empty() && !is_part {
            bail!(
                "boxes '{}': none is of an input (paths may begin anywhere, but must end alike)",
                path.display()
            );
        }
        let labels = truth.labels();
        let classes: HashMap<String, usize> = labels
            .iter()
            .filter_map(|label| Some(((*label).to_owned(), class_called(label, model).ok()?)))
            .collect();
        let unknown: Vec<&str> =
            labels.iter().copied().filter(|label| !classes.contains_key(*label)).collect();
        match (unknown.first(), classes.is_empty()) {
            (Some(first), true) => {
                bail!("boxes '{}': no label is a class of the model, such as '{first}'", path.display())
            }
            (Some(first), false) => log::warn!(
                "boxes '{}': '{first}'{} no class of the model; boxes of such labels are not used",
                path.display(),
                if unknown.len() > 1 { " and others are" } else { " is" }
            ),
            (None, _) => {}
        }
        Ok(Self { truth, entries, classes })
    }

    /// The boxes of an input of this size, with the indices of their classes; `None` where none are known.
    ///
    /// # Errors
    /// When they are outside of it.
    pub(crate) fn of(
        &self,
        input: &Input,
        height: usize,
        width: usize,
    ) -> Result<Option<Vec<(usize, Bounds)>>> {
        let Some(entry) = self.entries.get(&input.path) else { return Ok(None) };
        let placed = self.truth.objects(*entry, height, width)?;
        if placed.clipped > 0 {
            log::warn!(
                "boxes of '{}': {} of them beyond the picture's {width}x{height} pixels, cut at its edges",
                input.path.display(),
                placed.clipped
            );
        }
        // Crowds and difficult objects are left out, as in the data sets' own evaluations.
        let own = placed.all.into_iter().filter(|object| !object.is_set_apart);
        let boxes = own.filter_map(|object| Some((*self.classes.get(&object.label)?, object.bounds)));
        Ok(Some(boxes.collect()))
    }
}
