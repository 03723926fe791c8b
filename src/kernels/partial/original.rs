//! A picture that has gone through a plan, and its changed copies that follow.

use std::sync::Mutex;

use super::PartialPlan;
use super::reach::{Changed, reached};
use crate::kernels::{Packed, Run, layout};
use crate::memory::Memory;
use crate::plan::{Kernel, Weights};
use crate::run::{BATCH, Workspace, run_windows};
use crate::view::{Region, View};

/// A picture whose tensors are kept, for copies of it.
#[derive(Debug)]
pub struct Original<'a> {
    plan: PartialPlan,
    weights: &'a Weights,
    workspace: &'a Workspace,
    /// The picture's tensors.
    memory: Memory,
    /// Memories of copies that are not in use: one for each thread.
    free: Mutex<Vec<Copied>>,
}

/// The tensors of a copy, which are the picture's but in some windows of them.
#[derive(Debug)]
struct Copied {
    memory: Memory,
    differing: Vec<View>,
}

impl PartialPlan {
    /// Runs a picture up to where copies are computed in part, each input `[channels, height, width]`, row-major. `weights` are those of a
    /// [`Plan`](crate::Plan) of the same operations.
    #[must_use]
    pub fn original<'a>(
        self,
        weights: &'a Weights,
        workspace: &'a Workspace,
        inputs: &[&[f32]],
        threads: usize,
    ) -> Original<'a> {
        let mut memory = Memory::zeros(self.plan.size);
        let run = Run::new(memory.as_mut_slice(), &workspace.scratch, 1);
        self.plan.run_part(&run, weights, inputs, 0..self.rest, threads);
        Original { plan: self, weights, workspace, memory, free: Mutex::default() }
    }
}

impl Original<'_> {
    /// The wanted tensors, as [`Plan::run`](crate::Plan::run) gives them, of copies whose first input is `changed`, `[batch, channels, height,
    /// width]`, row-major. Each differs from the picture within its region, one for each copy, and the other inputs are the picture's.
    #[must_use]
    pub fn run(&self, changed: &[f32], regions: &[Region], threads: usize) -> Vec<Vec<f32>> {
        let plan = &self.plan.plan;
        let mut outputs = vec![Vec::new(); plan.outputs.len()];
        let mut copy = self.take();
        let mut memory = self.workspace.tensors.take(plan.size * BATCH.min(regions.len()));
        let size = changed.len() / regions.len().max(1);
        for (first, regions) in regions.chunks(BATCH).enumerate() {
            let batch = regions.len();
            for (at, region) in regions.iter().enumerate() {
                let values = &changed[(first * BATCH + at) * size..][..size];
                self.reach(&mut copy, values, region, threads);
                for view in &self.plan.across {
                    let from = &copy.memory.as_slice()[view.range(1, 0)];
                    memory.as_mut_slice()[view.range(batch, at)].copy_from_slice(from);
                }
            }
            let run = Run::new(memory.as_mut_slice(), &self.workspace.scratch, batch);
            plan.run_part(&run, self.weights, &[], self.plan.rest..plan.kernels.len(), threads);
            for (output, values) in outputs.iter_mut().zip(plan.export(&memory, batch)) {
                if output.is_empty() { *output = values } else { output.extend(values) }
            }
        }
        self.workspace.tensors.give(memory);
        if let Ok(mut free) = self.free.lock() {
            free.push(copy);
        }
        outputs
    }

    /// A copy of the picture's tensors, perhaps with regions of an earlier one.
    fn take(&self) -> Copied {
        // A poisoned lock means that another thread panicked; new memory does as well.
        if let Some(copy) = self.free.lock().ok().and_then(|mut free| free.pop()) {
            return copy;
        }
        let mut memory = Memory::zeros(self.plan.plan.size);
        let views = self.plan.plan.inputs.iter().chain(self.plan.front.iter().map(|front| &front.output));
        for view in views {
            memory.as_mut_slice()[view.range(1, 0)]
                .copy_from_slice(&self.memory.as_slice()[view.range(1, 0)]);
        }
        Copied { memory, differing: Vec::new() }
    }

    /// Computes what a change of the first input reaches, up to where whole kernels follow.
    fn reach(&self, copy: &mut Copied, values: &[f32], region: &Region, threads: usize) {
        for view in copy.differing.drain(..) {
            layout::copy_pixels(self.memory.as_slice(), copy.memory.as_mut_slice(), &view);
        }
        if region.iter().any(std::ops::Range::is_empty) {
            return;
        }
        let input = self.plan.plan.inputs[0];
        layout::import_region(copy.memory.as_mut_slice(), &input, values, region);
        copy.differing.push(input.window(region));
        let mut changed = Changed::from([(self.plan.input, region.clone())]);
        let mut windows: Vec<(Kernel, &Packed)> = Vec::new();
        for front in &self.plan.front {
            let Some(region) = reached(&front.node, &changed, front.output.sides()) else { continue };
            let kernel = front.kernel.map(|at| (&self.plan.plan.kernels[at], &self.weights.0[at]));
            let region = match kernel {
                Some((kernel, _)) => kernel.reached(region),
                None => region,
            };
            windows.extend(kernel.and_then(|(kernel, packed)| Some((kernel.window(&region)?, packed))));
            changed.insert(front.node.output, region);
        }
        copy.differing.extend(windows.iter().map(|(kernel, _)| *kernel.output()));
        let run = Run::new(copy.memory.as_mut_slice(), &self.workspace.scratch, 1);
        run_windows(&windows, &run, threads);
    }
}
