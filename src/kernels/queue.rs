//! How threads share work: stages in turn, each in units that any thread takes.
//!
//! Receives stages, gives each of their units to one thread, and none of a stage before all of the stage before it are done. Knows no
//! kernel: `tests/loom` runs this file with a model checker, which tries the orders in which threads can meet.

use crate::atomics::{AtomicBool, AtomicUsize, Ordering, pause};

/// Work in units that do not depend on each other.
pub(crate) trait Work {
    /// How many there are.
    fn units(&self) -> usize;

    /// Does one of them.
    ///
    /// # Safety
    /// Each is done once, after all units of earlier stages are done and before any of a later one has begun.
    unsafe fn unit(&self, index: usize);
}

/// Work that threads share and finish before any of them goes on. A thread that comes late finds nothing left to do.
pub(crate) struct Stage<W> {
    work: W,
    units: usize,
    /// The first unit that no thread has taken.
    next: AtomicUsize,
    /// How many units are done.
    done: AtomicUsize,
}

/// Does all stages in turn, together with every other thread that calls this with the same arguments, of which there are `threads` at
/// most. `failed` is false at first, and stops the others where a unit panics.
pub(crate) fn in_turn<W: Work>(stages: &[Stage<W>], threads: usize, failed: &AtomicBool) {
    let _guard = OnPanic(failed);
    for stage in stages {
        stage.work(threads);
        if !stage.wait(failed) {
            return;
        }
    }
}

impl<W: Work> Stage<W> {
    pub(crate) fn new(work: W) -> Self {
        Self { units: work.units(), work, next: AtomicUsize::new(0), done: AtomicUsize::new(0) }
    }

    /// Takes units until there are none.
    fn work(&self, threads: usize) {
        // A few units at a time, since neighbours share weights or pixels; four turns per thread even out their speeds.
        let grain = (self.units / (threads * 4)).max(1);
        loop {
            let first = self.next.fetch_add(grain, Ordering::Relaxed);
            if first >= self.units {
                return;
            }
            let end = (first + grain).min(self.units);
            for index in first..end {
                // SAFETY: every index is taken once, and a thread that is done with a stage waits for the others, so that all
                // units of earlier stages are done and none of a later one has begun.
                unsafe { self.work.unit(index) };
            }
            self.done.fetch_add(end - first, Ordering::Release);
        }
    }

    /// Spins until every unit is done; returns false if another thread panicked.
    fn wait(&self, failed: &AtomicBool) -> bool {
        let mut turns = 0_u32;
        while self.done.load(Ordering::Acquire) < self.units {
            if failed.load(Ordering::Relaxed) {
                return false;
            }
            turns = turns.saturating_add(1);
            pause(turns);
        }
        true
    }
}

/// Stops the other threads from waiting for one that panicked.
struct OnPanic<'a>(&'a AtomicBool);

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}
