//! Work on several threads: rayon's, except under Miri, which refuses what rayon's queues do with pointers.

/// Runs `work` on this thread and, as soon as they are free, on `threads - 1` others; returns when all are done.
///
/// Threads that exist already: the system often puts a new one on the core of the one that made it, and leaves it there.
#[cfg(not(miri))]
pub(crate) fn on_each(threads: usize, work: impl Fn() + Sync) {
    rayon::in_place_scope(|scope| {
        (1..threads).for_each(|_| scope.spawn(|_| work()));
        work();
    });
}

#[cfg(miri)]
pub(crate) fn on_each(threads: usize, work: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(&work)));
        work();
    });
}

/// Runs `work` on each of the parts, on all threads.
#[cfg(not(miri))]
pub(crate) fn share<T: Send>(parts: Vec<T>, work: impl Fn(T) + Sync + Send) {
    use rayon::prelude::*;
    parts.into_par_iter().for_each(work);
}

#[cfg(miri)]
pub(crate) fn share<T: Send>(parts: Vec<T>, work: impl Fn(T) + Sync + Send) {
    parts.into_iter().for_each(work);
}
