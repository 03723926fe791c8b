//! Blocks and settings that torchvision's networks share.

use crate::builder::{Activation, Conv, GraphBuilder, Value};

/// PyTorch's default epsilon of batch norm.
pub(super) const BATCH_NORM_EPSILON: f64 = 1e-5;
/// TensorFlow's, for networks whose weights or recipe came from there.
pub(super) const TENSORFLOW_EPSILON: f64 = 1e-3;

/// What follows the convolution of a `Conv2dNormActivation`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// The epsilon of batch norm.
    pub(super) epsilon: f64,
    /// The activation.
    pub(super) activation: Activation,
}

impl Style {
    /// Convolution `AT.0`, norm `AT.1` and activation `AT.2`.
    pub(super) fn conv(self, b: &mut GraphBuilder, at: &str, input: &Value, conv: Conv) -> Value {
        let x = self.linear_conv(b, at, input, conv);
        b.activation(&format!("{at}.2"), &x, self.activation)
    }

    /// Convolution `AT.0` and norm `AT.1`.
    pub(super) fn linear_conv(self, b: &mut GraphBuilder, at: &str, input: &Value, conv: Conv) -> Value {
        let x = b.conv(&format!("{at}.0"), input, conv);
        b.batch_norm(&format!("{at}.1"), &x, self.epsilon)
    }
}

/// Squeeze-and-excitation: channels are weighted by a small network on their means.
///
/// Reference: J. Hu, L. Shen, G. Sun, "Squeeze-and-Excitation Networks", 2017, equations 2 to 4.
pub(super) struct Excitation {
    /// Channels between its two layers.
    pub(super) squeeze: usize,
    /// Between its two layers.
    pub(super) activation: Activation,
    /// After them.
    pub(super) gate: Activation,
}

impl Excitation {
    pub(super) fn build(&self, b: &mut GraphBuilder, at: &str, input: &Value) -> Value {
        let x = b.global_avg_pool(&format!("{at}.avgpool"), input);
        // Convolutions on one cell, not linear layers: files have weights of four axes.
        let x = b.conv(&format!("{at}.fc1"), &x, Conv::new(self.squeeze, 1).biased());
        let x = b.activation(&format!("{at}.activation"), &x, self.activation);
        let x = b.conv(&format!("{at}.fc2"), &x, Conv::new(input.channels, 1).biased());
        let x = b.activation(&format!("{at}.scale_activation"), &x, self.gate);
        b.mul(&format!("{at}.mul"), &x, input)
    }
}

/// The nearest multiple of eight, but at least nine tenths of the exact number.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small positive constants
pub(super) fn multiple_of_eight(exact: f64) -> usize {
    let rounded = ((exact + 4.0) as usize / 8 * 8).max(8);
    if (rounded as f64) < 0.9 * exact { rounded + 8 } else { rounded }
}

/// `repeats * factor`, rounded up.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small positive constants
pub(super) fn scaled_depth(repeats: usize, factor: f64) -> usize {
    (repeats as f64 * factor).ceil() as usize
}
