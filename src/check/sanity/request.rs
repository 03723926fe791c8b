//! What a sanity test is asked.

use crate::cam::Progress;
use crate::explain::Request;

/// What is tested, how often, and how strictly.
#[derive(Debug, Clone)]
pub struct SanityRequest {
    /// What is explained, and how: methods, layers, targets, score. Maps keep their signs in any case. With
    /// [`Smoothing::noise`](crate::Smoothing::noise) maps are means over noisy copies before and after: smooth MPRT (Hedström et al. 2024,
    /// arXiv:2405.02383). Default: Grad-CAM of the most probable class.
    pub explain: Request,
    /// The first seed. Default: 0.
    pub seed: u64,
    /// Number of random networks, with one seed each. Default: 3.
    pub seeds: usize,
    /// After how many layers maps are compared, at most; the first and the last are always among them. Default: 8.
    pub stops: usize,
    /// The mean Spearman correlation from which on a method does not depend on the weights. Default: [`SanityRequest::LIMIT`].
    pub limit: f64,
    /// Called after each picture on each random network, with the number of all. Default: nothing is called.
    pub progress: Option<Progress>,
}

impl SanityRequest {
    /// Half way between maps that are unrelated, 0, and maps that are the same, 1.
    pub const LIMIT: f64 = 0.5;
}

impl Default for SanityRequest {
    fn default() -> Self {
        Self { explain: Request::default(), seed: 0, seeds: 3, stops: 8, limit: Self::LIMIT, progress: None }
    }
}
