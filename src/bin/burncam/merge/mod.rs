//! `burncam merge`: combines the results of several runs, or of the shards of one: summaries of `explain`, and evaluations.

mod evaluations;

use std::path::PathBuf;

use anyhow::{Result, bail};
use burncam::internal::output;

use crate::args::MergeArgs;
use crate::outcome::Outcome;
use crate::{evaluate, report, result_files, summary, text};

/// Merges what the directories hold. With `--report` it writes one page: of all records, or of the evaluation where there are no summaries.
pub(crate) fn run(args: &MergeArgs, quiet: bool) -> Result<Outcome> {
    let directories = result_files::each_once(&args.directories)?;
    let summaries = result_files::of_all(&directories, summary::STEM)?;
    let evaluated = result_files::of_all(&directories, evaluate::STEM)?;
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
    let whole = summary::joined(files)?;
    let mut unreadable = 0;
    if let Some(path) = &args.report {
        let (page, left_out) = report::page(path, directories, &whole, |_, _, _| Ok(()))?;
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
