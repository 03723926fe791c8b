//! Inputs as written on the command line; `discover` finds the files.

use std::path::PathBuf;

use clap::Args;
use glob::Pattern;

use super::values::parse_glob;
use crate::discover::Shard;

// Not `next_help_heading`: it would also apply to the arguments after this struct, which comes first.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// Pictures, .npy tensors, directories of them, quoted globs such as 'photos/**/*.jpg', or - for a picture on
    /// standard input.
    #[arg(required_unless_present = "files_from", value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// Take the files of a directory only, not those of the directories in it.
    #[arg(long, help_heading = "Input")]
    pub(crate) no_recursive: bool,

    /// Of directories and globs take only files that fit, in place of those with known endings. May be given several
    /// times. A glob with a / is held against the path below the directory, one without against the file name.
    #[arg(long, value_name = "GLOB", help_heading = "Input", value_parser = parse_glob)]
    pub(crate) include: Vec<Pattern>,

    /// Of directories and globs leave out files that fit, whatever --include says. May be given several times.
    #[arg(long, value_name = "GLOB", help_heading = "Input", value_parser = parse_glob)]
    pub(crate) exclude: Vec<Pattern>,

    /// A list of inputs, or - for one on standard input: a path a line, or paths separated by NUL (find -print0).
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) files_from: Option<PathBuf>,

    /// Search the directories that a list names; without it they fail, since a list is of files.
    #[arg(long, requires = "files_from", help_heading = "Input")]
    pub(crate) search_listed: bool,

    /// Take the Kth of N parts of what is found. Which part a file is in follows from its path alone.
    #[arg(long, value_name = "K/N", help_heading = "Input")]
    pub(crate) shard: Option<Shard>,
}
