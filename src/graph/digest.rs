//! Hashes as text, and a hash that is computed on its own thread because it takes long for a model file.

use std::sync::{Mutex, OnceLock};
use std::thread::{Builder, JoinHandle};

use crate::error::{Error, Result};

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hash that is being computed on another thread.
#[derive(Debug)]
pub struct Pending {
    thread: Mutex<Option<JoinHandle<Result<String>>>>,
    hash: OnceLock<String>,
}

impl Pending {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn begin(work: impl FnOnce() -> Result<String> + Send + 'static) -> Result<Self> {
        let thread = Builder::new()
            .spawn(work)
            .map_err(|error| Error::internal(format!("no thread can be started: {error}")))?;
        Ok(Self { thread: Mutex::new(Some(thread)), hash: OnceLock::new() })
    }

    /// Waits for the hash.
    ///
    /// # Errors
    /// When it could not be computed.
    pub fn get(&self) -> Result<&str> {
        // Without the lock once the hash is known.
        if let Some(hash) = self.hash.get() {
            return Ok(hash);
        }
        let failed = || Error::internal("the hashing thread failed");
        // Concurrent callers wait here for the first one.
        let mut thread = self.thread.lock().map_err(|_| failed())?;
        if let Some(thread) = thread.take() {
            let _ = self.hash.set(thread.join().map_err(|_| failed())??);
        }
        self.hash.get().map(String::as_str).ok_or_else(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_comes_once_and_to_all() {
        let pending = Pending::begin(|| Ok(hex(&[0x0f, 0xa0]))).unwrap();
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| pending.get().unwrap().to_owned())).collect();
            assert!(waiting.into_iter().all(|thread| thread.join().unwrap() == "0fa0"));
        });
    }

    #[test]
    fn a_hash_that_cannot_be_worked_out_is_an_error() {
        let pending = Pending::begin(|| Err(Error::model("m.bpk", "cannot be read any more"))).unwrap();
        assert!(pending.get().unwrap_err().to_string().contains("cannot be read any more"));
        assert!(pending.get().is_err());
    }
}
