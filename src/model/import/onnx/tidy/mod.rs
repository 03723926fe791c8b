//! Canonicalises the finished graph: what exporters take apart becomes one operation again.
//!
//! Works on the finished [`Builder`]: transposes that undo each other go away, a bias added to a product joins it,
//! arithmetic that a batch norm was taken apart into becomes one again, and so do norms and activations. Rules that
//! remove a value ask that only one node reads it.
//!
//! Every rule looks at a node and a few before it, and positions, readers and names are indexed, so that the work grows
//! with the number of nodes and not with its square.

mod activations;
mod affine;
mod norms;
mod transposes;

use std::collections::HashMap;

use super::builder::{Builder, Draft};
use super::site::Tensor;
use crate::card::Node;

/// Canonicalises the graph from `input` to `output`; returns the name of the value that is the output afterwards.
///
/// # Errors
/// Never, unless a rule is wrong: shapes are inferred again after axes were turned.
pub(super) fn tidy(builder: &mut Builder, input: &Tensor, output: &Tensor) -> Result<String, String> {
    let mut graph = Tidy::new(builder, output.name.clone());
    graph.apply_rules(input)?;
    Ok(graph.output)
}

/// The graph while rules work on it. A removed node keeps its position until [`Tidy::remove_unread`].
struct Tidy<'a> {
    builder: &'a mut Builder,
    output: String,
    /// Positions of the nodes that are not removed, by name.
    places: HashMap<String, usize>,
    /// How often each node's value is read; by the caller, too, for the output.
    counts: Vec<usize>,
    /// Positions of all nodes that read each value. Those that read it no longer may still be listed.
    readers: Vec<Vec<usize>>,
    /// How many nodes the rules have looked at, which a test holds against the size of the graph.
    #[cfg(test)]
    looks: std::cell::Cell<usize>,
}

impl<'a> Tidy<'a> {
    fn new(builder: &'a mut Builder, output: String) -> Self {
        let mut graph = Self {
            builder,
            output,
            places: HashMap::new(),
            counts: vec![],
            readers: vec![],
            #[cfg(test)]
            looks: std::cell::Cell::default(),
        };
        graph.index();
        graph
    }

    fn apply_rules(&mut self, input: &Tensor) -> Result<(), String> {
        self.remove_unread();
        self.join_transposes();
        self.remove_unread();
        self.builder.measure(input)?;
        self.join_biases();
        self.join_affine();
        self.join_norms();
        self.join_activations();
        self.remove_unread();
        Ok(())
    }

    /// Finds out who reads whom.
    fn index(&mut self) {
        let drafts = &self.builder.drafts;
        self.places = drafts.iter().enumerate().map(|(at, draft)| (draft.node.name.clone(), at)).collect();
        self.counts = vec![0; drafts.len()];
        self.readers = vec![vec![]; drafts.len()];
        for at in 0..self.builder.drafts.len() {
            self.note_reads(at);
        }
        if let Some(at) = self.place(&self.output) {
            self.counts[at] += 1;
        }
    }

    fn node(&self, at: usize) -> &Node {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
        &self.builder.drafts[at].node
    }

    /// Position of the node that gives the value `name`; none for the graph's input.
    fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Positions of the nodes that are not removed, in an order in which they can run.
    fn positions(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let mut positions: Vec<usize> = self.places.values().copied().collect();
        positions.sort_unstable();
        positions.into_iter()
    }

    fn is_removed(&self, at: usize) -> bool {
        !self.places.contains_key(&self.builder.drafts[at].node.name)
    }

    /// The node before `at`, when `at` is its only reader and it is not the output.
    fn only_before(&self, at: usize) -> Option<usize> {
        let [input] = &self.node(at).inputs[..] else { return None };
        self.place(input).filter(|before| self.counts[*before] == 1)
    }

    fn note_reads(&mut self, at: usize) {
        for input in &self.builder.drafts[at].node.inputs {
            if let Some(giver) = self.places.get(input) {
                self.counts[*giver] += 1;
                self.readers[*giver].push(at);
            }
        }
    }

    fn forget_reads(&mut self, at: usize) {
        for input in &self.builder.drafts[at].node.inputs {
            if let Some(giver) = self.places.get(input) {
                self.counts[*giver] -= 1;
            }
        }
    }

    /// Changes a node, its inputs included.
    fn change(&mut self, at: usize, change: impl FnOnce(&mut Node)) {
        self.forget_reads(at);
        change(&mut self.builder.drafts[at].node);
        self.note_reads(at);
    }

    /// Removes `at`; what read it reads the value `source` from now on.
    fn replace(&mut self, at: usize, source: &str) {
        let name = self.builder.drafts[at].node.name.clone();
        let giver = self.place(source);
        for reader in std::mem::take(&mut self.readers[at]) {
            if self.is_removed(reader) {
                continue;
            }
            let inputs = &mut self.builder.drafts[reader].node.inputs;
            let mut count = 0;
            for input in inputs.iter_mut().filter(|input| **input == name) {
                source.clone_into(input);
                count += 1;
            }
            if let Some(giver) = giver.filter(|_| count > 0) {
                self.counts[giver] += count;
                self.readers[giver].push(reader);
            }
        }
        if self.output == name {
            source.clone_into(&mut self.output);
            giver.into_iter().for_each(|giver| self.counts[giver] += 1);
        }
        self.remove(at);
    }

    fn remove(&mut self, at: usize) {
        self.forget_reads(at);
        self.places.remove(&self.builder.drafts[at].node.name);
    }

    /// Removes all nodes that nothing reads, and gives the others new positions.
    fn remove_unread(&mut self) {
        for at in self.positions().rev() {
            if self.counts[at] == 0 {
                self.remove(at);
            }
        }
        let places = &self.places;
        self.builder.drafts.retain(|Draft { node, .. }| places.contains_key(&node.name));
        self.index();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::Op;

    /// Blocks of what exporters take apart, one after the other: what is left of them, and how many nodes were looked at.
    fn chain(blocks: usize) -> (usize, usize) {
        let mut builder = Builder::default();
        let input = Tensor { name: "input".into(), shapes: [vec![2, 3, 4, 4], vec![3, 3, 4, 4]] };
        let mut x = input.clone();
        for _ in 0..blocks {
            let mut then = |op: Op, inputs: &[&Tensor]| builder.emit(op, inputs, vec![]).unwrap();
            let gate = then(Op::HardSigmoid { alpha: 1.0 / 6.0, beta: 0.5 }, &[&x]);
            let swish = then(Op::Mul { scalar: None }, &[&x, &gate]);
            let last = then(Op::Transpose { perm: vec![0, 2, 3, 1] }, &[&swish]);
            let relu = then(Op::Relu {}, &[&last]);
            let first = then(Op::Transpose { perm: vec![0, 3, 1, 2] }, &[&relu]);
            x = then(Op::Add { scalar: None }, &[&x, &first]);
        }
        let mut graph = Tidy::new(&mut builder, x.name);
        graph.apply_rules(&input).unwrap();
        let looks = graph.looks.get();
        (builder.drafts.len(), looks)
    }

    #[test]
    fn the_work_grows_with_the_graph_and_not_with_its_square() {
        let ((few, few_looks), (many, many_looks)) = (chain(100), chain(2000));
        // Hard swish, ReLU and the sum.
        assert_eq!((few, many), (300, 6000));
        assert!(many_looks <= 21 * few_looks, "{few_looks} looks at 600 nodes, {many_looks} at 12,000");
    }
}
