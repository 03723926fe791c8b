//! `--boxes` and `--masks`: the objects of each input.
//!
//! Receives the arguments, the model and the inputs; gives the objects of one input at a time, with their classes as the model's indices.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burncam::evaluate::Objects;
use burncam::{Model, Subject};
use burncam_metrics::localisation::Mask;
use burncam_picture::input::ClassMask;

use crate::args::EvaluateArgs;
use crate::boxes::Boxes;
use crate::discover::Input;

/// Where objects are known from.
pub(super) enum Places {
    /// Nowhere.
    Unknown,
    Boxes(Boxes),
    /// A directory with a mask for each picture.
    Masks(PathBuf),
}

impl Places {
    /// Reads boxes, and looks for the masks of all inputs, those of other shards among them.
    ///
    /// # Errors
    /// When a file is not readable, no label is a class of the model, or no input has objects.
    pub(super) fn open(args: &EvaluateArgs, model: &Model, inputs: &[Input]) -> Result<Self> {
        match (&args.boxes, &args.masks) {
            (Some(path), _) => Ok(Self::Boxes(Boxes::open(path, model, inputs, false)?)),
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
            Self::Boxes(boxes) => Ok(boxes.of(input, height, width)?.map(Objects::Boxes)),
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
    // Not the name of its outputs, which may have more in it to be the only one.
    let name = input.path.with_extension("png");
    let name = name.file_name()?;
    let below = directory.join(&input.below).join(name);
    [below, directory.join(name)].into_iter().find(|path| path.is_file())
}
