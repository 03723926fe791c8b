//! The inputs of a detector's head: one feature map per scale. Those of queries are found by `ends.rs`.
//!
//! The classes of all anchors are joined from one convolution per scale. Back from each, the first tensor that something
//! else reads, too, is what the head reads: the boxes are computed from it as well.

use std::collections::HashSet;

use super::{Choice, Model};
use crate::card::{Class, Op, ValueId};
use crate::output::{Anchors, OutputForm};

impl Model {
    /// The inputs of a detector's head, the finest first; empty when there are not several.
    pub(super) fn head_inputs(&self) -> Vec<Choice> {
        let readers = self.readers();
        let explainable = self.explainable();
        let convolutions = self.class_convolutions();
        if convolutions.is_empty() {
            return self.scales_of_queries();
        }
        let mut inputs: Vec<usize> =
            convolutions.into_iter().filter_map(|at| self.shared(at, &readers)).collect();
        inputs.retain(|at| explainable.contains(at));
        inputs.sort_unstable();
        inputs.dedup();
        // One scale is explained like any other network, at its last grid.
        if inputs.len() < 2 {
            return vec![];
        }
        let reason = format!("auto: the head reads a map of each scale ({})", self.grids_in_words(&inputs));
        inputs.into_iter().map(|index| self.choice(index, reason.clone())).collect()
    }

    /// Number of nodes that read what each node gives.
    fn readers(&self) -> Vec<usize> {
        let mut readers = vec![0; self.graph.nodes.len()];
        for node in &self.graph.nodes {
            node.inputs.iter().filter_map(|id| id.node()).for_each(|at| readers[at] += 1);
        }
        readers
    }

    /// The last convolution of each scale on the way to the classes, behind nothing that computes; and whether only a part of its
    /// channels are classes.
    fn class_convolutions(&self) -> Vec<(usize, bool)> {
        let Some(classes) = self.graph.nodes[self.scores].inputs.last() else { return vec![] };
        // Of a part of a convolution's channels the others are boxes.
        let mut open: Vec<(ValueId, bool)> = vec![(*classes, false)];
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        if let OutputForm::Anchors(Anchors { has_objectness: true, .. }) = self.output.form {
            // The row before the classes, which is computed with the boxes.
            let before = self.graph.nodes[self.scores].inputs.iter().rev().nth(1);
            seen.extend(before.into_iter().flat_map(|id| [(*id, false), (*id, true)]));
        }
        while let Some((id, is_part)) = open.pop() {
            let Some(at) = id.node().filter(|_| seen.insert((id, is_part))) else { continue };
            let node = &self.graph.nodes[at];
            // What was added behind the output makes of logits what is explained.
            let is_added = self.graph.output.node().is_some_and(|last| at > last);
            let is_part = is_part || matches!(node.op, Op::Slice { .. } | Op::Split { .. });
            match node.op.class() {
                Class::Linear if matches!(node.op, Op::Conv2d { .. }) => found.push((at, is_part)),
                // Of a scale's boxes and classes side by side the classes come last.
                Class::Join if self.shapes[at].len() == 4 => {
                    open.extend(node.inputs.last().map(|id| (*id, false)));
                }
                Class::Join | Class::Movement | Class::Nothing => {
                    open.extend(node.inputs.iter().map(|id| (*id, is_part)));
                }
                _ if is_added => open.extend(node.inputs.iter().map(|id| (*id, is_part))),
                _ => {}
            }
        }
        found
    }

    /// Back from a convolution, the first tensor that other nodes read, too. What gives boxes and classes at once reads it itself.
    fn shared(&self, (convolution, is_part): (usize, bool), readers: &[usize]) -> Option<usize> {
        let mut at = convolution;
        loop {
            at = self.graph.nodes[at].inputs.first()?.node()?;
            if readers[at] > 1 || is_part {
                return Some(at);
            }
        }
    }
}
