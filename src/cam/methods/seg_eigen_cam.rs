//! Seg-Eigen-CAM.
//!
//! Chung and Ying, "Seg-Eigen-CAM", Applied Sciences 2025, 15(13), 7562, equations 11 to 13: Eigen-CAM of the
//! activations weighted by the magnitude of their gradients, with the sign chosen so that the extreme of the map is
//! positive.
//!
//! ```text
//! X = |dy^c/dA| (.) A as [positions, channels], column means taken off
//! L = ReLU( s X v_1 )        s = -1 where |min| > |max|
//! ```

use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::principal;
use crate::cam::terms::Terms;
use crate::engine::Evidence;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "segeigencam",
        title: "Seg-Eigen-CAM",
        summary: "Eigen-CAM of activations weighted by gradient size",
        formula: "s X v_1, X centred |G| (.) A",
        paper: "Chung and Ying, Appl. Sci. 2025, doi:10.3390/app15137562",
        cost: "1 forward, head backward",
        has_sign: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Evidence(terms),
    traits: Traits { libraries: &[Library::PytorchGradCam], ..Traits::PLAIN },
};

fn terms(evidence: &Evidence, _: Option<Library>) -> Terms {
    let pairs = evidence.gradients.values.iter().zip(&evidence.activations.values);
    let elements: Vec<f64> =
        pairs.map(|(gradient, activation)| f64::from(gradient.abs()) * f64::from(*activation)).collect();
    let map = principal::projection(&elements, evidence.activations.channels);
    let (low, high) =
        map.iter().fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(*value), high.max(*value)));
    let size = principal::size(&elements, evidence.activations.channels);
    // `projection` has the sign of the activity; the paper wants that of the extreme.
    let map = if -low > high { map.into_iter().map(|value| -value).collect() } else { map };
    Terms::Projected(map, size)
}
