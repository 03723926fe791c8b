//! Arguments of `burncam merge`; `merge`, next to this folder, runs it.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Output directories of runs; they hold `summary.json`, or `summary.K-of-N.json` of shards.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,

    /// Directory of the `summary.json` of all.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// Also write a page of HTML to look through all records below the directories.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// Replace files that exist.
    #[arg(short, long)]
    pub(crate) force: bool,
}
