//! `burncam merge`: combines the results of several runs, or of the shards of one: summaries of `explain`, and evaluations.

mod evaluations;
mod records;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burncam::internal::output;
use burncam::record::{SUMMARY_VERSION, Summary};
use burncam_graph::memory::{Part, read_text};

use self::records::{Entries, Entry};
use crate::args::MergeArgs;
use crate::outcome::Outcome;
use crate::report::Page;
use crate::{evaluate, result_files, summary, text};

/// Merges what the directories hold. With `--report` it writes one page: of all records, or of the evaluation where there are no summaries.
pub(crate) fn run(args: &MergeArgs, quiet: bool) -> Result<Outcome> {
    let directories = each_once(&args.directories)?;
    let summaries = files(&directories, summary::STEM)?;
    let evaluated = files(&directories, evaluate::STEM)?;
    if let (None, None, Some(directory)) = (&summaries, &evaluated, directories.first()) {
        bail!(
            "directory '{}' holds no {}, expected the output directory of a run over several images",
            directory.display(),
            result_files::name(summary::STEM, None)
        );
    }
    let path = |stem: &str| args.out.join(result_files::name(stem, None));
    if !args.force {
        let paths = [(&summaries, summary::STEM), (&evaluated, evaluate::STEM)];
        let paths: Vec<PathBuf> =
            paths.into_iter().filter(|(files, _)| files.is_some()).map(|(_, stem)| path(stem)).collect();
        output::refuse_existing(paths.iter().chain(&args.report))?;
    }
    output::check_directory(&args.out)?;
    let mut outcome = Outcome::Done;
    if let Some(files) = &summaries {
        outcome = merge_summaries(args, &directories, files, path(summary::STEM), quiet)?;
    }
    if let Some(files) = &evaluated {
        let page = args.report.clone().filter(|_| summaries.is_none());
        evaluations::run(files, path(evaluate::STEM), page, args.force, quiet)?;
    }
    Ok(outcome)
}

fn merge_summaries(
    args: &MergeArgs,
    directories: &[PathBuf],
    files: &[PathBuf],
    path: PathBuf,
    quiet: bool,
) -> Result<Outcome> {
    let whole = Summary::merge(files.iter().map(|path| read(path)).collect::<Result<_>>()?)?;
    let mut unreadable = 0;
    if let Some(report) = &args.report {
        let (page, left_out) = page(report, directories, &whole)?;
        page.write(args.force, &whole)?;
        unreadable = left_out;
    }
    // After the page, so that a summary means that the page exists.
    summary::write(&whole, path, args.force)?;
    if !quiet {
        summary::words(&whole).iter().for_each(|line| text::note(line));
    }
    Ok(if unreadable == 0 { Outcome::Done } else { Outcome::SomeFailed })
}

/// The page of all records below the directories and all failures; and the number of unreadable records.
fn page(path: &Path, directories: &[PathBuf], whole: &Summary) -> Result<(Page, usize)> {
    let mut page = Page::new(&whole.model.name, path)?;
    let Entries { shown, unreadable } = records::entries(directories, whole);
    for entry in shown {
        match entry {
            Entry::Record(path) => {
                page.add(&crate::records::read(&path)?, path.parent().unwrap_or(Path::new("")), None);
            }
            Entry::Failure(failure) => page.fail(&failure.path, &failure.error),
        }
    }
    Ok((page, unreadable))
}

/// The directories, each of which may be named once.
fn each_once(directories: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for directory in directories {
        // Two spellings of one directory would count its images twice.
        let real = directory
            .canonicalize()
            .with_context(|| format!("cannot read the directory '{}'", directory.display()))?;
        if seen.contains(&real) {
            bail!("directory '{}' is named twice, expected each once", directory.display());
        }
        seen.push(real);
    }
    Ok(directories.to_vec())
}

/// The results called `stem` in all directories; `None` where no directory has any.
///
/// # Errors
/// When some directories have them and others do not.
fn files(directories: &[PathBuf], stem: &str) -> Result<Option<Vec<PathBuf>>> {
    let found = directories.iter().map(|directory| result_files::found(directory, stem));
    let found = found.collect::<Result<Vec<_>>>()?;
    match found.iter().position(Vec::is_empty) {
        None => Ok(Some(found.concat())),
        Some(_) if found.iter().all(Vec::is_empty) => Ok(None),
        Some(at) => bail!(
            "directory '{}' holds no {}, expected one, as the others have",
            directories[at].display(),
            result_files::name(stem, None)
        ),
    }
}

fn read(path: &Path) -> Result<Summary> {
    let bytes = read_text(path, Part::Text)?;
    let about = || format!("summary '{}' is not one of burncam's, version {SUMMARY_VERSION}", path.display());
    let summary: Summary = serde_json::from_slice(&bytes).with_context(about)?;
    if summary.schema_version != SUMMARY_VERSION {
        bail!(
            "summary '{}' has version {}, expected {SUMMARY_VERSION} (merge with the burncam that wrote it)",
            path.display(),
            summary.schema_version
        );
    }
    Ok(summary)
}
