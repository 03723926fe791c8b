//! Proof that a model's numbers are right: its devices against each other, folding against the plain graph, gradients
//! against differences, and all of it against another framework.
//!
//! Receives a [`Model`] and a [`CheckRequest`], hands on a [`CheckReport`] with every figure. A check that fails is a
//! finding and not an error; errors are left for what keeps checks from starting. Printing is left to callers.

mod compare;
mod devices;
mod folding;
mod gradients;
mod layers;
mod local;
mod noise;
mod output;
mod picture;
mod picture_reference;
mod prepared;
mod reference;
mod report;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

pub use compare::Difference;
pub use output::{OutputCheck, check_output};
pub use picture::{ChannelNumbers, PictureReport, PictureRequest, StageCheck, check_picture};
pub use prepared::InputCheck;
pub use report::{
    CheckReport, DeviceCheck, FoldingCheck, GradientCheck, LayerCheck, ReferenceCheck, Status, Unexplainable,
};

use crate::engine::DeviceName;
use crate::engine::{Engine, Network, Runtime};
use crate::error::{Error, Result};
use crate::model::{LayerRequest, Model};
use reference::Reference;

/// What to check, and how strictly.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// Where the network runs; other devices are compared with this one. Default: `flex`.
    pub device: DeviceName,
    /// Where gradients are checked. Default: `auto`.
    pub layer: LayerRequest,
    /// The greatest difference that passes, as a share of the greatest magnitude compared. Default:
    /// [`CheckRequest::TOLERANCE`]. Gradients have a limit of their own, [`GradientCheck::LIMIT`].
    pub tolerance: f64,
    /// Seed of the noise picture and of the sampled positions. Default: 0.
    pub seed: u64,
    /// A `.npz` archive with an array `input` and what another framework made of it: `logits`, `output` or
    /// `probabilities`. Default: none.
    pub reference: Option<PathBuf>,
}

impl CheckRequest {
    /// Frameworks and devices sum in different orders; in 32-bit floats that rarely comes to more than this.
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

/// What every check needs.
struct Subject<'a> {
    model: &'a Model,
    request: &'a CheckRequest,
    /// The network as `explain` runs it, tapped at the checked layer if there is one.
    network: Network,
    /// Position of that layer.
    layer: Option<usize>,
    /// The noise picture, `[1, channels, height, width]`.
    input: Vec<f32>,
    /// What the network makes of it.
    logits: Vec<f32>,
}

impl Subject<'_> {
    /// Whether a difference is within the tolerance. What is not finite never is.
    fn status(&self, difference: &Difference) -> Status {
        if difference.relative <= self.request.tolerance { Status::Ok } else { Status::Failed }
    }
}

/// Runs every check on a model.
///
/// # Errors
/// When checks cannot start: the layer is not the model's, the weights or the reference cannot be read, or the
/// device is not available.
pub fn check(model: &Model, request: &CheckRequest) -> Result<CheckReport> {
    let reference = request.reference.as_deref().map(|path| Reference::open(path, model)).transpose()?;
    let layer = match model.choose_layer(&request.layer) {
        Ok(choice) => Some(choice.index),
        // That no layer can be explained is what the check of layers tells.
        Err(Error::Model { .. }) if request.layer == LayerRequest::Auto => None,
        Err(error) => return Err(error),
    };
    guarded(|| request.device.probe()).map_err(|error| {
        Error::request(format!(
            "device '{}' is not available: {} (leave out --device for the default)",
            request.device,
            inner(&error)
        ))
    })?;
    let taps: Vec<usize> = layer.into_iter().collect();
    let runtime = Runtime { engine: Engine::Burn, ..Runtime::from(&request.device) };
    let network = guarded(|| Network::load(model, &taps, &runtime))?;
    let input = noise::input(model, request.seed)?;
    let logits = guarded(|| network.logits(input.clone()))?;
    let subject = Subject { model, request, network, layer, input, logits };
    let mut report = CheckReport {
        model: model.name().to_owned(),
        file: model.file_name(),
        sha256: subject.network.sha256()?.to_owned(),
        burncam: env!("CARGO_PKG_VERSION").to_owned(),
        device: request.device.to_string(),
        seed: request.seed,
        tolerance: request.tolerance,
        passed: false,
        devices: devices::check(&subject),
        folding: folding::check(&subject),
        gradients: gradients::check(&subject),
        layers: layers::check(model),
        references: reference.map_or_else(Vec::new, |reference| reference.check(&subject)),
    };
    report.passed = !report.statuses().contains(&Status::Failed);
    Ok(report)
}

/// Runs something that ends in Burn, whose devices tell of some troubles by panicking.
fn guarded<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        let words = payload.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| payload.downcast_ref::<&str>().copied());
        let first = words.and_then(|words| words.lines().next()).unwrap_or("no reason given");
        Err(Error::internal(first.to_owned()))
    })
}

/// What went wrong, without the words around it that ask for a report.
fn inner(error: &Error) -> String {
    match error {
        Error::Internal(problem) => problem.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_panics_gives_an_error_with_its_first_line() {
        let error = guarded(|| -> Result<()> { std::panic::panic_any("no adapter\nat line 7") }).unwrap_err();
        assert_eq!(inner(&error), "no adapter");
        assert_eq!(guarded(|| Ok(7)).unwrap(), 7);
    }
}
