//! Arguments of `burncam predict`; `predict`, next to this folder, runs it.

use std::path::PathBuf;

use clap::Args;

use super::{FormatArgs, InputArgs, ModelArgs, PictureArgs, ProgressArg, RunArgs};
use crate::labels::LabelSource;

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Number of classes
    ///
    /// Number of classes to print, and in each record.
    #[arg(short = 'k', long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) top_k: u16,

    /// True classes: a table of paths and classes
    ///
    /// True classes: a .csv, .tsv or .json file of paths and classes, or from-directory (root/CLASS/image). The accuracy is printed at the end, on standard
    /// error.
    #[arg(long, value_name = "FILE|from-directory", help_heading = "Many images")]
    pub(crate) labels: Option<LabelSource>,

    #[command(flatten)]
    pub(crate) lists: PredictionListArgs,

    #[command(flatten)]
    pub(crate) picture: PictureArgs,

    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct PredictionListArgs {
    /// Records, one JSON line per image
    ///
    /// Write records to one file, one JSON line per image, in the order of the images; - for standard output. Images that fail have a line with their
    /// error.
    #[arg(long, value_name = "FILE")]
    pub(crate) jsonl: Option<PathBuf>,

    /// A table, one row per image and class
    ///
    /// Write a table with one row per image and class; - for standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,

    /// Leave cells of --csv unchanged. Otherwise those that a spreadsheet would take for a formula are prefixed with
    /// '.
    #[arg(long, requires = "csv")]
    pub(crate) csv_raw: bool,

    /// Replace existing files.
    #[arg(short, long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgs,

    /// How to show progress: auto (a bar on a terminal), never, or json (lines on standard error).
    #[arg(long, value_enum, default_value_t = ProgressArg::Auto, value_name = "HOW")]
    pub(crate) progress: ProgressArg,
}
