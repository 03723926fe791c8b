//! Arguments of `burncam report`; `report`, next to this folder, runs it.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Directories with records of `explain`, finished or not.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,

    /// The page [default: report.html in the directory, if there is one].
    #[arg(short, long, value_name = "FILE.html")]
    pub(crate) out: Option<PathBuf>,

    /// Another run over the same pictures, whose maps and classes stand next to those of the directory: its own directory, or the
    /// list that its --jsonl wrote.
    #[arg(long, value_name = "RUN")]
    pub(crate) against: Option<PathBuf>,

    /// Replace an existing page.
    #[arg(short, long)]
    pub(crate) force: bool,
}
