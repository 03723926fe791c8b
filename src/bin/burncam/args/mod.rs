//! The command line. Nothing here accesses files; see `plan.rs` for that. `check.rs`, `compare.rs`, `evaluate.rs`, `explain.rs`,
//! `import.rs`, `merge.rs`, `predict.rs` and `report.rs` have the arguments of those commands, `batch.rs` those for many images, `inputs.rs` the inputs,
//! `common.rs` those of several commands, `options.rs` the options of methods, `values.rs` the parsers of single values.

mod batch;
mod check;
mod common;
mod compare;
mod evaluate;
mod explain;
mod import;
mod inputs;
mod merge;
mod options;
mod predict;
mod report;
mod values;

use std::path::PathBuf;

use burncam::Method;
use clap::{Args, Parser, Subcommand};

pub(crate) use self::batch::{BatchArgs, ProgressArg};
pub(crate) use self::check::CheckArgs;
pub(crate) use self::common::{DeviceArgs, FormatArgs, LayerArgs, ModelArgs, PictureArgs, RunArgs};
pub(crate) use self::compare::{CompareArgs, Drop};
pub(crate) use self::evaluate::{EvaluateArgs, MetricArg};
pub(crate) use self::explain::{
    CropEdgeArg, ExplainArgs, MethodArgs, OutputArgs, OverlayArg, Save, ScaleArg, SmoothArg, StyleArgs,
};
pub(crate) use self::import::ImportArgs;
pub(crate) use self::inputs::InputArgs;
pub(crate) use self::merge::MergeArgs;
pub(crate) use self::options::MethodOptionArgs;
pub(crate) use self::predict::PredictArgs;
pub(crate) use self::report::ReportArgs;
use self::values::parse_bytes;

/// Explain what a neural network for pictures looked at.
///
/// burncam draws class activation maps (Grad-CAM): it runs a network on a picture, finds where the evidence for a
/// class is, and writes an overlay PNG and a JSON record. Without -m it uses a built-in ImageNet network.
#[derive(Debug, Parser)]
#[command(name = "burncam", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print more messages; twice for even more.
    #[arg(short, long, action = clap::ArgAction::Count, global = true, display_order = 900)]
    pub(crate) verbose: u8,

    /// Memory that files may take, such as 2G [default: 3/4 of what is left].
    #[arg(long, value_name = "SIZE", global = true, hide_short_help = true, display_order = 902, value_parser = parse_bytes)]
    pub(crate) memory_limit: Option<u64>,

    /// Print only errors.
    #[arg(short, long, global = true, conflicts_with = "verbose", display_order = 901)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Draw where the evidence for a class is, and write a record.
    Explain(Box<ExplainArgs>),
    /// Measure which method's maps are right, next to baselines.
    Evaluate(Box<EvaluateArgs>),
    /// Join the summaries and reports of runs or shards.
    Merge(MergeArgs),
    /// Make the page to browse the results of runs that are over.
    Report(ReportArgs),
    /// Compare two runs over the same pictures.
    Compare(CompareArgs),
    /// Print the most probable classes.
    Predict(Box<PredictArgs>),
    /// List a model's layers, and which of them can be explained.
    Layers(LayersArgs),
    /// Make a model file from ONNX, Keras, PyTorch or safetensors.
    Import(Box<ImportArgs>),
    /// Check that a model's numbers are right.
    Check(Box<CheckArgs>),
    /// Show what a model is, its origin, and what it costs to run.
    Info(InfoArgs),
    /// List the methods with what they show, cost and paper.
    Methods(MethodsArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell to complete for.
        shell: clap_complete::Shell,
    },
    /// Print the manual page of burncam, or of a command.
    Man {
        /// The command to describe.
        #[arg(value_name = "COMMAND")]
        command: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct LayersArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Only the layers that can be explained.
    #[arg(long)]
    pub(crate) explainable: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MethodsArgs {
    /// Methods to describe [default: a table of all]
    #[arg(value_name = "METHOD")]
    pub(crate) methods: Vec<Method>,

    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    /// A model file, as -m
    #[arg(value_name = "FILE.bpk", conflicts_with = "model")]
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Print the model card as JSON.
    #[arg(long, conflicts_with = "classes")]
    pub(crate) card: bool,

    /// Print the class names with their indices, one per line.
    #[arg(long)]
    pub(crate) classes: bool,

    /// Print the names for `import --arch`, one per line.
    #[arg(long, conflicts_with_all = ["file", "model", "spec", "card", "classes"])]
    pub(crate) architectures: bool,
}
