//! Proof that a model's results are right: compares devices with each other, folding with the plain graph, gradients
//! with difference quotients, and all of it with another framework.
//!
//! Receives a [`Model`] and a [`CheckRequest`]; returns a [`CheckReport`] with every figure. A failed check is part
//! of the report; an error means that checks could not start. Callers print.
//!
//! ```no_run
//! use burncam::Model;
//! use burncam::check::{CheckRequest, check};
//!
//! # fn main() -> burncam::Result<()> {
//! let model = Model::open("mine.bpk".as_ref(), None)?;
//! let request = CheckRequest { reference: Some("reference.npz".into()), ..CheckRequest::default() };
//! assert!(check(&model, &request)?.passed);
//! # Ok(())
//! # }
//! ```

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
mod request;
mod ruler;
mod sanity;
mod subject;

pub use compare::Difference;
pub use output::{OutputCheck, check_output};
pub use picture::{ChannelNumbers, PictureReport, PictureRequest, StageCheck, check_picture};
pub use prepared::InputCheck;
pub use report::{
    CheckReport, DeviceCheck, FoldingCheck, GradientCheck, LayerCheck, ReferenceCheck, Status, Unexplainable,
};
pub use request::CheckRequest;
pub(crate) use sanity::refuse_unsigned;
pub use sanity::{MethodSanity, RandomClass, SanityReport, SanityRequest, SanityStop, Verdict, check_sanity};

use crate::engine::{Engine, Network, Runtime};
use crate::error::{Error, ErrorKind, OptionName, Phrase, Problem, Result};
use crate::model::{LayerRequest, Model};
use reference::Reference;
use subject::{Subject, guarded, inner};

/// Runs every check on a model.
///
/// # Errors
/// When checks cannot start: the layer is not the model's, the weights or the reference cannot be read, or the
/// device is not available.
pub fn check(model: &Model, request: &CheckRequest) -> Result<CheckReport> {
    // First, because a wrong file is found out in a moment, and the checks may take minutes.
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
    // On Burn, as all devices are: the native kernels are compared with it like one more device.
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
    // A check that is not available does not fail: a machine may have no GPU.
    report.passed = !report.statuses().contains(&Status::Failed);
    Ok(report)
}
