//! Arguments of `burncam merge`; `merge`, next to this folder, runs it.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Output directories of runs of `explain` or `evaluate`, with `summary.json` or `evaluation.json`, or `summary.K-of-N.json` and
    /// `evaluation.K-of-N.json` of shards.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,

    /// Directory for the merged `summary.json` or `evaluation.json`.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// Also write an HTML page: to browse all records below the directories, or of the evaluation.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// Replace existing files.
    #[arg(short, long)]
    pub(crate) force: bool,
}
