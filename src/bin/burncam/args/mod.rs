//! The command line. Nothing here accesses files; see `plan.rs` for that. `check.rs`, `compare.rs`, `evaluate.rs`, `explain.rs`,
//! `import.rs` and `merge.rs` have the arguments of those commands, `batch.rs` those for many images, `inputs.rs` the inputs,
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
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use self::batch::{BatchArgs, ProgressArg};
pub(crate) use self::check::CheckArgs;
pub(crate) use self::common::{DeviceArgs, FormatArgs, LayerArgs, ModelArgs, PictureArgs, RunArgs};
pub(crate) use self::compare::{CompareArgs, Drop};
pub(crate) use self::evaluate::{EvaluateArgs, MetricArg};
pub(crate) use self::explain::{ExplainArgs, MethodArgs, OverlayArg, Save, ScaleArg, SmoothArg, StyleArgs};
pub(crate) use self::import::ImportArgs;
pub(crate) use self::inputs::InputArgs;
pub(crate) use self::merge::MergeArgs;
pub(crate) use self::options::MethodOptionArgs;

/// Explain what a convolutional network looked at.
///
/// burncam draws class activation maps (Grad-CAM): it runs a network on a picture, finds where the evidence for a
/// class is, and writes an overlay PNG and a JSON record. Without -m it uses a built-in ImageNet network.
#[derive(Debug, Parser)]
#[command(name = "burncam", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print more messages; twice for even more.
    #[arg(short, long, action = clap::ArgAction::Count, global = true, display_order = 900)]
    pub(crate) verbose: u8,

    /// Print only errors.
    #[arg(short, long, global = true, conflicts_with = "verbose", display_order = 901)]
    pub(crate) quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  burncam explain photo.jpg                          what does the built-in network see, and where?
  burncam explain photo.jpg --target 'tabby cat'     where would it see a tabby cat?
  burncam explain photo.jpg --method gradcam,layercam --grid    two methods, and a sheet of both
  burncam explain -m mine.bpk -o out/ photos/        your own network, a whole directory
  burncam layers -m mine.bpk                         which layers can be explained
  burncam import model.onnx -o mine.bpk";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Draw where the evidence for a class is, and write a record.
    Explain(Box<ExplainArgs>),
    /// Measure which method's maps are right, next to maps that know nothing.
    Evaluate(Box<EvaluateArgs>),
    /// Join the summaries and reports of several runs, or of the shards of one.
    Merge(MergeArgs),
    /// Compare two runs over the same pictures: of two models, or with other settings.
    Compare(CompareArgs),
    /// Print the most probable classes.
    Predict(PredictArgs),
    /// List a model's layers, and which of them can be explained.
    Layers(LayersArgs),
    /// Make a self-contained model file from ONNX, from Keras, or from weights and an architecture or a card.
    Import(Box<ImportArgs>),
    /// Check that a model's results are right: devices, gradients, another framework.
    Check(CheckArgs),
    /// Show what a model is, where it comes from, and what it costs to run.
    Info(InfoArgs),
    /// List the methods with what they show, cost and paper.
    Methods(FormatArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell to complete for.
        shell: clap_complete::Shell,
    },
    /// Print the manual page of burncam, or of one of its commands.
    Man {
        /// The command to describe.
        #[arg(value_name = "COMMAND")]
        command: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Number of classes to print.
    #[arg(short = 'k', long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) top_k: u16,

    #[command(flatten)]
    pub(crate) format: FormatArgs,

    #[command(flatten)]
    pub(crate) picture: PictureArgs,

    #[command(flatten)]
    pub(crate) run: RunArgs,
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
pub(crate) struct InfoArgs {
    /// A burnpack model file [default: the built-in EfficientNet-Lite0].
    #[arg(value_name = "FILE.bpk")]
    pub(crate) model: Option<PathBuf>,

    /// A model card to use instead of the file's own [default: its own, or FILE.json next to it].
    #[arg(long, value_name = "CARD.json", requires = "model")]
    pub(crate) spec: Option<PathBuf>,

    /// Print the model card as JSON.
    #[arg(long, conflicts_with = "classes")]
    pub(crate) card: bool,

    /// Print the class names with their indices, one per line.
    #[arg(long)]
    pub(crate) classes: bool,
}
