//! Formulas as expressions over tensors.
//!
//! `x() * sigmoid(x())` is the product of any tensor with its own sigmoid. [`super::pattern`] finds formulas in a
//! graph.

use std::ops::{Add, Div, Mul, Sub};

use super::pattern::Pattern;
use crate::card::Op;

/// The main tensor of a formula.
pub(super) fn x() -> Pattern {
    Pattern::Any(0)
}

/// Another tensor.
pub(super) fn y() -> Pattern {
    Pattern::Any(1)
}

pub(super) fn function(op: Op, of: Pattern) -> Pattern {
    Pattern::Function(op, Box::new(of))
}

pub(super) fn sigmoid(of: Pattern) -> Pattern {
    function(Op::Sigmoid {}, of)
}

pub(super) fn tanh(of: Pattern) -> Pattern {
    function(Op::Tanh {}, of)
}

pub(super) fn erf(of: Pattern) -> Pattern {
    function(Op::Erf {}, of)
}

pub(super) fn sqrt(of: Pattern) -> Pattern {
    function(Op::Sqrt { of_squares: false }, of)
}

pub(super) fn clip(of: Pattern, min: f64, max: f64) -> Pattern {
    function(Op::Clip { min, max }, of)
}

pub(super) fn least(of: Pattern, number: f64) -> Pattern {
    Pattern::Least(Box::new(of), number)
}

/// `x^2` or `x x`.
pub(super) fn square(of: Pattern) -> Pattern {
    let product = of.clone() * of.clone();
    Pattern::Either(Box::new(function(Op::Pow { exponent: 2.0 }, of)), Box::new(product))
}

/// `x^3` or `x x x`.
pub(super) fn cube(of: Pattern) -> Pattern {
    let product = of.clone() * of.clone() * of.clone();
    Pattern::Either(Box::new(function(Op::Pow { exponent: 3.0 }, of)), Box::new(product))
}

pub(super) fn mean(of: Pattern) -> Pattern {
    Pattern::Mean(Box::new(of))
}

impl Pattern {
    pub(super) fn named(self, letter: usize) -> Self {
        Self::Named(letter, Box::new(self))
    }

    /// Plus any number, which is found.
    pub(super) fn plus_number(self) -> Self {
        Self::Sum(vec![self], None)
    }
}

impl Mul for Pattern {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        match self {
            Self::Product(mut parts, number) if number == 1.0 => {
                parts.push(other);
                Self::Product(parts, number)
            }
            first => Self::Product(vec![first, other], 1.0),
        }
    }
}

impl Mul<f64> for Pattern {
    type Output = Self;

    fn mul(self, number: f64) -> Self {
        match self {
            // One constant per product, as the search has it.
            Self::Product(parts, own) => Self::Product(parts, own * number),
            other => Self::Product(vec![other], number),
        }
    }
}

impl Div<f64> for Pattern {
    type Output = Self;

    fn div(self, number: f64) -> Self {
        Mul::mul(self, number.recip())
    }
}

impl Add for Pattern {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::Sum(vec![self, other], Some(0.0))
    }
}

impl Add<f64> for Pattern {
    type Output = Self;

    fn add(self, number: f64) -> Self {
        match self {
            Self::Sum(parts, Some(own)) => Self::Sum(parts, Some(own + number)),
            other => Self::Sum(vec![other], Some(number)),
        }
    }
}

impl Sub for Pattern {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::Difference(Box::new(self), Box::new(other))
    }
}

impl Div for Pattern {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        Self::Quotient(Box::new(self), Box::new(other))
    }
}
