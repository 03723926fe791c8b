//! The page of runs that are over, made of their records: `burncam report`, and `merge --report`.
//!
//! Receives directories; reads their records one by one, so that memory does not grow with what is in them.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burncam::internal::output;
use burncam::record::{Record, Summary};

use super::Page;
use super::entries::{Entries, Entry, entries};
use super::head::Runs;
use crate::args::ReportArgs;
use crate::compare::against::Against;
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
    let path = place_of(args)?;
    if !args.force {
        output::refuse_existing([&path])?;
    }
    let directories = result_files::each_once(&args.directories)?;
    let written = written(&directories);
    let is_counted = written.is_none();
    let whole = written.unwrap_or_else(|| Summary::new("", "", 0));
    let against = args.against.as_deref().map(|other| next_to(&directories, other)).transpose()?;
    let (mut pictures, mut counted) = (0, Summary::new("", "", 0));
    let (mut page, mut unreadable) = page(&path, &directories, &whole, |page, records, folders| {
        pictures += 1;
        if is_counted {
            counted.add(records, &[]);
        }
        let found = against.as_ref().map(|against| against.of(records, folders)).transpose()?.flatten();
        found.map_or(Ok(()), |found| page.add_second(&found))
    })?;
    if pictures == 0 && whole.failures.is_empty() {
        let names: Vec<String> = directories.iter().map(|name| format!("'{}'", name.display())).collect();
        bail!("no records were found in {}, expected those of a run", names.join(", "));
    }
    if let (Some(against), Some(other)) = (&against, &args.against) {
        unreadable += against.unreadable;
        page.name_runs(Runs {
            first: directories[0].display().to_string(),
            second: other.display().to_string(),
            both: against.both(),
            only_second: against.only_there,
        });
    }
    page.write(args.force, if is_counted { &counted } else { &whole })?;
    if !quiet {
        text::note(&format!("{} in '{}'", text::counted(pictures, "picture"), path.display()));
    }
    Ok(if unreadable == 0 { Outcome::Done } else { Outcome::SomeFailed })
}

/// The page's own path.
fn place_of(args: &ReportArgs) -> Result<PathBuf> {
    match (&args.out, &args.directories[..]) {
        (Some(path), _) => Ok(path.clone()),
        (None, [one]) => Ok(one.join(NAME)),
        (None, _) => {
            bail!("the page of several directories has no place of its own (name a file with --out)")
        }
    }
}

/// The summary of all directories, where each has one.
fn written(directories: &[PathBuf]) -> Option<Summary> {
    let files = result_files::of_all(directories, summary::STEM);
    let written = files.and_then(|files| files.map(|files| summary::joined(&files)).transpose());
    written.unwrap_or_else(|error| {
        // Of a run that is not over the records are there all the same.
        log::warn!("{error:#}; the page is made of the records alone");
        None
    })
}

/// The run that stands next to that of the directory.
fn next_to(directories: &[PathBuf], other: &Path) -> Result<Against> {
    let [first] = directories else {
        bail!(
            "run '{}': stands next to one run, got {} directories (name one)",
            other.display(),
            directories.len()
        );
    };
    Against::read(first, other)
}

/// The page of all records below the directories and of the failures in their summary; and the number of unreadable records, which were
/// reported. `each` takes the records of each picture and the directory of each record, while the picture's card is the last one of the page.
///
/// # Errors
/// When a record that was there is gone, and those of `each`.
pub(crate) fn page(
    path: &Path,
    directories: &[PathBuf],
    whole: &Summary,
    mut each: impl FnMut(&mut Page, &[Record], &[PathBuf]) -> Result<()>,
) -> Result<(Page, usize)> {
    let mut page = Page::new(&whole.model.name, path)?;
    // The records of one picture come one after the other.
    let (mut records, mut folders): (Vec<Record>, Vec<PathBuf>) = (vec![], vec![]);
    let mut end = |page: &mut Page, records: &mut Vec<Record>, folders: &mut Vec<PathBuf>| {
        let (records, folders) = (std::mem::take(records), std::mem::take(folders));
        if records.is_empty() { Ok(()) } else { each(page, &records, &folders) }
    };
    let Entries { shown, unreadable } = entries(directories, whole);
    for entry in shown {
        match entry {
            Entry::Record(path) => {
                let (record, folder) = (read(&path)?, path.parent().unwrap_or(Path::new("")));
                if records.first().is_some_and(|first| first.input.path != record.input.path) {
                    end(&mut page, &mut records, &mut folders)?;
                }
                page.add(&record, folder, None);
                records.push(record);
                folders.push(folder.to_owned());
            }
            Entry::Failure(failure) => {
                end(&mut page, &mut records, &mut folders)?;
                page.fail(&failure.path, &failure.error);
            }
        }
    }
    end(&mut page, &mut records, &mut folders)?;
    Ok((page, unreadable))
}
