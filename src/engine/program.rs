//! The steps up to the cut on the native kernels, with Burn between them for operations without a kernel.

use super::outline::Outline;
use super::segment::{Place, Segment};
use super::steps::{Slots, Steps};
use super::value::Value;
use crate::card::ValueId;
use crate::error::{Error, Result};
use crate::native::{Original, Precision, knows};

/// Segments and single steps, in the order in which they run.
#[derive(Debug)]
pub(super) struct Program {
    parts: Vec<Part>,
    place: Place,
}

#[derive(Debug)]
enum Part {
    /// One step, by its position.
    Burn(usize),
    Native(Box<Segment>),
}

impl Program {
    /// Plans the steps that give tensors up to `cut`.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub(super) fn new(outline: &Outline, steps: &Steps, cut: ValueId, place: Place) -> Result<Self> {
        let trunk = steps.first_after(cut);
        let known: Vec<bool> = (0..trunk)
            .map(|at| knows(outline.isa, &outline.operation(steps, at), &outline.shapes)[0])
            .collect();
        let mut parts = Vec::new();
        let mut at = 0;
        while at < trunk {
            let end = (at..trunk).find(|step| !known[*step]).unwrap_or(trunk);
            if Segment::pays(&steps[at..end]) {
                let segment = Segment::new(outline, steps, at..end, cut, &place)?;
                parts.push(Part::Native(Box::new(segment)));
                at = end;
            } else {
                // At least one step, so that the loop comes to an end.
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
        if self.is_rounded() {
            let precision = self.place.arithmetic.precision;
            let rounded: usize = self.segments().map(|segment| segment.plan.rounded()).sum();
            log::info!("{rounded} convolutions of them multiply in {precision}, where that is faster");
        }
    }

    /// Whether convolutions may multiply in less than single precision.
    pub(super) fn is_rounded(&self) -> bool {
        self.place.arithmetic.precision != Precision::F32
    }

    fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.parts.iter().filter_map(|part| match part {
            Part::Native(segment) => Some(&**segment),
            Part::Burn(_) => None,
        })
    }

    /// Packs the weights of all segments, where they are not packed yet.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub(super) fn pack(&self, steps: &Steps) -> Result<()> {
        self.segments().try_for_each(|segment| segment.weights(steps, &self.place).map(|_| ()))
    }

    /// Whether Burn runs this step: between segments, or after the cut.
    pub(super) fn is_on_burn(&self, step: usize) -> bool {
        !self.segments().any(|segment| segment.steps.contains(&step))
    }

    /// How many threads a pass may use.
    pub(super) fn threads(&self) -> usize {
        self.place.threads
    }

    /// Runs on `batch` images, on this many threads, and returns the tensors that the head reads.
    pub(super) fn run(&self, steps: &Steps, threads: usize, input: &[f32], batch: usize) -> Result<Slots> {
        let begins_native =
            matches!(self.parts.first(), Some(Part::Native(first)) if first.inputs == [ValueId::INPUT]);
        // A network whose input is read again, by a shortcut around the first segment, still needs it on the
        // device.
        let read_later = steps.last_use(ValueId::INPUT) >= self.first_end();
        let mut slots = match begins_native && !read_later {
            true => steps.empty(),
            false => steps.start(input.to_vec())?,
        };
        let parts = match &self.parts[..] {
            [Part::Native(segment), parts @ ..] if begins_native => {
                self.fill(steps, threads, &mut slots, segment, (&[input], batch))?;
                parts
            }
            parts => parts,
        };
        self.run_parts(steps, threads, &mut slots, (parts, batch))?;
        Ok(slots)
    }

    /// Runs parts whose inputs are in the slots.
    fn run_parts(
        &self,
        steps: &Steps,
        threads: usize,
        slots: &mut Slots,
        (parts, batch): (&[Part], usize),
    ) -> Result<()> {
        for part in parts {
            match part {
                Part::Burn(step) => steps.fill(slots, *step)?,
                Part::Native(segment) => {
                    let read = |id: &ValueId| match &slots[*id] {
                        Some(value) => value.to_vec(),
                        None => Err(Error::internal("a tensor that native kernels read is gone")),
                    };
                    let inputs = segment.inputs.iter().map(read).collect::<Result<Vec<_>>>()?;
                    let views: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
                    self.fill(steps, threads, slots, segment, (&views, batch))?;
                }
            }
        }
        Ok(())
    }

    /// Runs a segment and fills its slots.
    fn fill(
        &self,
        steps: &Steps,
        threads: usize,
        slots: &mut Slots,
        segment: &Segment,
        (inputs, batch): (&[&[f32]], usize),
    ) -> Result<()> {
        segment.fill(steps, slots, segment.run(steps, &self.place, threads, inputs, batch)?, batch)
    }

    /// Prepares copies of a picture that differ from it in a rectangle of about `extent`; `None` where they go through whole.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub(super) fn original(
        &self,
        steps: &Steps,
        outline: &Outline,
        picture: &[f32],
        extent: [usize; 2],
    ) -> Result<Option<Original<'_>>> {
        match self.first(steps) {
            Some(segment) => segment.original(steps, &self.place, outline, (picture, extent)),
            None => Ok(None),
        }
    }

    /// As [`Program::run`], from what an original gave for `batch` copies.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub(super) fn run_behind(
        &self,
        steps: &Steps,
        threads: usize,
        outputs: Vec<Vec<f32>>,
        batch: usize,
    ) -> Result<Slots> {
        let mut slots = steps.empty();
        if let Some(segment) = self.first(steps) {
            segment.fill(steps, &mut slots, outputs, batch)?;
        }
        self.run_parts(steps, threads, &mut slots, (self.parts.get(1..).unwrap_or_default(), batch))?;
        Ok(slots)
    }

    /// The segment that begins the program, if nothing after it reads the picture.
    fn first(&self, steps: &Steps) -> Option<&Segment> {
        match self.parts.first() {
            Some(Part::Native(segment)) if segment.inputs == [ValueId::INPUT] => {
                Some(&**segment).filter(|segment| steps.last_use(ValueId::INPUT) < segment.steps.end)
            }
            _ => None,
        }
    }

    /// The segment, if it alone is the program: then images can share a pass, and each gets the values that it gets alone.
    fn only(&self, steps: &Steps) -> Option<&Segment> {
        self.first(steps).filter(|_| self.parts.len() == 1)
    }

    /// As [`Program::run`], the tensors of each image apart.
    pub(super) fn run_each(&self, steps: &Steps, pictures: &[&[f32]]) -> Result<Vec<Slots>> {
        let only = self.only(steps).filter(|_| pictures.len() > 1);
        let Some(segment) = only else {
            return pictures.iter().map(|picture| self.run(steps, self.threads(), picture, 1)).collect();
        };
        let outputs =
            segment.run(steps, &self.place, self.threads(), &[&pictures.concat()], pictures.len())?;
        let slots_of = |picture: usize| {
            let mut slots = steps.empty();
            for ((id, shape), values) in segment.outputs.iter().zip(&outputs) {
                let size: usize = shape.iter().product();
                // Outputs are per tensor, images within them; callers want one set of slots per image.
                let own = values[picture * size..][..size].to_vec();
                slots[*id] = Some(Value::new(own, shape, &steps.device)?);
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
