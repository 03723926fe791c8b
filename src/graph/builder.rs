//! The builder: operations on tensors by number, each checked and its shape worked out as it is put in.
//!
//! Architectures, the ONNX importer and capture all go through it. Receives one operation at a time with what it reads and the
//! weights that it takes, returns a [`Tensor`]. When all are in, [`Builder::end_at`] gives the [`Draft`], which
//! [`crate::passes::canonicalise`] brings to the form that every source shares and [`Draft::finish`] makes a graph under the
//! caller's names.
//!
//! ```
//! use burncam_graph::builder::{Builder, Weight};
//! use burncam_graph::card::{InputSpec, Layout, Op};
//! use burncam_graph::passes;
//!
//! let input = InputSpec { name: "input".into(), channels: 3, height: 8, width: 8, layout: Layout::default() };
//! let (mut builder, x) = Builder::new(input, [1]);
//! let filters = Weight { shape: vec![4, 3, 3, 3], values: vec![0.1; 108], source: "conv.weight".into() };
//! let conv = Op::Conv2d { stride: [1, 1], padding: [0; 4], dilation: [1, 1], groups: 1 };
//! let x = builder.emit(conv, &[&x], vec![("weight", filters)])?;
//! assert_eq!(x.shapes, [[1, 4, 6, 6]]);
//! let gate = builder.unary(Op::Sigmoid {}, &x)?;
//! let y = builder.emit(Op::Mul { scalar: None }, &[&x, &gate], vec![])?;
//! let mut draft = builder.end_at(&y);
//! passes::canonicalise(&mut draft);
//! let names = ["conv".to_owned(), "act".to_owned()];
//! let finished = draft.finish(&names, |node, role, _| format!("{node}.{role}"))?;
//! assert_eq!(finished.graph.nodes[1].op, Op::Silu {});
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod activation;
mod classifier;
mod derived;
mod head;
mod joins;
mod layers;
mod movement;
mod pools;
mod window;

use std::collections::BTreeMap;

pub use crate::card::ValueId;
pub use crate::draft::{Draft, DraftNode, Finished, Weight, WeightId};

pub use activation::{ACTIVATIONS, Activation};
pub use derived::{Derived, Named, Rule};
pub use head::{Head, HeadLayer};
pub use layers::{Built, GraphBuilder, Value};
pub use window::{Conv, Pool};

use crate::card::{InputSpec, Op};
use crate::error::Problem;
use crate::shapes::{self, Stored};

/// The result of an operation: its number, and its shape for each of the batch sizes that the builder was made for.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<const LANES: usize = 1> {
    /// Its number in the graph.
    pub id: ValueId,
    /// Its shape for each batch size. Where the two of a pair differ, the axis depends on the batch.
    pub shapes: [Vec<usize>; LANES],
}

/// A graph being built.
#[derive(Debug, Clone)]
pub struct Builder {
    draft: Draft,
    /// The mark that nodes get, for example the position of the source's node that is being translated.
    pub origin: usize,
}

impl Builder {
    /// Starts with the input, `[batch, channels, height, width]` for each of `batches`.
    #[must_use]
    pub fn new<const LANES: usize>(input: InputSpec, batches: [usize; LANES]) -> (Self, Tensor<LANES>) {
        let shapes = batches.map(|batch| vec![batch, input.channels, input.height, input.width]);
        let draft = Draft::new(input, shapes.first().cloned().unwrap_or_default());
        (Self { draft, origin: 0 }, Tensor { id: ValueId::INPUT, shapes })
    }

    /// Puts in an operation without weights on one tensor.
    ///
    /// # Errors
    /// As [`Builder::emit`].
    pub fn unary<const LANES: usize>(
        &mut self,
        op: Op,
        input: &Tensor<LANES>,
    ) -> Result<Tensor<LANES>, Problem> {
        self.emit(op, &[input], vec![])
    }

    /// Puts in an operation with new weights.
    ///
    /// # Errors
    /// As [`Builder::emit_with`].
    pub fn emit<const LANES: usize>(
        &mut self,
        op: Op,
        inputs: &[&Tensor<LANES>],
        weights: Vec<(&str, Weight)>,
    ) -> Result<Tensor<LANES>, Problem> {
        let params = weights.into_iter().map(|(role, weight)| (role, self.draft.store(weight))).collect();
        self.emit_with(op, inputs, params)
    }

    /// Puts in an operation with weights that were stored before, which several nodes may share.
    ///
    /// # Errors
    /// When the settings are out of range, or inputs, weights and settings do not fit together for one of the batch sizes.
    pub fn emit_with<const LANES: usize>(
        &mut self,
        op: Op,
        inputs: &[&Tensor<LANES>],
        weights: Vec<(&str, WeightId)>,
    ) -> Result<Tensor<LANES>, Problem> {
        // Settings first: the rules of shapes multiply them and must not overflow.
        op.check()?;
        let params = self.by_role(&op, weights)?;
        // Before shapes: the rules index their inputs.
        op.check_arity(inputs.len(), params.contains_key("other"))?;
        let stored: Vec<Stored> = params
            .iter()
            .map(|(role, id)| (*role, self.draft.weight(*id)))
            .map(|(role, weight)| Stored { role, name: &weight.source, shape: Some(&weight.shape) })
            .collect();
        let mut shapes = [const { Vec::new() }; LANES];
        for (lane, shape) in shapes.iter_mut().enumerate() {
            let inputs: Vec<&[usize]> = inputs.iter().map(|input| input.shapes[lane].as_slice()).collect();
            // The same rules for every batch size: an axis that differs between the results depends on the batch.
            *shape = shapes::after(&op, &inputs, &stored)?;
        }
        let inputs = inputs.iter().map(|input| input.id).collect();
        let node = DraftNode { op, inputs, params, origin: self.origin };
        let id = self.draft.push(node, shapes.first().cloned().unwrap_or_default());
        Ok(Tensor { id, shapes })
    }

    /// Keeps a weight for [`Builder::emit_with`].
    pub fn store(&mut self, weight: Weight) -> WeightId {
        self.draft.store(weight)
    }

    /// The nodes so far.
    #[must_use]
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Ends the graph: what does not lead to `output` is left out.
    #[must_use]
    pub fn end_at<const LANES: usize>(mut self, output: &Tensor<LANES>) -> Draft {
        self.draft.end_at(output.id);
        self.draft
    }

    fn into_draft(self) -> Draft {
        self.draft
    }

    /// The weights by the operation's own roles.
    fn by_role(
        &self,
        op: &Op,
        weights: Vec<(&str, WeightId)>,
    ) -> Result<BTreeMap<&'static str, WeightId>, Problem> {
        let roles = op.roles();
        let find = |role: &str| roles.iter().find(|(own, _)| *own == role).map(|(own, _)| *own);
        let unknown = |role: &str| Problem::new(format!("'{}' has no parameter '{role}'", op.name()));
        weights.into_iter().map(|(role, id)| Ok((find(role).ok_or_else(|| unknown(role))?, id))).collect()
    }
}

impl<const LANES: usize> Tensor<LANES> {
    /// Number of axes.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.shapes.first().map_or(0, Vec::len)
    }

    /// The size along `axis`, when it does not depend on the batch.
    ///
    /// # Errors
    /// When it does, or there is no such axis.
    pub fn side(&self, axis: usize) -> Result<usize, Problem> {
        let mut sides = self.shapes.iter().map(|shape| shape.get(axis).copied());
        match sides.next().flatten() {
            Some(first) if sides.all(|side| side == Some(first)) => Ok(first),
            // Sizes that differ between the lanes are those of the batch: a graph for any batch cannot name them.
            Some(_) => Err(format!("works along axis {axis}, which is the batch").into()),
            None => Err(format!("works along axis {axis}, but its input has rank {}", self.rank()).into()),
        }
    }

    /// Whether the size along `axis` depends on the batch.
    #[must_use]
    pub fn is_batch(&self, axis: usize) -> bool {
        let mut sides = self.shapes.iter().map(|shape| shape.get(axis));
        let first = sides.next().flatten();
        sides.any(|side| side != first)
    }
}
