//! Evaluations of parts, joined to one: as `evaluate` writes it, with its page.
//!
//! Receives their files; copies all targets into a temporary file, so that memory holds where they are and not what they are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burncam::evaluate::{double, join};
use burncam::record::Evaluation;
use serde::Deserialize;

use crate::evaluate::{self, Destinations, Line, Spool};
use crate::text;

/// Joins the evaluations in these files and writes one, with a page if a path for it is given.
///
/// # Errors
/// When one cannot be read, they do not go together, or a file cannot be written.
pub(super) fn run(
    files: &[PathBuf],
    evaluation: PathBuf,
    page: Option<PathBuf>,
    overwrite: bool,
    quiet: bool,
) -> Result<()> {
    let spool = Spool::unnamed()?;
    let parts = files.iter().map(|path| read(path, &spool)).collect::<Result<_>>()?;
    let (whole, lines) = join(parts)?;
    let lines = by_path(&lines, &spool)?;
    let destinations = Destinations { evaluation, csv: None, page, overwrite };
    let whole = evaluate::write(whole, &spool, &lines, &destinations)?;
    if !quiet {
        text::lines(&evaluate::lines(&whole))?;
    }
    Ok(())
}

/// An evaluation with the places of its targets in the temporary file.
fn read(path: &Path, spool: &Spool) -> Result<Evaluation<Vec<Line>>> {
    let file = File::open(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    let (mut lines, mut failed) = (Vec::new(), None);
    let head = Evaluation::read(file, &mut |target| {
        match spool.add(&[target]) {
            Ok(line) => lines.push(line),
            Err(error) => failed = failed.take().or(Some(error)),
        }
        Ok(())
    });
    let head = head.with_context(|| format!("evaluation '{}'", path.display()))?;
    failed.map_or_else(|| Ok(head.with_targets(lines)), Err)
}

/// The targets of all parts in the order of their paths. Those of a part have this order.
///
/// # Errors
/// When two parts have the same picture, and for a part in another order.
fn by_path(parts: &[Vec<Line>], spool: &Spool) -> Result<Vec<Line>> {
    let path = |part: usize, at: usize| -> Result<Option<Reverse<(PathBuf, usize, usize)>>> {
        let Some(line) = parts[part].get(at) else { return Ok(None) };
        Ok(Some(Reverse((path_of(*line, spool)?, part, at))))
    };
    let mut next = BinaryHeap::new();
    for part in 0..parts.len() {
        next.extend(path(part, 0)?);
    }
    let mut lines = Vec::new();
    while let Some(Reverse((least, part, at))) = next.pop() {
        if let Some(Reverse((other, ..))) = next.peek().filter(|Reverse((other, ..))| *other == least) {
            return Err(double(&other.to_string_lossy()).into());
        }
        lines.push(parts[part][at]);
        let following = path(part, at + 1)?;
        if following.as_ref().is_some_and(|Reverse((following, ..))| *following < least) {
            bail!("an evaluation has targets that are not in the order of paths (evaluate again)");
        }
        next.extend(following);
    }
    Ok(lines)
}

fn path_of(line: Line, spool: &Spool) -> Result<PathBuf> {
    #[derive(Deserialize)]
    struct Named {
        path: PathBuf,
    }
    let mut targets: Vec<Named> = spool.read(line)?;
    Ok(targets.pop().map_or_else(PathBuf::new, |named| named.path))
}
