//! Burn modules that several tests use.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::norm::BatchNorm;
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig, PaddingConfig2d, Relu};
use burn::tensor::{Device, Tensor, activation};

/// The network of the Burn Book's guide: `[batch, 1, 28, 28]` to `[batch, 10]`.
#[derive(Module, Debug)]
pub(crate) struct Guide {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: AdaptiveAvgPool2d,
    dropout: Dropout,
    linear1: Linear,
    linear2: Linear,
    activation: Relu,
}

impl Guide {
    pub(crate) fn new(device: &Device) -> Self {
        Self {
            conv1: Conv2dConfig::new([1, 8], [3, 3]).init(device),
            conv2: Conv2dConfig::new([8, 16], [3, 3]).init(device),
            pool: AdaptiveAvgPool2dConfig::new([8, 8]).init(),
            dropout: DropoutConfig::new(0.5).init(),
            linear1: LinearConfig::new(16 * 8 * 8, 512).init(device),
            linear2: LinearConfig::new(512, 10).init(device),
            activation: Relu::new(),
        }
    }

    pub(crate) fn forward(&self, pictures: Tensor<4>) -> Tensor<2> {
        let x = self.dropout.forward(self.conv1.forward(pictures));
        let x = self.activation.forward(self.dropout.forward(self.conv2.forward(x)));
        let x = self.pool.forward(x).reshape([0, -1]);
        let x = self.activation.forward(self.dropout.forward(self.linear1.forward(x)));
        self.linear2.forward(x)
    }
}

/// A convolution without bias that keeps the extent at stride one.
pub(crate) fn conv([channels, out]: [usize; 2], kernel: usize, stride: usize) -> Conv2dConfig {
    let half = kernel / 2;
    Conv2dConfig::new([channels, out], [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(half, half, half, half))
        .with_bias(false)
}

/// A basic block of a residual network, with a convolution on its shortcut where it has a stride.
#[derive(Module, Debug)]
pub(crate) struct Block {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    down: Option<(Conv2d, BatchNorm)>,
}

impl Block {
    /// `norm` makes the norms of `out` channels.
    pub(crate) fn new(
        [channels, out]: [usize; 2],
        stride: usize,
        norm: impl Fn(usize, &Device) -> BatchNorm,
        device: &Device,
    ) -> Self {
        let down = || (conv([channels, out], 1, stride).init(device), norm(out, device));
        Self {
            conv1: conv([channels, out], 3, stride).init(device),
            bn1: norm(out, device),
            conv2: conv([out, out], 3, 1).init(device),
            bn2: norm(out, device),
            down: (stride > 1).then(down),
        }
    }

    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = activation::relu(self.bn1.forward(self.conv1.forward(x.clone())));
        let y = self.bn2.forward(self.conv2.forward(y));
        let shortcut = match &self.down {
            Some((conv, norm)) => norm.forward(conv.forward(x)),
            None => x,
        };
        activation::relu(y + shortcut)
    }
}
