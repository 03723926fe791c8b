//! Many passes of one picture's changed copies: in batches, on all cores.
//!
//! Receives what runs a batch; gives what it gave, in the order of the copies, however many threads there are. What a copy is and what
//! is read of its output is left to the caller.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// The memory that a thread keeps from batch to batch, and the threads that a pass may use.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// Of the batch's copies; what it holds at first is unspecified.
    pub(crate) values: Vec<f32>,
    pub(crate) threads: usize,
}

/// The numbers below `count`, `together` of them at the same time: what `run` gives for the copies of each batch, one for each copy.
///
/// Each thread takes a batch of its own, because threads that share a pass wait for each other after every operation. With fewer
/// batches than threads they share.
///
/// # Errors
/// The first error in the order of the batches.
pub(crate) fn in_batches<T: Send>(
    threads: usize,
    count: usize,
    together: usize,
    run: impl Fn(Range<usize>, &mut Lane) -> Result<Vec<T>> + Sync,
) -> Result<Vec<T>> {
    // Neither may be zero: the options are public.
    let (together, threads) = (together.max(1), threads.max(1));
    let is_spread = threads > 1 && count >= threads;
    let size = if is_spread { together.min(count).div_ceil(threads) } else { together };
    let batches = Batches { count, size, next: AtomicUsize::new(0), results: Mutex::new(Vec::new()) };
    if is_spread {
        rayon::in_place_scope(|scope| {
            (1..threads).for_each(|_| scope.spawn(|_| batches.work(1, &run)));
            batches.work(1, &run);
        });
    } else {
        batches.work(threads, &run);
    }
    batches.finished()
}

/// Batches that threads take in turn.
struct Batches<T> {
    count: usize,
    size: usize,
    /// The first copy that no thread has taken.
    next: AtomicUsize,
    /// First copy of each finished batch, and what was given for it.
    results: Mutex<Vec<(usize, Result<Vec<T>>)>>,
}

impl<T> Batches<T> {
    fn work(&self, threads: usize, run: impl Fn(Range<usize>, &mut Lane) -> Result<Vec<T>>) {
        let mut lane = Lane { values: Vec::new(), threads };
        loop {
            let first = self.next.fetch_add(self.size, Ordering::Relaxed);
            if first >= self.count {
                return;
            }
            let result = run(first..(first + self.size).min(self.count), &mut lane);
            if result.is_err() {
                // No thread begins another batch.
                self.next.store(self.count, Ordering::Relaxed);
            }
            if let Ok(mut results) = self.results.lock() {
                results.push((first, result));
            }
        }
    }

    fn finished(self) -> Result<Vec<T>> {
        let poisoned = |_| Error::internal("a thread stopped in the middle of a pass");
        let mut results = self.results.into_inner().map_err(poisoned)?;
        results.sort_unstable_by_key(|(first, _)| *first);
        let mut all = Vec::with_capacity(self.count);
        for (_, result) in results {
            all.extend(result?);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_passed_once_and_the_order_is_kept() {
        for threads in [0, 1, 2, 5] {
            for count in [0, 1, 4, 23] {
                for together in [0, 1, 6, 100] {
                    let largest = Mutex::new(0);
                    let run = |batch: Range<usize>, lane: &mut Lane| {
                        assert!(lane.threads == 1 || count < threads);
                        let mut largest = largest.lock().unwrap();
                        *largest = batch.len().max(*largest);
                        Ok(batch.collect())
                    };
                    let found = in_batches(threads, count, together, run).unwrap();
                    assert_eq!(found, (0..count).collect::<Vec<_>>());
                    assert!(*largest.lock().unwrap() <= together.max(1), "{threads} {count} {together}");
                }
            }
        }
    }

    #[test]
    fn an_error_ends_the_passes() {
        let fails = |batch: Range<usize>, _: &mut Lane| match batch.start {
            6 => Err(Error::request("the seventh")),
            _ => Ok(batch.collect()),
        };
        for threads in [1, 3] {
            assert_eq!(in_batches(threads, 1000, 2, fails).unwrap_err().to_string(), "the seventh");
        }
    }
}
