//! The inputs of a detector's head: one feature map per scale.
//!
//! The classes of all anchors are joined from one convolution per scale. Back from each, the first tensor that something
//! else reads, too, is what the head reads: the boxes are computed from it as well.

use super::{Choice, Model};
use crate::card::{Class, Op, ValueId};

impl Model {
    /// The inputs of a detector's head, the finest first; empty when there are not several.
    pub(super) fn head_inputs(&self) -> Vec<Choice> {
        let readers = self.readers();
        let explainable = self.explainable();
        let mut inputs: Vec<usize> =
            self.class_convolutions().into_iter().filter_map(|at| self.shared(at, &readers)).collect();
        inputs.retain(|at| explainable.contains(at));
        inputs.sort_unstable();
        inputs.dedup();
        // One scale is explained like any other network, at its last grid.
        if inputs.len() < 2 {
            return vec![];
        }
        let grids: Vec<String> =
            inputs.iter().filter_map(|at| self.grids[*at]).map(|grid| grid.to_string()).collect();
        let reason = format!("auto: the head reads a map of each scale ({})", grids.join(", "));
        let choice = |index: usize| Choice {
            index,
            name: self.graph.nodes[index].name.clone(),
            reason: reason.clone(),
            alternatives: vec![],
        };
        inputs.into_iter().map(choice).collect()
    }

    /// Number of nodes that read what each node gives.
    fn readers(&self) -> Vec<usize> {
        let mut readers = vec![0; self.graph.nodes.len()];
        for node in &self.graph.nodes {
            node.inputs.iter().filter_map(|id| id.node()).for_each(|at| readers[at] += 1);
        }
        readers
    }

    /// The last convolution of each scale on the way to the classes, behind nothing that computes.
    fn class_convolutions(&self) -> Vec<usize> {
        let Some(classes) = self.graph.nodes[self.scores].inputs.last() else { return vec![] };
        let mut open: Vec<ValueId> = vec![*classes];
        let mut found = Vec::new();
        while let Some(at) = open.pop().and_then(|id| id.node()) {
            let node = &self.graph.nodes[at];
            match node.op.class() {
                Class::Linear if matches!(node.op, Op::Conv2d { .. }) => found.push(at),
                // Of a scale's boxes and classes side by side the classes come last.
                Class::Join if self.shapes[at].len() == 4 => open.extend(node.inputs.last()),
                Class::Join | Class::Movement | Class::Nothing => open.extend(&node.inputs),
                _ => {}
            }
        }
        found
    }

    /// Back from a convolution, the first tensor that other nodes read, too.
    fn shared(&self, convolution: usize, readers: &[usize]) -> Option<usize> {
        let mut at = convolution;
        loop {
            at = self.graph.nodes[at].inputs.first()?.node()?;
            if readers[at] > 1 {
                return Some(at);
            }
        }
    }
}
