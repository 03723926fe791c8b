//! Layers that move values and compute nothing.

use std::ops::Range;

use super::layers::{GraphBuilder, Value};
use crate::card::{Op, PadMode};

impl GraphBuilder {
    /// Axes in a new order.
    pub fn transpose(&mut self, name: &str, input: &Value, perm: &[usize]) -> Value {
        self.plain(name, input, Op::Transpose { perm: perm.to_vec() })
    }

    /// Another shape for the same values; 0 keeps the size at its place.
    pub fn reshape(&mut self, name: &str, input: &Value, shape: &[usize]) -> Value {
        // The greatest integer fits no tensor, so that the shape is refused and not cut.
        let shape = shape.iter().map(|side| i64::try_from(*side).unwrap_or(i64::MAX)).collect();
        self.plain(name, input, Op::Reshape { shape })
    }

    /// From `start` up to but without `end`, every `step`-th, along `axis`.
    pub fn slice(
        &mut self,
        name: &str,
        input: &Value,
        axis: usize,
        range: Range<usize>,
        step: usize,
    ) -> Value {
        self.plain(name, input, Op::Slice { axis, start: range.start, end: range.end, step })
    }

    /// Rows of zeros above and below, and columns left and right.
    pub fn pad(&mut self, name: &str, input: &Value, padding: [usize; 4]) -> Value {
        self.plain(name, input, Op::Pad { padding, mode: PadMode::Constant, value: 0.0 })
    }
}
