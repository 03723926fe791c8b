//! Backward passes: a plan that runs forward, keeps what slopes depend on, and runs backward from given gradients.
//!
//! Receives what a [`Plan`] receives, and whose gradients are given and wanted; gives vector-Jacobian products with respect
//! to tensors, never to weights. Forward and backward are two plans in one memory, so that what is kept is known before anything
//! runs. What runs between two plans is left to `burncam-engine`.

mod attention;
mod lower;
mod parts;
pub(crate) mod turn;

use std::cell::RefCell;

use crate::card::{Op, Statistic, ValueId};
use crate::error::{Error, Result};
use crate::kernels::Run;
use crate::memory::Memory;
use crate::plan::memory_plan::MemoryPlan;
use crate::plan::node::{Node, NodeKind};
use crate::plan::{self, Load, Operation, Plan, Shapes, Weights, fuse};
use crate::precision::{Arithmetic, Tokens};
use crate::rule::Rule;
use crate::run::Workspace;
use crate::simd::Isa;
use crate::view::Halo;
use lower::Backward;

/// Operations ready to run forward and then backward, for any number of images of one size.
#[derive(Debug)]
pub struct Reverse {
    pub(crate) forward: Plan,
    pub(crate) backward: Plan,
    /// By target: whether its gradient is among what `backward` gives. Others are zero.
    pub(crate) depends: Vec<bool>,
}

/// How often a [`Reverse`] will run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// Not often: weights are packed in the way that takes the least time.
    Few,
    /// Often enough for weights that take longer to pack and are faster to use.
    Many,
}

/// What a pass forward kept. It supports any number of passes backward.
#[derive(Debug)]
pub struct Tape<'a> {
    reverse: &'a Reverse,
    workspace: &'a Workspace,
    /// In a cell, so that a tape that is borrowed can run backward.
    memory: RefCell<Memory>,
    batch: usize,
}

/// Which tensors a [`Reverse`] reads and gives.
#[derive(Debug, Clone, Copy)]
pub struct Ends<'a> {
    /// What is there before the pass forward.
    pub inputs: &'a [ValueId],
    /// What the pass forward returns.
    pub outputs: &'a [ValueId],
    /// Tensors whose gradients are given to the pass backward.
    pub seeds: &'a [ValueId],
    /// Tensors whose gradients it returns.
    pub targets: &'a [ValueId],
}

/// Whether there are kernels for this operation on tensors of these shapes: forward, and for both directions.
#[must_use]
pub fn knows(isa: Isa, operation: &Operation<'_>, shapes: &Shapes) -> [bool; 2] {
    let op = &operation.node.op;
    // Equal ones share the gradient there: the greatest element along two axes at once, but not in pools, and an element and the number
    // that it is compared with, but not at a clamp's bounds.
    let shares = op.reduction().is_some() && op.of_whole_maps() == Some(Statistic::Max)
        || matches!(op, Op::Minimum { .. } | Op::Maximum { .. });
    let node = plan::lower::lower(operation, shapes, isa.lanes());
    let has_both = node.as_ref().is_some_and(|node| !shares && lower::is_known(node, isa.lanes()));
    [node.is_some(), has_both]
}

impl Reverse {
    /// Plans operations that [`knows`] knows in both directions, in an order in which they can run. Products are in single precision.
    ///
    /// Forward, every pixel is computed in the same way, without Winograd's transforms: these round more, and differently at each
    /// place of a tile. Slopes jump where an activation's sign or the greatest pixel of a window changes, and of pixels that are equal, as
    /// in a uniform part of a picture, the first one has to stay the greatest.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn new(
        isa: Isa,
        operations: &[Operation<'_>],
        shapes: &Shapes,
        ends: Ends<'_>,
        runs: Runs,
    ) -> Result<Self> {
        let tokens = checked(isa, operations, shapes)?;
        let (mut shapes, lanes) = (shapes.clone(), tokens.instructions.lanes());
        let mut nodes = plan::lowered(operations, &shapes, lanes)?;
        // A tensor whose gradient is wanted is not taken for the one that it is a name of, which others may read as well.
        for node in nodes.iter_mut().filter(|node| ends.targets.contains(&node.output)) {
            if matches!(node.kind, NodeKind::Alias) {
                node.kind = NodeKind::Line([1.0, 0.0]);
            }
        }
        let names = plan::without_aliases(&mut nodes);
        let name = |slot: &ValueId| names.get(slot).copied().unwrap_or(*slot);
        let [inputs, outputs, seeds, targets] = [ends.inputs, ends.outputs, ends.seeds, ends.targets]
            .map(|slots| slots.iter().map(name).collect::<Vec<_>>());
        nodes = plan::attention::shortened(nodes, &[&outputs[..], &seeds, &targets].concat());
        let last = shapes.keys().max().copied();
        let Backward { nodes: back, seeds, gradients } =
            lower::backward(&nodes, &mut shapes, [&seeds, &targets], lanes);
        nodes.extend(back);
        let depends = gradients.iter().map(Option::is_some).collect();
        let gradients: Vec<ValueId> = gradients.into_iter().flatten().collect();
        let nodes = fuse::fuse(nodes, &[&outputs[..], &gradients].concat());
        let split = nodes.iter().position(|node| Some(node.output) > last).unwrap_or(nodes.len());
        let halves = nodes.split_at(split);
        let ends = Ends { inputs: &inputs, outputs: &outputs, seeds: &seeds, targets: &gradients };
        let mut memory = place(&nodes, split, ends, &shapes, lanes);
        let size = memory.allocate();
        let half = |winograd: bool, nodes: &[Node], outside| {
            Plan::with_memory(Tokens { winograd, ..tokens }, nodes, outside, &shapes, (&memory, size))
        };
        let forward = half(false, halves.0, [&inputs, &outputs])?;
        let backward = half(runs == Runs::Many, halves.1, [&seeds, &gradients])?;
        Ok(Self { forward, backward, depends })
    }

    /// Packs the weights of the pass forward.
    ///
    /// # Errors
    /// As [`Plan::pack`].
    pub fn pack_forward(&self, load: Load<'_>) -> Result<Weights> {
        self.forward.pack(load)
    }

    /// Packs the weights of the pass backward.
    ///
    /// # Errors
    /// As [`Plan::pack`].
    pub fn pack_backward(&self, load: Load<'_>) -> Result<Weights> {
        self.backward.pack(load)
    }

    /// Runs forward on `batch` images, each input `[batch, channels, height, width]`, row-major, and returns the outputs in the
    /// same layout, with what the pass backward needs.
    #[must_use]
    pub fn forward<'a>(
        &'a self,
        weights: &Weights,
        workspace: &'a Workspace,
        inputs: &[&[f32]],
        batch: usize,
        threads: usize,
    ) -> (Tape<'a>, Vec<Vec<f32>>) {
        let tape = Tape::new(self, workspace, batch);
        tape.run(Rule::Plain, |run| self.forward.run_in(run, weights, inputs, threads));
        let outputs = self.forward.export(&tape.memory.borrow(), batch).collect();
        (tape, outputs)
    }

    /// As [`Reverse::forward`], with weights as in [`Plan::run_once`].
    ///
    /// # Errors
    /// As [`Plan::pack`].
    pub fn forward_once<'a>(
        &'a self,
        load: Load<'_>,
        workspace: &'a Workspace,
        inputs: &[&[f32]],
        batch: usize,
        threads: usize,
    ) -> Result<(Tape<'a>, Vec<Vec<f32>>)> {
        let tape = Tape::new(self, workspace, batch);
        tape.run(Rule::Plain, |run| self.forward.run_once_in(run, load, inputs, threads))?;
        let outputs = self.forward.export(&tape.memory.borrow(), batch).collect();
        Ok((tape, outputs))
    }
}

impl<'a> Tape<'a> {
    fn new(reverse: &'a Reverse, workspace: &'a Workspace, batch: usize) -> Self {
        let memory = RefCell::new(workspace.tensors.take(reverse.forward.size * batch));
        Self { reverse, workspace, memory, batch }
    }

    fn run<T>(&self, rule: Rule, pass: impl FnOnce(&Run<'_>) -> T) -> T {
        let mut memory = self.memory.borrow_mut();
        pass(&Run::new(memory.as_mut_slice(), &self.workspace.scratch, self.batch).by(rule))
    }

    /// The gradients of the targets, in the order in which they were asked for, from those of the seeds; all `[batch, channels, height,
    /// width]`, row-major. `None` is zero.
    #[must_use]
    pub fn back(
        &self,
        weights: &Weights,
        seeds: &[&[f32]],
        rule: Rule,
        threads: usize,
    ) -> Vec<Option<Vec<f32>>> {
        self.run(rule, |run| self.reverse.backward.run_in(run, weights, seeds, threads));
        self.found()
    }

    /// As [`Tape::back`], with weights as in [`Plan::run_once`].
    ///
    /// # Errors
    /// As [`Plan::pack`].
    pub fn back_once(
        &self,
        load: Load<'_>,
        seeds: &[&[f32]],
        rule: Rule,
        threads: usize,
    ) -> Result<Vec<Option<Vec<f32>>>> {
        self.run(rule, |run| self.reverse.backward.run_once_in(run, load, seeds, threads))?;
        Ok(self.found())
    }

    fn found(&self) -> Vec<Option<Vec<f32>>> {
        let memory = self.memory.borrow();
        let mut found = self.reverse.backward.export(&memory, self.batch);
        self.reverse.depends.iter().map(|depends| depends.then(|| found.next()).flatten()).collect()
    }

    /// How many images it is of.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.batch
    }
}

impl Drop for Tape<'_> {
    fn drop(&mut self) {
        self.workspace.tensors.give(std::mem::take(self.memory.get_mut()));
    }
}

/// The instructions, if this machine has them and kernels run back through all operations.
fn checked(isa: Isa, operations: &[Operation<'_>], shapes: &Shapes) -> Result<Tokens> {
    if let Some(unknown) = operations.iter().find(|operation| !knows(isa, operation, shapes)[1]) {
        return Err(Error::internal(format!("no kernel runs back through {:?}", unknown.node.op)));
    }
    let tokens = Arithmetic::from(isa).tokens();
    tokens.ok_or_else(|| Error::internal(format!("this machine has no {isa:?}")))
}

/// A buffer for each tensor, with the time and the halo that its readers and writers need. The nodes from `split` on run backward, perhaps
/// several times: what they read of the pass forward stays to the end.
fn place(nodes: &[Node], split: usize, ends: Ends<'_>, shapes: &Shapes, lanes: usize) -> MemoryPlan {
    let (given, wanted) = ([ends.inputs, ends.seeds].concat(), [ends.outputs, ends.targets].concat());
    let narrow = plan::narrow_inputs(nodes, shapes, &given, &wanted, lanes);
    let lanes_of = |slot: ValueId| narrow.get(&slot).copied().unwrap_or(lanes);
    let mut memory = MemoryPlan::new(nodes, [&given, &wanted], shapes, &lanes_of);
    // Between the directions is a moment for what comes in and goes out.
    let (between, end) = (split + 1, nodes.len() + 2);
    for (at, node) in nodes.iter().enumerate() {
        let moment = if at < split { at + 1 } else { at + 2 };
        memory.touch(node.output, moment, Halo::default());
        for slot in node.reads() {
            memory.touch(slot, moment, plan::halo(node, shapes));
        }
    }
    let made: Vec<ValueId> =
        nodes[split..].iter().map(|node| node.output).chain(ends.seeds.iter().copied()).collect();
    let kept = nodes[split..].iter().flat_map(Node::reads).filter(|slot| !made.contains(slot));
    kept.for_each(|slot| memory.touch(slot, end, Halo::default()));
    ends.inputs.iter().for_each(|slot| memory.touch(*slot, 0, Halo::default()));
    ends.outputs.iter().chain(ends.seeds).for_each(|slot| memory.touch(*slot, between, Halo::default()));
    ends.targets.iter().for_each(|slot| memory.touch(*slot, end, Halo::default()));
    memory
}
