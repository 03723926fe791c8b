//! Arguments of `burncam check`; `check.rs`, next to this folder, runs it.

use std::path::{Path, PathBuf};

use burncam::LayerRequest;
use clap::Args;

use super::values::{parse_colour, parse_tolerance};
use super::{DeviceArgs, FormatArgs};

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// A burnpack model file [default: the built-in EfficientNet-Lite0].
    #[arg(value_name = "FILE.bpk")]
    pub(crate) model: Option<PathBuf>,

    /// A model card to use instead of the file's own [default: its own, or FILE.json next to it].
    #[arg(long, value_name = "CARD.json", requires = "model")]
    pub(crate) spec: Option<PathBuf>,

    /// A picture file: check everything from the file to the probabilities, instead of the network alone.
    #[arg(long, value_name = "PHOTO", conflicts_with_all = ["layer", "seed"])]
    pub(crate) picture: Option<PathBuf>,

    /// Another framework's results: a .npz file with arrays 'input' and one of 'logits', 'output', 'probabilities',
    /// or with --picture a .json file.
    #[arg(long, value_name = "FILE")]
    pub(crate) reference: Option<PathBuf>,

    /// Greatest difference that passes, as a share of the largest value compared [default: 1e-4; with --picture 0.01,
    /// absolute for probabilities].
    #[arg(long, value_name = "SHARE", value_parser = parse_tolerance)]
    pub(crate) tolerance: Option<f64>,

    /// Colour under transparent pixels of the picture, as RRGGBB.
    #[arg(long, default_value = "ffffff", value_name = "RRGGBB", value_parser = parse_colour, requires = "picture")]
    pub(crate) background: [u8; 3],

    /// Layer whose gradients are checked: a name, a prefix such as layer4, an index, or auto.
    #[arg(short, long, value_name = "LAYER", default_value = "auto", allow_hyphen_values = true)]
    pub(crate) layer: LayerRequest,

    /// Seed of the noise picture and of the sampled positions.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    #[command(flatten)]
    pub(crate) format: FormatArgs,

    #[command(flatten)]
    pub(crate) place: DeviceArgs,
}

impl CheckArgs {
    /// The reference, if it is a file in JSON, which is of a picture; others are arrays.
    pub(crate) fn json_reference(&self) -> Option<&Path> {
        let is_json =
            |path: &&Path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        self.reference.as_deref().filter(is_json)
    }
}
