//! An operation's name, arity and parameters.
//!
//! Receives an [`Op`], gives the facts that the graph's check and later rooms need.

use std::collections::BTreeMap;

use super::Op;

impl Op {
    /// The operation's name in a card, for example `conv2d`.
    #[must_use]
    pub fn name(&self) -> String {
        match serde_json::to_value(self) {
            Ok(value) => value["op"].as_str().unwrap_or_default().to_owned(),
            Err(_) => String::new(),
        }
    }

    /// The roles of its parameters, and whether each is required.
    #[must_use]
    pub fn roles(&self) -> &'static [(&'static str, bool)] {
        match self {
            Self::Conv2d { .. } | Self::Linear {} => &[("weight", true), ("bias", false)],
            Self::BatchNorm { .. } => {
                &[("gamma", true), ("beta", true), ("running_mean", true), ("running_var", true)]
            }
            Self::LayerNorm { .. } => &[("gamma", true), ("beta", false)],
            Self::GroupNorm { .. } => &[("gamma", false), ("beta", false)],
            Self::Prelu {} => &[("slope", true)],
            _ if self.is_arithmetic() => &[("other", false)],
            _ => &[],
        }
    }

    /// The second operand of arithmetic, when it is a constant.
    #[must_use]
    pub fn scalar(&self) -> Option<f64> {
        match self {
            Self::Add { scalar }
            | Self::Sub { scalar }
            | Self::Mul { scalar }
            | Self::Div { scalar }
            | Self::Minimum { scalar }
            | Self::Maximum { scalar } => *scalar,
            _ => None,
        }
    }

    /// Whether it takes two tensors, or one and a parameter `other` or a constant.
    pub fn is_arithmetic(&self) -> bool {
        matches!(
            self,
            Self::Add { .. }
                | Self::Sub { .. }
                | Self::Mul { .. }
                | Self::Div { .. }
                | Self::Minimum { .. }
                | Self::Maximum { .. }
        )
    }

    /// Minimum and maximum number of input tensors, given its parameters.
    pub(super) fn arity(&self, params: &BTreeMap<String, String>) -> (usize, usize) {
        match self {
            Self::Matmul {} => (2, 2),
            Self::Concat { .. } => (1, usize::MAX),
            _ if self.is_arithmetic() => {
                let constant = params.contains_key("other") || self.scalar().is_some();
                if constant { (1, 1) } else { (2, 2) }
            }
            _ => (1, 1),
        }
    }
}
