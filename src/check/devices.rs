//! Every other device of this build, and the own kernels, against Burn on the device that was asked for.

use super::{DeviceCheck, Difference, Status, Subject, guarded, inner};
use crate::device::{DEVICES, DeviceName};
use crate::engine::{Engine, Network, Runtime};
use crate::error::Result;

/// A device that cannot be opened is not available; one that opens and then cannot run the network has failed.
pub(super) fn check(subject: &Subject) -> Vec<DeviceCheck> {
    let asked = subject.request.device.to_string();
    let asked = asked.split(':').next().unwrap_or_default();
    let others = DEVICES.iter().filter(|name| **name != asked);
    others.map(|name| compare(subject, name)).chain(own_kernels(subject)).collect()
}

/// What `explain` runs on the CPU, against Burn there.
fn own_kernels(subject: &Subject) -> Option<DeviceCheck> {
    let device = &subject.request.device;
    let runtime = Runtime { engine: Engine::Native(None), ..Runtime::from(device) };
    (*device == DeviceName::default()).then(|| held(subject, "native", &runtime))
}

fn compare(subject: &Subject, name: &str) -> DeviceCheck {
    let missing = |problem| DeviceCheck {
        device: name.to_owned(),
        status: Status::NotAvailable,
        difference: None,
        problem: Some(problem),
    };
    let device = guarded(|| {
        let device: DeviceName = name.parse()?;
        device.probe()?;
        Ok(device)
    });
    let device = match device {
        Ok(device) => device,
        Err(error) => return missing(inner(&error)),
    };
    held(subject, name, &Runtime { engine: Engine::Burn, ..Runtime::from(&device) })
}

/// The logits of another runtime against the subject's.
fn held(subject: &Subject, name: &str, runtime: &Runtime) -> DeviceCheck {
    let done =
        |status, difference, problem| DeviceCheck { device: name.to_owned(), status, difference, problem };
    match guarded(|| logits(subject, runtime)) {
        Ok(logits) => {
            let difference = Difference::between(&logits, &subject.logits);
            done(subject.status(&difference), Some(difference), None)
        }
        Err(error) => done(Status::Failed, None, Some(inner(&error))),
    }
}

fn logits(subject: &Subject, runtime: &Runtime) -> Result<Vec<f32>> {
    let taps: Vec<usize> = subject.layer.into_iter().collect();
    Network::load(subject.model, &taps, runtime)?.logits(subject.input.clone())
}
