//! A picture's logits and layer activations, which do not depend on the class.
//!
//! Receives a loaded network and its input. One pass through the trunk serves all methods and classes.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::engine::{Features, HeadPass, Network, Reduction, Sweep, Trunk, Visits};
use crate::error::{Error, Result};

/// A picture with its network.
#[derive(Debug)]
pub struct Scene<'a> {
    network: &'a Network,
    values: &'a [f32],
    /// What the network gives.
    output: Vec<f32>,
    /// How that becomes the number of each class.
    reduction: Reduction,
    /// One per target, where that is not the output itself.
    numbers: Option<Vec<f32>>,
    /// `None` when no layer is tapped.
    trunk: Option<Trunk>,
    /// For each tap, copied from the device on first use.
    activations: Vec<OnceCell<Features>>,
    /// The pass through the head that gave the logits, if that can go back.
    pub(super) head: Option<HeadPass<'a>>,
    /// The pass from the picture that gave the logits, if that can go back, and what it shows then.
    sweep: Option<(Visits, Sweep<'a>)>,
}

/// How far back the pass that gives the logits can go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reach {
    /// Nowhere: it keeps nothing.
    Nowhere,
    /// To the layers.
    Layers,
    /// To the picture.
    Picture(Visits),
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
        Self::reaching(network, values, Reach::Nowhere)
    }

    /// As [`Scene::new`], with the pass through the head that gave the logits, if it can go back to the layers.
    ///
    /// # Errors
    /// As [`Scene::new`].
    pub(super) fn of_copy(
        network: &'a Network,
        values: &'a [f32],
        reduction: &Reduction,
        reach: Reach,
    ) -> Result<(Self, Option<HeadPass<'a>>)> {
        let mut scene = Self::reaching(network, values, reach)?.reduced(reduction)?;
        let head = scene.head.take();
        Ok((scene, head))
    }

    fn reaching(network: &'a Network, values: &'a [f32], reach: Reach) -> Result<Self> {
        let scene = Self::all_reaching(network, &[values], reach)?.pop();
        scene.ok_or_else(|| Error::internal("a picture has no scene"))
    }

    /// As [`Scene::new`] for several pictures, which share a pass through the trunk.
    pub(super) fn all_reaching(
        network: &'a Network,
        pictures: &[&'a [f32]],
        reach: Reach,
    ) -> Result<Vec<Self>> {
        if network.taps() == 0 {
            return pictures.iter().map(|picture| Self::without_layers(network, picture, reach)).collect();
        }
        let trunks = network.trunks(pictures)?;
        let recorded = matches!(reach, Reach::Layers);
        let scene = |(picture, trunk): (&&'a [f32], Trunk)| Self::behind(network, picture, trunk, recorded);
        pictures.iter().zip(trunks).map(scene).collect()
    }

    fn without_layers(network: &'a Network, values: &'a [f32], reach: Reach) -> Result<Self> {
        // `logits` takes any number of whole pictures; a scene is about one.
        network.expect_one(values)?;
        let swept = match reach {
            Reach::Picture(visits) => network.sweep_for_logits(values, visits)?.map(|found| (visits, found)),
            Reach::Nowhere | Reach::Layers => None,
        };
        let (sweep, output) = match swept {
            Some((visits, (sweep, output))) => (Some((visits, sweep)), output),
            None => (None, network.logits(values.to_vec())?),
        };
        Ok(Self { sweep, ..Self::with(network, values, output) })
    }

    fn behind(network: &'a Network, values: &'a [f32], trunk: Trunk, recorded: bool) -> Result<Self> {
        let mut head = recorded.then(|| network.record(&trunk)).transpose()?;
        let output = match &mut head {
            // Not a second pass: this one's logits are the same numbers.
            Some(head) => head.logits()?,
            None => network.logits_behind(&trunk)?,
        };
        let activations = (0..network.taps()).map(|_| OnceCell::new()).collect();
        Ok(Self { trunk: Some(trunk), activations, head, ..Self::with(network, values, output) })
    }

    fn with(network: &'a Network, values: &'a [f32], output: Vec<f32>) -> Self {
        let reduction = Reduction::Values;
        Self {
            network,
            values,
            output,
            reduction,
            numbers: None,
            trunk: None,
            activations: vec![],
            head: None,
            sweep: None,
        }
    }

    /// The same scene with the output reduced to one number per target: they take the place of classes in all that is
    /// asked about it.
    ///
    /// # Errors
    /// When the reduction is of another output.
    pub fn reduced(self, reduction: &Reduction) -> Result<Self> {
        reduction.check(self.output.len())?;
        let head = self.head.map(|head| head.reduced(reduction)).transpose()?;
        let reduced =
            |(visits, sweep): (Visits, Sweep<'a>)| sweep.reduced(reduction).map(|sweep| (visits, sweep));
        let sweep = self.sweep.map(reduced).transpose()?;
        let numbers = match reduction.numbers(&self.output) {
            Cow::Owned(numbers) => Some(numbers),
            Cow::Borrowed(_) => None,
        };
        Ok(Self { reduction: reduction.clone(), numbers, head, sweep, ..self })
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &'a Network {
        self.network
    }

    /// The network's input, `[1, channels, height, width]`.
    #[must_use]
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// What the network gives for the picture, all of it.
    #[must_use]
    pub fn output(&self) -> &[f32] {
        &self.output
    }

    /// How the output becomes the number of each class.
    #[must_use]
    pub fn reduction(&self) -> &Reduction {
        &self.reduction
    }

    /// The logits, one per class.
    #[must_use]
    pub fn logits(&self) -> &[f32] {
        self.numbers.as_deref().unwrap_or(&self.output)
    }

    /// The trunk up to the earliest layer.
    pub(super) fn trunk(&self) -> Result<&Trunk> {
        self.trunk.as_ref().ok_or_else(|| Error::internal("a method asked for a layer, but none is tapped"))
    }

    /// The pass from the picture that gave the logits, if its way back shows these visits.
    pub(super) fn sweep(&self, visits: Visits) -> Option<&Sweep<'a>> {
        self.sweep.as_ref().filter(|(shown, _)| *shown == visits).map(|(_, sweep)| sweep)
    }

    /// A pass through the head that can go back.
    pub(super) fn record(&self) -> Result<HeadPass<'a>> {
        self.network.record(self.trunk()?)?.reduced(&self.reduction)
    }

    /// A layer's activations, by its index among the tapped ones.
    pub(super) fn activations(&self, tap: usize) -> Result<&Features> {
        let cell =
            self.activations.get(tap).ok_or_else(|| Error::internal(format!("there is no tap {tap}")))?;
        // Stable Rust has no `get_or_try_init`.
        if let Some(known) = cell.get() {
            return Ok(known);
        }
        let found = self.network.activations(&self.network.trunk_to(self.trunk()?, tap)?)?;
        Ok(cell.get_or_init(|| found))
    }
}
