//! Inputs as written on the command line; `discover` finds the files.

use std::path::PathBuf;

use clap::Args;
use glob::Pattern;

use super::values::parse_glob;
use crate::discover::Shard;

// Not `next_help_heading`: it would also apply to the arguments after this struct, which comes first.
#[derive(Debug, Clone, Args)]
pub(crate) struct InputArgs {
    /// Pictures, directories, quoted globs, or - (standard input)
    ///
    /// Pictures, .npy tensors, directories of them, quoted globs such as 'photos/**/*.jpg', or - for a picture on
    /// standard input.
    #[arg(required_unless_present = "files_from", value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// Use only the files of a directory, not those of its subdirectories.
    #[arg(long, help_heading = "Input")]
    pub(crate) no_recursive: bool,

    /// From directories and globs use only files that match, instead of those with known extensions. Can be given
    /// several times. A glob with a / is compared with the path below the directory, one without with the file name.
    #[arg(long, value_name = "GLOB", help_heading = "Input", value_parser = parse_glob)]
    pub(crate) include: Vec<Pattern>,

    /// Skip matching files of directories and globs, even if --include matches them. Can be given several times.
    #[arg(long, value_name = "GLOB", help_heading = "Input", value_parser = parse_glob)]
    pub(crate) exclude: Vec<Pattern>,

    /// A list of inputs, or - for one on standard input: one path per line, or paths separated by NUL (find -print0).
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) files_from: Option<PathBuf>,

    /// Search the directories in a list; otherwise they are errors, because a list should contain files.
    #[arg(long, requires = "files_from", help_heading = "Input")]
    pub(crate) search_listed: bool,

    /// Use only part K of N of the inputs. A file's part depends on its path alone.
    #[arg(long, value_name = "K/N", help_heading = "Input")]
    pub(crate) shard: Option<Shard>,
}

impl InputArgs {
    /// These files, directories and globs, searched as usual.
    pub(crate) fn of(inputs: &[PathBuf]) -> Self {
        Self {
            inputs: inputs.to_vec(),
            no_recursive: false,
            include: vec![],
            exclude: vec![],
            files_from: None,
            search_listed: false,
            shard: None,
        }
    }
}
