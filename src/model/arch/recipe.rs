//! The preprocessing of published weights.
//!
//! Gives a [`Preprocess`] for any input size. What a recipe says is what the first published weights of a network were
//! evaluated with; later weights may differ.

use crate::card::{ColorOrder, Crop, Filter, Preprocess, Resize};

/// How the pictures were prepared for which the weights were published.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recipe {
    /// Side of the crop, which is the network's input.
    pub(super) input: usize,
    /// The shorter side of the picture before the crop.
    pub(super) resize: usize,
    pub(super) filter: Filter,
    /// Factor on the values 0..=255, then subtracted, then divided by.
    pub(super) scale: f64,
    pub(super) mean: [f64; 3],
    pub(super) std: [f64; 3],
}

impl Recipe {
    /// torchvision's first: 256 pixels, 224 of them cut from the centre, bilinear, ImageNet's mean and deviation.
    pub(super) const TORCHVISION: Self = Self::torchvision(224, 256);

    /// Pictures of 32 pixels, CIFAR-10's mean and deviation.
    pub(super) const CIFAR: Self =
        Self { mean: [0.4914, 0.4822, 0.4465], std: [0.2470, 0.2435, 0.2616], ..Self::torchvision(32, 32) };

    /// As [`Recipe::TORCHVISION`] with other sizes.
    pub(super) const fn torchvision(input: usize, resize: usize) -> Self {
        let (mean, std) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
        Self { input, resize, filter: Filter::Bilinear, scale: 1.0 / 255.0, mean, std }
    }

    /// With another filter.
    pub(super) const fn filter(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    /// Values from -1 to 1.
    pub(super) const fn halves(self) -> Self {
        Self { mean: [0.5; 3], std: [0.5; 3], ..self }
    }

    /// The preprocessing for a network input of `input`, `[height, width]`; the crop keeps its share of the picture.
    pub(super) fn preprocess(&self, input: Option<[usize; 2]>) -> Preprocess {
        let [height, width] = input.unwrap_or([self.input; 2]);
        let size = (height.max(width) * self.resize + self.input / 2) / self.input;
        Preprocess {
            resize: Resize::ShortestSide { size, filter: self.filter },
            crop: Some(Crop::Center { height, width }),
            color: ColorOrder::Rgb,
            scale: self.scale,
            mean: self.mean.to_vec(),
            std: self.std.to_vec(),
        }
    }
}
