//! Selects the layer to explain: by name, prefix or index, or automatically.

mod auto;
mod ends;
mod fields;
mod finer;
mod read;
mod request;
mod scales;

use std::collections::HashSet;

pub use request::LayerRequest;

use super::{Model, OutputForm};
use crate::card::{Class, Op};
use crate::error::{Action, Error, Phrase, Problem, Result, Subject};
use crate::layout::Grid;

/// The selected layer and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Index in the graph.
    pub index: usize,
    /// The node's name.
    pub name: String,
    /// The reason, as one sentence for the record.
    pub reason: String,
    /// Names of other candidates, nearest first.
    pub alternatives: Vec<String>,
    /// Names of the last layers of other branches, where the scores join several and `auto` took one.
    pub branches: Vec<String>,
    /// That its grid has few cells, if it does.
    pub coarse: Option<Coarse>,
}

/// A grid of 16 cells or fewer, on which a map can hardly say where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coarse {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// The nearest earlier layer with more cells than that, or with the most, and its grid.
    pub finer: Option<(String, [usize; 2])>,
}

/// Most cells of a coarse grid, as many as 4x4.
const COARSE: usize = 16;

/// One line of `burncam layers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerInfo {
    /// Index in the graph.
    pub index: usize,
    /// The node's name.
    pub name: String,
    /// The operation's name.
    pub op: String,
    /// Shape of its output for a batch of one.
    pub shape: Vec<usize>,
    /// The grid over the picture that its output holds, if any.
    pub grid: Option<Grid>,
    /// Height and width of the input region that one cell depends on, clipped to the input. `None` without a grid.
    pub receptive_field: Option<[usize; 2]>,
    /// Whether a class activation map can be computed here.
    pub explainable: bool,
    /// Whether the scores read its cells. Behind the last attention of most transformers they read the class token alone, and gradients
    /// at the cells are zero.
    pub is_read: bool,
}

impl Model {
    /// Every node with its shape, receptive field and whether it can be explained.
    #[must_use]
    pub fn layers(&self) -> Vec<LayerInfo> {
        let fields = self.receptive_fields();
        let leads = self.leads_to_logits();
        let read = self.with_read_cells();
        let nodes = self.graph.nodes.iter().enumerate();
        nodes
            .map(|(index, node)| LayerInfo {
                index,
                name: node.name.clone(),
                op: node.op.name(),
                shape: self.shapes[index].clone(),
                grid: self.grids[index],
                receptive_field: Some(fields[index]).filter(|_| self.grids[index].is_some()),
                explainable: leads.contains(&index) && self.has_extent(index),
                is_read: read.binary_search(&index).is_ok(),
            })
            .collect()
    }

    /// Finds the requested layer.
    ///
    /// # Errors
    /// When there is no such layer (with the nearest name and the list), when it has no spatial extent, or when the
    /// logits do not depend on it.
    pub fn choose_layer(&self, request: &LayerRequest) -> Result<Choice> {
        match request {
            LayerRequest::Auto => self.auto_layer(),
            LayerRequest::Index(index) => self.layer_at(*index),
            LayerRequest::Name(name) => self.layer_called(name),
        }
    }

    /// As [`Model::choose_layer`], where the choice may be several layers: of a head that reads several scales all of its inputs, the
    /// finest first.
    ///
    /// # Errors
    /// As [`Model::choose_layer`].
    pub fn choose_layers(&self, request: &LayerRequest) -> Result<Vec<Choice>> {
        let is_auto = *request == LayerRequest::Auto;
        let inputs = match self.output.form {
            OutputForm::Anchors(_) if is_auto => self.head_inputs(),
            _ => vec![],
        };
        if !inputs.is_empty() {
            return Ok(inputs);
        }
        let chosen = self.choose_layer(request)?;
        let scales = if is_auto { self.scales_before(&chosen) } else { vec![] };
        Ok(if scales.is_empty() { vec![chosen] } else { scales })
    }

    fn layer_at(&self, index: i64) -> Result<Choice> {
        let count = self.graph.nodes.len();
        let position = if index < 0 { index + count as i64 } else { index };
        let position = usize::try_from(position).ok().filter(|at| *at < count).ok_or_else(|| {
            let problem = format!("layer {index} is out of range: the model has {count} layers");
            Error::from(Problem::new(problem).hint(format!("0 to {}, or -{count} to -1", count - 1)))
        })?;
        self.checked(position, format!("asked for by index {index}"))
    }

    fn layer_called(&self, name: &str) -> Result<Choice> {
        if let Some(position) = self.graph.position(name) {
            return self.checked(position, "asked for by name".into());
        }
        let prefix = format!("{name}.");
        // The last one, since a module's output is what its last operation gives.
        let under = self.graph.nodes.iter().rposition(|node| node.name.starts_with(&prefix));
        match under {
            Some(position) => {
                self.checked(position, format!("asked for as '{name}', whose last value this is"))
            }
            None => Err(self.unknown_layer(name)),
        }
    }

    fn unknown_layer(&self, name: &str) -> Error {
        let names = self.graph.nodes.iter().map(|node| node.name.as_str());
        let prefixes = self
            .graph
            .nodes
            .iter()
            .flat_map(|node| node.name.match_indices('.').map(|(dot, _)| &node.name[..dot]));
        let mut listed: Vec<&str> =
            self.explainable().into_iter().map(|at| self.graph.nodes[at].name.as_str()).collect();
        let hidden = listed.len().saturating_sub(8);
        // The last eight: layers worth explaining are near the end.
        listed.drain(..hidden);
        let more = if hidden > 0 { format!(" and {hidden} earlier ones") } else { String::new() };
        Problem::new("is not in this model")
            .near(name, names.chain(prefixes))
            .remark(format!("layers that can be explained: {}{more}", listed.join(", ")))
            .hint(Phrase::from("see `").action(Action::ListLayers).text("`"))
            .about(Subject::Layer(name.into()))
            .into()
    }

    fn checked(&self, index: usize, reason: String) -> Result<Choice> {
        if !self.has_extent(index) {
            return Err(self.no_extent(index));
        }
        if !self.leads_to_logits().contains(&index) {
            let problem = Problem::new("cannot be explained: the class scores do not depend on it");
            return Err(problem.about(Subject::Layer(self.graph.nodes[index].name.clone())).into());
        }
        Ok(self.choice(index, reason))
    }

    /// A choice without alternatives.
    fn choice(&self, index: usize, reason: String) -> Choice {
        let name = self.graph.nodes[index].name.clone();
        Choice { index, name, reason, alternatives: vec![], branches: vec![], coarse: self.coarse(index) }
    }

    /// What is to be said of a grid with few cells; a picture that is no larger has no finer one.
    fn coarse(&self, index: usize) -> Option<Coarse> {
        let size = |at: usize| self.grids[at].map(|grid| [grid.height, grid.width]);
        let cells = |at: usize| size(at).map_or(0, |[height, width]| height * width);
        let [height, width] = size(index)?;
        let input = &self.graph.input;
        if height * width > COARSE || height * width >= input.height * input.width {
            return None;
        }
        let is_fit = |at: &usize| {
            *at < index
                && self.grids[*at].is_some_and(|grid| grid.is_certain)
                && !passes_through(&self.graph.nodes[*at].op)
                && cells(*at) > height * width
        };
        let earlier: Vec<usize> = self.with_read_cells().into_iter().filter(is_fit).collect();
        let finer = earlier.iter().rev().find(|at| cells(**at) > COARSE);
        // The latest of those with the most cells.
        let finer = finer.or_else(|| earlier.iter().max_by_key(|at| cells(**at)));
        let finer = finer.and_then(|at| Some((self.graph.nodes[*at].name.clone(), size(*at)?)));
        Some(Coarse { height, width, finer })
    }

    fn no_extent(&self, index: usize) -> Error {
        Error::request(
            Problem::new(format!("cannot be explained: its output has shape {:?}", self.shapes[index]))
                .expected("[batch, channels, height, width] larger than 1x1")
                .about(Subject::Layer(self.graph.nodes[index].name.clone())),
        )
    }

    fn has_extent(&self, index: usize) -> bool {
        self.grids[index].is_some_and(|grid| grid.height * grid.width > 1)
    }

    fn explainable(&self) -> Vec<usize> {
        let leads = self.leads_to_logits();
        (0..self.graph.nodes.len()).filter(|at| leads.contains(at) && self.has_extent(*at)).collect()
    }

    /// Indices of the nodes that the logits depend on, without the logits.
    fn leads_to_logits(&self) -> HashSet<usize> {
        let mut leads = self.before_node(self.scores);
        leads.remove(&self.scores);
        leads
    }
}

/// Operations that only subsample or rename the output of the layer before them.
fn passes_through(op: &Op) -> bool {
    matches!(op.class(), Class::Window(_) | Class::Resampling | Class::Movement | Class::Nothing)
}
