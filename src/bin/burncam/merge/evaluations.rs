//! Evaluations of parts, joined to one: as `evaluate` writes it, with its page.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burncam::evaluate::merge;
use burncam::internal::output::{OutputFile, write_together};
use burncam::record::Evaluation;

use crate::{evaluate, text};

/// Joins the evaluations in these files and writes one, with a page if a path for it is given.
///
/// # Errors
/// When one cannot be read, they do not go together, or a file cannot be written.
pub(super) fn run(
    files: &[PathBuf],
    path: PathBuf,
    page: Option<PathBuf>,
    overwrite: bool,
    quiet: bool,
) -> Result<()> {
    let parts = files.iter().map(|path| read(path)).collect::<Result<_>>()?;
    let whole = merge(parts)?;
    let bytes = whole.to_json()?.into_bytes();
    let page: Vec<OutputFile> = page.map(|path| evaluate::page(&whole, path)).into_iter().collect();
    write_together(&page, &[OutputFile { path, bytes }], overwrite)?;
    if !quiet {
        text::lines(&evaluate::lines(&whole))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Evaluation> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    Evaluation::from_json(&bytes).with_context(|| format!("evaluation '{}'", path.display()))
}
