//! Turns a panic in burncam or in a library into an error: of the image that caused it, or of the command.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

/// Message and location of the last panic. A thread pool propagates panics without their location.
static LAST: Mutex<Option<(String, String)>> = Mutex::new(None);

/// Replaces the default panic message: everything runs inside [`contained`], which reports panics as errors.
pub(crate) fn prepare() {
    std::panic::set_hook(Box::new(|failure| {
        log::debug!("{failure}");
        let place = failure.location().map(ToString::to_string).unwrap_or_default();
        let last = (message(failure.payload()).to_owned(), place);
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
    }));
}

/// Runs `work`; its panic becomes an error.
pub(crate) fn contained<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    caught(None, work)
}

/// As [`contained`], for work on one image, which the error names.
pub(crate) fn contained_for<T>(image: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    caught(Some(image), work)
}

fn caught<T>(image: Option<&Path>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    // Work on an image changes nothing that is used after its panic: its result is dropped as a whole.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|failure| {
        let message = message(failure.as_ref());
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Another thread may have panicked since, so the location is used only if the message is the same.
        let place =
            last.filter(|(of, _)| of == message).map_or_else(String::new, |(_, at)| format!(" at {at}"));
        // On one line, because each error is one line of the output.
        let message = message.lines().collect::<Vec<_>>().join(" ");
        let error = anyhow::Error::from(burncam::Error::internal(format!("{message}{place}")));
        Err(match image {
            Some(image) => error.context(format!("image '{}'", image.display())),
            None => error,
        })
    })
}

fn message(failure: &dyn Any) -> &str {
    // `panic!` gives a `&str` for a plain text and a `String` for a formatted one.
    let text = failure.downcast_ref::<&str>().copied();
    text.or_else(|| failure.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure;

    #[test]
    fn a_panic_is_an_error_in_words() {
        let error = contained::<()>(|| panic!("shapes {} and\n{} differ", 1, 2)).unwrap_err();
        assert!(error.to_string().starts_with("internal error: shapes 1 and 2 differ"), "{error}");
        assert!(error.to_string().ends_with(" (please report this with the command you ran)"), "{error}");
        let error = contained_for::<()>(Path::new("a.png"), || panic!("broken")).unwrap_err();
        assert!(failure::message(&error).starts_with("image 'a.png': internal error: broken"), "{error:#}");
        assert_eq!(failure::listed("a.png", &error).kind, Some(burncam::ErrorKind::Internal));
        assert_eq!(contained(|| Ok(3)).unwrap(), 3);
    }
}
