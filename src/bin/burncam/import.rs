//! `burncam import`: weights and what they belong to in, a self-contained model file out.

use std::path::Path;

use anyhow::{Context as _, Result};
use burncam::card::Preprocess;
use burncam::model::import::{ImportRequest, import};
use burncam::model::{Model, read_card};
use burncam::output;

use crate::Outcome;
use crate::args::ImportArgs;
use crate::text;

/// Imports one file.
pub(crate) fn run(args: &ImportArgs, quiet: bool) -> Result<Outcome> {
    if !args.force {
        output::refuse_existing([&args.out])?;
    }
    let classes = args.classes.as_deref().map(read_classes).transpose()?.unwrap_or_default();
    let preprocess = args.pictures.preprocess.as_deref().map(read_preprocess).transpose()?;
    let imported = import(&ImportRequest {
        source: args.source.clone(),
        arch: args.arch.clone(),
        card: args.spec.as_deref().map(read_card).transpose()?,
        num_classes: args.num_classes,
        classes,
        name: args.name.clone(),
        half: args.half,
        key: args.key.clone(),
        input: preprocess.as_ref().and_then(Preprocess::output_size),
        preprocess,
        adjust: args.pictures.request(),
        output_name: args.output_name.clone(),
        license: args.license.clone(),
        note: args.note.clone(),
    })?;
    for warning in &imported.warnings {
        log::warn!("{warning}");
    }
    for assumption in imported.assumptions.iter().filter(|_| !quiet) {
        text::line(&format!("assumed: {assumption}"))?;
    }
    let tensors = imported.tensors.len();
    Model::save(&args.out, &imported.card, imported.tensors, args.force)?;
    let model = Model::open(&args.out, None)?;
    if !quiet {
        let layer = model.choose_layer(&burncam::model::LayerRequest::Auto)?;
        text::line(&format!(
            "{}: {} with {} classes, {tensors} tensors, {}, explained at layer {}",
            args.out.display(),
            model.name(),
            model.num_classes(),
            text::size(model.file_size()?),
            layer.name
        ))?;
    }
    Ok(Outcome::Done)
}

/// One class a line; empty lines at the end do not count.
fn read_classes(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    Ok(text.trim_end().lines().map(|line| line.trim().to_owned()).collect())
}

fn read_preprocess(path: &Path) -> Result<Preprocess> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("preprocess file '{}'", path.display()))
}
