//! `burncam merge`: combines the results of several runs, or of the shards of one.

mod records;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burncam::internal::output;
use burncam::record::{SUMMARY_VERSION, Summary};

use self::records::{Entries, Entry};
use crate::args::MergeArgs;
use crate::outcome::Outcome;
use crate::report::Page;
use crate::{summary, text};

/// Merges the summaries, and with `--report` writes one page of all records.
pub(crate) fn run(args: &MergeArgs, quiet: bool) -> Result<Outcome> {
    let path = args.out.join(summary::FILE);
    if !args.force {
        output::refuse_existing(std::iter::once(&path).chain(&args.report))?;
    }
    output::check_directory(&args.out)?;
    let whole = Summary::merge(summaries(&args.directories)?)?;
    let mut unreadable = 0;
    if let Some(report) = &args.report {
        let (page, left_out) = page(&args.directories, &whole)?;
        page.write(report, args.force, &whole)?;
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
fn page(directories: &[PathBuf], whole: &Summary) -> Result<(Page, usize)> {
    let mut page = Page::new(&whole.model.name);
    let Entries { shown, unreadable } = records::entries(directories, whole);
    for entry in shown {
        match entry {
            Entry::Record(path) => {
                page.add(&crate::records::read(&path)?, path.parent().unwrap_or(Path::new("")));
            }
            Entry::Failure(failure) => page.fail(&failure.path, &failure.error),
        }
    }
    Ok((page, unreadable))
}

/// The summaries in these directories.
fn summaries(directories: &[PathBuf]) -> Result<Vec<Summary>> {
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut summaries = Vec::new();
    for directory in directories {
        // Two spellings of one directory would count its images twice.
        let real = directory
            .canonicalize()
            .with_context(|| format!("cannot read the directory '{}'", directory.display()))?;
        if seen.contains(&real) {
            bail!("directory '{}' is named twice, expected each once", directory.display());
        }
        seen.push(real);
        for path in summary_files(directory)? {
            summaries.push(read(&path)?);
        }
    }
    Ok(summaries)
}

/// The shards' summaries if there are any: then `summary.json` next to them is the result of an earlier merge.
fn summary_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let cannot_read = || format!("cannot read the directory '{}'", directory.display());
    let mut shards = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(cannot_read)? {
        let path = entry.with_context(cannot_read)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if summary::is_of_a_shard(&name) {
            shards.push(path);
        }
    }
    // `read_dir` has no order, and the summary keeps that of its parts.
    shards.sort();
    let whole = directory.join(summary::FILE);
    match (shards.is_empty(), whole.is_file()) {
        (false, _) => Ok(shards),
        (true, true) => Ok(vec![whole]),
        (true, false) => bail!(
            "directory '{}' holds no {}, expected the output directory of a run over several images",
            directory.display(),
            summary::FILE
        ),
    }
}

fn read(path: &Path) -> Result<Summary> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read '{}'", path.display()))?;
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
