//! Runs a graph on Burn tensors: a trunk without autodiff, then a head that records.
//!
//! Receives a [`Model`] and the indices of the layers to tap; gives logits, activations and gradients as plain
//! arrays. Everything up to the earliest tapped layer is plain inference, once per image; from there to the logits a
//! short head is recorded and run backward, once per class score. The methods of `burncam` interpret the results.

mod attention;
mod blocks;
mod choice;
mod classifier;
mod course;
mod curvature;
mod device;
mod features;
mod fold;
mod greatest;
mod head;
mod head_pass;
mod kink;
mod local;
mod movement;
mod norm;
mod operands;
mod ops;
mod outline;
mod parameters;
mod partial;
mod passes;
mod pixels;
mod pool;
mod program;
mod recorded;
mod recording;
mod reduction;
mod relevance;
mod resize;
mod rivals;
mod rollout;
mod runtime;
mod score;
mod segment;
mod step;
mod steps;
mod stretch;
mod sums;
mod sweep;
mod tangent;
mod tap;
mod value;
mod walk;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Burn's device, in the version of Burn that is used here.
pub use burn::tensor::Device;

use crate::card::ValueId;
use crate::digest::Pending;
use crate::error::{Error, Problem, Result};
use crate::model::{Model, OutputSpec};
use blocks::Blocks;
pub use burncam_graph::attention::Attention;
use burncam_graph::layout::Grid;
use burncam_graph::{card, digest, error};
use burncam_kernels as native;
pub use burncam_kernels::{Isa, Precision, Rectifiers, Region, Rule, Runs};
use burncam_model as model;
use course::Courses;
pub use course::Visits;
pub use device::{DEVICES, DeviceName};
pub use features::{Evidence, Features};
pub use greatest::Greatest;
pub use head::Trunk;
pub use head_pass::HeadPass;
pub use local::{Local, Locals};
use outline::Outline;
pub use partial::Copies;
use program::Program;
pub use reduction::Reduction;
pub use relevance::Composite;
pub use rivals::{Contrast, Rivals};
pub use rollout::{Heads, Rollout};
pub use runtime::{Engine, Runtime};
pub use score::Score;
use segment::Place;
use step::Source;
use steps::{Slots, Steps};
pub use sweep::{Sweep, SweptStep};
use tap::Tap;
pub use walk::Walk;

/// A network on a device, ready to be explained at some layers.
#[derive(Debug)]
pub struct Network {
    steps: Steps,
    /// The steps up to the cut, if the native kernels run them.
    program: Option<Program>,
    /// What passes back go through.
    courses: Courses,
    /// The tapped layers, in the caller's order.
    taps: Vec<Tap>,
    /// The attention of its blocks, and what reads the last one's output.
    blocks: Blocks,
    /// What the scores are.
    output: OutputSpec,
    /// The earliest tapped tensor: where the trunk ends and the head begins.
    cut: ValueId,
    /// The least values of the input's channels, and the greatest: black and white pictures.
    pub bounds: [Vec<f32>; 2],
    sha256: Arc<Pending>,
    passes: AtomicUsize,
}

impl Network {
    /// Reads the model's weights onto a device and prepares the taps (indices of nodes in the graph).
    ///
    /// # Errors
    /// When the weights cannot be read or are damaged.
    pub fn load(model: &Model, taps: &[usize], runtime: impl Into<Runtime>) -> Result<Self> {
        let taps: Vec<ValueId> = taps.iter().copied().map(ValueId::of_node).collect();
        Self::prepare(model, &taps, &taps, ValueId::of_node(model.scores()), &runtime.into())
    }

    /// As [`Network::load`], without taps, with every operation as in the graph: no batch norm is folded.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn load_unfolded(model: &Model, runtime: impl Into<Runtime>) -> Result<Self> {
        let all: Vec<ValueId> = (0..model.graph().nodes.len()).map(ValueId::of_node).collect();
        Self::prepare(model, &[], &all, ValueId::of_node(model.scores()), &runtime.into())
    }

    /// As [`Network::load`], without taps, up to the graph's last node: [`Network::logits`] then gives its output,
    /// for example probabilities.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn load_whole(model: &Model, runtime: impl Into<Runtime>) -> Result<Self> {
        Self::prepare(model, &[], &[], model.graph().output, &runtime.into())
    }

    /// As [`Network::load`], without taps, up to the scores that the network itself computes: one for a binary
    /// network, even if both sides have names.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn load_raw(model: &Model, runtime: impl Into<Runtime>) -> Result<Self> {
        Self::prepare(model, &[], &[], ValueId::of_node(model.raw_scores()), &runtime.into())
    }

    fn prepare(
        model: &Model,
        taps: &[ValueId],
        kept: &[ValueId],
        logits: ValueId,
        runtime: &Runtime,
    ) -> Result<Self> {
        let weights = Arc::new(model.lazy_weights());
        // Verified below or at the end of the first pass with what was read for them, so that the file is read once.
        let ahead = weights.ahead();
        let (graph, device) = (model.graph(), runtime.device.open()?);
        let source = Source { weights: Arc::clone(&weights), device: device.clone() };
        let steps = Steps::new(fold::plan(graph, logits, kept, &source), graph, logits, device);
        let taps = taps.iter().map(|id| tap(model, *id)).collect::<Result<Vec<_>>>()?;
        let cut = taps.iter().map(|tap| tap.id).min().unwrap_or(logits);
        let (arithmetic, threads) = (runtime.arithmetic()?, runtime.thread_count());
        let outline = arithmetic.map(|arithmetic| Outline::new(model, &steps, arithmetic, threads));
        let courses = Courses::new(outline, &steps);
        let place = arithmetic.map(|arithmetic| Place::new(arithmetic, runtime, &ahead));
        let program = place.map(|place| Program::new(courses.outline()?, &steps, cut, place)).transpose()?;
        // Fail on damaged weights at load time, not on the first image.
        let is_on_burn = |at: usize| program.as_ref().is_none_or(|program| program.is_on_burn(at));
        for at in (0..steps.len()).filter(|at| is_on_burn(*at) && !courses.packs(&steps, *at)) {
            steps[at].load(&ahead)?;
        }
        if program.is_none() || !runtime.low_memory {
            weights.verify()?;
        }
        let (sha256, blocks) = (Arc::clone(&weights.sha256), Blocks::of(model));
        let bounds = model.card().preprocess.bounds(graph.input.channels);
        let (output, passes) = (model.output().clone(), AtomicUsize::default());
        Ok(Self { steps, program, courses, taps, blocks, output, cut, bounds, sha256, passes })
    }

    /// Starts to hash the model file on another thread, for [`Network::sha256`].
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn begin_hash(&self) -> Result<()> {
        self.sha256.begin()
    }

    /// SHA-256 of the model file, lower-case hexadecimal; computed now unless it was begun before.
    ///
    /// # Errors
    /// When the file could not be read to its end.
    pub fn sha256(&self) -> Result<&str> {
        self.sha256.get()
    }

    /// The logits of one or several pictures, `[batch, classes]`, without recording.
    ///
    /// # Shapes
    /// `values` is `[batch, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// When there are not as many values as whole pictures have, or the network mixes the pictures of a batch.
    pub fn logits(&self, values: Vec<f32>) -> Result<Vec<f32>> {
        let slots = self.advance_to_cut(values)?;
        self.finish(slots, self.head())
    }

    /// Runs the steps from `first` on and gives the last tensor's values, equally many for every picture.
    fn finish(&self, mut slots: Slots, first: usize) -> Result<Vec<f32>> {
        for at in first..self.steps.len() {
            self.steps.fill(&mut slots, at)?;
        }
        let logits = slots[self.steps.logits].take();
        logits.ok_or_else(|| Error::internal("the network gave no logits"))?.to_vec()
    }

    /// Slots filled up to the cut, as far as later steps read them.
    fn advance_to_cut(&self, values: Vec<f32>) -> Result<Slots> {
        let batch = self.count(&values)?;
        if let Some(program) = &self.program {
            return program.run(&self.steps, program.threads(), &values, batch);
        }
        let mut slots = self.steps.start(values)?;
        for at in 0..self.head() {
            self.steps.fill(&mut slots, at)?;
        }
        Ok(slots)
    }

    /// Position of the first step after the cut.
    fn head(&self) -> usize {
        self.steps.first_after(self.cut)
    }

    /// How many pictures these are, which are about to go through the network.
    fn count(&self, values: &[f32]) -> Result<usize> {
        let batch = self.steps.batch(values)?;
        self.passes.fetch_add(batch, Ordering::Relaxed);
        Ok(batch)
    }

    /// Refuses anything but one picture.
    pub fn expect_one(&self, values: &[f32]) -> Result<()> {
        match self.steps.batch(values)? {
            1 => Ok(()),
            count => Err(Error::request(Problem::new(format!("input has {count} pictures")).expected("one"))),
        }
    }

    /// Channels, height and width of the input.
    #[must_use]
    pub fn input(&self) -> [usize; 3] {
        self.steps.input
    }

    /// What the model's scores are, and how they are read.
    #[must_use]
    pub fn output(&self) -> &OutputSpec {
        &self.output
    }

    /// How many pictures have gone through the network since it was loaded, up to the earliest tapped layer or to its end: what
    /// explanations cost. Passes from a layer to the logits do not count.
    #[must_use]
    pub fn passes(&self) -> usize {
        self.passes.load(Ordering::Relaxed)
    }

    /// Number of tapped layers.
    #[must_use]
    pub fn taps(&self) -> usize {
        self.taps.len()
    }
}

/// A tensor of the graph as a layer to tap.
fn tap(model: &Model, id: ValueId) -> Result<Tap> {
    let position = id.node().ok_or_else(|| Error::internal("the picture is no layer"))?;
    let grid = match (model.grid(position), &model.shapes()[position][..]) {
        (Some(grid), _) => grid,
        // A map whose rows and columns a reshape hides is tapped as it is.
        (None, [_, channels, height, width]) => Grid::channels_first([*channels, *height, *width]),
        (None, shape) => {
            let problem = Problem::new(format!("its output has shape {shape:?}")).expected("a grid");
            return Err(Error::internal(problem));
        }
    };
    Ok(Tap { id, grid })
}
