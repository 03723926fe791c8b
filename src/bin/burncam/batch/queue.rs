//! Tasks for workers in order, and their results in order, with a bound on how far workers may run ahead.
//!
//! Workers [`take`](Queue::take) ranges of tasks and [`give`](Queue::give) a result for each; one consumer gets the results in
//! the order of the tasks. A result waits for those before it, and at most `ahead` tasks are between the first that the consumer
//! has not received and the last that a worker may begin: memory does not grow with their number.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Tasks by number, results of type `T`.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    total: usize,
    together: usize,
    ahead: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    /// The first task that no worker has taken.
    next: usize,
    /// The first task whose result the consumer has not received.
    first: usize,
    /// Results from `first` on.
    results: VecDeque<Option<T>>,
    stopped: bool,
}

impl<T> Queue<T> {
    /// `total` tasks, handed out `together` at a time, with at most `ahead` (at least `together`) started and not
    /// consumed.
    pub(crate) fn new(total: usize, together: usize, ahead: usize) -> Self {
        let state = State { next: 0, first: 0, results: VecDeque::new(), stopped: false };
        let together = together.max(1);
        Self {
            total,
            together,
            // With less room than one range has, none could ever start.
            ahead: ahead.max(together),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// The next tasks, as soon as they may start; `None` when there are no more.
    pub(crate) fn take(&self) -> Option<Range<usize>> {
        let mut state = self.lock();
        loop {
            if state.stopped || state.next >= self.total {
                return None;
            }
            let end = (state.next + self.together).min(self.total);
            if end - state.first <= self.ahead {
                let range = state.next..end;
                state.next = end;
                return Some(range);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Stores the result of a task.
    pub(crate) fn give(&self, task: usize, result: T) {
        let mut state = self.lock();
        let at = task - state.first;
        if state.results.len() <= at {
            // Results arrive in any order; the gap is filled by workers that are still at it.
            state.results.resize_with(at + 1, || None);
        }
        state.results[at] = Some(result);
        self.changed.notify_all();
    }

    /// The next result in order; `None` after that of the last task that was taken.
    pub(crate) fn next(&self) -> Option<(usize, T)> {
        let mut state = self.lock();
        loop {
            if let Some(result) = state.results.front_mut().and_then(Option::take) {
                state.results.pop_front();
                let task = state.first;
                state.first += 1;
                self.changed.notify_all();
                return Some((task, result));
            }
            // After a stop the tasks that were taken are in progress, and their results are waited for.
            let last = if state.stopped { state.next } else { self.total };
            if state.first >= last {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Stops handing out tasks; the results of those in progress still arrive.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code of a task runs under the lock, so a panic cannot leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Runs all tasks on several threads and returns what the consumer received.
    fn results(total: usize, together: usize, ahead: usize, workers: usize, stop_at: usize) -> Vec<usize> {
        let queue = Queue::new(total, together, ahead);
        let (begun, consumed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some(range) = queue.take() {
                        begun.fetch_add(range.len(), Ordering::SeqCst);
                        let open = begun.load(Ordering::SeqCst) - consumed.load(Ordering::SeqCst);
                        assert!(open <= ahead.max(together) + 1, "{open} are open");
                        for task in range {
                            std::thread::sleep(std::time::Duration::from_micros((task * 37 % 11) as u64));
                            queue.give(task, task * 2);
                        }
                    }
                });
            }
            let mut got = Vec::new();
            while let Some((task, result)) = queue.next() {
                consumed.fetch_add(1, Ordering::SeqCst);
                assert_eq!(result, task * 2);
                got.push(task);
                if task == stop_at {
                    queue.stop();
                }
            }
            got
        })
    }

    #[test]
    fn results_come_in_order_and_all_of_them() {
        for (total, together, ahead, workers) in [(0, 1, 1, 2), (1, 4, 1, 3), (50, 1, 3, 4), (101, 4, 9, 3)] {
            assert_eq!(results(total, together, ahead, workers, usize::MAX), (0..total).collect::<Vec<_>>());
        }
    }

    #[test]
    fn after_a_stop_only_what_was_begun_is_finished() {
        let got = results(1000, 2, 6, 3, 10);
        assert_eq!(got, (0..got.len()).collect::<Vec<_>>());
        assert!(got.len() >= 11 && got.len() <= 11 + 6, "{}", got.len());
    }
}
