//! `--boxes` and `--masks`: the objects of each input.
//!
//! Receives the arguments, the model and the inputs; gives the objects of one input at a time, with their classes as the model's indices.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burncam::evaluate::Objects;
use burncam::{Model, Subject};
use burncam_metrics::localisation::Mask;
use burncam_metrics::truth::Truth;
use burncam_picture::input::ClassMask;

use crate::args::EvaluateArgs;
use crate::discover::Input;
use crate::labels::class_called;

/// Where objects are known from.
pub(super) enum Places {
    /// Nowhere.
    Unknown,
    Boxes(Boxes),
    /// A directory with a mask for each picture.
    Masks(PathBuf),
}

/// Boxes of a file or directory.
pub(super) struct Boxes {
    truth: Truth,
    /// The entry of each input that has one.
    entries: HashMap<PathBuf, usize>,
    /// The class of each label that is one of the model's.
    classes: HashMap<String, usize>,
}

impl Places {
    /// Reads boxes, and looks for the masks of all inputs.
    ///
    /// # Errors
    /// When a file is not readable, no label is a class of the model, or no input has objects.
    pub(super) fn open(args: &EvaluateArgs, model: &Model, inputs: &[Input]) -> Result<Self> {
        match (&args.boxes, &args.masks) {
            (Some(path), _) => Ok(Self::Boxes(Boxes::open(path, model, inputs)?)),
            (None, Some(directory)) => {
                if !inputs.iter().any(|input| mask_of(directory, input).is_some()) {
                    let first = inputs.first().and_then(|input| input.path.file_stem()).unwrap_or_default();
                    bail!(
                        "masks '{}': none is called as an input, expected PNG files such as '{}.png'",
                        directory.display(),
                        first.display()
                    );
                }
                Ok(Self::Masks(directory.clone()))
            }
            (None, None) => Ok(Self::Unknown),
        }
    }

    /// Whether any objects are known.
    pub(super) fn are_known(&self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// The objects of an input; `None` where none are known.
    ///
    /// # Errors
    /// When its mask cannot be read or has another size, or its boxes are outside of it.
    pub(super) fn of(&self, input: &Input, subject: &Subject) -> Result<Option<Objects>> {
        let (width, height) = (subject.file.width, subject.file.height);
        match self {
            Self::Unknown => Ok(None),
            Self::Boxes(boxes) => boxes.of(input, height, width),
            Self::Masks(directory) => {
                let Some(path) = mask_of(directory, input) else { return Ok(None) };
                let ClassMask { height: tall, width: wide, values } = ClassMask::open(&path)?;
                if (tall, wide) != (height, width) {
                    bail!(
                        "mask '{}' has {wide}x{tall} pixels, expected {width}x{height} as its picture '{}' (save one value per pixel)",
                        path.display(),
                        input.path.display()
                    );
                }
                let mask = Mask::new(tall, wide, values).context("a mask has no pixels")?;
                Ok(Some(Objects::Mask(mask)))
            }
        }
    }
}

impl Boxes {
    fn open(path: &Path, model: &Model, inputs: &[Input]) -> Result<Self> {
        let truth = Truth::read(path)?;
        let paths: Vec<&Path> = inputs.iter().map(|input| input.path.as_path()).collect();
        let found = truth.assign(&paths)?;
        let entries: HashMap<PathBuf, usize> = inputs
            .iter()
            .zip(found)
            .filter_map(|(input, entry)| Some((input.path.clone(), entry?)))
            .collect();
        if entries.is_empty() {
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

    fn of(&self, input: &Input, height: usize, width: usize) -> Result<Option<Objects>> {
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
        Ok(Some(Objects::Boxes(boxes.collect())))
    }
}

/// `DIR/a/b.png` for the input `a/b.jpg` of a searched directory, or `DIR/b.png`.
fn mask_of(directory: &Path, input: &Input) -> Option<PathBuf> {
    // Not the name of its outputs, which may have more in it to be the only one.
    let name = input.path.with_extension("png");
    let name = name.file_name()?;
    let below = directory.join(&input.below).join(name);
    [below, directory.join(name)].into_iter().find(|path| path.is_file())
}
