//! Proof that a model's results are right: compares devices with each other, folding with the plain graph, gradients
//! with difference quotients, and all of it with another framework.
//!
//! Receives a [`Model`] and a [`CheckRequest`]; returns a [`CheckReport`] with every figure. A failed check is part
//! of the report; an error means that checks could not start. Callers print.

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
use crate::error::{Error, ErrorKind, OptionName, Phrase, Problem, Result};
use crate::model::{LayerRequest, Model};
use reference::Reference;

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

/// Common inputs of the checks.
struct Subject<'a> {
    model: &'a Model,
    request: &'a CheckRequest,
    /// The network as `explain` runs it, tapped at the checked layer, if any.
    network: Network,
    /// Index of that layer.
    layer: Option<usize>,
    /// The noise picture, `[1, channels, height, width]`.
    input: Vec<f32>,
    /// The network's logits for it.
    logits: Vec<f32>,
}

impl Subject<'_> {
    /// Whether a difference is within the tolerance. Differences that are not finite never are.
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
        // The check of layers reports that none can be explained.
        Err(error) if error.kind() == ErrorKind::Model && request.layer == LayerRequest::Auto => None,
        Err(error) => return Err(error),
    };
    guarded(|| request.device.probe()).map_err(|error| {
        let hint = Phrase::from("leave out ").without(OptionName::Device).text(" for the default");
        let problem = Problem::new(format!("is not available: {}", inner(&error))).hint(hint);
        Error::from(problem.named("device", &request.device))
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

/// Runs something that ends in Burn. Its devices report some failures by panicking.
fn guarded<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        let words = payload.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| payload.downcast_ref::<&str>().copied());
        let first = words.and_then(|words| words.lines().next()).unwrap_or("no reason given");
        Err(Error::internal(first.to_owned()))
    })
}

/// The cause, without the request to report a bug that surrounds internal errors.
fn inner(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Internal => error.what().to_string(),
        _ => error.to_string(),
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
