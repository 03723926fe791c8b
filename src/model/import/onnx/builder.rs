//! The graph in the making: nodes with provisional names, their shapes, and the weights that they take.
//!
//! Receives one operation at a time and hands on a [`Tensor`], whose shape is worked out for both batch sizes as the
//! operation is put in. Which operation, and its final name, are left to the others.

use std::collections::BTreeMap;

use ndarray::ArrayD;

use super::site::Tensor;
use crate::card::{Node, Op};
use crate::shapes;

/// A weight, and the name that the file has for it.
#[derive(Debug, Clone)]
pub(super) struct Weight {
    pub(super) values: ArrayD<f32>,
    /// The initialiser's name; empty for what was computed.
    pub(super) source: String,
}

/// A node of the graph, and the ONNX node that it came from.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) node: Node,
    /// Position of the ONNX node in its graph.
    pub(super) origin: usize,
}

/// The graph so far. Names of nodes and weights are numbers until the end.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) drafts: Vec<Draft>,
    pub(super) weights: BTreeMap<String, Weight>,
    /// Of weights and, once measured, of values: both go by numbers that are never used twice.
    shapes: BTreeMap<String, Vec<usize>>,
    /// The ONNX node that is being lowered.
    pub(super) origin: usize,
    count: usize,
}

impl Builder {
    /// An operation without weights on one value.
    pub(super) fn unary(&mut self, op: Op, input: &Tensor) -> Result<Tensor, String> {
        self.emit(op, &[input], vec![])
    }

    /// Puts in an operation and works out what it gives.
    pub(super) fn emit(
        &mut self,
        op: Op,
        inputs: &[&Tensor],
        weights: Vec<(&str, Weight)>,
    ) -> Result<Tensor, String> {
        let mut params = BTreeMap::new();
        for (role, weight) in weights {
            params.insert(role.to_owned(), self.store(weight));
        }
        let names = inputs.iter().map(|input| input.name.clone()).collect();
        let node = Node { name: self.fresh(), inputs: names, params, op };
        node.op.check()?;
        let shape = |lane: usize| {
            let shapes: Vec<&[usize]> = inputs.iter().map(|input| input.shapes[lane].as_slice()).collect();
            shapes::after(&node, &shapes, &self.shapes)
        };
        let tensor = Tensor { name: node.name.clone(), shapes: [shape(0)?, shape(1)?] };
        self.drafts.push(Draft { node, origin: self.origin });
        Ok(tensor)
    }

    /// Puts in a weight under a new key.
    pub(super) fn store(&mut self, weight: Weight) -> String {
        let key = self.fresh();
        self.shapes.insert(key.clone(), weight.values.shape().to_vec());
        self.weights.insert(key.clone(), weight);
        key
    }

    /// The shape of a value, for a batch of [`BATCHES`](super::constant::BATCHES)`[0]`.
    pub(super) fn shape(&self, name: &str) -> &[usize] {
        self.shapes.get(name).map_or(&[], Vec::as_slice)
    }

    /// Works all shapes out again, after nodes or weights were changed.
    pub(super) fn measure(&mut self, input: &Tensor) -> Result<(), String> {
        self.shapes =
            self.weights.iter().map(|(key, weight)| (key.clone(), weight.values.shape().to_vec())).collect();
        self.shapes.insert(input.name.clone(), input.shapes[0].clone());
        for Draft { node, .. } in &self.drafts {
            let inputs: Vec<&[usize]> =
                node.inputs.iter().map(|name| self.shapes.get(name).map_or(&[][..], Vec::as_slice)).collect();
            let shape = shapes::after(node, &inputs, &self.shapes)?;
            self.shapes.insert(node.name.clone(), shape);
        }
        Ok(())
    }

    fn fresh(&mut self) -> String {
        self.count += 1;
        self.count.to_string()
    }
}
