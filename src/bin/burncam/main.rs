//! The `burncam` command: arguments, library calls, text and exit codes. All printing is in this folder.

mod args;
mod batch;
mod boxes;
mod check;
mod compare;
mod condition;
mod contain;
mod decode;
mod discover;
#[cfg(test)]
mod documents;
mod dry;
mod environment;
mod evaluate;
mod explain;
mod failure;
mod failures;
mod flags;
mod formula;
mod help;
mod html;
mod import;
mod inspect;
mod labels;
mod line_file;
mod lists;
mod merge;
mod methods;
mod outcome;
mod plan;
mod predict;
mod progress;
mod records;
mod report;
mod request;
mod result_files;
mod stages;
mod subjects;
mod summary;
mod text;
mod threads;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::FromArgMatches as _;
use clap::error::ErrorKind;

use args::{Cli, Command};
use burncam_graph::memory;
use burncam_picture::render::escape::escaped;
use outcome::Outcome;

/// Exit code when nothing could start: wrong arguments, model or output directory.
const COULD_NOT_START: u8 = 2;

fn main() -> ExitCode {
    let cli = match parsed(std::env::args_os()) {
        Ok(cli) => cli,
        Err(refusal) => return refused(&refusal),
    };
    start_logging(&cli);
    contain::prepare();
    if let Some(bytes) = cli.memory_limit {
        memory::set_limit(bytes);
    }
    match contain::contained(|| run(cli.command, cli.quiet)) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::SomeFailed) => ExitCode::FAILURE,
        Ok(Outcome::Interrupted(signal)) => ExitCode::from(128 + signal),
        Err(error) if failure::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            text::error(&error);
            ExitCode::from(COULD_NOT_START)
        }
    }
}

fn parsed(arguments: impl Iterator<Item = impl Into<OsString> + Clone>) -> Result<Cli, clap::Error> {
    let mut command = help::command();
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Prints clap's help or error. Errors repeat the arguments, which may be file names from a shell glob, so clap
/// parses again with control characters escaped.
fn refused(refusal: &clap::Error) -> ExitCode {
    if refusal.kind() == ErrorKind::DisplayVersion && version::is_verbose(std::env::args()) {
        return match text::lines(&version::lines()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let spelt = std::env::args_os().map(|argument| escaped(&argument.to_string_lossy()).into_owned());
    match parsed(spelt) {
        Err(again) => again.exit(),
        // Parsing only succeeds when an argument was not valid text: then the first message is printed, escaped.
        Ok(_) => refusal.render().to_string().lines().for_each(text::note),
    }
    ExitCode::from(COULD_NOT_START)
}

fn run(command: Command, quiet: bool) -> Result<Outcome> {
    match command {
        Command::Explain(args) => explain::run(&args, quiet),
        Command::Evaluate(args) => evaluate::run(&args, quiet),
        Command::Merge(args) => merge::run(&args, quiet),
        Command::Report(args) => report::run(&args, quiet),
        Command::Compare(args) => compare::run(&args),
        Command::Predict(args) => predict::run(&args, quiet),
        Command::Layers(args) => inspect::layers(&args),
        Command::Import(args) => import::run(&args, quiet),
        Command::Check(args) => check::run(&args, quiet),
        Command::Info(args) => inspect::info(&args),
        Command::Methods(args) => methods::run(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut help::command(), "burncam", &mut script);
            text::data(&script)?;
            Ok(Outcome::Done)
        }
        Command::Man { command } => {
            text::data(&manual_page(command.as_deref())?)?;
            Ok(Outcome::Done)
        }
    }
}

fn manual_page(name: Option<&str>) -> Result<Vec<u8>> {
    let mut command = help::command();
    command.build();
    if let Some(name) = name {
        let Some(found) = command.find_subcommand(name) else {
            anyhow::bail!("command '{name}' is not one of burncam's (see `burncam --help`)");
        };
        command = found.clone();
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(page)
}

fn start_logging(cli: &Cli) {
    let level = match (cli.quiet, cli.verbose) {
        (true, _) => log::LevelFilter::Error,
        (false, 0) => log::LevelFilter::Warn,
        (false, 1) => log::LevelFilter::Info,
        (false, _) => log::LevelFilter::Debug,
    };
    env_logger::Builder::new().filter_module("burncam", level).format(text::log_line).init();
}
