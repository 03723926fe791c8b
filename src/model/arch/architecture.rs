//! A network that can be built by name: how, and for which pictures its published weights are.
//!
//! Receives a number of classes and optionally an input size; gives a graph and the names and shapes of its tensors. Knows
//! no network itself.

use super::recipe::Recipe;
use crate::builder::{Built, GraphBuilder, Head, Value};
use crate::card::{ColorOrder, Filter, Preprocess};
use crate::error::{Problem, Result};

/// Larger inputs are taken for a mistake.
const GREATEST_SIDE: usize = 1 << 14;

/// More classes are taken for a mistake, or for a malicious file.
const MOST_CLASSES: usize = 1_000_000;

/// The end of the names of networks that also exist with a first convolution for larger pictures.
pub(super) const SMALL_STEM: &str = "_cifar";

/// Gives another library's name for a layer or tensor of torchvision.
pub(super) type Dialect = fn(&str) -> String;

/// Puts a network for a picture and a number of classes into a builder.
pub(super) type Network = fn(&mut GraphBuilder, &Value, usize) -> Value;

/// A network that can be built by name.
#[derive(Debug, Clone, Copy)]
pub struct Architecture {
    /// The name, for example `resnet18`.
    pub name: &'static str,
    recipe: Recipe,
    pub(super) network: Network,
    /// Prefixes of tensors in files of weights that only training uses.
    training_only: &'static [&'static str],
    /// What its layers and tensors are called, from torchvision's names.
    dialect: Option<Dialect>,
    /// Whether it is defined for one input size only.
    fixed_size: bool,
}

impl Architecture {
    pub(super) const fn new(name: &'static str, recipe: Recipe, network: Network) -> Self {
        Self { name, recipe, network, training_only: &[], dialect: None, fixed_size: false }
    }

    /// With these prefixes of tensors that only training uses.
    pub(super) const fn without(self, training_only: &'static [&'static str]) -> Self {
        Self { training_only, ..self }
    }

    /// With other names.
    pub(super) const fn called(self, dialect: Dialect) -> Self {
        Self { dialect: Some(dialect), ..self }
    }

    /// With the bilinear filter.
    pub(super) const fn bilinear(self) -> Self {
        Self { recipe: self.recipe.filter(Filter::Bilinear), ..self }
    }

    /// For values from -1 to 1.
    pub(super) const fn halves(self) -> Self {
        Self { recipe: self.recipe.halves(), ..self }
    }

    /// For one input size only.
    pub(super) const fn at_its_size_only(self) -> Self {
        Self { fixed_size: true, ..self }
    }

    /// Height and width of the input that it was published with, in pixels.
    pub(crate) fn input_size(&self) -> usize {
        self.recipe.input
    }

    /// Whether its first convolution is for small pictures, without stride and pool.
    pub(crate) fn has_small_stem(&self) -> bool {
        self.name.ends_with(SMALL_STEM)
    }

    /// Whether a tensor of the published weights belongs to a part that only training uses.
    pub(crate) fn is_training_only(&self, tensor: &str) -> bool {
        self.training_only.iter().any(|prefix| tensor.starts_with(prefix))
    }

    /// Builds the graph for pictures of `input`, `[height, width]`; default: the square that it was published with.
    ///
    /// # Errors
    /// When there are no classes or too many, or when the input is too small for the network or too large.
    pub fn build(&self, num_classes: usize, input: Option<[usize; 2]>) -> Result<Built> {
        self.build_for(ColorOrder::Rgb.channels(), num_classes, input, None)
    }

    /// As [`Architecture::build`], for pictures of `channels` channels: 3, or 1 for grey ones; with another head than the
    /// published one.
    pub(crate) fn build_for(
        &self,
        channels: usize,
        num_classes: usize,
        input: Option<[usize; 2]>,
        head: Option<Head>,
    ) -> Result<Built> {
        let size = input.unwrap_or([self.recipe.input; 2]);
        if !(1..=MOST_CLASSES).contains(&num_classes) {
            let problem = Problem::expected_but(format!("1 to {MOST_CLASSES}"), num_classes.to_string());
            return Err(problem.after("number of classes: ").into());
        }
        if size.iter().any(|side| !(1..=GREATEST_SIDE).contains(side)) {
            let problem = Problem::new(format!("input size {}x{}: ", size[0], size[1]));
            return Err(problem.expected(format!("1 to {GREATEST_SIDE} pixels a side")).into());
        }
        if self.fixed_size && size != [self.recipe.input; 2] {
            let own = format!("{0}x{0}", self.recipe.input);
            let problem = Problem::expected_but(own, format!("{}x{}", size[0], size[1]));
            return Err(problem.after(format!("input size of '{}': ", self.name)).into());
        }
        let (builder, value) = GraphBuilder::new(channels, size);
        self.built_with(builder.with_head(head), &value, num_classes)
    }

    /// The first `layers` layers, none of the head among them. Takes a small part of the time of [`Architecture::build`].
    pub(crate) fn beginning(&self, layers: usize) -> Result<Built> {
        let (builder, value) = GraphBuilder::new(ColorOrder::Rgb.channels(), [self.recipe.input; 2]);
        self.built_with(builder.cut_after(layers), &value, 1)
    }

    fn built_with(&self, builder: GraphBuilder, value: &Value, num_classes: usize) -> Result<Built> {
        let mut builder = match self.dialect {
            Some(dialect) => builder.called(dialect),
            None => builder,
        };
        let output = (self.network)(&mut builder, value, num_classes);
        builder.finish(&output)
    }

    /// The preprocessing of the published weights, for a network input of `input`, `[height, width]`.
    ///
    /// For another input size the crop keeps its share of the picture.
    #[must_use]
    pub fn preprocess(&self, input: Option<[usize; 2]>) -> Preprocess {
        self.recipe.preprocess(input)
    }
}
