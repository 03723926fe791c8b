//! The steps up to the cut on the own kernels, with Burn in the middle where these do not know an operation.

use super::Network;
use super::step::Step;
use super::value::Value;
use crate::card::Op;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::native::{Isa, Operation, Plan, Shapes, Workspace, knows};

/// What runs, one after the other.
#[derive(Debug)]
pub(super) struct Program {
    parts: Vec<Part>,
    threads: usize,
    workspace: Workspace,
}

#[derive(Debug)]
enum Part {
    /// One step, by its position.
    Burn(usize),
    Native(Box<Native>),
}

/// Steps that lie one behind the other.
#[derive(Debug)]
struct Native {
    plan: Plan,
    steps: std::ops::Range<usize>,
    inputs: Vec<usize>,
    /// Slots that later parts or the head read, with channels, height and width.
    outputs: Vec<(usize, [usize; 3])>,
}

impl Program {
    /// Plans the steps that fill slots up to `cut`.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub(super) fn new(model: &Model, steps: &[Step], cut: usize, isa: Isa, threads: usize) -> Result<Self> {
        let shapes = feature_maps(model);
        let trunk = steps.iter().position(|step| step.output > cut).unwrap_or(steps.len());
        let known: Vec<bool> =
            steps[..trunk].iter().map(|step| knows(isa, &operation(model, step), &shapes)).collect();
        let mut parts = Vec::new();
        let mut at = 0;
        while at < trunk {
            let end = (at..trunk).find(|step| !known[*step]).unwrap_or(trunk);
            // Moving a value into blocks and out of them costs more than a few cheap operations.
            if steps[at..end].iter().any(|step| matches!(step.op, Op::Conv2d { .. })) {
                let native = Native::new(model, steps, at..end, cut, isa, &shapes)?;
                parts.push(Part::Native(Box::new(native)));
                at = end;
            } else {
                let end = end.max(at + 1);
                parts.extend((at..end).map(Part::Burn));
                at = end;
            }
        }
        let program = Self { parts, threads, workspace: Workspace::default() };
        program.log(isa, trunk);
        Ok(program)
    }

    fn log(&self, isa: Isa, steps: usize) {
        let plans = || self.parts.iter().filter_map(Part::native);
        let own: usize = plans().map(|native| native.steps.len()).sum();
        let bytes = plans().map(|native| native.plan.bytes()).max().unwrap_or(0);
        log::info!(
            "native kernels ({}) run {own} of {steps} operations up to the layer; a picture takes {:.1} MB",
            isa.name(),
            bytes as f64 / 1e6
        );
    }

    /// Burn runs this step: in the middle, or behind the cut.
    pub(super) fn is_on_burn(&self, step: usize) -> bool {
        !self.parts.iter().filter_map(Part::native).any(|native| native.steps.contains(&step))
    }

    /// Runs on `batch` pictures and gives the slots that the head reads.
    pub(super) fn run(&self, network: &Network, input: &[f32], batch: usize) -> Result<Vec<Option<Value>>> {
        let mut slots: Vec<Option<Value>> = vec![None; network.logits + 1];
        let begins_native = matches!(self.parts.first(), Some(Part::Native(native)) if native.inputs == [0]);
        let read_later = network.last_use[0] >= self.first_end();
        if !begins_native || read_later {
            slots = network.start(input.to_vec())?;
        }
        for (at, part) in self.parts.iter().enumerate() {
            match part {
                Part::Burn(step) => {
                    let step_at = *step;
                    let step = &network.steps[step_at];
                    let value = network.run(&mut slots, step, step_at)?;
                    slots[step.output] = Some(value);
                }
                Part::Native(native) if at == 0 && begins_native => {
                    native.run(self, network, &mut slots, &[input], batch)?;
                }
                Part::Native(native) => {
                    let read = |slot: &usize| match &slots[*slot] {
                        Some(value) => value.to_vec(),
                        None => Err(Error::internal(format!("the value of slot {slot} is gone"))),
                    };
                    let inputs = native.inputs.iter().map(read).collect::<Result<Vec<_>>>()?;
                    let views: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
                    native.run(self, network, &mut slots, &views, batch)?;
                }
            }
        }
        Ok(slots)
    }

    /// Whether one plan does everything, so that pictures can share a pass and each still gets the numbers that it gets alone.
    fn only(&self, network: &Network) -> Option<&Native> {
        match &self.parts[..] {
            [Part::Native(native)] if native.inputs == [0] && network.last_use[0] < native.steps.end => {
                Some(native)
            }
            _ => None,
        }
    }

    /// As [`Program::run`], the slots of each picture by themselves.
    pub(super) fn run_each(&self, network: &Network, pictures: &[&[f32]]) -> Result<Vec<Vec<Option<Value>>>> {
        let Some(native) = self.only(network) else {
            return pictures.iter().map(|picture| self.run(network, picture, 1)).collect();
        };
        let outputs = native.plan.run(&self.workspace, &[&pictures.concat()], pictures.len(), self.threads);
        let slots_of = |picture: usize| {
            let mut slots: Vec<Option<Value>> = vec![None; network.logits + 1];
            for ((slot, [channels, height, width]), values) in native.outputs.iter().zip(&outputs) {
                let size = channels * height * width;
                let own = values[picture * size..][..size].to_vec();
                slots[*slot] = Some(Value::new(own, &[1, *channels, *height, *width], &network.device)?);
            }
            Ok(slots)
        };
        (0..pictures.len()).map(slots_of).collect()
    }

    /// Position of the first step behind the first part.
    fn first_end(&self) -> usize {
        match self.parts.first() {
            Some(Part::Native(native)) => native.steps.end,
            _ => 0,
        }
    }
}

impl Part {
    fn native(&self) -> Option<&Native> {
        match self {
            Self::Native(native) => Some(native),
            Self::Burn(_) => None,
        }
    }
}

impl Native {
    fn new(
        model: &Model,
        steps: &[Step],
        range: std::ops::Range<usize>,
        cut: usize,
        isa: Isa,
        shapes: &Shapes,
    ) -> Result<Self> {
        let inside = &steps[range.clone()];
        let filled: Vec<usize> = inside.iter().map(|step| step.output).collect();
        let mut inputs: Vec<usize> = inside
            .iter()
            .flat_map(|step| &step.inputs)
            .filter(|slot| !filled.contains(slot))
            .copied()
            .collect();
        inputs.sort_unstable();
        inputs.dedup();
        let later = &steps[range.end..];
        let wanted = |slot: &usize| *slot == cut || later.iter().any(|step| step.inputs.contains(slot));
        let wanted: Vec<usize> = filled.iter().copied().filter(wanted).collect();
        let operations: Vec<_> = inside.iter().map(|step| operation(model, step)).collect();
        let mut load = |at: usize| inside[at].floats();
        let plan = Plan::new(isa, &operations, shapes, [&inputs, &wanted], &mut load)?;
        let outputs = wanted.into_iter().map(|slot| (slot, shapes[&slot])).collect();
        Ok(Self { plan, steps: range, inputs, outputs })
    }

    fn run(
        &self,
        program: &Program,
        network: &Network,
        slots: &mut [Option<Value>],
        inputs: &[&[f32]],
        batch: usize,
    ) -> Result<()> {
        let outputs = self.plan.run(&program.workspace, inputs, batch, program.threads);
        for ((slot, [channels, height, width]), values) in self.outputs.iter().zip(outputs) {
            let shape = [batch, *channels, *height, *width];
            slots[*slot] = Some(Value::new(values, &shape, &network.device)?);
        }
        Ok(())
    }
}

/// Values of rank four, by slot.
fn feature_maps(model: &Model) -> Shapes {
    let input = &model.graph().input;
    let values = model.shapes().iter().enumerate();
    let maps = values.filter_map(|(at, shape)| match shape[..] {
        [1, channels, height, width] => Some((at + 1, [channels, height, width])),
        _ => None,
    });
    std::iter::once((0, [input.channels, input.height, input.width])).chain(maps).collect()
}

fn operation<'a>(model: &Model, step: &'a Step) -> Operation<'a> {
    let weight = step.tensor("weight").and_then(|name| model.tensor_shape(name)?.try_into().ok());
    Operation { op: &step.op, inputs: step.inputs.clone(), output: step.output, weight }
}
