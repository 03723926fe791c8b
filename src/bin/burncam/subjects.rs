//! Loading of models and inputs, shared by all commands.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use burncam::{Model, Reading, Subject};
use burncam_graph::memory::{Part, read_from};

use crate::args::ModelArgs;
use crate::discover::Input;
use crate::environment;

/// The model given on the command line, or the built-in one.
pub(crate) fn open_model(args: &ModelArgs) -> Result<Model> {
    open(args.model.as_deref(), args.spec.as_deref())
}

/// As [`open_model`], from a path and a card. Without a path it is the model that the environment names, else the built-in one.
pub(crate) fn open(path: Option<&Path>, spec: Option<&Path>) -> Result<Model> {
    let usual = environment::model();
    let path = path.or_else(|| {
        usual.as_deref().inspect(|path| log::info!("model '{}', from {}", path.display(), environment::MODEL))
    });
    if let (None, Some(card)) = (path, spec) {
        bail!("--spec '{}' is for a model file, and none is named (name one with -m)", card.display());
    }
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
pub(crate) fn load(input: &Input, reading: &Reading, model: &Model) -> Result<Subject> {
    check(input)?;
    let name = input.path.display().to_string();
    if reading.drawn_on.is_some() && !input.is_tensor() {
        bail!("--image goes with a .npy tensor, but '{name}' is read as a picture");
    }
    if !input.is_stdin() {
        return Ok(Subject::open(&input.path, reading, model)?);
    }
    // An endless pipe ends here, too.
    let read = read_from(std::io::stdin().lock(), 0, Part::File).context("cannot read standard input")?;
    let bytes = read.map_err(|problem| problem.of_image(&name))?;
    Ok(Subject::from_bytes(&bytes, &name, reading, model)?)
}
