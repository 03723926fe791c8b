//! The settings in a record: all of them, so that a reader knows whether another run would write the same files.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Raised by a release in which equal settings give other values or pictures than before. `--resume` redoes files of
/// another revision; a new version of burncam alone is no reason to.
pub const REVISION: u32 = 1;

/// The settings that affect values or pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsRecord {
    /// Name of the method on the command line.
    pub method: String,
    /// `logit`, `prob`, `log-prob`, `margin`, `rest`, `number` or `cosine`.
    pub score: String,
    /// `mean`, `max` or `product`; `null` for one layer.
    pub aggregate: Option<String>,
    /// Any of `aug`, `eigen` and `noise`.
    pub smooth: Vec<String>,
    /// True when negative values were kept.
    pub signed: bool,
    /// True when evidence against the class was requested.
    pub counterfactual: bool,
    /// The library whose conventions were followed, or `null`.
    pub compat: Option<String>,
    /// Options of single methods; `null` when the method's default was used.
    pub options: OptionsRecord,
    /// The rest of the request; `null` in records of version 1.
    #[serde(default, deserialize_with = "unless_a_digest")]
    pub request: Option<RequestRecord>,
    /// Device that the network ran on.
    pub device: String,
    /// What ran the part of the network that is not recorded for gradients: `native`, the native kernels, or `burn`.
    pub engine: String,
    /// The operands of the native convolutions: `f32`, `bf16` or `int8`.
    pub precision: String,
    /// [`REVISION`] of the burncam that wrote the files; `null` in records of version 1.
    pub revision: Option<u32>,
    /// Version of burncam.
    pub burncam: String,
    /// Version of Burn.
    pub burn: String,
    /// How pictures are drawn, and what counts as a region.
    pub style: StyleRecord,
}

impl SettingsRecord {
    /// Whether equal inputs give equal files under both: all settings are equal except versions, and none is unknown.
    #[must_use]
    pub fn makes_the_same_as(&self, other: &Self) -> bool {
        let timeless = |settings: &Self| Self {
            burncam: String::new(),
            burn: String::new(),
            style: settings.style.complete(),
            ..settings.clone()
        };
        let known = self.request.is_some() && self.revision.is_some();
        // Compared as JSON, because one of the two was read from JSON.
        known && canonical(&timeless(self)) == canonical(&timeless(other))
    }
}

/// JSON with sorted keys and numbers as they are written.
fn canonical(settings: &SettingsRecord) -> Option<String> {
    serde_json::to_string(settings).ok()
}

/// In version 1 this field was a digest, from which the settings cannot be recovered.
fn unless_a_digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RequestRecord>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::String(_)) => Ok(None),
        Some(request) => serde_json::from_value(request).map(Some).map_err(D::Error::custom),
    }
}

/// Settings that appear nowhere else in a record. Those that only concern files are empty or `null` when a Rust
/// program made the record without setting them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestRecord {
    /// The classes in the order requested: an index, `topN`, `all`, `p>=P`, `label` or `both`. Class names are resolved to
    /// indices.
    pub targets: Vec<String>,
    /// How many predictions are listed.
    pub top_k: usize,
    /// The requested divisor of maps: `own`, `shared`, `none`, or a number.
    pub scale: String,
    /// Colour under transparent pixels, six hexadecimal digits.
    pub background: Option<String>,
    /// Use of colour profiles: `keep`, the stored values, or `convert`, to sRGB.
    pub icc: Option<String>,
    /// True when damaged pictures were refused.
    pub strict_pictures: Option<bool>,
    /// Order of a tensor's axes: `channels-first` or `channels-last`.
    pub layout: Option<String>,
    /// SHA-256 of the picture on which tensors are drawn, lower-case hexadecimal.
    pub image: Option<String>,
    /// Kinds of files, as in [`Artifact::kind`](super::Artifact::kind).
    pub save: Vec<String>,
    /// Methods on the sheet, in its order; empty without a sheet.
    pub grid: Vec<String>,
    /// PNG compression: `none`, `fast`, `balanced` or `best`.
    pub png_level: String,
    /// The format of pictures that show the photo: `jpeg` or `webp`; only in records of one that is not PNG.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// JPEG's quality, 1 to 100; only in records with that format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<u8>,
    /// Side of the cells of the sheet in pixels; only in records with a sheet of other than the usual cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet_cell: Option<u32>,
    /// Index of the class whose logit was subtracted from that of each target; only in records with one. The score is then
    /// `margin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<usize>,
    /// The pixels over which a segmentation's class was summed: `wins`, `everywhere`, `X,Y` or `mask`; only in records of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// SHA-256 of the file of that mask, lower-case hexadecimal; only in records with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    /// SHA-256 of the file whose embedding the pictures were compared with; only in records of embeddings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
    /// The values that were asked to be black and white, `BLACK,WHITE`; only in records where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
}

/// Options that only some methods use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionsRecord {
    /// Seed of the random numbers.
    pub seed: u64,
    /// Number of random draws, or of points of an integral.
    pub samples: Option<usize>,
    /// Standard deviation of noise, as a share of the input's range.
    pub noise: Option<f32>,
    /// Side of the occlusion square in pixels of the network's input.
    pub patch: Option<usize>,
    /// Step between positions of the square.
    pub stride: Option<usize>,
    /// The number of channels whose score was asked for, those whose activations vary most; only in records with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
    /// Rules of relevance propagation; only in records of `lrp` and `layerlrp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub composite: Option<String>,
    /// What rollout made of heads and blocks; only in records with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<String>,
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
    /// The value from which on a pixel belongs to a region: a share of the maximum, `otsu`, or a percentile such as
    /// `p80`.
    pub threshold: String,
    /// The selected regions: `largest` or `all`.
    pub components: String,
    /// What heat was laid over: `colour`, `grey`, `dim` or `white`; `null` for a library's overlay, and in records of burncam 0.1.
    #[serde(default)]
    pub photo: Option<String>,
    /// Levels of contour lines, shares of the greatest heat; `null` as for `photo`.
    #[serde(default)]
    pub contours: Option<Vec<f32>>,
    /// True when the edge of what the network saw was drawn; `null` as for `photo`.
    #[serde(default)]
    pub crop_edge: Option<bool>,
}

impl StyleRecord {
    /// With the one look that there was before it could be chosen, where a record says none.
    fn complete(&self) -> Self {
        if self.photo.is_some() || self.colormap.is_none() {
            return self.clone();
        }
        let (photo, contours, crop_edge) = (Some("colour".to_owned()), Some(vec![]), Some(false));
        Self { photo, contours, crop_edge, ..self.clone() }
    }
}
