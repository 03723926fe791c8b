//! The loops of an elimination where the CPU has wider registers.
//!
//! Sums keep their order, so that results are the same to the last digit.

use burncam_graph::wide;

use super::loops::{self, Rows};

wide!(pub(super) fn eliminate(values: &mut [f64], width: usize, pivots: usize, inverse: &mut Vec<f64>) = loops::eliminate);
wide!(pub(super) fn forward(factor: Rows<'_>, sides: &mut [f64]) = loops::forward);
wide!(pub(super) fn backward(factor: Rows<'_>, sides: &mut [f64]) = loops::backward);
