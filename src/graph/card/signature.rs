//! An operation's name, arity and parameters.
//!
//! Receives an [`Op`], gives the facts that the graph's check and later rooms need.

use super::Op;
use crate::error::Problem;

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
            Self::Conv2d { .. } | Self::ConvTranspose2d { .. } | Self::Linear {} => {
                &[("weight", true), ("bias", false)]
            }
            Self::BatchNorm { .. } => {
                &[("gamma", true), ("beta", true), ("running_mean", true), ("running_var", true)]
            }
            Self::LayerNorm { .. } => &[("gamma", true), ("beta", false)],
            Self::GroupNorm { .. } => &[("gamma", false), ("beta", false)],
            Self::Prelu {} => &[("slope", true)],
            Self::Matmul {} | Self::Concat { .. } => &[("other", false)],
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

    /// The axes of a reduction, and whether they stay with size 1.
    #[must_use]
    pub fn reduction(&self) -> Option<(&[usize], bool)> {
        match self {
            Self::ReduceMean { axes, keep_dims }
            | Self::ReduceSum { axes, keep_dims }
            | Self::ReduceMax { axes, keep_dims }
            | Self::ReduceMin { axes, keep_dims }
            | Self::ReduceL2 { axes, keep_dims } => Some((axes, *keep_dims)),
            _ => None,
        }
    }

    /// Refuses a number of inputs that the operation cannot read. `has_other` for operations whose second operand is
    /// a parameter.
    pub(crate) fn check_arity(&self, count: usize, has_other: bool) -> Result<(), Problem> {
        let (least, most) = match self {
            Self::Matmul {} if !has_other => (2, 2),
            Self::Concat { .. } => (1, usize::MAX),
            _ if self.is_arithmetic() && !has_other && self.scalar().is_none() => (2, 2),
            _ => (1, 1),
        };
        if (least..=most).contains(&count) {
            return Ok(());
        }
        let expected = if least == most { least.to_string() } else { format!("at least {least}") };
        Err(Problem::new(format!("'{}' has {count} inputs", self.name())).expected(expected))
    }
}
