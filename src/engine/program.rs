//! The steps up to the cut on the native kernels, with Burn between them for operations without a kernel.

use super::Network;
use super::segment::{Segment, operation};
use super::step::Step;
use super::value::Value;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::native::{Arithmetic, Precision, Shapes, Workspace, knows};

/// Segments and single steps, in the order in which they run.
#[derive(Debug)]
pub(super) struct Program {
    parts: Vec<Part>,
    place: Place,
}

/// Where and how segments run.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) arithmetic: Arithmetic,
    pub(super) threads: usize,
    pub(super) workspace: Workspace,
    /// Low-memory mode: pack weights when a kernel runs, and free them after the first pass.
    pub(super) low_memory: bool,
}

#[derive(Debug)]
enum Part {
    /// One step, by its position.
    Burn(usize),
    Native(Box<Segment>),
}

impl Program {
    /// Plans the steps that fill slots up to `cut`.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub(super) fn new(model: &Model, steps: &[Step], cut: usize, place: Place) -> Result<Self> {
        let shapes = feature_maps(model);
        let trunk = steps.iter().position(|step| step.output > cut).unwrap_or(steps.len());
        let known: Vec<bool> = steps[..trunk]
            .iter()
            .map(|step| knows(place.arithmetic.isa, &operation(model, step), &shapes))
            .collect();
        let mut parts = Vec::new();
        let mut at = 0;
        while at < trunk {
            let end = (at..trunk).find(|step| !known[*step]).unwrap_or(trunk);
            if Segment::pays(&steps[at..end]) {
                let segment = Segment::new(model, steps, at..end, cut, &place, &shapes)?;
                parts.push(Part::Native(Box::new(segment)));
                at = end;
            } else {
                let end = end.max(at + 1);
                parts.extend((at..end).map(Part::Burn));
                at = end;
            }
        }
        let program = Self { parts, place };
        program.log(trunk);
        Ok(program)
    }

    fn log(&self, steps: usize) {
        let native: usize = self.segments().map(|segment| segment.steps.len()).sum();
        let bytes = self.segments().map(|segment| segment.plan.bytes()).max().unwrap_or(0);
        log::info!(
            "native kernels ({}) run {native} of {steps} operations up to the layer; a picture takes {:.1} MB",
            self.place.arithmetic.isa.name(),
            bytes as f64 / 1e6
        );
        let precision = self.place.arithmetic.precision;
        if precision != Precision::F32 {
            let rounded: usize = self.segments().map(|segment| segment.plan.rounded()).sum();
            log::info!("{rounded} convolutions of them multiply in {precision}, where that is faster");
        }
    }

    fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.parts.iter().filter_map(|part| match part {
            Part::Native(segment) => Some(&**segment),
            Part::Burn(_) => None,
        })
    }

    /// Whether Burn runs this step: between segments, or after the cut.
    pub(super) fn is_on_burn(&self, step: usize) -> bool {
        !self.segments().any(|segment| segment.steps.contains(&step))
    }

    /// Runs on `batch` images and returns the slots that the head reads.
    pub(super) fn run(&self, network: &Network, input: &[f32], batch: usize) -> Result<Vec<Option<Value>>> {
        let mut slots: Vec<Option<Value>> = vec![None; network.logits + 1];
        let begins_native = matches!(self.parts.first(), Some(Part::Native(first)) if first.inputs == [0]);
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
                Part::Native(segment) if at == 0 && begins_native => {
                    self.fill(network, &mut slots, segment, &[input], batch)?;
                }
                Part::Native(segment) => {
                    let read = |slot: &usize| match &slots[*slot] {
                        Some(value) => value.to_vec(),
                        None => Err(Error::internal(format!("the value of slot {slot} is gone"))),
                    };
                    let inputs = segment.inputs.iter().map(read).collect::<Result<Vec<_>>>()?;
                    let views: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
                    self.fill(network, &mut slots, segment, &views, batch)?;
                }
            }
        }
        Ok(slots)
    }

    /// Runs a segment and fills its slots.
    fn fill(
        &self,
        network: &Network,
        slots: &mut [Option<Value>],
        segment: &Segment,
        inputs: &[&[f32]],
        batch: usize,
    ) -> Result<()> {
        let outputs = segment.run(&network.steps, &self.place, inputs, batch)?;
        for ((slot, [channels, height, width]), values) in segment.outputs.iter().zip(outputs) {
            let shape = [batch, *channels, *height, *width];
            slots[*slot] = Some(Value::new(values, &shape, &network.device)?);
        }
        Ok(())
    }

    /// The segment, if it alone is the program: then images can share a pass, and each gets the values that it gets alone.
    fn only(&self, network: &Network) -> Option<&Segment> {
        match &self.parts[..] {
            [Part::Native(segment)] if segment.inputs == [0] && network.last_use[0] < segment.steps.end => {
                Some(segment)
            }
            _ => None,
        }
    }

    /// As [`Program::run`], the slots of each image apart.
    pub(super) fn run_each(&self, network: &Network, pictures: &[&[f32]]) -> Result<Vec<Vec<Option<Value>>>> {
        let only = self.only(network).filter(|_| pictures.len() > 1);
        let Some(segment) = only else {
            return pictures.iter().map(|picture| self.run(network, picture, 1)).collect();
        };
        let outputs = segment.run(&network.steps, &self.place, &[&pictures.concat()], pictures.len())?;
        let slots_of = |picture: usize| {
            let mut slots: Vec<Option<Value>> = vec![None; network.logits + 1];
            for ((slot, [channels, height, width]), values) in segment.outputs.iter().zip(&outputs) {
                let size = channels * height * width;
                let own = values[picture * size..][..size].to_vec();
                slots[*slot] = Some(Value::new(own, &[1, *channels, *height, *width], &network.device)?);
            }
            Ok(slots)
        };
        (0..pictures.len()).map(slots_of).collect()
    }

    /// Position of the first step after the first part.
    fn first_end(&self) -> usize {
        match self.parts.first() {
            Some(Part::Native(segment)) => segment.steps.end,
            _ => 0,
        }
    }
}

/// Tensors of rank four, by slot.
fn feature_maps(model: &Model) -> Shapes {
    let input = &model.graph().input;
    let values = model.shapes().iter().enumerate();
    let maps = values.filter_map(|(at, shape)| match shape[..] {
        [1, channels, height, width] => Some((at + 1, [channels, height, width])),
        _ => None,
    });
    std::iter::once((0, [input.channels, input.height, input.width])).chain(maps).collect()
}
