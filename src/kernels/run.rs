//! Runs a plan: images in, tensors in blocks through the kernels, images out.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::Result;
use crate::kernels::{Packed, Run, Unit, layout};
use crate::memory::{BufferPool, Memory};
use crate::plan::{Kernel, Load, Plan, Weights};
use crate::threads;
use crate::view::View;

/// Images that go through the kernels at once, so that weights that are in a cache serve all of them. More would not fit: four
/// images of a ResNet's first layers are 13 MB.
const BATCH: usize = 4;

/// Memory that the next run takes over.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(crate) tensors: BufferPool,
    pub(crate) scratch: BufferPool,
}

impl Plan {
    /// Runs the plan on `batch` images, each input `[batch, channels, height, width]`, row-major, and returns the wanted
    /// tensors in the same layout, in the order in which they were asked for. `weights` are those that [`Plan::pack`] gave.
    #[must_use]
    pub fn run(
        &self,
        weights: &Weights,
        workspace: &Workspace,
        inputs: &[&[f32]],
        batch: usize,
        threads: usize,
    ) -> Vec<Vec<f32>> {
        let mut outputs = vec![Vec::new(); self.outputs.len()];
        // Memory for a full batch, taken once: the last, shorter part uses its beginning.
        let mut memory = workspace.tensors.take(self.size * BATCH.min(batch));
        for first in (0..batch).step_by(BATCH) {
            let count = BATCH.min(batch - first);
            let parts: Vec<&[f32]> = inputs
                .iter()
                .map(|values| &values[values.len() / batch * first..values.len() / batch * (first + count)])
                .collect();
            let run = Run::new(memory.as_mut_slice(), &workspace.scratch, count);
            self.run_in(&run, weights, &parts, threads);
            for (output, values) in outputs.iter_mut().zip(self.export(&memory, count)) {
                if output.is_empty() { *output = values } else { output.extend(values) }
            }
        }
        workspace.tensors.give(memory);
        outputs
    }

    /// Imports the inputs and runs all kernels.
    pub(crate) fn run_in(&self, run: &Run<'_>, weights: &Weights, inputs: &[&[f32]], threads: usize) {
        let kernels = self.kernels.iter().zip(&weights.0);
        let kernels = kernels.map(|(kernel, packed)| Stage::new(Work::Kernel(kernel, packed)));
        run_stages(&self.imports(inputs).chain(kernels).collect::<Vec<_>>(), run, threads);
    }

    /// As [`Plan::run`] for a single image in low-memory mode: each kernel's weights are packed when it runs, in the memory of
    /// the kernel before it, so that never more than one kernel's are in memory.
    ///
    /// # Errors
    /// As [`Plan::pack`].
    pub fn run_once(&self, load: Load<'_>, inputs: &[&[f32]], threads: usize) -> Result<Vec<Vec<f32>>> {
        let scratch = BufferPool::default();
        let mut memory = Memory::zeros(self.size);
        let run = Run::new(memory.as_mut_slice(), &scratch, 1);
        self.run_once_in(&run, load, inputs, threads)?;
        Ok(self.export(&memory, 1).collect())
    }

    /// As [`Plan::run_in`], with weights as in [`Plan::run_once`].
    ///
    /// # Errors
    /// As [`Plan::pack`].
    pub(crate) fn run_once_in(
        &self,
        run: &Run<'_>,
        load: Load<'_>,
        inputs: &[&[f32]],
        threads: usize,
    ) -> Result<()> {
        run_stages(&self.imports(inputs).collect::<Vec<_>>(), run, threads);
        let mut packed = Packed::default();
        for (kernel, source) in self.kernels.iter().zip(&self.sources) {
            if let Some(source) = source {
                kernel.pack(&source.parameters(load)?, &mut packed)?;
            }
            run_stages(&[Stage::new(Work::Kernel(kernel, &packed))], run, threads);
        }
        Ok(())
    }

    fn imports<'a>(&'a self, inputs: &'a [&[f32]]) -> impl Iterator<Item = Stage<'a>> {
        self.inputs.iter().zip(inputs).map(|(view, values)| Stage::new(Work::Import(view, values)))
    }

    pub(crate) fn export<'a>(
        &'a self,
        memory: &'a Memory,
        batch: usize,
    ) -> impl Iterator<Item = Vec<f32>> + 'a {
        self.outputs.iter().map(move |view| layout::export(memory.as_slice(), view, batch))
    }
}

/// All stages in turn, each shared by `count` threads or as many as are free.
fn run_stages(stages: &[Stage<'_>], run: &Run<'_>, count: usize) {
    // Without atomics and waiting: one thread runs the stages as they come.
    if count <= 1 {
        return stages.iter().for_each(|stage| stage.work(run, 1));
    }
    let failed = AtomicBool::new(false);
    let all = || {
        let _guard = OnPanic(&failed);
        for stage in stages {
            stage.work(run, count);
            if !stage.wait(run.batch, &failed) {
                return;
            }
        }
    };
    threads::on_each(count, all);
}

enum Work<'a> {
    Import(&'a View, &'a [f32]),
    Kernel(&'a Kernel, &'a Packed),
}

/// Work that threads share and finish before any of them goes on. A thread that comes late finds nothing left to do.
struct Stage<'a> {
    work: Work<'a>,
    /// The first unit that no thread has taken.
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
            Work::Import(view, _) => layout::import_units(view, batch),
            Work::Kernel(kernel, _) => kernel.units(batch),
        }
    }

    /// Takes units until there are none.
    fn work(&self, run: &Run<'_>, threads: usize) {
        let units = self.units(run.batch);
        // A few units at a time, since neighbours share weights or pixels; four turns per thread even out their speeds.
        let grain = (units / (threads * 4)).max(1);
        loop {
            let first = self.next.fetch_add(grain, Ordering::Relaxed);
            if first >= units {
                return;
            }
            let end = (first + grain).min(units);
            for index in first..end {
                // SAFETY: every index is taken once, and a thread that is done with a stage waits for the others, so that all
                // units of earlier stages are done and none of a later one has begun.
                let unit = unsafe { Unit::new(run, index) };
                match &self.work {
                    Work::Import(view, values) => layout::import(&unit, view, values),
                    Work::Kernel(kernel, packed) => kernel.unit(&unit, packed),
                }
            }
            self.done.fetch_add(end - first, Ordering::Release);
        }
    }

    /// Spins until every unit is done; returns false if another thread panicked.
    fn wait(&self, batch: usize, failed: &AtomicBool) -> bool {
        let units = self.units(batch);
        let mut turns = 0_u32;
        while self.done.load(Ordering::Acquire) < units {
            if failed.load(Ordering::Relaxed) {
                return false;
            }
            turns += 1;
            // Most stages are shorter than a thread takes to wake up; but the thread that is waited for may need this core.
            if turns < 1_000 { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
        true
    }
}

/// Stops the other threads from waiting for one that panicked.
struct OnPanic<'a>(&'a AtomicBool);

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}
