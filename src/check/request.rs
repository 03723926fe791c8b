//! What a check is asked for, and its limits.

use std::path::PathBuf;

use crate::engine::DeviceName;
use crate::model::LayerRequest;

/// What to check, and how strictly.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// Where the network runs; other devices are compared with this one. Default: `flex`.
    pub device: DeviceName,
    /// Where gradients are checked. Default: `auto`.
    pub layer: LayerRequest,
    /// The greatest difference that passes, as a share of the largest compared value. Default:
    /// [`CheckRequest::TOLERANCE`]. Gradients have their own limit, [`GradientCheck::LIMIT`].
    pub tolerance: f64,
    /// Seed of the noise picture and of the sampled positions. Default: 0.
    pub seed: u64,
    /// A `.npz` archive with an array `input` and the other framework's result for it: `logits`, `output` or
    /// `probabilities`. Default: none.
    pub reference: Option<PathBuf>,
}

impl CheckRequest {
    /// Frameworks and devices sum in different orders; in 32-bit floats the effect is rarely larger than this.
    pub const TOLERANCE: f64 = 1e-4;
}

impl Default for CheckRequest {
    fn default() -> Self {
        Self {
            device: DeviceName::default(),
            layer: LayerRequest::Auto,
            tolerance: Self::TOLERANCE,
            seed: 0,
            reference: None,
        }
    }
}
