//! Hashes as text, and the hash of a model file: it takes long, so it is computed at most once, and only for those who ask.

use std::fmt;
use std::sync::{Mutex, OnceLock};
use std::thread::{Builder, JoinHandle};

use crate::error::{Error, Result};

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hash that is computed when it is asked for, or ahead on another thread.
pub struct Pending {
    state: Mutex<State>,
    hash: OnceLock<String>,
}

enum State {
    Waiting(Box<dyn FnOnce() -> Result<String> + Send>),
    Running(JoinHandle<Result<String>>),
    Over,
}

impl Pending {
    /// Computes nothing yet.
    pub fn new(work: impl FnOnce() -> Result<String> + Send + 'static) -> Self {
        Self { state: Mutex::new(State::Waiting(Box::new(work))), hash: OnceLock::new() }
    }

    /// A hash that is known, in lower-case hexadecimal.
    pub fn known(hash: impl Into<String>) -> Self {
        Self { state: Mutex::new(State::Over), hash: OnceLock::from(hash.into()) }
    }

    /// Starts to compute it on another thread, unless that was done before.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn begin(&self) -> Result<()> {
        let mut state = self.state.lock().map_err(|_| failed())?;
        match std::mem::replace(&mut *state, State::Over) {
            State::Waiting(work) => {
                let thread = Builder::new().spawn(work);
                let cannot = |error| Error::internal(format!("no thread can be started: {error}"));
                *state = State::Running(thread.map_err(cannot)?);
            }
            other => *state = other,
        }
        Ok(())
    }

    /// The hash, computed now or waited for.
    ///
    /// # Errors
    /// When it could not be computed.
    pub fn get(&self) -> Result<&str> {
        // Without the lock once the hash is known.
        if let Some(hash) = self.hash.get() {
            return Ok(hash);
        }
        // Concurrent callers wait here for the first one.
        let mut state = self.state.lock().map_err(|_| failed())?;
        let found = match std::mem::replace(&mut *state, State::Over) {
            State::Waiting(work) => Some(work()?),
            State::Running(thread) => Some(thread.join().map_err(|_| failed())??),
            State::Over => None,
        };
        if let Some(hash) = found {
            let _ = self.hash.set(hash);
        }
        self.hash.get().map(String::as_str).ok_or_else(failed)
    }
}

fn failed() -> Error {
    Error::internal("the hash could not be computed")
}

impl fmt::Debug for Pending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Pending").field(&self.hash.get()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_hash_comes_once_and_to_all_ahead_or_not() {
        for ahead in [false, true] {
            let count = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&count);
            let pending = Pending::new(move || {
                counted.fetch_add(1, Ordering::Relaxed);
                Ok(hex(&[0x0f, 0xa0]))
            });
            if ahead {
                pending.begin().unwrap();
                pending.begin().unwrap();
            }
            std::thread::scope(|scope| {
                let waiting: Vec<_> =
                    (0..4).map(|_| scope.spawn(|| pending.get().unwrap().to_owned())).collect();
                assert!(waiting.into_iter().all(|thread| thread.join().unwrap() == "0fa0"));
            });
            pending.begin().unwrap();
            assert_eq!((pending.get().unwrap(), count.load(Ordering::Relaxed)), ("0fa0", 1));
        }
    }

    #[test]
    fn a_hash_that_nobody_asks_for_is_never_computed() {
        drop(Pending::new(|| panic!("it was computed")));
        let pending = Pending::known("00ff");
        pending.begin().unwrap();
        assert_eq!(pending.get().unwrap(), "00ff");
    }

    #[test]
    fn a_hash_that_cannot_be_worked_out_is_an_error() {
        for ahead in [false, true] {
            let pending = Pending::new(|| Err(Error::model("m.bpk", "cannot be read any more")));
            if ahead {
                pending.begin().unwrap();
            }
            assert!(pending.get().unwrap_err().to_string().contains("cannot be read any more"));
            assert!(pending.get().is_err());
        }
    }
}
