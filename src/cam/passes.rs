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
/// copies than threads they share. A batch has two copies at least, unless one is asked for, and one more than asked for where one would be left
/// over: Burn multiplies a single row by another routine, whose sums differ in the last digit.
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
    let least = together.min(2);
    let parts = count.div_ceil(size.max(least)).min((count / least).max(1));
    let batches = Batches { count, parts, next: AtomicUsize::new(0), results: Mutex::new(Vec::new()) };
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
    /// How many batches there are, of nearly equal sizes.
    parts: usize,
    /// The first batch that no thread has taken.
    next: AtomicUsize,
    /// Each finished batch, and what was given for it.
    results: Mutex<Vec<(usize, Result<Vec<T>>)>>,
}

impl<T> Batches<T> {
    fn work(&self, threads: usize, run: impl Fn(Range<usize>, &mut Lane) -> Result<Vec<T>>) {
        let mut lane = Lane { values: Vec::new(), threads };
        loop {
            let part = self.next.fetch_add(1, Ordering::Relaxed);
            if part >= self.parts {
                return;
            }
            let [first, end] = [part, part + 1].map(|part| self.count * part / self.parts);
            let result = run(first..end, &mut lane);
            if result.is_err() {
                // No thread begins another batch.
                self.next.store(self.parts, Ordering::Relaxed);
            }
            if let Ok(mut results) = self.results.lock() {
                results.push((part, result));
            }
        }
    }

    fn finished(self) -> Result<Vec<T>> {
        let poisoned = |_| Error::internal("a thread stopped in the middle of a pass");
        let mut results = self.results.into_inner().map_err(poisoned)?;
        results.sort_unstable_by_key(|(part, _)| *part);
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
                    let (least, most) = (together.clamp(1, 2).min(count), together.max(1) + 1);
                    let run = |batch: Range<usize>, lane: &mut Lane| {
                        assert!(lane.threads == 1 || count < threads);
                        assert!(
                            batch.len() >= least && batch.len() <= most,
                            "{threads} {together} {batch:?}"
                        );
                        assert!(together > 1 || batch.len() == 1);
                        Ok(batch.collect())
                    };
                    let found = in_batches(threads, count, together, run).unwrap();
                    assert_eq!(found, (0..count).collect::<Vec<_>>());
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
