//! Another head in the place of an architecture's own.
//!
//! A list of layers with the names of their modules; the builder puts them in where the architecture would put its own.

use super::activation::Activation;

/// The layers of a head, and the module that they replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The replaced module, for example `fc`.
    pub module: String,
    /// Each layer with its name, in order.
    pub layers: Vec<(String, HeadLayer)>,
}

/// A layer of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadLayer {
    /// A linear layer with this many outputs.
    Linear {
        /// Number of outputs.
        outputs: usize,
        /// Whether it has a bias.
        bias: bool,
    },
    /// Batch norm of every feature, with PyTorch's default epsilon.
    BatchNorm,
    /// Layer norm over the features, with PyTorch's default epsilon.
    LayerNorm,
    /// A function of each feature.
    Activation(Activation),
}

impl Head {
    /// Number of outputs: those of the last linear layer.
    #[must_use]
    pub fn outputs(&self) -> Option<usize> {
        self.layers.iter().rev().find_map(|(_, layer)| match layer {
            HeadLayer::Linear { outputs, .. } => Some(*outputs),
            _ => None,
        })
    }

    /// With another number of outputs.
    #[must_use]
    pub fn with_outputs(mut self, count: usize) -> Self {
        let last = self.layers.iter_mut().rev().find_map(|(_, layer)| match layer {
            HeadLayer::Linear { outputs, .. } => Some(outputs),
            _ => None,
        });
        if let Some(outputs) = last {
            *outputs = count;
        }
        self
    }
}
