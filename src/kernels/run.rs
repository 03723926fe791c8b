//! Runs a plan: images in, blocked values through the kernels, images out.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::kernels::{Packed, Run, layout};
use super::memory::{Memory, Pool};
use super::plan::{Kernel, Load, Plan, Weights};
use crate::error::Result;

/// Images that go through the kernels together, so that weights that are in a cache serve all of them.
const TOGETHER: usize = 4;

/// Memory that the next run takes over.
#[derive(Debug, Default)]
pub struct Workspace {
    values: Pool,
    scratch: Pool,
}

impl Plan {
    /// Runs the plan on `batch` images, each input `[batch, channels, height, width]`, row-major, and gives the wanted values
    /// likewise, in the order that they were asked for. `weights` are those that [`Plan::pack`] gave.
    pub fn run(
        &self,
        weights: &Weights,
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
            let kernels = self.kernels.iter().zip(&weights.0);
            let kernels = kernels.map(|(kernel, packed)| Stage::new(Work::Kernel(kernel, packed)));
            work_off(&self.imports(&parts).chain(kernels).collect::<Vec<_>>(), &run, threads);
            for (output, values) in outputs.iter_mut().zip(self.export(&run)) {
                if output.is_empty() { *output = values } else { output.extend(values) }
            }
        }
        workspace.values.give(memory);
        outputs
    }

    /// As [`Plan::run`] for one image and for once: weights are put in order when a kernel wants them, where those of the
    /// kernel before it lay, so that there is never more than one kernel's in memory.
    ///
    /// # Errors
    /// As [`Plan::pack`].
    pub fn run_once(&self, load: Load<'_>, inputs: &[&[f32]], threads: usize) -> Result<Vec<Vec<f32>>> {
        let workspace = Workspace::default();
        let mut memory = Memory::zeros(self.size);
        let run = Run::new(memory.as_mut_slice(), &workspace.scratch, 1);
        work_off(&self.imports(inputs).collect::<Vec<_>>(), &run, threads);
        let mut packed = Packed::default();
        for (kernel, source) in self.kernels.iter().zip(&self.sources) {
            if let Some(source) = source {
                kernel.pack(&load(*source)?, &mut packed)?;
            }
            work_off(&[Stage::new(Work::Kernel(kernel, &packed))], &run, threads);
        }
        Ok(self.export(&run).collect())
    }

    fn imports<'a>(&'a self, inputs: &'a [&[f32]]) -> impl Iterator<Item = Stage<'a>> {
        self.inputs.iter().zip(inputs).map(|(view, values)| Stage::new(Work::Import(view, values)))
    }

    fn export<'a>(&'a self, run: &'a Run<'_>) -> impl Iterator<Item = Vec<f32>> + 'a {
        // SAFETY: all kernels are done, and the plan keeps wanted values to the end.
        self.outputs.iter().map(|view| unsafe { layout::export(run, view) })
    }
}

/// All stages, one after the other, each shared by as many threads of the pool as are free.
fn work_off(stages: &[Stage<'_>], run: &Run<'_>, threads: usize) {
    if threads <= 1 {
        return stages.iter().for_each(|stage| stage.work_off(run, 1));
    }
    let failed = AtomicBool::new(false);
    let all = || {
        let _guard = OnPanic(&failed);
        for stage in stages {
            stage.work_off(run, threads);
            if !stage.wait(run.batch, &failed) {
                return;
            }
        }
    };
    // Threads that exist already: the system often puts a new one on the core of the one that made it, and leaves it there.
    rayon::in_place_scope(|scope| {
        (1..threads).for_each(|_| scope.spawn(|_| all()));
        all();
    });
}

enum Work<'a> {
    Import(&'a super::view::View, &'a [f32]),
    Kernel(&'a Kernel, &'a Packed),
}

/// Work that threads share and finish before any goes on. Who comes late finds nothing left to do.
struct Stage<'a> {
    work: Work<'a>,
    /// The first unit that nobody has taken.
    next: AtomicUsize,
    /// How many units are done.
    done: AtomicUsize,
}

impl<'a> Stage<'a> {
    fn new(work: Work<'a>) -> Self {
        Self { work, next: AtomicUsize::new(0), done: AtomicUsize::new(0) }
    }

    fn units(&self, batch: usize) -> usize {
        match &self.work {
            Work::Import(view, _) => view.blocks() * batch,
            Work::Kernel(kernel, _) => kernel.units(batch),
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
            let end = (first + grain).min(units);
            for unit in first..end {
                // SAFETY: every unit is taken once; all units of earlier stages are done.
                unsafe {
                    match &self.work {
                        Work::Import(view, values) => {
                            layout::import(run, view, values, unit);
                            layout::clear_halo(run, view, unit / view.blocks(), unit % view.blocks());
                        }
                        Work::Kernel(kernel, packed) => kernel.unit(run, packed, unit),
                    }
                }
            }
            self.done.fetch_add(end - first, Ordering::Release);
        }
    }

    /// Until all units are done; whether they are, rather than a thread has failed.
    fn wait(&self, batch: usize, failed: &AtomicBool) -> bool {
        let units = self.units(batch);
        let mut turns = 0_u32;
        while self.done.load(Ordering::Acquire) < units {
            if failed.load(Ordering::Relaxed) {
                return false;
            }
            turns += 1;
            // Most stages are shorter than a thread takes to wake up; but whoever is waited for may need this very core.
            if turns < 1_000 { std::hint::spin_loop() } else { std::thread::yield_now() }
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
