//! What `burncam import` can be given. What it does with it is `import.rs`, beside this folder.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// PyTorch weights (.pth, .pt) or safetensors.
    #[arg(value_name = "SOURCE")]
    pub(crate) source: PathBuf,

    /// The model file to write.
    #[arg(short, long, value_name = "MODEL.bpk")]
    pub(crate) out: PathBuf,

    /// Architecture of the weights, for example resnet50; an unknown one lists them all.
    #[arg(long, value_name = "NAME")]
    pub(crate) arch: String,

    /// File of class names, one a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) classes: Option<PathBuf>,

    /// Number of classes [default: told from the last layer's weights].
    #[arg(long, value_name = "N")]
    pub(crate) num_classes: Option<usize>,

    /// Name for records [default: the architecture's].
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Store the weights as 16-bit floats: half the size, maps the same to about three digits.
    #[arg(long)]
    pub(crate) half: bool,

    /// Key under which the weights are nested in the file.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,

    /// A JSON file with the card's `preprocess` object [default: the architecture's usual one].
    #[arg(long, value_name = "FILE.json")]
    pub(crate) preprocess: Option<PathBuf>,

    /// Licence of the weights, kept in the card.
    #[arg(long, value_name = "SPDX")]
    pub(crate) license: Option<String>,

    /// Anything else worth keeping in the card.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,

    /// Replace the model file if it exists.
    #[arg(short, long)]
    pub(crate) force: bool,
}
