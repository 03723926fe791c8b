//! What a record says of settings: all of them, so that a reader of the record knows whether another run would make the same files.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Raised by a release in which equal settings give other numbers or other pictures than before. Files of another revision are made
/// again where versions of burncam alone are no reason to.
pub const REVISION: u32 = 1;

/// What was asked for, as far as it shows in the numbers or the pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsRecord {
    /// Name of the method on the command line.
    pub method: String,
    /// `logit`, `prob`, `log-prob`, `margin`, `rest` or `number`.
    pub score: String,
    /// `mean`, `max` or `product`; `null` for one layer.
    pub aggregate: Option<String>,
    /// Any of `aug`, `eigen` and `noise`.
    pub smooth: Vec<String>,
    /// True when negative values were kept.
    pub signed: bool,
    /// True when what speaks against the class was asked for.
    pub counterfactual: bool,
    /// The library whose conventions were followed, or `null`.
    pub compat: Option<String>,
    /// What only some methods read; `null` where the method's own number was taken.
    pub options: OptionsRecord,
    /// What else was asked for; `null` in records of version 1.
    #[serde(default, deserialize_with = "unless_a_digest")]
    pub request: Option<RequestRecord>,
    /// Device that the network ran on.
    pub device: String,
    /// What ran the part of the network that is not recorded: `native`, the own kernels, or `burn`.
    pub engine: String,
    /// What the convolutions of the own kernels multiplied: `f32` or `bf16`.
    pub precision: String,
    /// [`REVISION`] of the burncam that made the files; `null` in records of version 1.
    pub revision: Option<u32>,
    /// Version of burncam.
    pub burncam: String,
    /// Version of Burn.
    pub burn: String,
    /// How pictures are drawn, and what counts as a region.
    pub style: StyleRecord,
}

impl SettingsRecord {
    /// Whether equal inputs give equal files under both: everything is equal, versions aside, and nothing is unknown.
    #[must_use]
    pub fn makes_the_same_as(&self, other: &Self) -> bool {
        let timeless =
            |settings: &Self| Self { burncam: String::new(), burn: String::new(), ..settings.clone() };
        let known = self.request.is_some() && self.revision.is_some();
        // As JSON, since that is where one of them comes from.
        known && canonical(&timeless(self)) == canonical(&timeless(other))
    }
}

/// JSON with its keys in one order and its numbers as they are written.
fn canonical(settings: &SettingsRecord) -> Option<String> {
    serde_json::to_string(settings).ok()
}

/// In version 1 this field was a digest, of which nothing can be told.
fn unless_a_digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RequestRecord>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::String(_)) => Ok(None),
        Some(request) => serde_json::from_value(request).map(Some).map_err(D::Error::custom),
    }
}

/// What was asked for and shows nowhere else in a record. What only concerns files is empty or `null` where a Rust program made the
/// record and did not say it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestRecord {
    /// The classes, in the order asked for: an index, `topN`, `label` or `both`. Names have become indices.
    pub targets: Vec<String>,
    /// How many predictions are listed.
    pub top_k: usize,
    /// What maps were to be divided by: `own`, `none`, or a number.
    pub scale: String,
    /// Colour behind transparent pixels, six hexadecimal digits.
    pub background: Option<String>,
    /// What colour profiles were used for: `keep`, the stored values, or `convert`, to sRGB.
    pub icc: Option<String>,
    /// True when damaged pictures were refused.
    pub strict_pictures: Option<bool>,
    /// Order of a tensor's axes: `channels-first` or `channels-last`.
    pub layout: Option<String>,
    /// SHA-256 of the picture that tensors are drawn on, lower-case hexadecimal.
    pub image: Option<String>,
    /// Kinds of files, as in [`Artifact::kind`](super::Artifact::kind).
    pub save: Vec<String>,
    /// Methods on the sheet, in its order; none without one.
    pub grid: Vec<String>,
    /// How hard pictures were compressed: `none`, `fast`, `balanced` or `best`.
    pub png_level: String,
}

/// Settings that only some methods read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionsRecord {
    /// Where random numbers begin.
    pub seed: u64,
    /// Random draws, or points of an integral.
    pub samples: Option<usize>,
    /// Standard deviation of noise, as a share of the input's range.
    pub noise: Option<f32>,
    /// Side of occlusion's square in pixels of the network's input.
    pub patch: Option<usize>,
    /// Step from square to square.
    pub stride: Option<usize>,
}

/// How pictures were drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StyleRecord {
    /// `alpha` (heat is opacity), `blend` (one opacity everywhere), or the library whose overlay was drawn.
    pub overlay: String,
    /// The greatest opacity for `alpha`, the opacity for `blend`, 0 to 1; `null` for a library's overlay.
    pub opacity: Option<f32>,
    /// Name of the colour map; `null` for a library's overlay.
    pub colormap: Option<String>,
    /// How the map was enlarged to the picture; `null` for a library's overlay.
    pub interpolation: Option<String>,
    /// From which heat on a pixel counts as part of a region: a share of the greatest, `otsu`, or a percentile as `p80`.
    pub threshold: String,
    /// Which regions count: `largest` or `all`.
    pub components: String,
}
