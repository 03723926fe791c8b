//! What exporters take apart is put together again: the graph computes the same with fewer and better known nodes.
//!
//! Works on the finished [`Builder`]: orders of axes that undo each other go away, a bias added behind a product joins
//! it, arithmetic that a batch norm was taken apart into becomes one again, and so do activations. Every rule looks at
//! values that only one node reads, so that nothing else can notice.

mod activations;
mod affine;
mod norms;
mod transposes;

use std::collections::HashMap;

use super::builder::{Builder, Draft};
use super::site::Tensor;

/// Puts the graph from `input` to `output` in order; gives the name of the value that is the output afterwards.
///
/// # Errors
/// Never, unless a rule is wrong: the shapes are worked out again after the axes were turned.
pub(super) fn tidy(builder: &mut Builder, input: &Tensor, output: &Tensor) -> Result<String, String> {
    let mut graph = Tidy { builder, output: output.name.clone() };
    graph.remove_unread();
    while graph.sink_transposes() || graph.cancel_transposes() {}
    graph.remove_unread();
    graph.builder.measure(input)?;
    graph.join_biases();
    graph.join_affine();
    graph.join_norms();
    graph.join_activations();
    graph.remove_unread();
    Ok(graph.output)
}

struct Tidy<'a> {
    builder: &'a mut Builder,
    output: String,
}

impl Tidy<'_> {
    fn drafts(&mut self) -> &mut Vec<Draft> {
        &mut self.builder.drafts
    }

    /// How many nodes read each value; the output is read by the caller.
    fn readers(&self) -> HashMap<String, usize> {
        let mut readers = HashMap::from([(self.output.clone(), 1)]);
        for input in self.builder.drafts.iter().flat_map(|draft| &draft.node.inputs) {
            *readers.entry(input.clone()).or_insert(0) += 1;
        }
        readers
    }

    /// The node before `at`, when `at` is its only reader and it is not the output.
    fn only_before(&self, at: usize, readers: &HashMap<String, usize>) -> Option<usize> {
        let [input] = &self.builder.drafts[at].node.inputs[..] else { return None };
        let before = self.builder.drafts[..at].iter().rposition(|draft| draft.node.name == *input)?;
        (readers.get(input) == Some(&1)).then_some(before)
    }

    /// Lets everything that read `from` read `to`.
    fn redirect(&mut self, from: &str, to: &str) {
        for input in self.drafts().iter_mut().flat_map(|draft| &mut draft.node.inputs) {
            if input == from {
                to.clone_into(input);
            }
        }
        if self.output == from {
            to.clone_into(&mut self.output);
        }
    }

    fn remove_unread(&mut self) {
        loop {
            let readers = self.readers();
            let count = self.builder.drafts.len();
            self.drafts().retain(|draft| readers.contains_key(&draft.node.name));
            if self.builder.drafts.len() == count {
                return;
            }
        }
    }

    /// `before` takes the place of `at`, which is done with.
    fn merge(&mut self, before: usize, at: usize) {
        let [kept, gone] = [before, at].map(|at| self.builder.drafts[at].node.name.clone());
        self.redirect(&gone, &kept);
        self.drafts().remove(at);
    }
}
