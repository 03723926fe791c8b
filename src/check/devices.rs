//! Compares every other device of this build, and the native kernels, with Burn on the requested device.

use super::{DeviceCheck, Difference, Status, Subject, guarded, inner};
use crate::engine::{DEVICES, DeviceName};
use crate::engine::{Engine, Network, Runtime};

/// A device that cannot be opened is reported as not available; one that opens but cannot run the network has failed.
pub(super) fn check(subject: &Subject) -> Vec<DeviceCheck> {
    let asked = subject.request.device.to_string();
    // Without the index: `cuda:1` is compared with other kinds, and not with `cuda:0`.
    let asked = asked.split(':').next().unwrap_or_default();
    let others = DEVICES.iter().filter(|name| **name != asked);
    others.map(|name| compare(subject, name)).chain([own_kernels(subject)]).collect()
}

/// The native kernels: up to the layer, with the head on Burn, as `explain` runs the network, and all of it, as
/// `predict` does.
fn own_kernels(subject: &Subject) -> DeviceCheck {
    let runtime = Runtime { engine: Engine::Native(None), ..Runtime::from(&DeviceName::default()) };
    let taps: Vec<usize> = subject.layer.into_iter().collect();
    // Without taps the head runs on kernels, too, and other batch norms are folded.
    held(subject, "native", &runtime, &[&taps, &[]])
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
    let taps: Vec<usize> = subject.layer.into_iter().collect();
    held(subject, name, &Runtime { engine: Engine::Burn, ..Runtime::from(&device) }, &[&taps])
}

/// Compares the logits of another runtime with the subject's, for each set of tapped layers; the worst difference
/// counts.
fn held(subject: &Subject, name: &str, runtime: &Runtime, ways: &[&[usize]]) -> DeviceCheck {
    let done =
        |status, difference, problem| DeviceCheck { device: name.to_owned(), status, difference, problem };
    let compared = guarded(|| {
        ways.iter().try_fold(Difference::NONE, |worst, taps| {
            let logits = Network::load(subject.model, taps, runtime)?.logits(subject.input.clone())?;
            Ok(worst.worse(Difference::between(&logits, &subject.logits)))
        })
    });
    match compared {
        Ok(difference) => done(subject.status(&difference), Some(difference), None),
        Err(error) => done(Status::Failed, None, Some(inner(&error))),
    }
}
