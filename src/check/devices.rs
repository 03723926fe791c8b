//! Every other device of this build against the one that was asked for.

use super::{DeviceCheck, Difference, Status, Subject, guarded, inner};
use crate::device::{DEVICES, DeviceName};
use crate::engine::Network;
use crate::error::Result;

/// A device that cannot be opened is not available; one that opens and then cannot run the network has failed.
pub(super) fn check(subject: &Subject) -> Vec<DeviceCheck> {
    let asked = subject.request.device.to_string();
    let asked = asked.split(':').next().unwrap_or_default();
    DEVICES.iter().filter(|name| **name != asked).map(|name| compare(subject, name)).collect()
}

fn compare(subject: &Subject, name: &str) -> DeviceCheck {
    let done =
        |status, difference, problem| DeviceCheck { device: name.to_owned(), status, difference, problem };
    let device = guarded(|| {
        let device: DeviceName = name.parse()?;
        device.probe()?;
        Ok(device)
    });
    let device = match device {
        Ok(device) => device,
        Err(error) => return done(Status::NotAvailable, None, Some(inner(&error))),
    };
    match guarded(|| logits(subject, &device)) {
        Ok(logits) => {
            let difference = Difference::between(&logits, &subject.logits);
            done(subject.status(&difference), Some(difference), None)
        }
        Err(error) => done(Status::Failed, None, Some(inner(&error))),
    }
}

fn logits(subject: &Subject, device: &DeviceName) -> Result<Vec<f32>> {
    let taps: Vec<usize> = subject.layer.into_iter().collect();
    Network::load(subject.model, &taps, device)?.logits(subject.input.clone())
}
