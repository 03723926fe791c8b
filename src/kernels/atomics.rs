//! Atomics, as the queue uses them. `tests/loom` has the same names with those of a model checker.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Waits a moment, the longer the more turns there were.
pub(crate) fn pause(turns: u32) {
    // Most stages are shorter than a thread takes to wake up; but the thread that is waited for may need this core.
    if turns < 1_000 { std::hint::spin_loop() } else { std::thread::yield_now() }
}
