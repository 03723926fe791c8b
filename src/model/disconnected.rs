//! A network over a mosaic of pictures whose cells do not meet: the test bed of DiFull.
//!
//! Rao et al., "Towards better understanding attribution methods", 2022, arXiv:2205.10435, section 3.1: each cell goes through the network up to a
//! layer on its own, the layer's outputs stand side by side as the cells do, and the rest reads one cell of them. What the score does not read
//! cannot be evidence, for any weights.

use crate::card::{Card, Crop, Graph, InputSpec, Node, Op, Preprocess, Resize, ValueId};
use crate::error::{Error, Problem, Result};
use crate::{Form, Model};

/// The name of the layer on which the cells stand side by side.
const JOINED: &str = "cells side by side";

impl Model {
    /// This network over `side` by `side` pictures, with the weights of this one in memory, and the name of the layer that holds the outputs of
    /// node `layer` for all cells. Scores are those of the first cell, at the top left; no other cell leads to them.
    ///
    /// # Errors
    /// When the layer is no feature map `[batch, channels, height, width]`, or the network takes signals.
    pub fn disconnected(&self, layer: usize, side: usize) -> Result<(Self, &'static str)> {
        let grid = self.grid(layer).filter(|grid| grid.form == Form::ChannelsFirst);
        let name = self.graph.nodes.get(layer).map_or("", |node| node.name.as_str());
        let (Some(grid), false) = (grid, self.graph.input.is_signal()) else {
            let problem = Problem::new("cells of a mosaic cannot stand side by side there");
            let problem = problem.expected("a feature map [batch, channels, height, width] over a picture");
            return Err(Error::request(problem.named("layer", name).hint("choose a convolution")));
        };
        let input = self.graph.input.clone();
        let wide = InputSpec { height: side * input.height, width: side * input.width, ..input };
        let preprocess = Preprocess {
            resize: Resize::None {},
            crop: Some(Crop::Center { height: wide.height, width: wide.width }),
            ..self.card.preprocess.clone()
        };
        let graph = Cells { model: self, layer, side, nodes: vec![] }.graph(wide, [grid.height, grid.width]);
        let card = Card { arch: None, graph: Some(graph), preprocess, ..self.card.clone() };
        // The file is verified once, for this model and the other.
        let pack = self.pack.replacing(std::collections::BTreeMap::new())?;
        Ok((Self::assemble(card, self.card_sha256.clone(), pack)?, JOINED))
    }
}

/// A graph in the making.
struct Cells<'a> {
    model: &'a Model,
    layer: usize,
    side: usize,
    nodes: Vec<Node>,
}

impl Cells<'_> {
    fn graph(mut self, input: InputSpec, grid: [usize; 2]) -> Graph {
        let own = &self.model.graph.input;
        let size = [own.height, own.width];
        let before = self.model.before_node(self.layer);
        let mut first = None;
        let mut outputs = Vec::new();
        for cell in 0..self.side * self.side {
            let picture = self.cut(ValueId::INPUT, cell, size, &format!("cell {cell}"));
            let none = vec![picture; self.model.graph.nodes.len()];
            let known = self.copy(|at| before.contains(&at), picture, &format!("cell {cell}, "), none);
            outputs.push(known[self.layer]);
            first.get_or_insert((picture, known));
        }
        let joined = self.side_by_side(&outputs);
        let cut = self.cut(joined, 0, grid, "first cell");
        let (picture, mut known) = first.unwrap_or((ValueId::INPUT, vec![]));
        known[self.layer] = cut;
        let known = self.copy(|at| !before.contains(&at), picture, "", known);
        let output = self.model.graph.output.node().map_or(picture, |at| known[at]);
        Graph { input, nodes: self.nodes, output }
    }

    /// Adds the chosen nodes; gives for each node of the network the tensor that stands for it, where `known` has it before.
    fn copy(
        &mut self,
        is_chosen: impl Fn(usize) -> bool,
        picture: ValueId,
        prefix: &str,
        mut known: Vec<ValueId>,
    ) -> Vec<ValueId> {
        for (at, node) in self.model.graph.nodes.iter().enumerate().filter(|(at, _)| is_chosen(*at)) {
            let inputs =
                node.inputs.iter().map(|id| id.node().map_or(picture, |input| known[input])).collect();
            let name = format!("{prefix}{}", node.name);
            known[at] = self.add(Node { name, inputs, ..node.clone() });
        }
        known
    }

    /// A cell of a tensor `[batch, channels, side * height, side * width]`.
    fn cut(&mut self, from: ValueId, cell: usize, size: [usize; 2], name: &str) -> ValueId {
        let places = [(2, cell / self.side, size[0], "rows"), (3, cell % self.side, size[1], "columns")];
        places.into_iter().fold(from, |input, (axis, place, extent, what)| {
            let op = Op::Slice { axis, start: place * extent, end: (place + 1) * extent, step: 1 };
            self.plain(op, vec![input], format!("{name}, {what}"))
        })
    }

    fn side_by_side(&mut self, cells: &[ValueId]) -> ValueId {
        let side = self.side;
        let rows: Vec<ValueId> = cells
            .chunks(side)
            .enumerate()
            .map(|(at, row)| {
                self.plain(Op::Concat { axis: 3, at: 0 }, row.to_vec(), format!("row {at} of cells"))
            })
            .collect();
        self.plain(Op::Concat { axis: 2, at: 0 }, rows, JOINED.to_owned())
    }

    fn plain(&mut self, op: Op, inputs: Vec<ValueId>, name: String) -> ValueId {
        self.add(Node { name, inputs, params: std::collections::BTreeMap::new(), op })
    }

    fn add(&mut self, node: Node) -> ValueId {
        self.nodes.push(node);
        ValueId::of_node(self.nodes.len() - 1)
    }
}
