//! Parallel tasks: workers that process each task completely, and one consumer that receives the results in order.
//!
//! The caller defines tasks and results: for `explain` and `predict` a task is an image. A worker does a few
//! tasks before it takes the next ones. With one worker per core all cores are busy, and no stage waits for another.
//! Parallel work inside a task runs on the same threads, when one is free. What then only waits, for the disk, is done on threads of its own,
//! while the worker computes.

mod queue;
mod signals;

use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope};

use anyhow::{Result, anyhow};
use burncam_graph::memory;
use rayon::ThreadPool;

use self::queue::Queue;
pub(crate) use self::signals::Signals;
use crate::contain::contained;
use crate::failure;
use crate::threads::{Workers, cannot_start};

/// Finished batches per worker that may wait for one that is still in progress; bounds memory.
const AHEAD: usize = 8;

/// What is done with a task: first on a worker, then where waiting costs no worker.
pub(crate) struct Steps<Work, Finish> {
    /// What is made of some tasks, one for each.
    pub(crate) work: Work,
    /// The result of a task, given what was made of it. It needs next to no processor time.
    pub(crate) finish: Finish,
}

/// Runs both steps for all tasks, the first on the threads of `pool`, and passes the results to `take` in the order of the tasks,
/// one at a time on the caller's thread. After a break or a signal no more tasks
/// start; the results of those in progress are still passed. Returns the number of results.
///
/// # Errors
/// The first error of `take`, after which no more results are passed; and when the system does not start the threads.
pub(crate) fn run<Task: Sync, Made: Send, T: Send>(
    pool: &ThreadPool,
    workers: Workers,
    tasks: &[Task],
    signals: &Signals,
    steps: &Steps<impl Fn(&[Task]) -> Vec<Result<Made>> + Sync, impl Fn(&Task, Made) -> Result<T> + Sync>,
    mut take: impl FnMut(&Task, Result<T>) -> Result<ControlFlow<()>>,
) -> Result<usize> {
    memory::set_files(workers.jobs * workers.together);
    // What waits to be finished counts as started, so that the disk may not fall behind by more than this either.
    let queue = Queue::new(tasks.len(), workers.together, workers.jobs * workers.together * AHEAD);
    let (sender, made) = mpsc::channel();
    let made = Mutex::new(made);
    let finish_all = || {
        while let Some((task, made)) = received(&made) {
            queue.give(task, contained(|| (steps.finish)(&tasks[task], made)));
        }
    };
    thread::scope(|scope| {
        let queue = &queue;
        // Here, so that it is gone when no worker is started: what waits for it would never return.
        let sender = sender;
        let _ended = Ended(queue);
        for _ in 0..workers.jobs {
            start(scope, finish_all)?;
        }
        // `broadcast` returns when all workers are done; the caller's thread is needed for the results meanwhile.
        start(scope, move || {
            pool.broadcast(|worker| {
                // The pool may have more threads than jobs: the others help inside of tasks.
                if worker.index() < workers.jobs {
                    do_work(queue, tasks, &steps.work, &sender, signals);
                }
            });
        })?;
        take_all(queue, |task, result| take(&tasks[task], result))
    })
}

/// Stops the queue at the end of a run, also after an error or a panic of the consumer: a worker that waits for room would never return.
struct Ended<'a, T>(&'a Queue<T>);

impl<T> Drop for Ended<'_, T> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Starts a thread. One that the system refuses is an error and no panic.
fn start<'scope>(scope: &'scope Scope<'scope, '_>, work: impl FnOnce() + Send + 'scope) -> Result<()> {
    let started = thread::Builder::new().spawn_scoped(scope, work);
    started.map(drop).map_err(cannot_start)
}

/// A worker: takes tasks, and sends what it makes of them.
fn do_work<Task, Made, T>(
    queue: &Queue<Result<T>>,
    tasks: &[Task],
    work: impl Fn(&[Task]) -> Vec<Result<Made>>,
    sender: &Sender<(usize, Made)>,
    signals: &Signals,
) {
    while let Some(range) = queue.take() {
        for (task, result) in range.clone().zip(all_contained(&work, &tasks[range])) {
            match result {
                // The receiver is there until all threads are done.
                Ok(made) => drop(sender.send((task, made))),
                Err(error) => queue.give(task, Err(error)),
            }
        }
        if signals.raised().is_some() {
            queue.stop();
        }
    }
}

/// The next of what several threads wait for, `None` after the last.
fn received<Made>(made: &Mutex<Receiver<Made>>) -> Option<Made> {
    made.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// The results of some tasks; of a panic, which was not that of one of them, an error for each: the consumer would wait for them forever.
fn all_contained<Task, T>(work: impl Fn(&[Task]) -> Vec<Result<T>>, tasks: &[Task]) -> Vec<Result<T>> {
    contained(|| Ok(work(tasks))).unwrap_or_else(|error| {
        let words = failure::message(&error);
        tasks.iter().map(|_| Err(anyhow!("{words}"))).collect()
    })
}

/// Passes results until the last.
fn take_all<T>(
    queue: &Queue<Result<T>>,
    mut take: impl FnMut(usize, Result<T>) -> Result<ControlFlow<()>>,
) -> Result<usize> {
    let mut taken = 0;
    while let Some((task, result)) = queue.next() {
        if take(task, result)?.is_break() {
            queue.stop();
        }
        taken += 1;
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn run_numbers(
        jobs: usize,
        together: usize,
        count: usize,
        take: impl FnMut(&usize, Result<usize>) -> Result<ControlFlow<()>>,
    ) -> Result<usize> {
        let workers = Workers { jobs, threads: 1, together };
        let tasks: Vec<usize> = (0..count).collect();
        let work = |tasks: &[usize]| {
            let one = |task: &usize| if task % 5 == 3 { bail!("a fault of {task}") } else { Ok(task * 2) };
            tasks.iter().map(one).collect()
        };
        let finish =
            |task: &usize, double| if task % 5 == 4 { bail!("too late for {task}") } else { Ok(double) };
        run(&workers.pool()?, workers, &tasks, &Signals::default(), &Steps { work, finish }, take)
    }

    #[test]
    fn results_and_faults_come_in_the_order_of_the_tasks() {
        for (jobs, together) in [(1, 1), (3, 2), (2, 7)] {
            let mut taken = Vec::new();
            let count = run_numbers(jobs, together, 50, |task, result| {
                match result {
                    Ok(double) => assert_eq!(double, task * 2),
                    Err(error) if task % 5 == 4 => {
                        assert_eq!(error.to_string(), format!("too late for {task}"));
                    }
                    Err(error) => assert_eq!(error.to_string(), format!("a fault of {task}")),
                }
                taken.push(*task);
                Ok(ControlFlow::Continue(()))
            });
            assert_eq!(count.unwrap(), 50);
            assert_eq!(taken, (0..50).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_panic_costs_its_own_tasks_and_stops_no_one() {
        let workers = Workers { jobs: 2, threads: 1, together: 2 };
        let tasks: Vec<usize> = (0..20).collect();
        let work = |tasks: &[usize]| {
            assert!(!tasks.contains(&7), "seven is too much");
            tasks.iter().map(|task| Ok(*task)).collect()
        };
        let finish = |_: &usize, made: usize| {
            assert!(made != 11, "eleven is too much");
            Ok(made)
        };
        let mut failed = Vec::new();
        let (pool, signals) = (workers.pool().unwrap(), Signals::default());
        let count = run(&pool, workers, &tasks, &signals, &Steps { work, finish }, |task, result| {
            if let Err(error) = result {
                assert!(error.to_string().contains("en is too much"), "{error}");
                failed.push(*task);
            }
            Ok(ControlFlow::Continue(()))
        });
        assert_eq!((count.unwrap(), failed), (20, vec![6, 7, 11]));
    }

    #[test]
    fn a_break_stops_what_has_not_begun_and_an_error_everything() {
        let stop =
            |task: &usize, _| Ok(if *task == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
        let count = run_numbers(2, 1, 1000, stop).unwrap();
        assert!((3..=3 + 2 * AHEAD).contains(&count), "{count}");
        let error = run_numbers(2, 1, 1000, |task, _| bail!("no more after {task}")).unwrap_err();
        assert_eq!(error.to_string(), "no more after 0");
    }

    #[test]
    fn a_panic_of_the_consumer_ends_the_run() {
        let run = || run_numbers(2, 1, 1000, |task, _| panic!("no more after {task}"));
        assert!(std::panic::catch_unwind(run).is_err());
    }
}
