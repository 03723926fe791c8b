//! Arguments of `burncam evaluate`; `evaluate`, next to this folder, runs it.

use std::path::PathBuf;

use burncam::evaluate::{Filling, Metric};
use burncam::{Library, Method, Score, Target};
use clap::Args;

use super::{InputArgs, LayerArgs, MethodOptionArgs, ModelArgs, PictureArgs, ProgressArg, RunArgs};
use crate::labels::LabelSource;

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Methods to compare, separated by commas
    ///
    /// Methods to evaluate, separated by commas; see `burncam methods`. Three maps that know nothing of the network are evaluated with them: random
    /// values, a spot in the centre, and the picture's edges.
    #[arg(
        long = "method",
        value_name = "METHOD",
        value_delimiter = ',',
        default_value = "gradcam,gradcampp,hirescam,layercam,eigencam"
    )]
    pub(crate) methods: Vec<Method>,

    /// Metrics, separated by commas, or all
    ///
    /// Metrics, separated by commas: road, morf, lerf, insertion, deletion, drop, increase, gain, single, infidelity, adcc, arcc, coherency, sensitivity, sparseness,
    /// complexity, entropy, size, and with --boxes or --masks energy, pointing, pointing15, ranks, iou, box, maxbox, heldbox; of all pictures together gridpg,
    /// difull, sanity; or all that are of single pictures [default: road, insertion, deletion, drop, increase, sparseness, and with --boxes or --masks
    /// energy to box].
    #[arg(long, value_name = "METRIC", value_delimiter = ',', value_parser = parse_metrics)]
    pub(crate) metrics: Option<Vec<MetricArg>>,

    /// A name, an index, top, top3 or label
    ///
    /// Class to explain: an index, a name, top, topN or box:N; with --labels also label (the true classes) or both. Can be given several times.
    #[arg(short, long = "target", value_name = "CLASS", default_value = "top")]
    pub(crate) targets: Vec<Target>,

    #[command(flatten)]
    pub(crate) layer: LayerArgs,

    /// Where the objects are: COCO, VOC, YOLO, a table
    ///
    /// Where the objects of each picture are: a file or directory of COCO, Pascal VOC, ILSVRC or YOLO, or a table.
    #[arg(long, value_name = "PATH", conflicts_with = "masks")]
    pub(crate) boxes: Option<PathBuf>,

    /// The same as a directory of PNG masks called as the pictures, with the class of each pixel plus 1.
    #[arg(long, value_name = "DIR")]
    pub(crate) masks: Option<PathBuf>,

    /// Score that metrics look at, such as prob or logit [default: prob; the network's own where it has none].
    #[arg(long, value_name = "SCORE")]
    pub(crate) score: Option<Score>,

    /// Score that the maps explain, as --score of explain [default: logit; with --compat, and where there are no logits, the
    /// network's output].
    #[arg(long, value_name = "SCORE")]
    pub(crate) map_score: Option<Score>,

    /// Steps of insertion and deletion [default: 32].
    #[arg(long, value_name = "N", conflicts_with = "compat", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) steps: Option<u32>,

    /// What pixels are before insertion and after deletion: zero, black, mean, blurred or noise [default: blurred for insertion,
    /// zero, which is the mean that preprocessing subtracts, for deletion].
    #[arg(long, value_name = "WHAT", conflicts_with = "compat")]
    pub(crate) baseline: Option<Filling>,

    /// Also compare the maps of every two methods and baselines: Spearman, Pearson and structural similarity.
    #[arg(long)]
    pub(crate) agreement: bool,

    /// Mosaics of pictures for gridpg and difull [default: as many as there are pictures of which the network is sure, at most 100].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) mosaics: Option<u32>,

    /// Follow the maps and metrics of another library: pytorch-grad-cam, torchcam or xplique.
    #[arg(long, value_name = "LIBRARY")]
    pub(crate) compat: Option<Library>,

    /// Seed of random numbers; equal seeds give equal figures.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    #[command(flatten)]
    pub(crate) options: MethodOptionArgs,

    #[command(flatten)]
    pub(crate) output: EvaluateOutputArgs,

    #[command(flatten)]
    pub(crate) picture: PictureArgs,

    #[command(flatten)]
    pub(crate) batch: EvaluateBatchArgs,

    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct EvaluateOutputArgs {
    /// Directory of `evaluation.json`
    ///
    /// Directory of `evaluation.json`, which has every figure of every image; of a shard `evaluation.K-of-N.json`.
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,

    /// Also write a table with one row per image, class and method.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,

    /// Also write a web page
    ///
    /// Also write a web page with the table and the curves of insertion and deletion.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// Replace existing files.
    #[arg(short, long)]
    pub(crate) force: bool,

    /// Only say what would be read and written
    ///
    /// Only say what would be read, measured and written, and how long a pass through the network takes; nothing is written.
    #[arg(short = 'n', long, conflicts_with = "resume")]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Many images")]
pub(crate) struct EvaluateBatchArgs {
    /// Images processed at the same time, sharing the threads [default: the number of threads].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,

    /// Changed copies of an image that go through the network together [default: 4]. Affects memory; with 1, last digits differ.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) batch_size: Option<u16>,

    /// Keep the figures of an earlier run
    ///
    /// Keep the figures of an earlier run, also of one that was killed; measure what is missing, or whose image, model or settings changed.
    #[arg(long)]
    pub(crate) resume: bool,

    /// True classes: a table of paths and classes
    ///
    /// True classes: a .csv, .tsv or .json file of paths and classes, or from-directory (root/CLASS/image).
    #[arg(long, value_name = "FILE|from-directory")]
    pub(crate) labels: Option<LabelSource>,

    /// How to show progress: auto (a bar on a terminal), never, or json (lines on standard error).
    #[arg(long, value_enum, default_value_t = ProgressArg::Auto, value_name = "HOW")]
    pub(crate) progress: ProgressArg,
}

/// One value of `--metrics`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum MetricArg {
    All,
    One(Metric),
}

impl MetricArg {
    /// The metric, if it is one.
    pub(crate) fn one(self) -> Option<Metric> {
        match self {
            Self::All => None,
            Self::One(metric) => Some(metric),
        }
    }
}

fn parse_metrics(text: &str) -> Result<MetricArg, burncam::Error> {
    if text == "all" { Ok(MetricArg::All) } else { text.parse().map(MetricArg::One) }
}
