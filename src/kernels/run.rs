//! Runs a plan: images in, tensors in blocks through the kernels, images out.

use std::ops::Range;

use crate::atomics::AtomicBool;
use crate::error::Result;
use crate::kernels::{Packed, Run, Unit, layout};
use crate::memory::{BufferPool, Memory};
use crate::plan::{Kernel, Load, Plan, Weights};
use crate::queue::{self, Stage, Work as _, in_turn};
use crate::threads;
use crate::view::View;

/// Images that go through the kernels at once, so that weights that are in a cache serve all of them. More would not fit: four
/// images of a ResNet's first layers are 13 MB.
pub(crate) const BATCH: usize = 4;

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
        self.run_part(run, weights, inputs, 0..self.kernels.len(), threads);
    }

    /// Imports inputs and runs these kernels.
    pub(crate) fn run_part(
        &self,
        run: &Run<'_>,
        weights: &Weights,
        inputs: &[&[f32]],
        part: Range<usize>,
        threads: usize,
    ) {
        let kernels = self.kernels[part.clone()].iter().zip(&weights.0[part]);
        let kernels = kernels.map(|(kernel, packed)| Work::Kernel(kernel, packed));
        run_all(self.imports(inputs).chain(kernels), run, threads);
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
        run_all(self.imports(inputs), run, threads);
        let mut packed = Packed::default();
        for (kernel, source) in self.kernels.iter().zip(&self.sources) {
            if let Some(source) = source {
                kernel.pack(&source.parameters(load)?, &mut packed)?;
            }
            run_all(std::iter::once(Work::Kernel(kernel, &packed)), run, threads);
        }
        Ok(())
    }

    fn imports<'a>(&'a self, inputs: &'a [&[f32]]) -> impl Iterator<Item = Work<'a>> {
        self.inputs.iter().zip(inputs).map(|(view, values)| Work::Import(view, values))
    }

    pub(crate) fn export<'a>(
        &'a self,
        memory: &'a Memory,
        batch: usize,
    ) -> impl Iterator<Item = Vec<f32>> + 'a {
        self.outputs.iter().map(move |view| layout::export(memory.as_slice(), view, batch))
    }
}

/// All work in turn, each shared by `count` threads or as many as are free.
fn run_all<'a>(all: impl Iterator<Item = Work<'a>>, run: &'a Run<'a>, count: usize) {
    // Without atomics and waiting: one thread runs the units as they come.
    if count <= 1 {
        return all.map(|work| Task { work, run }).for_each(|task| {
            // SAFETY: one after another.
            (0..task.units()).for_each(|index| unsafe { task.unit(index) });
        });
    }
    let stages: Vec<_> = all.map(|work| Stage::new(Task { work, run })).collect();
    let failed = AtomicBool::new(false);
    threads::on_each(count, || in_turn(&stages, count, &failed));
}

/// Runs kernels of regions of tensors, whose surroundings stay as they are.
pub(crate) fn run_windows(kernels: &[(Kernel, &Packed)], run: &Run<'_>, threads: usize) {
    run_all(kernels.iter().map(|(kernel, packed)| Work::Window(kernel, packed)), run, threads);
}

enum Work<'a> {
    Import(&'a View, &'a [f32]),
    Kernel(&'a Kernel, &'a Packed),
    /// Without clearing what is around the output.
    Window(&'a Kernel, &'a Packed),
}

/// Work, and the memory that it is done in.
struct Task<'a> {
    work: Work<'a>,
    run: &'a Run<'a>,
}

impl queue::Work for Task<'_> {
    fn units(&self) -> usize {
        match &self.work {
            Work::Import(view, _) => layout::import_units(view, self.run.batch),
            Work::Kernel(kernel, _) => kernel.units(self.run.batch),
            Work::Window(kernel, _) => kernel.kernel_units(self.run.batch),
        }
    }

    unsafe fn unit(&self, index: usize) {
        // SAFETY: the caller's promise.
        let unit = unsafe { Unit::new(self.run, index) };
        match &self.work {
            Work::Import(view, values) => layout::import(&unit, view, values),
            Work::Kernel(kernel, packed) | Work::Window(kernel, packed) => kernel.unit(&unit, packed),
        }
    }
}
