//! One picture in front of a network, and the questions that methods ask about it.
//!
//! Receives a loaded network and a picture's numbers, hands on logits, evidence and scores of changed pictures. One
//! pass through the trunk serves every method and class; evidence is kept until [`Scene::forget`].

use std::cell::{OnceCell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use super::options::{Library, Options};
use crate::engine::{Contrast, Evidence, Features, Network, Recording, Rectifiers, Rule, Score, Trunk};
use crate::error::{Error, Result};

/// A picture in front of a network.
#[derive(Debug)]
pub struct Scene<'a> {
    network: &'a Network,
    values: &'a [f32],
    logits: Vec<f32>,
    /// Absent when no layer is tapped.
    trunk: Option<Trunk>,
    /// A recording is good for one backward pass; the one that gave the logits serves the first question.
    spare: RefCell<Option<Recording>>,
    known: RefCell<Vec<Known>>,
    /// Of each tap, copied from the device once for every method and class.
    activations: Vec<OnceCell<Features>>,
}

/// Evidence at every tap for a class and a score, asked for once.
#[derive(Debug)]
struct Known {
    score: Score,
    class: usize,
    evidence: Rc<Vec<Evidence>>,
}

/// A class of a picture, and how it is to be explained.
#[derive(Debug)]
pub struct Question<'a> {
    scene: &'a Scene<'a>,
    /// Index of the class.
    pub class: usize,
    /// Which function of the logits is explained.
    pub score: Score,
    /// What only some methods read.
    pub options: &'a Options,
    /// The numbers of the picture that was asked about; those of the scene may be a changed copy's.
    asked_about: &'a [f32],
    evidence: OnceCell<Rc<Vec<Evidence>>>,
}

impl<'a> Scene<'a> {
    /// Runs the network once, up to the logits.
    ///
    /// # Shapes
    /// `values` is the network's input for one picture, `[1, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// When it has another count of numbers.
    pub fn new(network: &'a Network, values: &'a [f32]) -> Result<Self> {
        network.expect_one(values)?;
        let trunk = if network.taps() == 0 { None } else { network.trunks(&[values])?.pop() };
        Self::behind(network, values, trunk)
    }

    /// As [`Scene::new`] for several pictures, which share a pass through the trunk.
    ///
    /// # Errors
    /// When one has another count of numbers.
    pub fn several(network: &'a Network, pictures: &[&'a [f32]]) -> Result<Vec<Self>> {
        if network.taps() == 0 {
            return pictures.iter().map(|picture| Self::new(network, picture)).collect();
        }
        let trunks = network.trunks(pictures)?;
        let scene = |(picture, trunk): (&&'a [f32], Trunk)| Self::behind(network, picture, Some(trunk));
        pictures.iter().zip(trunks).map(scene).collect()
    }

    fn behind(network: &'a Network, values: &'a [f32], trunk: Option<Trunk>) -> Result<Self> {
        let (spare, logits) = match &trunk {
            None => (None, network.logits(values.to_vec())?),
            Some(trunk) => {
                let recording = network.record(trunk)?;
                let logits = recording.logits()?;
                (Some(recording), logits)
            }
        };
        let activations = (0..network.taps()).map(|_| OnceCell::new()).collect();
        let (spare, known) = (RefCell::new(spare), RefCell::default());
        Ok(Self { network, values, logits, trunk, spare, known, activations })
    }

    /// The logits, one a class.
    #[must_use]
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// Lets go of the evidence that was gathered, for example before the next class.
    pub fn forget(&self) {
        self.known.borrow_mut().clear();
    }

    fn trunk(&self) -> Result<&Trunk> {
        self.trunk.as_ref().ok_or_else(|| Error::internal("a method asked for a layer, but none is tapped"))
    }

    fn activations(&self, tap: usize) -> Result<&Features> {
        let cell =
            self.activations.get(tap).ok_or_else(|| Error::internal(format!("there is no tap {tap}")))?;
        if let Some(known) = cell.get() {
            return Ok(known);
        }
        let found = self.network.activations(&self.network.trunk_to(self.trunk()?, tap)?)?;
        Ok(cell.get_or_init(|| found))
    }

    fn recording(&self) -> Result<Recording> {
        let spare = self.spare.borrow_mut().take();
        spare.map_or_else(|| self.network.record(self.trunk()?), Ok)
    }

    fn evidence(&self, score: Score, class: usize) -> Result<Rc<Vec<Evidence>>> {
        let mut known = self.known.borrow_mut();
        if let Some(found) = known.iter().find(|known| known.score == score && known.class == class) {
            return Ok(Rc::clone(&found.evidence));
        }
        let evidence = Rc::new(self.recording()?.evidence(&score, class)?);
        known.push(Known { score, class, evidence: Rc::clone(&evidence) });
        Ok(evidence)
    }
}

impl<'a> Question<'a> {
    /// Asks about one class.
    ///
    /// # Errors
    /// When the network has no such class.
    pub fn new(scene: &'a Scene<'a>, class: usize, score: Score, options: &'a Options) -> Result<Self> {
        if class >= scene.logits.len() {
            let classes = scene.logits.len();
            return Err(Error::request(format!(
                "class {class} is out of range: there are {classes} classes"
            )));
        }
        Ok(Self { scene, class, score, options, asked_about: scene.values, evidence: OnceCell::new() })
    }

    /// The same question about another picture in front of the same network.
    pub(super) fn about<'b>(&'b self, scene: &'b Scene<'b>) -> Question<'b> {
        Question {
            scene,
            class: self.class,
            score: self.score,
            options: self.options,
            asked_about: self.asked_about,
            evidence: OnceCell::new(),
        }
    }

    /// The same question with another score.
    pub(super) fn scoring(&self, score: Score) -> Question<'a> {
        Question {
            scene: self.scene,
            class: self.class,
            score,
            options: self.options,
            asked_about: self.asked_about,
            evidence: OnceCell::new(),
        }
    }

    pub(super) fn network(&self) -> &'a Network {
        self.scene.network
    }

    /// The network's input, `[1, channels, height, width]`.
    pub(super) fn values(&self) -> &'a [f32] {
        self.scene.values
    }

    /// As [`Question::values`], of the picture as it was given, also where the question is about a changed copy of it.
    pub(super) fn asked_about(&self) -> &'a [f32] {
        self.asked_about
    }

    pub(super) fn logits(&self) -> &'a [f32] {
        &self.scene.logits
    }

    pub(super) fn library(&self) -> Option<Library> {
        self.options.library
    }

    pub(super) fn follows(&self, library: Library) -> bool {
        self.options.library == Some(library)
    }

    /// One, or minus one where the question is what speaks against the class.
    pub(super) fn sign(&self) -> f32 {
        if self.options.counterfactual { -1.0 } else { 1.0 }
    }

    /// Activations, and gradients of the score, at every layer.
    pub(super) fn evidence(&self) -> Result<&[Evidence]> {
        if let Some(known) = self.evidence.get() {
            return Ok(known);
        }
        let plain = self.scene.evidence(self.score, self.class)?;
        let signed = if self.options.counterfactual { Rc::new(negated(&plain)) } else { plain };
        Ok(self.evidence.get_or_init(|| signed))
    }

    /// As [`Question::evidence`], for the difference between the class and others.
    pub(super) fn contrast(&self, contrast: &Contrast) -> Result<Vec<Evidence>> {
        let evidence = self.scene.recording()?.contrast(contrast)?;
        Ok(if self.options.counterfactual { negated(&evidence) } else { evidence })
    }

    /// The trunk up to the earliest layer.
    pub(super) fn trunk(&self) -> Result<&'a Trunk> {
        self.scene.trunk()
    }

    /// The trunk up to a layer, by its position among the tapped ones.
    pub(super) fn trunk_to(&self, tap: usize) -> Result<Trunk> {
        self.scene.network.trunk_to(self.scene.trunk()?, tap)
    }

    /// A layer's activations, without any gradient.
    pub(super) fn activations(&self, tap: usize) -> Result<&'a Features> {
        self.scene.activations(tap)
    }

    /// The score of logits, negative where the question is what speaks against the class.
    pub(super) fn score_of(&self, logits: &[f32]) -> f64 {
        f64::from(self.sign()) * self.score.value(logits, self.class)
    }

    /// Scores of `count` changed inputs, each made by `make`, a batch at a time.
    pub(super) fn scores_of_inputs(
        &self,
        count: usize,
        make: impl FnMut(usize) -> Vec<f32>,
    ) -> Result<Vec<f64>> {
        self.in_batches(count, make, |batch| self.scene.network.logits(batch))
    }

    /// Scores of `count` variants of a layer's activations, each made by `make`, a batch at a time.
    pub(super) fn scores_of_activations(
        &self,
        trunk: &Trunk,
        count: usize,
        make: impl FnMut(usize) -> Vec<f32>,
    ) -> Result<Vec<f64>> {
        self.in_batches(count, make, |batch| self.scene.network.logits_from(trunk, batch))
    }

    /// The numbers below `count`, as many at a time as may run through the network together.
    pub(super) fn batches(&self, count: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let size = self.options.batch_size.max(1);
        (0..count).step_by(size).map(move |start| start..(start + size).min(count))
    }

    fn in_batches(
        &self,
        count: usize,
        mut make: impl FnMut(usize) -> Vec<f32>,
        run: impl Fn(Vec<f32>) -> Result<Vec<f32>>,
    ) -> Result<Vec<f64>> {
        let mut scores = Vec::with_capacity(count);
        let classes = self.scene.logits.len();
        for batch in self.batches(count) {
            let expected = batch.len() * classes;
            let logits = run(batch.clone().flat_map(&mut make).collect())?;
            if logits.len() != expected {
                return Err(Error::request(
                    "the network mixes the pictures of a batch, so it cannot be perturbed (use --batch-size 1)",
                ));
            }
            scores.extend(logits.chunks(classes).map(|row| self.score_of(row)));
            self.tell(batch.end, count);
        }
        Ok(scores)
    }

    /// The gradient of the score with respect to inputs `[batch, channels, height, width]`.
    pub(super) fn input_gradient(&self, values: Vec<f32>) -> Result<Vec<f32>> {
        let recording = self.scene.network.record_input(values)?;
        let gradient = recording.gradient(&self.score, self.class)?;
        Ok(gradient.into_iter().map(|value| value * self.sign()).collect())
    }

    /// As [`Question::input_gradient`] for the picture itself, with another rule at rectifiers.
    pub(super) fn rectified_gradient(&self, rule: fn(Rectifiers) -> Rule) -> Result<Vec<f32>> {
        let values = self.scene.values.to_vec();
        self.scene.network.sweep(
            values,
            &self.score,
            self.class,
            rule(self.options.rectifiers()),
            &mut |_| Ok(()),
        )
    }

    pub(super) fn tell(&self, done: usize, total: usize) {
        if let Some(progress) = &self.options.progress {
            progress.tell(done, total);
        }
    }
}

fn negated(evidence: &[Evidence]) -> Vec<Evidence> {
    let flip = |one: &Evidence| Evidence {
        activations: one.activations.clone(),
        gradients: Features {
            values: one.gradients.values.iter().map(|value| -value).collect(),
            ..one.gradients.clone()
        },
    };
    evidence.iter().map(flip).collect()
}
