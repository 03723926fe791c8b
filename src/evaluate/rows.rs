//! The maps of one target that are measured: those of the methods and the baselines, at the size of the network's input.

use burncam_metrics::{Map, baselines};

use crate::cam::Library;
use crate::error::{Error, Result};
use crate::heatmap::{Heatmap, Sampling};

/// Maps that know nothing of the network, in the order of the rows.
pub(super) const BASELINES: [&str; 3] = ["random", "centre", "edges"];

/// How maps are enlarged, for the record: OpenCV's `INTER_LINEAR`, which PyTorch calls bilinear with `align_corners=False`.
pub(super) const ENLARGED: &str = "bilinear, centres of cells at halves";

/// How values come to 0 to 1, for the record.
pub(super) fn scaled(library: Option<Library>) -> String {
    match library {
        None => "rectified, divided by the greatest value after enlarging".to_owned(),
        Some(library) => format!("as {} does, clipped to 0 to 1", library.name()),
    }
}

/// What there is to measure of one map. A blank map is a result, and no error.
pub(super) enum Row {
    Map(Map),
    /// Why it ranks nothing.
    Blank(String),
}

/// A method's finished map at the size of the network's input, with values 0 to 1.
///
/// Bilinear enlarging leaves the greatest cell's value between pixels, so that burncam's own maps are divided after it; a library's maps have
/// the scale that it gives them.
pub(super) fn of_method(map: &Heatmap, library: Option<Library>, [height, width]: [usize; 2]) -> Result<Map> {
    let map = map.resized(height, width, Sampling::Bilinear);
    let map = match library {
        None => map.rectified_to_unit(),
        Some(_) => map.map(|value| value.clamp(0.0, 1.0)).unwrap_or(map),
    };
    Map::new(height, width, map.values().to_vec()).ok_or_else(|| Error::internal("a map is empty"))
}

/// A baseline, by its index, of an input `[channels, height, width]`.
pub(super) fn of_baseline(
    at: usize,
    seed: u64,
    input: &[f32],
    [channels, height, width]: [usize; 3],
) -> Result<Map> {
    let map = match at {
        0 => baselines::random(seed, input, height, width),
        1 => baselines::centre(height, width),
        _ => baselines::edges(input, channels, height, width),
    };
    let map = map.and_then(|map| Heatmap::new(height, width, map.values().to_vec()));
    let map = map.ok_or_else(|| Error::internal("a baseline has no pixels or is not finite"))?;
    of_method(&map, None, [height, width])
}

/// The map, unless it ranks nothing.
pub(super) fn unless_constant(map: Map) -> Row {
    match map.is_constant() {
        true => Row::Blank("the map has one value everywhere".to_owned()),
        false => Row::Map(map),
    }
}
