//! The results of an evaluation: `evaluation.json`, the table of `--csv`, the page, what the terminal shows.
//!
//! Receives all but the targets, and these on disk in the order of paths; goes over them once for the figures and once for each file.

use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use anyhow::Result;
use burncam::evaluate::{Columns, Totals};
use burncam::internal::output::OutputFile;
use burncam::record::{EvaluatedTarget, Evaluation, OneByOne};

use super::spool::{Line, Spool};
use super::{csv, page};

/// Where the results go.
pub(crate) struct Destinations {
    pub(crate) evaluation: PathBuf,
    pub(crate) csv: Option<PathBuf>,
    pub(crate) page: Option<PathBuf>,
    pub(crate) overwrite: bool,
}

/// The targets of all pictures, one after another.
type Targets<'a> = dyn Iterator<Item = Result<EvaluatedTarget>> + 'a;

/// Summarises the targets of these lines and writes all files or none.
///
/// # Errors
/// When targets cannot be read, and when a file cannot be written.
pub(crate) fn write(
    whole: Evaluation<()>,
    spool: &Spool,
    lines: &[Line],
    destinations: &Destinations,
) -> Result<Evaluation<Totals>> {
    let targets = || -> Box<Targets> { Box::new(lines.iter().flat_map(|line| of_line(spool, *line))) };
    let mut columns = Columns::new(&whole)?;
    for target in targets() {
        columns.add(&target?);
    }
    let evaluation = columns.summarise(whole)?;
    // Before the files are written: the text of a long evaluation passes through memory that the columns leave.
    drop(columns);
    let Destinations { evaluation: path, csv, page, overwrite } = destinations;
    let mut others = Vec::new();
    if let Some(path) = csv {
        others.push(OutputFile::staged(path.clone(), |out| csv::write(&evaluation, targets(), out))?);
    }
    if let Some(path) = page {
        others.push(OutputFile::staged(path.clone(), |out| {
            out.write_all(page::document(&evaluation).as_bytes())
        })?);
    }
    let (evaluation, totals) = evaluation.replace_targets(OneByOne::new(targets()));
    let staged = OutputFile::staged(path.clone(), |out| {
        let mut out = BufWriter::new(out);
        evaluation.write_json(&mut out)?;
        out.flush()
    })?;
    OutputFile::put_in_place(others, vec![staged], *overwrite)?;
    Ok(evaluation.with_targets(totals))
}

fn of_line(spool: &Spool, line: Line) -> Vec<Result<EvaluatedTarget>> {
    match spool.read(line) {
        Ok(targets) => targets.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }
}
