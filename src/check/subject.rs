//! What the checks of one model share: the network, an input and its logits; and Burn's panics as errors.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{CheckRequest, Difference, Status};
use crate::engine::Network;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;

/// Common inputs of the checks.
pub(super) struct Subject<'a> {
    pub(super) model: &'a Model,
    pub(super) request: &'a CheckRequest,
    /// The network as `explain` runs it, tapped at the checked layer, if any.
    pub(super) network: Network,
    /// Index of that layer.
    pub(super) layer: Option<usize>,
    /// The noise picture, `[1, channels, height, width]`.
    pub(super) input: Vec<f32>,
    /// The network's logits for it.
    pub(super) logits: Vec<f32>,
}

impl Subject<'_> {
    /// Whether a difference is within the tolerance. Differences that are not finite never are.
    pub(super) fn status(&self, difference: &Difference) -> Status {
        if difference.relative <= self.request.tolerance { Status::Ok } else { Status::Failed }
    }
}

/// Runs something that ends in Burn. Its devices report some failures by panicking.
pub(super) fn guarded<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        let words = payload.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| payload.downcast_ref::<&str>().copied());
        let first = words.and_then(|words| words.lines().next()).unwrap_or("no reason given");
        Err(Error::internal(first.to_owned()))
    })
}

/// The cause, without the request to report a bug that surrounds internal errors.
pub(super) fn inner(error: &Error) -> String {
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
