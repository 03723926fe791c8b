//! Many images at once: workers that take each image from its file to its files, and one place that takes what they did.
//!
//! A worker does everything for a few images, one after another: reading, the network, drawing, writing. As many workers as
//! cores keep all of them busy with no hand-over between stages, and no stage waits for another's. Work inside an
//! image that could use more cores runs on the same threads, where one of them is free.

mod lists;
mod progress;
mod queue;
mod results;
mod signals;

use std::io::ErrorKind;
use std::num::NonZero;
use std::thread;

use anyhow::Result;

use self::queue::Queue;
pub(crate) use self::results::Results;
pub(crate) use self::signals::Signals;
use crate::args::ExplainArgs;
use crate::explain::{Explained, Job, Task};
use crate::{Outcome, is_broken_pipe, is_of_model, text};

/// Batches of each worker that may be finished before one that is still at work.
const AHEAD: usize = 8;

/// How the cores are shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crew {
    /// Workers.
    pub(crate) jobs: usize,
    /// Threads of the network in each.
    pub(crate) threads: usize,
    /// Images that a worker takes through the network together.
    pub(crate) together: usize,
}

impl Crew {
    /// For as many images; what was asked for goes first.
    pub(crate) fn new(args: &ExplainArgs, images: usize) -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let all = args.run.place.threads.map_or(cores, usize::from);
        let usual = if images > 1 { all } else { 1 };
        let jobs = args.batch.jobs.map_or(usual, usize::from).min(images.max(1));
        let threads = (all / jobs).max(1);
        // Several together take more memory and, on the networks that were measured, no less time. A worker without images
        // would be a core without work.
        let together = args.batch.batch_size.map_or(1, usize::from).min(images.div_ceil(jobs)).max(1);
        Self { jobs, threads, together }
    }
}

/// Explains all tasks.
///
/// # Errors
/// When results cannot be told or listed. Failures of images are told and counted.
pub(crate) fn run(
    job: &Job<'_>,
    tasks: &[Task],
    crew: Crew,
    mut results: Results<'_>,
    signals: &Signals,
) -> Result<Outcome> {
    let queue = Queue::new(tasks.len(), crew.together, crew.jobs * crew.together * AHEAD);
    let consumed = thread::scope(|scope| {
        scope.spawn(|| {
            rayon::broadcast(|worker| {
                if worker.index() < crew.jobs {
                    work(job, tasks, &queue, signals);
                }
            });
        });
        let consumed = consume(job, tasks, &queue, &mut results);
        queue.stop();
        consumed
    });
    let consumed = match consumed {
        Err(error) if is_broken_pipe(&error) || is_of_model(&error) => return Err(error),
        Err(error) => {
            text::error(&error);
            None
        }
        Ok(consumed) => Some(consumed),
    };
    let interrupted = consumed != Some(tasks.len());
    let failed = results.failed();
    let written = results.finish(interrupted);
    Ok(match signals.raised() {
        Some(signal) if interrupted => Outcome::Interrupted(signal),
        _ if failed > 0 || interrupted || !written => Outcome::SomeFailed,
        _ => Outcome::Done,
    })
}

fn work(job: &Job<'_>, tasks: &[Task], queue: &Queue<Result<Explained>>, signals: &Signals) {
    while let Some(range) = queue.take() {
        for (task, result) in range.clone().zip(job.explain(&tasks[range])) {
            queue.give(task, result);
        }
        if signals.raised().is_some() {
            queue.stop();
        }
    }
}

/// Takes results until the last, or one after which going on is of no use; says how many.
fn consume(
    job: &Job<'_>,
    tasks: &[Task],
    queue: &Queue<Result<Explained>>,
    results: &mut Results<'_>,
) -> Result<usize> {
    let mut consumed = 0;
    while let Some((task, result)) = queue.next() {
        let result = match result {
            // Not this image's fault, nor the next one's.
            Err(error) if is_of_model(&error) => return Err(error.downcast::<burncam::Error>()?.into()),
            result => result,
        };
        results.take(&tasks[task], &result)?;
        consumed += 1;
        if let Err(error) = &result
            && (job.args.batch.fail_fast || is_hopeless(error, job))
        {
            queue.stop();
        }
    }
    Ok(consumed)
}

/// Whether what kept one image from being written will keep all others from it.
fn is_hopeless(error: &anyhow::Error, job: &Job<'_>) -> bool {
    let kinds = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::ReadOnlyFilesystem];
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    causes.any(|cause| kinds.contains(&cause.kind())) || job.plan.is_gone()
}
