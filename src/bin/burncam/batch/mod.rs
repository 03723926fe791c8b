//! Parallel tasks: workers that process each task completely, and one consumer that receives the results in order.
//!
//! The caller defines tasks and results: for `explain` and `predict` a task is an image. A worker finishes a few
//! tasks before it takes the next ones. With one worker per core all cores are busy, and no stage waits for another.
//! Parallel work inside a task runs on the same threads, when one is free.

mod queue;
mod signals;

use std::ops::ControlFlow;
use std::thread;

use anyhow::{Result, anyhow};
use burncam_graph::memory;
use rayon::ThreadPool;

use self::queue::Queue;
pub(crate) use self::signals::Signals;
use crate::contain::contained;
use crate::failure;
use crate::threads::Workers;

/// Finished batches per worker that may wait for one that is still in progress; bounds memory.
const AHEAD: usize = 8;

/// Runs `work` for all tasks on the threads of `pool`, and passes the results to `take` in the order of the tasks,
/// one at a time on the caller's thread. `work` gives one result per task. After a break or a signal no more tasks
/// start; the results of those in progress are still passed. Returns the number of results.
///
/// # Errors
/// The first error of `take`, after which no more results are passed.
pub(crate) fn run<Task: Sync, T: Send>(
    pool: &ThreadPool,
    workers: Workers,
    tasks: &[Task],
    signals: &Signals,
    work: impl Fn(&[Task]) -> Vec<Result<T>> + Sync,
    mut take: impl FnMut(&Task, Result<T>) -> Result<ControlFlow<()>>,
) -> Result<usize> {
    memory::set_files(workers.jobs * workers.together);
    let queue = Queue::new(tasks.len(), workers.together, workers.jobs * workers.together * AHEAD);
    let do_work = || {
        while let Some(range) = queue.take() {
            for (task, result) in range.clone().zip(all_contained(&work, &tasks[range])) {
                queue.give(task, result);
            }
            if signals.raised().is_some() {
                queue.stop();
            }
        }
    };
    thread::scope(|scope| {
        // `broadcast` returns when all workers are done; the caller's thread is needed for the results meanwhile.
        scope.spawn(|| {
            pool.broadcast(|worker| {
                // The pool may have more threads than jobs: the others help inside of tasks.
                if worker.index() < workers.jobs {
                    do_work();
                }
            });
        });
        let taken = take_all(&queue, |task, result| take(&tasks[task], result));
        // Also after an error of `take`: a worker that waits for room would never return.
        queue.stop();
        taken
    })
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
        run(&workers.pool()?, workers, &tasks, &Signals::default(), work, take)
    }

    #[test]
    fn results_and_faults_come_in_the_order_of_the_tasks() {
        for (jobs, together) in [(1, 1), (3, 2), (2, 7)] {
            let mut taken = Vec::new();
            let count = run_numbers(jobs, together, 50, |task, result| {
                match result {
                    Ok(double) => assert_eq!(double, task * 2),
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
        let mut failed = Vec::new();
        let count =
            run(&workers.pool().unwrap(), workers, &tasks, &Signals::default(), work, |task, result| {
                if let Err(error) = result {
                    assert!(error.to_string().contains("seven is too much"), "{error}");
                    failed.push(*task);
                }
                Ok(ControlFlow::Continue(()))
            });
        assert_eq!((count.unwrap(), failed), (20, vec![6, 7]));
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
}
