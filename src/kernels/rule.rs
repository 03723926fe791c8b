//! What a backward pass does at rectifiers.
//!
//! Receives an operation, says whether a rule replaces its derivative. The loops are in the kernels; other engines have their own.

use crate::card::Op;

/// The backward rule of a rectifier with input `x`, for the gradient `g` of its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `g` where `x > 0`: the derivative.
    Plain,
    /// `g` where `x > 0` and `g > 0`: guided backpropagation, Springenberg et al. 2015, arXiv:1412.6806, equation 1.
    Guided(Rectifiers),
    /// `g` where `g > 0`, for any input: the deconvolution of Zeiler & Fergus 2014, arXiv:1311.2901.
    ///
    /// The paper passes the gradient through the same rectifier. For `relu6` only the lower bound applies: the upper
    /// one is in units of activations, which gradients do not have.
    Deconvolution(Rectifiers),
}

/// The operations that a [`Rule`] treats as rectifiers; all others use the derivative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rectifiers {
    /// `relu` alone, as in captum and pytorch-grad-cam.
    Relu,
    /// `relu` and `relu6`, which passes guided gradients only where `x < 6` too.
    ReluAndRelu6,
}

impl Rectifiers {
    /// Whether an operation is one of them.
    #[must_use]
    pub fn hold(self, op: &Op) -> bool {
        Rectifier::of(op).is_some_and(|rectifier| self.include(rectifier))
    }

    fn include(self, rectifier: Rectifier) -> bool {
        rectifier == Rectifier::Relu || self == Self::ReluAndRelu6
    }
}

/// A rectifier that rules apply to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rectifier {
    Relu,
    Relu6,
}

impl Rectifier {
    pub(crate) fn of(op: &Op) -> Option<Self> {
        match op {
            Op::Relu {} => Some(Self::Relu),
            Op::Relu6 {} => Some(Self::Relu6),
            _ => None,
        }
    }
}

/// What passes at one operation under a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    /// The gradient times the slope.
    Derivative,
    /// The same of the positive part of the gradient.
    PositiveDerivative,
    /// The positive part of the gradient.
    Positive,
}

impl Rule {
    pub(crate) fn passage(self, rectifier: Option<Rectifier>) -> Passage {
        let holds = |which: Rectifiers| rectifier.is_some_and(|rectifier| which.include(rectifier));
        match self {
            Self::Guided(which) if holds(which) => Passage::PositiveDerivative,
            Self::Deconvolution(which) if holds(which) => Passage::Positive,
            _ => Passage::Derivative,
        }
    }
}
