//! Where the scores leave the grids over the picture: the last layers of branches, and the scales that a head reads.
//!
//! An end is a grid that something reads which never becomes a grid again: a pooling, or a class token that attends to patches.
//! Most networks have one. Ends of which one is made from the other are scales of one backbone, which the head reads side by side; ends
//! apart from each other are branches, as in an ensemble.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::{Choice, Model, passes_through};
use crate::OutputForm;
use crate::card::Class;

impl Model {
    /// The last layers of branches that a layer is not part of.
    pub(super) fn branches_beside(&self, chosen: usize) -> Vec<usize> {
        if !self.gives_a_list() {
            return vec![];
        }
        let (before, after) = (self.before_node(chosen), self.after_node(chosen));
        let is_beside = |end: &usize| !before.contains(end) && !after.contains(end);
        self.settled(self.ends().into_iter().filter(is_beside), chosen)
    }

    /// The layers that a head of several scales reads, the finest first, the chosen one among them; empty when it reads one.
    pub(super) fn scales_before(&self, chosen: &Choice) -> Vec<Choice> {
        if !self.gives_a_list() {
            return vec![];
        }
        let before = self.before_node(chosen.index);
        let scales = self.settled(self.ends().into_iter().filter(|end| before.contains(end)), chosen.index);
        // The block that the chosen layer begins may read it again.
        let size = |at: usize| self.grids[at].map(|grid| [grid.height, grid.width]);
        let mut scales: Vec<usize> =
            scales.into_iter().filter(|at| size(*at) != size(chosen.index)).collect();
        if scales.is_empty() {
            return vec![];
        }
        scales.push(chosen.index);
        let reason = format!("auto: the scores read a grid of each scale ({})", self.grids_in_words(&scales));
        let choice = |at: &usize| match *at == chosen.index {
            true => Choice { reason: reason.clone(), ..chosen.clone() },
            false => self.choice(*at, reason.clone()),
        };
        scales.iter().map(choice).collect()
    }

    /// The grids of several scales that the queries of a detector read, the finest first; empty when they read one.
    pub(super) fn scales_of_queries(&self) -> Vec<Choice> {
        let cells = |at: &usize| self.grids[*at].map_or(0, |grid| grid.height * grid.width);
        let mut scales: Vec<usize> = self.ends().into_iter().map(|end| self.behind(end)).collect();
        // Of one scale the last: the encoder's tokens come after the map that they are made of.
        scales.sort_by_key(|at| (Reverse(cells(at)), Reverse(*at)));
        scales.dedup_by_key(|at| cells(at));
        if scales.len() < 2 {
            return vec![];
        }
        let reason = format!("auto: queries read a grid of each scale ({})", self.grids_in_words(&scales));
        scales.into_iter().map(|at| self.choice(at, reason.clone())).collect()
    }

    pub(super) fn grids_in_words(&self, layers: &[usize]) -> String {
        let grids = layers.iter().filter_map(|at| self.grids[*at]).map(|grid| grid.to_string());
        grids.collect::<Vec<_>>().join(", ")
    }

    /// Whether the scores are one list for the whole picture.
    fn gives_a_list(&self) -> bool {
        matches!(self.output.form, OutputForm::List | OutputForm::Vector { .. })
    }

    /// The certain grids that are read by what no grid is made of any more, in order.
    fn ends(&self) -> Vec<usize> {
        let parts = self.read_parts();
        // The weights of an attention may look like a map.
        let is_certain = |at: &usize| self.grids[*at].is_some_and(|grid| grid.is_certain);
        let grids: HashSet<usize> = self.cells_in(&parts).into_iter().filter(is_certain).collect();
        let mut has_grid_after = vec![false; self.graph.nodes.len()];
        let mut ends = HashSet::new();
        for index in (0..=self.scores).rev() {
            let Some(part) = &parts[index] else { continue };
            let is_grid = grids.contains(&index);
            for (slot, id) in self.graph.nodes[index].inputs.iter().enumerate() {
                let Some(at) = id.node() else { continue };
                has_grid_after[at] |= is_grid || has_grid_after[index];
                let is_last = !is_grid && !has_grid_after[index] && grids.contains(&at);
                let reads_cells =
                    || self.read_of(index, slot, part).is_some_and(|read| self.is_of_cells(at, &read));
                if is_last && reads_cells() {
                    ends.insert(at);
                }
            }
        }
        let mut ends: Vec<usize> = ends.into_iter().collect();
        ends.sort_unstable();
        ends
    }

    /// Layers worth explaining in the place of ends, without the chosen one: what a pooling pools, the norm that attention reads.
    fn settled(&self, ends: impl Iterator<Item = usize>, chosen: usize) -> Vec<usize> {
        let mut settled: Vec<usize> = ends.map(|end| self.behind(end)).filter(|at| *at != chosen).collect();
        settled.sort_unstable();
        settled.dedup();
        settled
    }

    /// Back over what moves or pools cells, and from the projections of an attention to its norm.
    fn behind(&self, end: usize) -> usize {
        let at = self.before_moves(end);
        let projected = self.only_input(at).filter(|_| self.graph.nodes[at].op.class() == Class::Linear);
        projected.filter(|input| self.is_norm_of_grid(*input)).unwrap_or(at)
    }

    /// The grid that a layer's cells are moved or pooled from, also where a list in between is none; else the layer itself.
    pub(super) fn before_moves(&self, layer: usize) -> usize {
        let (mut at, mut found) = (layer, layer);
        while let Some(input) = self.only_input(at).filter(|_| passes_through(&self.graph.nodes[at].op)) {
            at = input;
            if self.has_extent(at) && self.grids[at].is_some_and(|grid| grid.is_certain) {
                found = at;
            }
        }
        found
    }

    /// The node that a node of one input reads.
    fn only_input(&self, at: usize) -> Option<usize> {
        match self.graph.nodes[at].inputs[..] {
            [only] => only.node(),
            _ => None,
        }
    }

    /// The nodes that a node is made from, and itself.
    pub(crate) fn before_node(&self, node: usize) -> HashSet<usize> {
        let mut found = HashSet::from([node]);
        // Backwards: every reader of a node is visited before it.
        for index in (0..=node).rev() {
            if found.contains(&index) {
                found.extend(self.graph.nodes[index].inputs.iter().filter_map(|id| id.node()));
            }
        }
        found
    }

    /// The nodes that are made from a node, and itself.
    fn after_node(&self, node: usize) -> HashSet<usize> {
        let mut found = HashSet::from([node]);
        for (index, other) in self.graph.nodes.iter().enumerate().skip(node) {
            if other.inputs.iter().filter_map(|id| id.node()).any(|at| found.contains(&at)) {
                found.insert(index);
            }
        }
        found
    }
}
