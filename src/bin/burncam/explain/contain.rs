//! A failure inside burncam, or a library below it, as an error of the one image that met it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Result, anyhow};

thread_local! {
    /// Whether this thread is inside [`contained`].
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// Where the last failure on this thread happened.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on failures inside [`contained`] are told as errors only, and not by the language's own message.
pub(crate) fn prepare() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |failure| {
        if INSIDE.get() {
            log::debug!("{failure}");
            PLACE.set(failure.location().map(ToString::to_string));
        } else {
            usual(failure);
        }
    }));
}

/// Runs `work`; its panic becomes an error.
pub(crate) fn contained<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let outer = INSIDE.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    INSIDE.set(outer);
    result.unwrap_or_else(|failure| {
        let place = PLACE.take().map_or_else(String::new, |place| format!(" at {place}"));
        let message = message(failure.as_ref());
        Err(anyhow!("internal error: {message}{place} (please report this with the command you ran)"))
    })
}

fn message(failure: &(dyn Any + Send)) -> &str {
    let text = failure.downcast_ref::<&str>().copied();
    text.or_else(|| failure.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_in_words() {
        let error = contained::<()>(|| panic!("shapes {} and {} differ", 1, 2)).unwrap_err();
        assert!(error.to_string().starts_with("internal error: shapes 1 and 2 differ"), "{error}");
        assert_eq!(contained(|| Ok(3)).unwrap(), 3);
    }
}
