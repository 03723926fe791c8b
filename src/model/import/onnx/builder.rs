//! The graph's builder as the importer uses it: weights are arrays, and every shape is worked out for both batch sizes.
//!
//! Receives one operation at a time and returns a [`Tensor`]. Which operation, and its final name, are left to the others.

use ndarray::ArrayD;

use super::constant::BATCHES;
use super::file;
use crate::builder::{self, Draft};
use crate::card::{InputSpec, Layout, Op};
use crate::error::Problem;

/// A tensor of the graph, with its shape for each of the [`BATCHES`].
pub(super) type Tensor = builder::Tensor<2>;

/// The axis of rows of a picture, `[batch, channels, height, width]`.
pub(super) const ROW: usize = 2;

/// A weight and its name in the file.
#[derive(Debug, Clone)]
pub(super) struct Weight {
    pub(super) values: ArrayD<f32>,
    /// The initialiser's name; empty for computed weights.
    pub(super) source: String,
}

impl From<Weight> for builder::Weight {
    fn from(Weight { values, source }: Weight) -> Self {
        Self { shape: values.shape().to_vec(), values: in_order(values), source }
    }
}

/// The elements in row-major order, without a copy where the array has exactly these in memory.
#[allow(clippy::disallowed_methods)] // memory order is logical order where it is used
fn in_order(values: ArrayD<f32>) -> Vec<f32> {
    // Arrays that were sliced, tiled, turned or joined keep their values in another order than the one they are read in.
    if !values.is_standard_layout() {
        return values.into_iter().collect();
    }
    let count = values.len();
    let (mut all, start) = values.into_raw_vec_and_offset();
    // A slice in order still owns the elements around it.
    all.truncate(start.unwrap_or(0) + count);
    all.drain(..start.unwrap_or(0));
    all
}

/// The graph so far.
#[derive(Debug)]
pub(super) struct Builder {
    graph: builder::Builder,
    /// Elements that further weights may have together.
    room: usize,
}

impl Builder {
    /// Starts with the graph's own input. Its weights may have `room` elements together.
    pub(super) fn new(input: InputSpec, room: usize) -> (Self, Tensor) {
        let (graph, tensor) = builder::Builder::new(input, BATCHES);
        (Self { graph, room }, tensor)
    }

    /// Starts a graph in which nothing but constants is read.
    pub(super) fn of_constants(room: usize) -> Self {
        let input =
            InputSpec { name: String::new(), channels: 1, height: 1, width: 1, layout: Layout::default() };
        Self::new(input, room).0
    }

    /// Elements that further weights may have together.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// What follows comes from the ONNX node at this position.
    pub(super) fn begin(&mut self, origin: usize) {
        self.graph.origin = origin;
    }

    /// An operation without weights on one tensor.
    pub(super) fn unary(&mut self, op: Op, input: &Tensor) -> Result<Tensor, Problem> {
        self.graph.unary(op, input)
    }

    /// Adds an operation and infers its output shapes.
    pub(super) fn emit(
        &mut self,
        op: Op,
        inputs: &[&Tensor],
        weights: Vec<(&str, Weight)>,
    ) -> Result<Tensor, Problem> {
        let elements: usize = weights.iter().map(|(_, weight)| weight.values.len()).sum();
        self.room = self.room.checked_sub(elements).ok_or_else(file::too_large)?;
        let weights = weights.into_iter().map(|(role, weight)| (role, weight.into())).collect();
        self.graph.emit(op, inputs, weights)
    }

    /// The graph that leads to `output`.
    pub(super) fn end_at(self, output: &Tensor) -> Draft {
        self.graph.end_at(output)
    }
}

/// The axis of the pictures, if there is exactly one.
pub(super) fn batch_axis(tensor: &Tensor) -> Option<usize> {
    let mut axes = (0..tensor.rank()).filter(|axis| tensor.is_batch(*axis));
    axes.next().filter(|_| axes.next().is_none())
}

/// The shape that the file gives to a merged tensor, for both batch sizes.
pub(super) fn shapes_in_file(tensor: &Tensor) -> Result<[Vec<usize>; 2], Problem> {
    let at = place(tensor)?;
    Ok(tensor.shapes.clone().map(|mut shape| {
        let count = shape.remove(at + 1);
        shape[at] *= count;
        shape
    }))
}

/// The axis of the pictures of a merged tensor, after which that of their parts comes.
pub(super) fn place(tensor: &Tensor) -> Result<usize, Problem> {
    let at = batch_axis(tensor).filter(|at| at + 1 < tensor.rank());
    at.ok_or_else(|| {
        Problem::new("mixes the pictures of a batch").expected("the batch to stay an axis of its own")
    })
}

/// The shape that the file gives to a sequence, for both batch sizes.
pub(super) fn without_row(row: &Tensor) -> [Vec<usize>; 2] {
    row.shapes.clone().map(|mut shape| {
        if shape.len() > ROW {
            shape.remove(ROW);
        }
        shape
    })
}
