//! The steps of a network forward and backward again: runs of them on the native kernels, Burn where an operation has none.
//!
//! Fills in tensors from those that are there, takes gradients back through what was run. What they are of is left to `sweep`.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::OnceLock;

use super::program::feature_maps;
use super::segment::{Segment, operation};
use super::step::Step;
use super::steps::{Slots, Steps};
use super::tap::Tap;
use super::value::{Value, sum};
use crate::card::{Op, ValueId};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::native::{
    Arithmetic, BothWeights, Ends, Isa, Operation, Reverse, Rule, Shapes, Tape, Workspace, knows_reverse,
};

/// Pictures that go forward and backward at once, so that weights in a cache serve all of them. Most of their tensors are kept.
pub(super) const TOGETHER: usize = 4;

/// Which operations a visitor of a backward pass sees. Only their gradients are copied out of the native kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visits {
    /// None.
    Nothing,
    /// Convolutions and batch norms.
    Biases,
    /// All.
    Everything,
}

impl Visits {
    /// Whether an operation is among them.
    pub(super) fn include(self, op: &Op) -> bool {
        match self {
            Self::Nothing => false,
            Self::Biases => matches!(op, Op::Conv2d { .. } | Op::BatchNorm { .. }),
            Self::Everything => true,
        }
    }
}

/// What courses are planned from, and where they run.
#[derive(Debug)]
pub(super) struct Outline {
    shapes: Shapes,
    /// By step: shape of a convolution's weights.
    weights: Vec<Option<[usize; 4]>>,
    isa: Isa,
    threads: usize,
    workspace: Workspace,
}

/// Parts in the order in which they run forward.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) parts: Vec<Part>,
}

#[derive(Debug)]
pub(super) enum Part {
    /// One step, by its position.
    Burn(usize),
    Native(Box<Stretch>),
}

/// Steps that one plan runs in both directions.
#[derive(Debug)]
pub(super) struct Stretch {
    reverse: Reverse,
    weights: BothWeights,
    /// Positions of the steps.
    pub(super) steps: Range<usize>,
    inputs: Vec<ValueId>,
    /// Tensors that are read outside of it.
    outputs: Vec<ValueId>,
    /// Those of them that later parts read, whose gradients they give.
    seeds: Vec<ValueId>,
    /// What gradients are wanted of.
    targets: Vec<ValueId>,
}

/// Gradients of wanted tensors, `[batch, channels, height, width]`, with the last three of these.
pub(super) type Shown = HashMap<ValueId, (Vec<f32>, [usize; 3])>;

/// The courses of a network, each planned when a pass first needs it.
#[derive(Debug)]
pub(super) struct Courses {
    /// `None` where no native kernels run.
    outline: Option<Outline>,
    /// Every step on Burn.
    burn: Course,
    /// From the picture on, by what is visited.
    of_picture: [OnceLock<Course>; 3],
    /// From the earliest layer on; what is visited are the layers.
    of_layers: OnceLock<Course>,
}

impl Courses {
    pub(super) fn new(outline: Option<Outline>, steps: &Steps) -> Self {
        let burn = Course { parts: (0..steps.len()).map(Part::Burn).collect() };
        Self { outline, burn, of_picture: Default::default(), of_layers: OnceLock::new() }
    }

    pub(super) fn on_burn(&self) -> &Course {
        &self.burn
    }

    pub(super) fn outline(&self) -> Result<&Outline> {
        self.outline.as_ref().ok_or_else(|| Error::internal("no native kernels run"))
    }

    /// The whole network, back to the picture.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub(super) fn of_picture(&self, steps: &Steps, visits: Visits) -> Result<&Course> {
        let Some(outline) = &self.outline else { return Ok(&self.burn) };
        let visited = steps.iter().filter(|step| visits.include(&step.node.op)).map(Step::output);
        let plan = || Course::new(outline, steps, ValueId::INPUT, &visited.collect());
        planned(&self.of_picture[visits as usize], plan)
    }

    /// From a layer on, back to it and to `layers` behind it; `None` where Burn runs most of it.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub(super) fn of_layers(&self, steps: &Steps, cut: ValueId, layers: &[Tap]) -> Result<Option<&Course>> {
        let Some(outline) = &self.outline else { return Ok(None) };
        let plan = || Course::new(outline, steps, cut, &layers.iter().map(|tap| tap.id).collect());
        Ok(Some(planned(&self.of_layers, plan)?).filter(|course| course.is_mostly_native()))
    }
}

fn planned(place: &OnceLock<Course>, plan: impl FnOnce() -> Result<Course>) -> Result<&Course> {
    match place.get() {
        Some(course) => Ok(course),
        // Threads that come here at the same time all plan: one that waited would hold a thread of the pool that packing needs.
        None => plan().map(|course| place.get_or_init(|| course)),
    }
}

impl Outline {
    pub(super) fn new(model: &Model, steps: &Steps, arithmetic: Arithmetic, threads: usize) -> Self {
        let weights = steps.iter().map(|step| operation(model, step).weight).collect();
        let (shapes, workspace) = (feature_maps(model), Workspace::default());
        Self { shapes, weights, isa: arithmetic.isa, threads, workspace }
    }

    fn operation<'a>(&self, steps: &'a Steps, at: usize) -> Operation<'a> {
        Operation { node: &steps[at].node, output: steps[at].output(), weight: self.weights[at] }
    }
}

impl Course {
    /// The steps after the tensor `root`, backward up to it. `wanted` are tensors on the way that are returned, with their gradients.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub(super) fn new(
        outline: &Outline,
        steps: &Steps,
        root: ValueId,
        wanted: &HashSet<ValueId>,
    ) -> Result<Self> {
        let (first, end) = (steps.first_after(root), steps.len());
        let known = |at: &usize| knows_reverse(outline.isa, &outline.operation(steps, *at), &outline.shapes);
        let known: Vec<bool> = (0..end).map(|at| at >= first && known(&at)).collect();
        let needed = dependent(&steps[first..], root);
        let (mut parts, mut at) = (Vec::new(), first);
        while at < end {
            let stop = (at..end).find(|step| !known[*step]).unwrap_or(end);
            if Segment::pays(&steps[at..stop]) {
                let stretch = Stretch::new(outline, steps, at..stop, [&needed, wanted])?;
                parts.push(Part::Native(Box::new(stretch)));
                at = stop;
            } else {
                // At least one step, so that the loop comes to an end.
                let stop = stop.max(at + 1);
                parts.extend((at..stop).map(Part::Burn));
                at = stop;
            }
        }
        Ok(Self { parts })
    }

    /// Whether native kernels run more operations than Burn.
    pub(super) fn is_mostly_native(&self) -> bool {
        let native = |part: &Part| match part {
            Part::Burn(_) => -1,
            Part::Native(stretch) => stretch.steps.len() as isize,
        };
        self.parts.iter().map(native).sum::<isize>() > 0
    }
}

/// The root and what depends on it.
fn dependent(steps: &[Step], root: ValueId) -> HashSet<ValueId> {
    let mut found = HashSet::from([root]);
    for step in steps {
        if step.node.inputs.iter().any(|id| found.contains(id)) {
            found.insert(step.output());
        }
    }
    found
}

impl Stretch {
    fn new(
        outline: &Outline,
        steps: &Steps,
        range: Range<usize>,
        [needed, wanted]: [&HashSet<ValueId>; 2],
    ) -> Result<Self> {
        let inside = &steps[range.clone()];
        let filled: HashSet<ValueId> = inside.iter().map(Step::output).collect();
        let read = inside.iter().flat_map(|step| &step.node.inputs);
        let mut inputs: Vec<ValueId> = read.filter(|id| !filled.contains(id)).copied().collect();
        inputs.sort_unstable();
        inputs.dedup();
        let read_later = |id: &ValueId| steps.last_use(*id) >= range.end || *id == steps.logits;
        let given = inside.iter().map(Step::output);
        let seeds: Vec<ValueId> = given.clone().filter(|id| read_later(id) && needed.contains(id)).collect();
        let outputs: Vec<ValueId> =
            given.clone().filter(|id| read_later(id) || wanted.contains(id)).collect();
        let shown = given.filter(|id| wanted.contains(id) && needed.contains(id));
        let targets: Vec<ValueId> =
            inputs.iter().copied().filter(|id| needed.contains(id)).chain(shown).collect();
        let operations: Vec<_> = range.clone().map(|at| outline.operation(steps, at)).collect();
        let ends = Ends { inputs: &inputs, outputs: &outputs, seeds: &seeds, targets: &targets };
        let reverse = Reverse::new(outline.isa, &operations, &outline.shapes, ends)?;
        let weights = reverse.pack(&|at| inside[at].floats(inside[at].weights()))?;
        Ok(Self { reverse, weights, steps: range, inputs, outputs, seeds, targets })
    }

    /// Runs forward and fills the slots of its outputs.
    pub(super) fn forward<'a>(
        &'a self,
        outline: &'a Outline,
        steps: &Steps,
        slots: &mut Slots,
        batch: usize,
    ) -> Result<Tape<'a>> {
        let read = |id: &ValueId| match &slots[*id] {
            Some(value) => value.to_vec(),
            None => Err(Error::internal("a tensor that native kernels read is gone")),
        };
        let inputs = self.inputs.iter().map(read).collect::<Result<Vec<_>>>()?;
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let (tape, outputs) =
            self.reverse.forward(&self.weights, &outline.workspace, &inputs, batch, outline.threads);
        for (id, values) in self.outputs.iter().zip(outputs) {
            slots[*id] = Some(value(outline, steps, *id, values, batch)?);
        }
        Ok(tape)
    }

    /// Runs backward: takes the gradients of its outputs, adds those of its inputs, and gives those of wanted tensors.
    pub(super) fn back(
        &self,
        outline: &Outline,
        steps: &Steps,
        tape: &Tape<'_>,
        gradients: &mut Slots,
        rule: Rule,
    ) -> Result<Shown> {
        let given: Vec<Option<Value>> = self.seeds.iter().map(|id| gradients[*id].take()).collect();
        if given.iter().all(Option::is_none) {
            return Ok(HashMap::new());
        }
        let batch = tape.batch();
        let seed = |(id, value): (&ValueId, &Option<Value>)| match value {
            Some(value) => value.to_vec(),
            None => Ok(vec![0.0; outline.shapes[id].iter().product::<usize>() * batch]),
        };
        let given = self.seeds.iter().zip(&given).map(seed).collect::<Result<Vec<_>>>()?;
        let given: Vec<&[f32]> = given.iter().map(Vec::as_slice).collect();
        let found = tape.back(&given, rule, outline.threads);
        let mut shown = HashMap::new();
        for (id, values) in self.targets.iter().zip(found) {
            let Some(values) = values else { continue };
            if self.inputs.contains(id) {
                let part = value(outline, steps, *id, values, batch)?;
                gradients[*id] = sum(gradients[*id].take(), Some(part))?;
            } else {
                shown.insert(*id, (values, outline.shapes[id]));
            }
        }
        Ok(shown)
    }
}

fn value(outline: &Outline, steps: &Steps, id: ValueId, values: Vec<f32>, batch: usize) -> Result<Value> {
    let [channels, height, width] = outline.shapes[&id];
    Value::new(values, &[batch, channels, height, width], &steps.device)
}
