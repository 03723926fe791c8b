//! Architectures by name: each builds the graph of a well-known network with its usual layer and tensor names.
//!
//! Receives a name, a number of classes and optionally an input size; gives a graph and the names and shapes of the
//! tensors it needs. Layers are named as in torchvision (`layer4.1.conv2`); a module that runs twice in a block and
//! the functions between modules are named as by `torch.fx` (`layer4.1.relu_1`, `layer4.1.add`). EfficientNet-Lite
//! keeps the names of its PyTorch port.

mod alexnet;
mod densenet;
mod efficientnet_lite;
mod mobilenet_v2;
mod resnet;
mod squeezenet;
mod torchvision;
mod vgg;

pub use crate::builder::Built;
use crate::builder::{GraphBuilder, Value};
use crate::card::{ColorOrder, Crop, Filter, Preprocess, Resize};
use crate::error::{Problem, Result};
use resnet::Block::{Basic, Bottleneck};

/// Larger inputs are taken for a mistake.
const GREATEST_SIDE: usize = 1 << 14;

/// More classes are taken for a mistake, or for a malicious file.
const MOST_CLASSES: usize = 1_000_000;

/// A network that can be built by name.
#[derive(Debug, Clone, Copy)]
pub struct Architecture {
    /// The name, for example `resnet18`.
    pub name: &'static str,
    /// Height and width of the input that it was published with, in pixels.
    pub input_size: usize,
    recipe: Recipe,
    network: fn(&mut GraphBuilder, &Value, usize) -> Value,
}

/// The preprocessing with which the published weights were trained.
#[derive(Debug, Clone, Copy)]
enum Recipe {
    /// Bilinear resize, ImageNet's mean and standard deviation.
    Torchvision,
    /// Bicubic resize, `(value - 127) / 128`.
    EfficientNetLite,
}

/// Every architecture, in listing order.
pub const ALL: &[Architecture] = &[
    torchvision("resnet18", |b, x, n| resnet::build(b, x, Basic, [2, 2, 2, 2], n)),
    torchvision("resnet34", |b, x, n| resnet::build(b, x, Basic, [3, 4, 6, 3], n)),
    torchvision("resnet50", |b, x, n| resnet::build(b, x, Bottleneck, [3, 4, 6, 3], n)),
    torchvision("resnet101", |b, x, n| resnet::build(b, x, Bottleneck, [3, 4, 23, 3], n)),
    torchvision("resnet152", |b, x, n| resnet::build(b, x, Bottleneck, [3, 8, 36, 3], n)),
    torchvision("vgg11", |b, x, n| vgg::build(b, x, [1, 1, 2, 2, 2], false, n)),
    torchvision("vgg11_bn", |b, x, n| vgg::build(b, x, [1, 1, 2, 2, 2], true, n)),
    torchvision("vgg13", |b, x, n| vgg::build(b, x, [2, 2, 2, 2, 2], false, n)),
    torchvision("vgg13_bn", |b, x, n| vgg::build(b, x, [2, 2, 2, 2, 2], true, n)),
    torchvision("vgg16", |b, x, n| vgg::build(b, x, [2, 2, 3, 3, 3], false, n)),
    torchvision("vgg16_bn", |b, x, n| vgg::build(b, x, [2, 2, 3, 3, 3], true, n)),
    torchvision("vgg19", |b, x, n| vgg::build(b, x, [2, 2, 4, 4, 4], false, n)),
    torchvision("vgg19_bn", |b, x, n| vgg::build(b, x, [2, 2, 4, 4, 4], true, n)),
    torchvision("squeezenet1_0", squeezenet::version_1_0),
    torchvision("squeezenet1_1", squeezenet::version_1_1),
    torchvision("mobilenet_v2", mobilenet_v2::build),
    torchvision("densenet121", |b, x, n| densenet::build(b, x, [6, 12, 24, 16], n)),
    torchvision("densenet169", |b, x, n| densenet::build(b, x, [6, 12, 32, 32], n)),
    torchvision("densenet201", |b, x, n| densenet::build(b, x, [6, 12, 48, 32], n)),
    torchvision("alexnet", alexnet::build),
    lite("efficientnet_lite0", 224, |b, x, n| efficientnet_lite::build(b, x, LITE0, n)),
    lite("efficientnet_lite1", 240, |b, x, n| efficientnet_lite::build(b, x, LITE1, n)),
    lite("efficientnet_lite2", 260, |b, x, n| efficientnet_lite::build(b, x, LITE2, n)),
];

const LITE0: efficientnet_lite::Scaling = efficientnet_lite::Scaling { width: 1.0, depth: 1.0 };
const LITE1: efficientnet_lite::Scaling = efficientnet_lite::Scaling { width: 1.0, depth: 1.1 };
const LITE2: efficientnet_lite::Scaling = efficientnet_lite::Scaling { width: 1.1, depth: 1.2 };

/// The names of [`ALL`].
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|architecture| architecture.name)
}

/// The architecture called `name`, ignoring case.
///
/// # Errors
/// When it does not exist; the message suggests a similar name.
pub fn find(name: &str) -> Result<&'static Architecture> {
    ALL.iter().find(|architecture| architecture.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let problem = Problem::new("is not known").near(name, names()).known("known:", names());
        problem.named("architecture", name).into()
    })
}

/// Builds the architecture called `name` for `num_classes` classes and pictures of `input`, `[height, width]`.
///
/// # Errors
/// As [`find`] and [`Architecture::build`].
pub fn build(name: &str, num_classes: usize, input: Option<[usize; 2]>) -> Result<Built> {
    find(name)?.build(num_classes, input)
}

/// The preprocessing of the published weights of the architecture called `name`.
///
/// # Errors
/// As [`find`].
pub fn default_preprocess(name: &str) -> Result<Preprocess> {
    find(name).map(|architecture| architecture.preprocess(None))
}

const fn torchvision(
    name: &'static str,
    network: fn(&mut GraphBuilder, &Value, usize) -> Value,
) -> Architecture {
    Architecture { name, input_size: 224, recipe: Recipe::Torchvision, network }
}

const fn lite(
    name: &'static str,
    input_size: usize,
    network: fn(&mut GraphBuilder, &Value, usize) -> Value,
) -> Architecture {
    Architecture { name, input_size, recipe: Recipe::EfficientNetLite, network }
}

impl Architecture {
    /// Builds the graph for pictures of `input`, `[height, width]`; default: [`Architecture::input_size`] square.
    ///
    /// # Errors
    /// When there are no classes or too many, or when the input is too small for the network or too large.
    pub fn build(&self, num_classes: usize, input: Option<[usize; 2]>) -> Result<Built> {
        self.build_for(ColorOrder::Rgb.channels(), num_classes, input)
    }

    /// As [`Architecture::build`], for pictures of `channels` channels: 3, or 1 for grey ones.
    pub(crate) fn build_for(
        &self,
        channels: usize,
        num_classes: usize,
        input: Option<[usize; 2]>,
    ) -> Result<Built> {
        let size = input.unwrap_or([self.input_size; 2]);
        if !(1..=MOST_CLASSES).contains(&num_classes) {
            let problem = Problem::expected_but(format!("1 to {MOST_CLASSES}"), num_classes.to_string());
            return Err(problem.after("number of classes: ").into());
        }
        if size.iter().any(|side| !(1..=GREATEST_SIDE).contains(side)) {
            let problem = Problem::new(format!("input size {}x{}: ", size[0], size[1]));
            return Err(problem.expected(format!("1 to {GREATEST_SIDE} pixels a side")).into());
        }
        let (mut builder, value) = GraphBuilder::new(channels, size);
        let output = (self.network)(&mut builder, &value, num_classes);
        builder.finish(&output)
    }

    /// The preprocessing of the published weights, for a network input of `input`, `[height, width]`.
    ///
    /// For another input size the crop keeps its share of the picture.
    #[must_use]
    pub fn preprocess(&self, input: Option<[usize; 2]>) -> Preprocess {
        let [height, width] = input.unwrap_or([self.input_size; 2]);
        // Both recipes resize to the published crop plus a margin of 32 pixels.
        let side = height.max(width);
        let size = (side * (self.input_size + 32) + self.input_size / 2) / self.input_size;
        let (filter, scale, mean, std) = match self.recipe {
            Recipe::Torchvision => {
                (Filter::Bilinear, 1.0 / 255.0, vec![0.485, 0.456, 0.406], vec![0.229, 0.224, 0.225])
            }
            Recipe::EfficientNetLite => (Filter::Bicubic, 1.0, vec![127.0; 3], vec![128.0; 3]),
        };
        Preprocess {
            resize: Resize::ShortestSide { size, filter },
            crop: Some(Crop::Center { height, width }),
            color: ColorOrder::Rgb,
            scale,
            mean,
            std,
        }
    }
}

#[cfg(test)]
mod tests;
