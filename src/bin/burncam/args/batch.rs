//! Options of `burncam explain` for many images.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::condition::Condition;
use crate::labels::LabelSource;

#[derive(Debug, Args)]
#[command(next_help_heading = "Many images")]
pub(crate) struct BatchArgs {
    /// Images processed at the same time, sharing the threads [default: the number of threads].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,

    /// Images that a job passes through the network together [default: 1]; for methods that perturb an image, its
    /// changed copies [default: 4]. Affects memory; with 1, the last digits of those methods differ.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) batch_size: Option<u16>,

    /// Keep what an earlier run finished
    ///
    /// Keep what an earlier run finished; redo what is missing, or whose image, model or settings changed.
    #[arg(long)]
    pub(crate) resume: bool,

    /// Stop at the first image that fails.
    #[arg(long)]
    pub(crate) fail_fast: bool,

    /// True classes: a table of paths and classes
    ///
    /// True classes: a .csv, .tsv or .json file of paths and classes, or from-directory (root/CLASS/image).
    #[arg(long, value_name = "FILE|from-directory")]
    pub(crate) labels: Option<LabelSource>,

    /// Predict all images, and explain only those that meet this condition: label!=top (the mistakes), label=top, or a comparison with a number of p (the
    /// probability of the most probable class), margin (that less the second), label_p or label_rank (of the true class), such as 'p<0.6'. Given
    /// several times, all must hold. Lists and summary say which images were predicted only.
    #[arg(long = "where", value_name = "CONDITION", alias = "explain")]
    pub(crate) conditions: Vec<Condition>,

    /// Where the objects of each image are: a file or directory of COCO, Pascal VOC, ILSVRC or YOLO, or a table. The summary and the report
    /// say how much of the heat is on them, and where it is instead.
    #[arg(long, value_name = "PATH")]
    pub(crate) boxes: Option<PathBuf>,

    /// Write all records to one file, one JSON line per record, in the order of the images; - for standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) jsonl: Option<PathBuf>,

    /// Write a table with one row per image, method and class; - for standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,

    /// Leave cells of --csv unchanged. Otherwise those that a spreadsheet would take for a formula are prefixed with
    /// '.
    #[arg(long, requires = "csv")]
    pub(crate) csv_raw: bool,

    /// Write a web page to browse the results.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// Write one sheet of all images, a PNG: a row for each, with the photo and its first class by each method; of the first 100.
    #[arg(long, value_name = "FILE.png", conflicts_with = "resume")]
    pub(crate) sheet: Option<PathBuf>,

    /// How to show progress: auto (a bar on a terminal), never, or json (lines on standard error).
    #[arg(long, value_enum, default_value_t = ProgressArg::Auto, value_name = "HOW")]
    pub(crate) progress: ProgressArg,
}

impl BatchArgs {
    /// Files about all images, which have names of their own; `-` among them is standard output.
    pub(crate) fn lists(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.jsonl, &self.csv, &self.report, &self.sheet].into_iter().flatten()
    }
}

/// The kind of progress output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressArg {
    Auto,
    Never,
    Json,
}
