//! SIGINT, SIGTERM and SIGHUP: the first stops after the work in progress, the second stops immediately.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// The signals of this process since [`Signals::listen`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Signals {
    raised: Arc<AtomicUsize>,
}

impl Signals {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn listen() -> Result<Self> {
        let signals = Self::default();
        let again = Arc::new(AtomicBool::new(false));
        // `nohup` ignores SIGHUP for programs that should outlive their terminal.
        let signals_wanted = [SIGINT, SIGTERM].into_iter().chain((!is_ignored(SIGHUP)).then_some(SIGHUP));
        for signal in signals_wanted {
            // In this order: the first signal finds `again` still unset.
            let registered = flag::register_conditional_default(signal, Arc::clone(&again))
                .and_then(|_| flag::register(signal, Arc::clone(&again)))
                .and_then(|_| {
                    let number = usize::try_from(signal).unwrap_or_default();
                    flag::register_usize(signal, Arc::clone(&signals.raised), number)
                });
            registered.context("cannot listen for signals")?;
        }
        Ok(signals)
    }

    /// The signal that was received, if any.
    pub(crate) fn raised(&self) -> Option<u8> {
        // Relaxed: the number is all that is passed on; no other memory depends on it.
        match self.raised.load(Ordering::Relaxed) {
            0 => None,
            number => u8::try_from(number).ok(),
        }
    }
}

/// Whether the program was started with a signal ignored, where the system reports it.
fn is_ignored(signal: i32) -> bool {
    // Asking the system itself, by `sigaction`, would need `unsafe` code.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal - 1) & 1 == 1
}
