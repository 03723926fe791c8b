//! The layer that is explained when none is named.
//!
//! The last grid over the picture before the scores. In a transformer the last block's first norm: what attention reads.
//! Behind the last attention most of them read the class token alone, and the patches there no longer move a score.

use super::{Choice, Model, passes_through};
use crate::card::{Class, Op};
use crate::error::{Error, Result};
use crate::layout::{Form, Grid};

impl Model {
    pub(super) fn auto_layer(&self) -> Result<Choice> {
        let explainable = self.with_read_cells();
        let (index, reason) = match self.before_last_attention(&explainable) {
            Some(index) => (index, self.because_of_attention(index)),
            None => {
                let index = self.last_grid(&explainable).ok_or_else(|| {
                    Error::model(
                        self.file_name(),
                        "has no layer with a spatial extent before its logits, so no map can be computed",
                    )
                })?;
                let index = self.before_projection(index);
                (index, self.because_it_is_last(index))
            }
        };
        let mut alternatives: Vec<_> =
            explainable.iter().rev().filter(|other| **other != index).copied().collect();
        alternatives.retain(|other| !passes_through(&self.graph.nodes[*other].op));
        let name = |at: &usize| self.graph.nodes[*at].name.clone();
        Ok(Choice {
            alternatives: alternatives.iter().take(5).map(name).collect(),
            branches: self.branches_beside(index).iter().map(name).collect(),
            ..self.choice(index, reason)
        })
    }

    /// The last layer with a grid, pooling and dropout aside.
    fn last_grid(&self, explainable: &[usize]) -> Option<usize> {
        let last = |is_fit: &dyn Fn(Grid) -> bool| {
            let mut layers = explainable.iter().rev().copied();
            layers
                .find(|at| !passes_through(&self.graph.nodes[*at].op) && self.grids[*at].is_some_and(is_fit))
        };
        last(&|grid| grid.is_certain).or_else(|| last(&|_| true)).or(explainable.last().copied())
    }

    /// In a transformer the norm before the last attention; for norms after it, as in Swin V2, the one after it.
    /// `None` when convolutions follow, which make a later grid.
    fn before_last_attention(&self, explainable: &[usize]) -> Option<usize> {
        let leads = self.leads_to_logits();
        let mut on_the_way = (0..=self.scores).rev().filter(|at| leads.contains(at));
        let attention = on_the_way.find(|at| self.graph.nodes[*at].op.class() == Class::Product)?;
        let is_convolution = |at: &usize| matches!(self.graph.nodes[*at].op, Op::Conv2d { .. });
        // A hybrid such as MobileViT: convolutions after the attention make a later grid.
        if explainable.iter().any(|at| *at > attention && is_convolution(at)) {
            return None;
        }
        let is_norm = |at: &usize| self.is_norm_of_grid(*at);
        let norms: Vec<usize> = explainable.iter().copied().filter(is_norm).collect();
        let before = self.sources_of_attention(attention);
        let first = norms.iter().rev().find(|at| before.contains(at));
        first.or_else(|| norms.iter().find(|at| **at > attention)).copied()
    }

    /// Of a layer that projects tokens for an attention without a norm, as poolings of convolutional networks have it, the grid that the
    /// tokens are made of; any other layer itself.
    fn before_projection(&self, index: usize) -> usize {
        let is_product = |at: &usize| self.graph.nodes[*at].op.class() == Class::Product;
        let attention = (0..=self.scores).rev().find(is_product);
        let projects = matches!(self.graph.nodes[index].op, Op::Linear {});
        if !projects || !attention.is_some_and(|at| self.sources_of_attention(at).contains(&index)) {
            return index;
        }
        let mut at = index;
        loop {
            let node = &self.graph.nodes[at];
            let is_made_of_one = at == index
                || match node.op.class() {
                    Class::Movement | Class::Nothing | Class::Join => true,
                    Class::Arithmetic => node.inputs.len() == 1,
                    _ => false,
                };
            let mut grids = node.inputs.iter().filter_map(|id| id.node()).filter(|at| self.has_extent(*at));
            match (is_made_of_one, grids.next(), grids.next()) {
                (true, Some(before), None) => at = before,
                _ => return self.before_moves(at),
            }
        }
    }

    /// The nodes from which an attention is made, as far back as the sums that end the block before it.
    fn sources_of_attention(&self, attention: usize) -> Vec<usize> {
        let mut sources = vec![attention];
        let mut next = 0;
        while let Some(at) = sources.get(next).copied() {
            let node = &self.graph.nodes[at];
            let ends = next > 0 && (node.adds_computed() || self.is_norm_of_grid(at));
            let inputs = node.inputs.iter().filter(|_| !ends).filter_map(|id| id.node());
            // A few dozen nodes between two sums: a list is searched as fast as a set.
            let new: Vec<usize> = inputs.filter(|input| !sources.contains(input)).collect();
            sources.extend(new);
            next += 1;
        }
        sources
    }

    /// Whether it is a norm whose output certainly is a grid: that of an attention's heads may only look like one.
    pub(super) fn is_norm_of_grid(&self, at: usize) -> bool {
        let is_grid = self.grids[at].is_some_and(|grid| grid.is_certain);
        is_grid && self.graph.nodes[at].op.class() == Class::Norm
    }

    fn because_it_is_last(&self, index: usize) -> String {
        match self.grids[index] {
            Some(Grid { form: Form::ChannelsFirst, height, width, .. }) => format!(
                "auto: the last layer before the logits that still has a spatial extent ({height}x{width}), \
                 pooling and dropout aside"
            ),
            Some(grid) => format!("auto: the last grid before the logits ({grid})"),
            None => "auto: the last layer before the logits".to_owned(),
        }
    }

    fn because_of_attention(&self, index: usize) -> String {
        let grid = self.grids[index].map(|grid| grid.to_string()).unwrap_or_default();
        format!("auto: the norm of the last block's attention ({grid}), the last grid that all scores read")
    }
}
