//! Arguments of `burncam check`; `check.rs`, next to this folder, runs it.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burncam::check::SanityRequest;
use burncam::{LayerRequest, Method, Target};
use clap::Args;

use super::values::{parse_colour, parse_tolerance, parse_window};
use super::{DeviceArgs, FormatArgs, ModelArgs};

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// A model file; with --sanity pictures
    ///
    /// A burnpack model file [default: as -m]; with --sanity pictures, or directories of them [default: pictures of noise].
    #[arg(value_name = "FILE.bpk|PICTURE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// Check from the picture file to the probabilities
    ///
    /// A picture file: check everything from the file to the probabilities, instead of the network alone.
    #[arg(long, value_name = "PHOTO", conflicts_with_all = ["layer", "seed"])]
    pub(crate) picture: Option<PathBuf>,

    /// Another framework's results, .npz or .json
    ///
    /// Another framework's results: a .npz file with arrays 'input' and one of 'logits', 'output', 'probabilities',
    /// or with --picture a .json file.
    #[arg(long, value_name = "FILE")]
    pub(crate) reference: Option<PathBuf>,

    /// Greatest difference that passes
    ///
    /// Greatest difference that passes, as a share of the largest value compared [default: 1e-4; with --picture 0.01,
    /// absolute for probabilities].
    #[arg(long, value_name = "SHARE", value_parser = parse_tolerance)]
    pub(crate) tolerance: Option<f64>,

    /// Colour under transparent pixels of the picture, as RRGGBB.
    #[arg(long, default_value = "ffffff", value_name = "RRGGBB", value_parser = parse_colour, requires = "picture")]
    pub(crate) background: [u8; 3],

    /// Values of the picture that are shown as black and as white, where it has more than 8 bits, such as 0,4095.
    #[arg(long, value_name = "BLACK,WHITE", value_parser = parse_window, requires = "picture", allow_hyphen_values = true)]
    pub(crate) window: Option<[f64; 2]>,

    /// Layer whose gradients are checked
    ///
    /// Layer whose gradients are checked, or with --sanity explained: a name, a prefix such as layer4, an index, or auto.
    #[arg(short, long, value_name = "LAYER", default_value = "auto", allow_hyphen_values = true)]
    pub(crate) layer: LayerRequest,

    /// Seed of the noise picture and of the sampled positions; with --sanity the first one of the random networks.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    #[command(flatten)]
    pub(crate) format: FormatArgs,

    #[command(flatten)]
    pub(crate) sanity: SanityArgs,

    #[command(flatten)]
    pub(crate) place: DeviceArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Sanity")]
pub(crate) struct SanityArgs {
    /// Do maps depend on the weights?
    ///
    /// Test whether maps depend on the weights: compare them with those of networks whose layers are randomised, from the
    /// top one down.
    #[arg(long = "sanity", conflicts_with_all = ["picture", "reference", "tolerance"])]
    pub(crate) wanted: bool,

    /// Methods, separated by commas.
    #[arg(
        long = "method",
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "gradcam",
        requires = "wanted"
    )]
    pub(crate) methods: Vec<Method>,

    /// Class whose maps are compared: an index, a name, top or topN.
    #[arg(short, long = "target", value_name = "CLASS", default_value = "top", requires = "wanted")]
    pub(crate) targets: Vec<Target>,

    /// Picture that others are compared with; for networks that give embeddings.
    #[arg(long, value_name = "REFERENCE", requires = "wanted")]
    pub(crate) like: Option<PathBuf>,

    /// Similarity from which on a method does not depend on the weights.
    #[arg(long, value_name = "SPEARMAN", default_value_t = SanityRequest::LIMIT, value_parser = parse_tolerance, requires = "wanted")]
    pub(crate) limit: f64,

    /// Number of random networks.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000), requires = "wanted")]
    pub(crate) seeds: u16,

    /// Most layers after which maps are compared; the top one and the last are always among them.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(2..), requires = "wanted")]
    pub(crate) stops: u16,

    /// Average each map over N noisy copies of the picture, before and after.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), requires = "wanted")]
    pub(crate) noisy_copies: Option<u16>,
}

impl CheckArgs {
    /// The model file, if one is named.
    ///
    /// # Errors
    /// When several are.
    pub(crate) fn model(&self) -> Result<Option<&Path>> {
        match (&self.model.model, &self.files[..]) {
            (model, _) if self.sanity.wanted => Ok(model.as_deref()),
            (model, []) => Ok(model.as_deref()),
            (None, [model]) => Ok(Some(model)),
            (_, [.., other]) => {
                bail!("'{}': expected one model (add --sanity to name pictures)", other.display())
            }
        }
    }

    /// The pictures of --sanity.
    ///
    /// # Errors
    /// When one is a model.
    pub(crate) fn pictures(&self) -> Result<&[PathBuf]> {
        let is_model = |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "bpk");
        match self.files.iter().find(is_model) {
            Some(model) => bail!("'{0}': expected pictures with --sanity (-m {0})", model.display()),
            None => Ok(&self.files),
        }
    }

    /// The reference, if it is a file in JSON, which is of a picture; others are arrays.
    pub(crate) fn json_reference(&self) -> Option<&Path> {
        let is_json =
            |path: &&Path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        self.reference.as_deref().filter(is_json)
    }
}
