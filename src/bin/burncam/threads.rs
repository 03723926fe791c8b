//! How the threads of a run are shared out. A run has one pool of its own, and everything in it that is parallel, from packing
//! weights to drawing, runs on that pool; rayon's global pool is left alone.

use std::fmt::Display;
use std::num::NonZero;
use std::thread;

use anyhow::{Error, Result, anyhow};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::args::DeviceArgs;
use crate::environment;

/// Worker configuration of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Workers {
    /// Images that are worked on at the same time.
    pub(crate) jobs: usize,
    /// Threads of the network in each job.
    pub(crate) threads: usize,
    /// Images that a job takes through the network together.
    pub(crate) together: usize,
}

impl Workers {
    /// For this many images. `jobs` and `together` are what the user asked for.
    ///
    /// # Errors
    /// When the environment names no number of threads where it should.
    pub(crate) fn new(
        place: &DeviceArgs,
        jobs: Option<u16>,
        together: Option<u16>,
        images: usize,
    ) -> Result<Self> {
        let all = threads(place)?;
        let usual = if images > 1 { all } else { 1 };
        let jobs = jobs.map_or(usual, usize::from).min(images.max(1));
        // Threads that are left over would make the jobs unequal, so they stay unused.
        let threads = (all / jobs).max(1);
        // Several together take more memory and, on the networks that were measured, no less time. A job without images
        // would leave its cores idle.
        let together = together.map_or(1, usize::from).min(images.div_ceil(jobs)).max(1);
        Ok(Self { jobs, threads, together })
    }

    /// The pool of the run.
    ///
    /// # Errors
    /// When the system does not start the threads.
    pub(crate) fn pool(self) -> Result<ThreadPool> {
        pool(self.jobs * self.threads)
    }
}

/// The pool of a run without jobs.
///
/// # Errors
/// As [`Workers::new`], and when the system does not start the threads.
pub(crate) fn pool_of(place: &DeviceArgs) -> Result<ThreadPool> {
    pool(threads(place)?)
}

fn pool(threads: usize) -> Result<ThreadPool> {
    ThreadPoolBuilder::new().num_threads(threads).build().map_err(cannot_start)
}

/// Of a system that has no more threads. The reason is in the message: rayon's error repeats it as its cause.
pub(crate) fn cannot_start(reason: impl Display) -> Error {
    anyhow!(
        "cannot start the threads: {reason} (ask for fewer with --threads, or raise the limit of processes)"
    )
}

/// As many as were asked for, or as the environment says, or one per core.
fn threads(place: &DeviceArgs) -> Result<usize> {
    let asked = match place.threads {
        Some(threads) => Some(threads),
        None => environment::threads()?,
    };
    Ok(asked.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), usize::from))
}
