//! `--masks`: the objects of each input.
//!
//! Receives a directory and the inputs; gives the objects of one input at a time, with their classes as the model's indices.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burncam::Subject;
use burncam::evaluate::Objects;
use burncam_metrics::localisation::Mask;
use burncam_picture::input::ClassMask;

use crate::args::EvaluateArgs;
use crate::discover::Input;

/// Where objects are known from.
pub(super) enum Places {
    /// Nowhere.
    Unknown,
    /// A directory with a mask for each picture.
    Masks(PathBuf),
}

impl Places {
    /// Looks for the masks of all inputs.
    ///
    /// # Errors
    /// When no input has one.
    pub(super) fn open(args: &EvaluateArgs, inputs: &[Input]) -> Result<Self> {
        let Some(directory) = &args.masks else { return Ok(Self::Unknown) };
        if !inputs.iter().any(|input| mask_of(directory, input).is_some()) {
            let first = inputs.first().map(|input| input.name.as_str()).unwrap_or_default();
            bail!(
                "masks '{}': none is called as an input, expected PNG files such as '{first}.png'",
                directory.display()
            );
        }
        Ok(Self::Masks(directory.clone()))
    }

    /// Whether any objects are known.
    pub(super) fn are_known(&self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// The objects of an input; `None` where none are known.
    ///
    /// # Errors
    /// When its mask cannot be read or has another size.
    pub(super) fn of(&self, input: &Input, subject: &Subject) -> Result<Option<Objects>> {
        let (width, height) = (subject.file.width, subject.file.height);
        match self {
            Self::Unknown => Ok(None),
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

/// `DIR/a/b.png` for the input `a/b.jpg` of a searched directory, or `DIR/b.png`.
fn mask_of(directory: &Path, input: &Input) -> Option<PathBuf> {
    let name = format!("{}.png", input.name);
    let below = directory.join(&input.below).join(&name);
    [below, directory.join(name)].into_iter().find(|path| path.is_file())
}
