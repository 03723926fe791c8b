//! The page of runs that are over, made of their records: `burncam report`, and `merge --report`.
//!
//! Receives directories; reads their records one by one, so that memory does not grow with what is in them.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burncam::internal::output;
use burncam::record::{Record, Summary};

use super::Page;
use super::entries::{Entries, Entry, entries};
use crate::args::ReportArgs;
use crate::outcome::Outcome;
use crate::records::read;
use crate::{result_files, summary, text};

/// Name of the page in the directory of a run.
const NAME: &str = "report.html";

/// Writes the page of all records below the directories. Summaries are used where every directory has one, for what records do not hold:
/// failures, and boxes of objects. Without them the overview is counted from the records.
///
/// # Errors
/// When there are no records, or the page cannot be written.
pub(crate) fn run(args: &ReportArgs, quiet: bool) -> Result<Outcome> {
    let path = match (&args.out, &args.directories[..]) {
        (Some(path), _) => path.clone(),
        (None, [one]) => one.join(NAME),
        (None, _) => {
            bail!("the page of several directories has no place of its own (name a file with --out)")
        }
    };
    if !args.force {
        output::refuse_existing([&path])?;
    }
    let directories = result_files::each_once(&args.directories)?;
    let files = result_files::of_all(&directories, summary::STEM);
    let written = files.and_then(|files| files.map(|files| summary::joined(&files)).transpose());
    let written = written.unwrap_or_else(|error| {
        // Of a run that is not over the records are there all the same.
        log::warn!("{error:#}; the page is made of the records alone");
        None
    });
    let is_counted = written.is_none();
    let whole = written.unwrap_or_else(|| Summary::new("", "", 0));
    let (mut pictures, mut counted) = (0, Summary::new("", "", 0));
    let (page, unreadable) = page(&path, &directories, &whole, |records| {
        pictures += 1;
        if is_counted {
            counted.add(records, &[]);
        }
    })?;
    if pictures == 0 && whole.failures.is_empty() {
        let names: Vec<String> = directories.iter().map(|name| format!("'{}'", name.display())).collect();
        bail!("no records were found in {}, expected those of a run", names.join(", "));
    }
    page.write(args.force, if is_counted { &counted } else { &whole })?;
    if !quiet {
        text::note(&format!("{} in '{}'", text::counted(pictures, "picture"), path.display()));
    }
    Ok(if unreadable == 0 { Outcome::Done } else { Outcome::SomeFailed })
}

/// The page of all records below the directories and of the failures in their summary; and the number of unreadable records, which were
/// reported. `each` takes the records of each picture.
///
/// # Errors
/// When a record that was there is gone.
pub(crate) fn page(
    path: &Path,
    directories: &[PathBuf],
    whole: &Summary,
    mut each: impl FnMut(&[Record]),
) -> Result<(Page, usize)> {
    let mut page = Page::new(&whole.model.name, path)?;
    // The records of one picture come one after the other.
    let mut picture: Vec<Record> = Vec::new();
    let Entries { shown, unreadable } = entries(directories, whole);
    for entry in shown {
        match entry {
            Entry::Record(path) => {
                let record = read(&path)?;
                page.add(&record, path.parent().unwrap_or(Path::new("")), None);
                if picture.first().is_some_and(|first| first.input.path != record.input.path) {
                    each(&std::mem::take(&mut picture));
                }
                picture.push(record);
            }
            Entry::Failure(failure) => page.fail(&failure.path, &failure.error),
        }
    }
    if !picture.is_empty() {
        each(&picture);
    }
    Ok((page, unreadable))
}
