//! The results of a check. `burncam check --json` prints them as JSON.

use serde::Serialize;

use super::compare::Difference;
use crate::card::OutputKind;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Within the limit.
    Ok,
    /// Beyond the limit, or the network could not run.
    Failed,
    /// Not possible: the device is not available, or the input proves nothing.
    NotAvailable,
}

/// Every check of one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    /// The model's name.
    pub model: String,
    /// Its file's name.
    pub file: String,
    /// SHA-256 of the model file, lower-case hexadecimal.
    pub sha256: String,
    /// Version of burncam.
    pub burncam: String,
    /// Where the network ran; the other devices are compared with it.
    pub device: String,
    /// Seed of the noise picture and of the sampled positions.
    pub seed: u64,
    /// The greatest relative difference that passes.
    pub tolerance: f64,
    /// No check failed.
    pub passed: bool,
    /// The other devices of this build.
    pub devices: Vec<DeviceCheck>,
    /// Batch norm folded into convolutions.
    pub folding: FoldingCheck,
    /// Gradients of a class score.
    pub gradients: GradientCheck,
    /// What can be explained.
    pub layers: LayerCheck,
    /// Another framework's numbers, one entry an array; empty without a reference.
    #[serde(rename = "reference")]
    pub references: Vec<ReferenceCheck>,
}

impl CheckReport {
    /// The status of every check, in the order of the fields.
    #[must_use]
    pub fn statuses(&self) -> Vec<Status> {
        let devices = self.devices.iter().map(|check| check.status);
        let single = [self.folding.status, self.gradients.status, self.layers.status];
        devices.chain(single).chain(self.references.iter().map(|check| check.status)).collect()
    }
}

/// A device's logits against those of [`CheckReport::device`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeviceCheck {
    /// The device's name.
    pub device: String,
    /// How it ended.
    pub status: Status,
    /// The difference between the logits.
    pub difference: Option<Difference>,
    /// Why there is no difference.
    pub problem: Option<String>,
}

/// The network as `explain` runs it compared with the graph as written, operation by operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoldingCheck {
    /// How it ended.
    pub status: Status,
    /// Batch norms folded into the preceding convolution.
    pub folded: usize,
    /// Operations whose outputs were compared.
    pub compared: usize,
    /// The greatest relative difference.
    pub difference: Option<Difference>,
    /// The operation with that difference, unless there is none.
    pub worst: Option<String>,
    /// Why there is no difference.
    pub problem: Option<String>,
}

/// Gradients of the most probable class's logit against difference quotients, at sampled positions of a layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GradientCheck {
    /// How it ended.
    pub status: Status,
    /// The layer.
    pub layer: Option<String>,
    /// Index of the class.
    pub class: Option<usize>,
    /// Sampled positions; each is counted in one of the next three fields.
    pub positions: usize,
    /// Positions with one stable slope, which was compared with the gradient.
    pub smooth: usize,
    /// Positions with different slopes on the two sides, where the gradient must be between them; or where several
    /// kinks meet and each operation's own gradient was checked.
    pub at_kink: usize,
    /// Positions whose slopes did not become stable before rounding dominated, and those left after the eight that
    /// are examined operation by operation.
    pub unsettled: usize,
    /// Positions, smooth or at a kink, where the gradient is outside the limit.
    pub wrong: usize,
    /// Largest and smallest step used, in the layer's own unit.
    pub steps: Option<[f64; 2]>,
    /// Greatest difference between slope and gradient, as a share of the layer's greatest gradient; at a kink, the
    /// distance to the nearer slope.
    pub relative: Option<f64>,
    /// The greatest relative difference that passes.
    pub limit: f64,
    /// Why it failed or is not available.
    pub problem: Option<String>,
}

/// Which layers can be explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerCheck {
    /// [`Status::Failed`] when none can be.
    pub status: Status,
    /// Number of operations.
    pub operations: usize,
    /// Operations that can be explained.
    pub explainable: usize,
    /// The layer that `auto` selects.
    pub auto: Option<String>,
    /// Height and width of its grid.
    pub grid: Option<[usize; 2]>,
    /// The reason for this choice.
    pub reason: Option<String>,
    /// Operations that cannot be explained, by reason.
    pub unexplainable: Vec<Unexplainable>,
}

/// Operations that cannot be explained for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unexplainable {
    /// The reason.
    pub reason: String,
    /// Their names, in graph order.
    pub operations: Vec<String>,
}

/// One array of the reference against the network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReferenceCheck {
    /// How it ended.
    pub status: Status,
    /// The array's name in the archive.
    pub array: String,
    /// Operation whose output it was compared with.
    pub node: String,
    /// What that operation gives.
    pub gives: OutputKind,
    /// Number of pictures.
    pub pictures: usize,
    /// The greatest relative difference over all pictures.
    pub difference: Option<Difference>,
    /// Pictures for which both agree on the top class. Not a condition: within the limit, only ties differ.
    pub same_top_class: usize,
    /// Why there is no difference.
    pub problem: Option<String>,
}
