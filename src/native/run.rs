//! Runs a plan: images in, blocked values through the kernels, images out.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::kernels::{Run, layout};
use super::memory::Pool;
use super::plan::{Kernel, Plan};

/// Images that go through the kernels together, so that weights that are in a cache serve all of them.
const TOGETHER: usize = 4;

/// Memory that the next run takes over.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    values: Pool,
    scratch: Pool,
}

impl Plan {
    /// Runs the plan on `batch` images, each input `[batch, channels, height, width]`, row-major, and gives the wanted values
    /// likewise, in the order that they were asked for.
    pub(crate) fn run(
        &self,
        workspace: &Workspace,
        inputs: &[&[f32]],
        batch: usize,
        threads: usize,
    ) -> Vec<Vec<f32>> {
        let mut outputs = vec![Vec::new(); self.outputs.len()];
        let mut memory = workspace.values.take(self.size * TOGETHER.min(batch));
        for first in (0..batch).step_by(TOGETHER) {
            let count = TOGETHER.min(batch - first);
            let parts: Vec<&[f32]> = inputs
                .iter()
                .map(|values| &values[values.len() / batch * first..values.len() / batch * (first + count)])
                .collect();
            let run = Run::new(memory.as_mut_slice(), &workspace.scratch, count);
            self.together(&run, &parts, threads);
            for (view, output) in self.outputs.iter().zip(&mut outputs) {
                // SAFETY: all kernels are done, and the plan keeps wanted values to the end.
                output.append(&mut unsafe { layout::export(&run, view) });
            }
        }
        workspace.values.give(memory);
        outputs
    }

    fn together(&self, run: &Run<'_>, inputs: &[&[f32]], threads: usize) {
        let stages: Vec<Stage<'_>> = self
            .inputs
            .iter()
            .zip(inputs)
            .map(|(view, values)| Work::Import(view, values))
            .chain(self.kernels.iter().map(Work::Kernel))
            .map(|work| Stage { work, next: AtomicUsize::new(0), done: AtomicUsize::new(0) })
            .collect();
        if threads <= 1 {
            return stages.iter().for_each(|stage| stage.work_off(run, 1));
        }
        let failed = AtomicBool::new(false);
        let all = || {
            let _guard = OnPanic(&failed);
            for stage in &stages {
                stage.work_off(run, threads);
                if !stage.wait(threads, &failed) {
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            (1..threads).for_each(|_| {
                scope.spawn(all);
            });
            all();
        });
    }
}

enum Work<'a> {
    Import(&'a super::view::View, &'a [f32]),
    Kernel(&'a Kernel),
}

/// Work that all threads share and finish before any goes on.
struct Stage<'a> {
    work: Work<'a>,
    next: AtomicUsize,
    done: AtomicUsize,
}

impl Stage<'_> {
    fn units(&self, batch: usize) -> usize {
        match &self.work {
            Work::Import(view, _) => view.blocks() * batch,
            Work::Kernel(kernel) => kernel.units(batch),
        }
    }

    /// Takes units until there are none.
    fn work_off(&self, run: &Run<'_>, threads: usize) {
        let units = self.units(run.batch);
        // A few units at a time: neighbours share weights or pixels.
        let grain = (units / (threads * 4)).max(1);
        loop {
            let first = self.next.fetch_add(grain, Ordering::Relaxed);
            if first >= units {
                return;
            }
            for unit in first..(first + grain).min(units) {
                // SAFETY: every unit is taken once; earlier stages are done on all threads.
                unsafe {
                    match &self.work {
                        Work::Import(view, values) => {
                            layout::import(run, view, values, unit);
                            layout::clear_halo(run, view, unit / view.blocks(), unit % view.blocks());
                        }
                        Work::Kernel(kernel) => kernel.unit(run, unit),
                    }
                }
            }
        }
    }

    /// Until all threads are done with this stage; whether they are, rather than one has failed.
    fn wait(&self, threads: usize, failed: &AtomicBool) -> bool {
        self.done.fetch_add(1, Ordering::Release);
        let mut turns = 0_u32;
        while self.done.load(Ordering::Acquire) < threads {
            if failed.load(Ordering::Relaxed) {
                return false;
            }
            turns += 1;
            // Most stages are shorter than a thread takes to wake up.
            if turns < 20_000 { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
        true
    }
}

/// Tells the other threads not to wait for one that failed.
struct OnPanic<'a>(&'a AtomicBool);

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}
