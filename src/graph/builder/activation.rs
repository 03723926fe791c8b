//! Functions of one element that networks put between their layers, by the names of PyTorch's modules.
//!
//! Gives the operation; knows no layer.

use std::fmt;
use std::str::FromStr;

use crate::card::Op;
use crate::error::{Error, Result, by_name};

/// A function of one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x` where positive, else `x / 100`.
    LeakyRelu,
    /// `x` where positive, else `e^x - 1`.
    Elu,
    /// `x Φ(x)`.
    Gelu,
    /// `x σ(x)`, also called swish.
    Silu,
    /// `x clamp(x / 6 + 1 / 2, 0, 1)`.
    HardSwish,
    /// `clamp(x / 6 + 1 / 2, 0, 1)`.
    HardSigmoid,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
}

/// Every activation with its name.
pub const ACTIVATIONS: [(&str, Activation); 10] = [
    ("relu", Activation::Relu),
    ("relu6", Activation::Relu6),
    ("leaky_relu", Activation::LeakyRelu),
    ("elu", Activation::Elu),
    ("gelu", Activation::Gelu),
    ("silu", Activation::Silu),
    ("hardswish", Activation::HardSwish),
    ("hardsigmoid", Activation::HardSigmoid),
    ("sigmoid", Activation::Sigmoid),
    ("tanh", Activation::Tanh),
];

impl Op {
    /// The operation that computes a function of one element.
    pub(super) fn of(activation: Activation) -> Self {
        match activation {
            Activation::Relu => Self::Relu {},
            Activation::Relu6 => Self::Relu6 {},
            Activation::LeakyRelu => Self::LeakyRelu { slope: 0.01 },
            Activation::Elu => Self::Elu { alpha: 1.0 },
            Activation::Gelu => Self::Gelu { approximate: false },
            Activation::Silu => Self::Silu {},
            Activation::HardSwish => Self::HardSwish {},
            Activation::HardSigmoid => Self::HardSigmoid { alpha: 1.0 / 6.0, beta: 0.5 },
            Activation::Sigmoid => Self::Sigmoid {},
            Activation::Tanh => Self::Tanh {},
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ACTIVATIONS.iter().find(|(_, known)| known == self).map_or("", |(name, _)| name))
    }
}

impl FromStr for Activation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        by_name("activation", text, ACTIVATIONS.iter().copied())
    }
}
