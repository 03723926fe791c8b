//! A method's entry in the table, with everything that other code needs to know about it.
//!
//! Each file in `methods/` has one [`Definition`]. Code outside that file never asks for a particular method, only
//! for its traits.

use super::options::{Library, Options};
use super::question::Question;
use super::scene::Reach;
use super::terms::{self, Terms};
use crate::engine::{Contrast, Evidence, Features, Network, Visits};
use crate::error::Result;
use crate::heatmap::Heatmap;

/// A method's entry in the table.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) info: MethodInfo,
    pub(super) run: Run,
    pub(super) traits: Traits,
}

/// The fields of `burncam methods` and of the record.
///
/// ```
/// use burncam::Method;
///
/// let info = Method::GradCam.info();
/// assert_eq!((info.name, info.title), ("gradcam", "Grad-CAM"));
/// assert!(info.uses_class && info.uses_layer && !info.uses_attention);
/// // The methods that need no layer:
/// let pixels: Vec<_> = Method::ALL.iter().filter(|method| !method.info().uses_layer).collect();
/// assert!(pixels.contains(&&Method::IntegratedGradients));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodInfo {
    /// Name on the command line and in file names.
    pub name: &'static str,
    /// Name in papers, and in eli5's records.
    pub title: &'static str,
    /// What libraries call it besides name and title, in any spelling.
    pub also: &'static [&'static str],
    /// Summary for people.
    pub summary: &'static str,
    /// Formula on one line.
    pub formula: &'static str,
    /// Where it was published.
    pub paper: &'static str,
    /// Cost in passes through the network.
    pub cost: &'static str,
    /// False when the map is the same for every class.
    pub uses_class: bool,
    /// False for a method that needs no layer: on the input's pixels, or of attention.
    pub uses_layer: bool,
    /// Whether it reads the attention of all blocks of a transformer; its map is of the grid that tokens are a list of.
    pub uses_attention: bool,
    /// Whether evidence against a class can be distinguished from evidence for it.
    pub has_sign: bool,
    /// Whether the map is a sum over the layer's channels.
    pub has_terms: bool,
}

/// A method's inputs, and its function.
///
/// A function of a [`Question`] alone answers for all of its classes at once, so that passes that do not depend on
/// the class run once. A function with a class among its arguments is called once per class.
#[derive(Debug)]
pub(super) enum Run {
    /// Activations and gradients of one layer.
    Evidence(fn(&Evidence, Option<Library>) -> Terms),
    /// As `Evidence`, with the gradients of the difference between the class and others.
    Contrast(fn(&Question, usize) -> Result<Contrast>, fn(&Evidence, Option<Library>) -> Terms),
    /// Activations and gradients of all layers, and further passes.
    Gradients(fn(&Question, usize, &[Evidence]) -> Result<Vec<Terms>>),
    /// One layer, by its index among the tapped ones; the map is the same for every class.
    Activations(fn(&Question, usize) -> Result<Terms>),
    /// Passes at one layer, by its index among the tapped ones: terms per class.
    Layer(fn(&Question, usize) -> Result<Vec<Terms>>),
    /// For each class the terms of every layer.
    Layers(fn(&Question) -> Result<Vec<Layers>>),
    /// For each class a map over the grid of a transformer's tokens; `None` when one is not finite.
    Attention(fn(&Question) -> Result<Vec<Option<Heatmap>>>),
    /// Maps over the input's pixels.
    Pixels(fn(&Question) -> Result<PixelMaps>),
    /// As `Pixels`, given for each class the layer's signed map from the terms of its activations and gradients,
    /// `None` when it is not finite.
    PixelsOfLayer(
        fn(&Evidence, Option<Library>) -> Terms,
        fn(&Question, &[Option<Heatmap>]) -> Result<PixelMaps>,
    ),
}

/// For each class a map over the input's pixels, `[height, width]`.
pub(super) type PixelMaps = Vec<Vec<f32>>;

/// Terms of every layer, with the activations that they weight when these are not the scene's.
pub(super) type Layers = Vec<(Option<Features>, Terms)>;

/// The traits that differ from [`Traits::PLAIN`].
#[derive(Debug)]
pub(crate) struct Traits {
    /// The libraries that have the method, possibly under another name.
    pub(crate) libraries: &'static [Library],
    /// The options that affect its map, besides those of all methods.
    pub(crate) reads: &'static [Reads],
    /// Whether single pixels have much larger values than the rest, so that a scale up to the maximum would hide
    /// everything else.
    pub(crate) fine: bool,
    /// A method without a layer whose map is noise where the score is saturated.
    pub(crate) slope: bool,
    /// What it visits on the way back of a pass through the whole network, if that is the picture's and the only kind of pass that it
    /// makes.
    pub(super) sweeps: Option<Visits>,
    /// Whether it needs the network as in the graph, without folded batch norms.
    pub(crate) unfolded: bool,
    /// How the maps of several layers are combined.
    pub(crate) joining: Joining,
    /// The network outputs that it needs.
    pub(crate) outputs: Outputs,
    /// A library's deviation from its usual finishing.
    pub(super) finishing: Finishing,
    /// The possible effect of rounding on a class's map beyond what its terms imply; receives the layer's
    /// activations, if there is a layer.
    pub(super) rounding: fn(&Question, usize, Option<&Features>) -> f64,
    /// Refuses networks that it cannot explain; receives the method's name.
    pub(super) check: fn(&str, &Network, &Options) -> Result<()>,
}

/// Options that only some methods use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reads {
    /// [`Options::samples`].
    Samples,
    /// [`Options::noise`].
    Noise,
    /// [`Options::patch`].
    Patch,
    /// [`Options::stride`].
    Stride,
    /// [`Options::channels`].
    Channels,
    /// [`Options::seed`].
    Seed,
    /// [`Options::batch_size`].
    BatchSize,
    /// [`Options::composite`].
    Composite,
    /// [`Options::rollout`].
    Rollout,
}

/// How the maps of several layers are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joining {
    /// As the caller requests.
    Asked,
    /// It uses one layer.
    OneLayer,
    /// They are multiplied, which loses their signs; it needs several.
    Product,
}

/// The network outputs that a method needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outputs {
    /// Any outputs that have the score.
    Any,
    /// Any outputs, but no function of them as the score.
    Values,
    /// Outputs of a linear layer: logits, or the numbers of a regression.
    Linear,
    /// Logits of several classes.
    Logits,
    /// Boxes of a detector, whose likeness is the method's own score.
    Boxes,
}

/// A library's deviation from its usual finishing of maps. A method has at most one such library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finishing {
    Usual,
    /// Scaling only: pytorch-grad-cam.
    Scaled,
    /// No ReLU: torchcam.
    Unrectified,
    /// `tanh(2 map)` of each scaled map, if there are several: torchcam.
    Tanh,
}

impl Reads {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Samples,
        Self::Noise,
        Self::Patch,
        Self::Stride,
        Self::Channels,
        Self::Seed,
        Self::BatchSize,
        Self::Composite,
        Self::Rollout,
    ];

    /// Name in the output of `burncam methods --json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Noise => "noise",
            Self::Patch => "patch",
            Self::Stride => "stride",
            Self::Channels => "channels",
            Self::Seed => "seed",
            Self::BatchSize => "batch_size",
            Self::Composite => "composite",
            Self::Rollout => "rollout",
        }
    }
}

impl MethodInfo {
    /// A method at a layer that looks at the class and distinguishes evidence against it.
    pub(super) const PLAIN: Self = Self {
        name: "",
        title: "",
        also: &[],
        summary: "",
        formula: "",
        paper: "",
        cost: "",
        uses_class: true,
        uses_layer: true,
        uses_attention: false,
        has_sign: true,
        has_terms: false,
    };
}

impl Traits {
    /// A method in no library that uses no options and accepts every network.
    pub(super) const PLAIN: Self = Self {
        libraries: &[],
        reads: &[],
        fine: false,
        slope: false,
        sweeps: None,
        unfolded: false,
        joining: Joining::Asked,
        outputs: Outputs::Any,
        finishing: Finishing::Usual,
        rounding: |_, _, _| 0.0,
        check: |_, _, _| Ok(()),
    };
}

impl Definition {
    /// Whether a layer's map uses the score's gradient.
    pub(super) fn looks_at_gradients(&self) -> bool {
        // Not `Contrast`, whose gradients are those of a difference of scores and not evidence for the class.
        matches!(self.run, Run::Evidence(_) | Run::Gradients(_) | Run::PixelsOfLayer(..))
    }

    /// Whether it needs a backward pass from the logits to the layer.
    pub(super) fn goes_back(&self) -> bool {
        self.looks_at_gradients() || matches!(self.run, Run::Contrast(..))
    }

    /// How far back the pass that gives the logits of a network should go for these methods.
    pub(super) fn reach(methods: &[&Self], network: &Network) -> Reach {
        if network.taps() > 0 {
            // Recording costs memory for every tensor of the head, so only where a method goes back.
            let goes_back = methods.iter().any(|method| method.goes_back());
            return if goes_back { Reach::Layers } else { Reach::Nowhere };
        }
        // Only if all of them need no other pass: what compares the scores of changed copies needs the logits of the same kind of pass.
        let visits = methods.iter().map(|method| method.traits.sweeps).collect::<Option<Vec<_>>>();
        visits.and_then(|visits| visits.first().copied()).map_or(Reach::Nowhere, Reach::Picture)
    }

    /// Whether the map is noise where the score is saturated. Methods that evaluate scores, or move far from the
    /// picture, still see changes.
    pub(super) fn is_made_of_the_slope(&self) -> bool {
        self.looks_at_gradients() || self.traits.slope
    }
}

/// The effect of rounding on a difference of scores: the rounding of the scores.
pub(super) fn rounding_of_scores(question: &Question, _: usize, _: Option<&Features>) -> f64 {
    let greatest = question.logits().iter().map(|logit| f64::from(logit.abs())).fold(0.0, f64::max);
    terms::ROUNDING * greatest
}
