//! A method's entry in the table: everything that the rest of the house asks of a method, in one place.
//!
//! A file in `methods/` holds one [`Definition`]. Nothing outside of that file asks which method it is: it asks for a trait.

use super::options::{Library, Options};
use super::question::Question;
use super::terms::{self, Terms};
use crate::engine::{Contrast, Evidence, Features, Network};
use crate::error::Result;
use crate::heatmap::Heatmap;

/// A method's entry in the table.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) info: MethodInfo,
    pub(super) run: Run,
    pub(super) traits: Traits,
}

/// What `burncam methods` prints and the record repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodInfo {
    /// As written on the command line and in file names.
    pub name: &'static str,
    /// As written in papers, and as eli5 has it in its records.
    pub title: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// One line of mathematics.
    pub formula: &'static str,
    /// Where it was published.
    pub paper: &'static str,
    /// What it costs, in passes through the network.
    pub cost: &'static str,
    /// False for a method whose map is the same for every class.
    pub uses_class: bool,
    /// False for a method that works on the input's pixels and needs no layer.
    pub uses_layer: bool,
    /// True where evidence against a class can be distinguished from evidence for it.
    pub has_sign: bool,
    /// True where the map is a sum over the layer's channels.
    pub has_terms: bool,
}

/// What a method needs, and how it is called.
///
/// A method that is called with a [`Question`] alone answers for all of its classes at once, so that passes that do not depend on the
/// class are made once. Where there is a class among the arguments, it is called once per class.
#[derive(Debug)]
pub(super) enum Run {
    /// Activations and gradients of one layer.
    Evidence(fn(&Evidence, Option<Library>) -> Terms),
    /// As `Evidence`, the gradients being those of the difference between the class and others.
    Contrast(fn(&Question, usize) -> Result<Contrast>, fn(&Evidence, Option<Library>) -> Terms),
    /// Activations and gradients of all layers, and more that is asked of the network.
    Gradients(fn(&Question, usize, &[Evidence]) -> Result<Vec<Terms>>),
    /// One layer, by its position among the tapped ones; the map is the same for every class.
    Activations(fn(&Question, usize) -> Result<Terms>),
    /// Questions about one layer, by its position among the tapped ones: terms per class.
    Layer(fn(&Question, usize) -> Result<Vec<Terms>>),
    /// Per class the terms of every layer.
    Layers(fn(&Question) -> Result<Vec<Layers>>),
    /// Maps over the input's pixels.
    Pixels(fn(&Question) -> Result<PixelMaps>),
    /// As `Pixels`, from per class the signed map of the layer, `None` where that is not finite, which the terms of its activations
    /// and gradients give.
    PixelsOfLayer(
        fn(&Evidence, Option<Library>) -> Terms,
        fn(&Question, &[Option<Heatmap>]) -> Result<PixelMaps>,
    ),
}

/// Per class a map over the input's pixels, `[height, width]`.
pub(super) type PixelMaps = Vec<Vec<f32>>;

/// Terms of every layer, with the activations that they weigh where these are not the scene's.
pub(super) type Layers = Vec<(Option<Features>, Terms)>;

/// What sets a method apart from [`Traits::PLAIN`].
#[derive(Debug)]
pub(crate) struct Traits {
    /// The libraries that have it, under this name or another.
    pub(crate) libraries: &'static [Library],
    /// The options that change its map and not those of all methods.
    pub(crate) reads: &'static [Reads],
    /// Single pixels stand out so far that drawing up to the greatest would show nothing else.
    pub(crate) fine: bool,
    /// A method on pixels whose map is noise where the score is so certain that it has no slope.
    pub(crate) slope: bool,
    /// It asks for the network as the graph has it, no batch norm folded into a convolution.
    pub(crate) unfolded: bool,
    /// How the maps of several layers become one.
    pub(crate) joining: Joining,
    /// What it takes the network's outputs for.
    pub(crate) outputs: Outputs,
    /// What a library does in another way than for its other methods.
    pub(super) finishing: Finishing,
    /// How far rounding may have moved a class's map beyond what its terms say; with the layer's activations, where it has one.
    pub(super) rounding: fn(&Question, usize, Option<&Features>) -> f64,
    /// Refuses a network that it cannot explain; with the method's name.
    pub(super) check: fn(&str, &Network, &Options) -> Result<()>,
}

/// Options that only some methods read.
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
    /// [`Options::seed`].
    Seed,
    /// [`Options::batch_size`].
    BatchSize,
}

/// How the maps of several layers become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joining {
    /// As the caller asks.
    Asked,
    /// It takes one layer.
    OneLayer,
    /// They are multiplied, which loses their signs; it takes several.
    Product,
}

/// What a method takes the network's outputs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outputs {
    /// Whatever the score makes of them.
    Any,
    /// Numbers of a linear layer: logits, or a regression's.
    Linear,
    /// Logits that are compared with each other.
    Logits,
}

/// What a library does with a finished map in another way than for its other methods. A method has at most one such library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finishing {
    Usual,
    /// Scaled and nothing else: pytorch-grad-cam.
    Scaled,
    /// No ReLU: torchcam.
    Unrectified,
    /// `tanh(2 map)` of each scaled map, where there are several: torchcam.
    Tanh,
}

impl Reads {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Samples, Self::Noise, Self::Patch, Self::Stride, Self::Seed, Self::BatchSize];

    /// Name in the output of `burncam methods --json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Noise => "noise",
            Self::Patch => "patch",
            Self::Stride => "stride",
            Self::Seed => "seed",
            Self::BatchSize => "batch_size",
        }
    }
}

impl Traits {
    /// A method that no library has, which reads no options and accepts every network.
    pub(super) const PLAIN: Self = Self {
        libraries: &[],
        reads: &[],
        fine: false,
        slope: false,
        unfolded: false,
        joining: Joining::Asked,
        outputs: Outputs::Any,
        finishing: Finishing::Usual,
        rounding: |_, _, _| 0.0,
        check: |_, _, _| Ok(()),
    };
}

impl Definition {
    /// Whether the map of a layer is made of the score's gradient there.
    pub(super) fn looks_at_gradients(&self) -> bool {
        matches!(self.run, Run::Evidence(_) | Run::Gradients(_) | Run::PixelsOfLayer(..))
    }

    /// Whether it needs a pass backward from the logits to the layer.
    pub(super) fn goes_back(&self) -> bool {
        self.looks_at_gradients() || matches!(self.run, Run::Contrast(..))
    }

    /// Whether the map is noise where the score is so certain that it has no slope. Methods that ask for scores, or go far
    /// from the picture, still see it change.
    pub(super) fn is_made_of_the_slope(&self) -> bool {
        self.looks_at_gradients() || self.traits.slope
    }
}

/// How far rounding may have moved a difference of scores: as far as the scores.
pub(super) fn rounding_of_scores(question: &Question, _: usize, _: Option<&Features>) -> f64 {
    let greatest = question.logits().iter().map(|logit| f64::from(logit.abs())).fold(0.0, f64::max);
    terms::ROUNDING * greatest
}
