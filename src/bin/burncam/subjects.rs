//! Loading of models and inputs, shared by all commands.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use burncam::explain::Subject;
use burncam::input::{MAX_FILE_BYTES, Picture};
use burncam::model::Model;

use crate::args::{ModelArgs, PictureArgs};
use crate::discover::Input;

/// The model given on the command line, or the built-in one.
pub(crate) fn open_model(args: &ModelArgs) -> Result<Model> {
    open(args.model.as_deref(), args.spec.as_deref())
}

/// As [`open_model`], from a path and a card.
pub(crate) fn open(path: Option<&Path>, spec: Option<&Path>) -> Result<Model> {
    let model = match path {
        Some(path) => Model::open(path, spec)?,
        #[cfg(feature = "embedded-model")]
        None => Model::embedded()?,
        #[cfg(not(feature = "embedded-model"))]
        None => bail!("no model: this build has none built in (name one with -m FILE.bpk)"),
    };
    for warning in model.warnings() {
        log::warn!("{warning}");
    }
    Ok(model)
}

/// Sets the number of threads of the whole process; the default is one per core.
pub(crate) fn set_threads(threads: Option<usize>) -> Result<()> {
    if let Some(threads) = threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .context("cannot start the threads")?;
    }
    Ok(())
}

/// Refuses an input that is known to be unreadable.
///
/// # Errors
/// The known problem.
pub(crate) fn check(input: &Input) -> Result<()> {
    match &input.problem {
        Some(problem) => bail!("{problem}"),
        None => Ok(()),
    }
}

/// Reads one input and preprocesses it for the model.
pub(crate) fn load(
    input: &Input,
    args: &PictureArgs,
    drawn_on: Option<&Path>,
    model: &Model,
) -> Result<Subject> {
    check(input)?;
    let name = input.path.display().to_string();
    if input.is_tensor() {
        let picture = drawn_on.map(|path| Picture::open(path, args.read_options())).transpose()?;
        return Ok(Subject::from_tensor(&input.path, &name, args.layout.into(), picture, model)?);
    }
    if drawn_on.is_some() {
        bail!("--image goes with a .npy tensor, but '{name}' is read as a picture");
    }
    let picture = if input.is_stdin() {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .context("cannot read standard input")?;
        Picture::from_bytes(&bytes, &name, args.read_options())?
    } else {
        Picture::open(&input.path, args.read_options())?
    };
    Ok(Subject::from_picture(picture, &name, model)?)
}
