//! Selects the layer to explain: by name, prefix or index, or automatically.

mod auto;
mod request;
mod scales;

use std::collections::HashSet;

pub use request::LayerRequest;

use super::{Model, OutputForm};
use crate::card::{Class, Node, Op, ResizeMode, Values};
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
}

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
}

impl Model {
    /// Every node with its shape, receptive field and whether it can be explained.
    #[must_use]
    pub fn layers(&self) -> Vec<LayerInfo> {
        let fields = self.receptive_fields();
        let leads = self.leads_to_logits();
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

    /// As [`Model::choose_layer`], where the choice may be several layers: of a detector's head with several scales all of its
    /// inputs, the finest first.
    ///
    /// # Errors
    /// As [`Model::choose_layer`].
    pub fn choose_layers(&self, request: &LayerRequest) -> Result<Vec<Choice>> {
        let is_detector = matches!(self.output.form, OutputForm::Anchors(_));
        let scales = if is_detector && *request == LayerRequest::Auto { self.head_inputs() } else { vec![] };
        if scales.is_empty() { Ok(vec![self.choose_layer(request)?]) } else { Ok(scales) }
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
        let name = self.graph.nodes[index].name.clone();
        if !self.leads_to_logits().contains(&index) {
            let problem = Problem::new("cannot be explained: the class scores do not depend on it");
            return Err(problem.about(Subject::Layer(name)).into());
        }
        Ok(Choice { index, name, reason, alternatives: vec![] })
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
        let mut leads = HashSet::from([self.scores]);
        // Backwards: every reader of a node is visited before it.
        for index in (0..=self.scores).rev() {
            if leads.contains(&index) {
                leads.extend(self.graph.nodes[index].inputs.iter().filter_map(|id| id.node()));
            }
        }
        leads.remove(&self.scores);
        leads
    }

    /// Receptive fields by the usual recurrence: a window of `k` at a step of `j` input pixels adds `(k - 1) j`.
    fn receptive_fields(&self) -> Vec<[usize; 2]> {
        let input = &self.graph.input;
        let whole = [input.height, input.width];
        let mut seen: Values<([usize; 2], [usize; 2])> = Values::new(([1, 1], [1, 1]));
        for node in &self.graph.nodes {
            let (mut field, mut jump) = ([1, 1], [1, 1]);
            for id in &node.inputs {
                let (other, step) = seen[*id];
                for axis in 0..2 {
                    // Where branches meet, a cell depends on the larger of their regions.
                    field[axis] = field[axis].max(other[axis]);
                    jump[axis] = jump[axis].max(step[axis]);
                }
            }
            match self.window(node) {
                Some((kernel, step)) => {
                    for axis in 0..2 {
                        field[axis] = (field[axis]
                            .saturating_add((kernel[axis] - 1).saturating_mul(jump[axis])))
                        .min(whole[axis]);
                        // Rounded up and at most the picture, so that the region is never reported smaller than it is.
                        let [across, cells] = step[axis];
                        jump[axis] = jump[axis].saturating_mul(across).div_ceil(cells).min(whole[axis]);
                    }
                }
                None if sees_all(&node.op) => field = whole,
                None => {}
            }
            seen.push((field, jump));
        }
        seen.of_nodes().iter().map(|(field, _)| *field).collect()
    }

    /// Extent of the window, with dilation, and its step as a pair: input cells per output cells.
    fn window(&self, node: &Node) -> Option<([usize; 2], [[usize; 2]; 2])> {
        let spread = |kernel: [usize; 2], dilation: &[usize; 2]| {
            [0, 1].map(|axis: usize| {
                (kernel[axis].saturating_sub(1)).saturating_mul(dilation[axis]).saturating_add(1)
            })
        };
        let each = |stride: &[usize; 2]| stride.map(|stride| [stride, 1]);
        let kernel = || {
            let weight = node.params.get("weight").and_then(|name| self.pack.shapes.get(name))?;
            Some([*weight.get(2)?, *weight.get(3)?])
        };
        match &node.op {
            Op::Conv2d { stride, dilation, .. } => Some((spread(kernel()?, dilation), each(stride))),
            Op::ConvTranspose2d { stride, dilation, .. } => {
                // Cells of its output are a stride nearer to each other, and a window reaches that many fewer cells of its input.
                let reach = spread(kernel()?, dilation);
                let taps = [0, 1].map(|axis| reach[axis].div_ceil(stride[axis].max(1)));
                Some((taps, stride.map(|stride| [1, stride])))
            }
            Op::MaxPool2d { kernel, stride, dilation, .. } => Some((spread(*kernel, dilation), each(stride))),
            Op::AvgPool2d { kernel, stride, .. } => Some((*kernel, each(stride))),
            Op::Resize { output_size, mode, .. } => {
                let taps = match mode {
                    ResizeMode::Nearest => 1,
                    ResizeMode::Bilinear => 2,
                    ResizeMode::Bicubic => 4,
                };
                let source = node.inputs.first()?.node().map(|at| &self.shapes[at]);
                let picture = &self.graph.input;
                let [height, width] =
                    source.map_or([picture.height, picture.width], |shape| [shape[2], shape[3]]);
                Some(([taps; 2], [[height, output_size[0]], [width, output_size[1]]]))
            }
            _ => None,
        }
    }
}

/// Operations that only subsample or rename the output of the layer before them.
fn passes_through(op: &Op) -> bool {
    matches!(op.class(), Class::Window(_) | Class::Resampling | Class::Movement | Class::Nothing)
}

/// Operations each of whose values depends on the whole picture.
fn sees_all(op: &Op) -> bool {
    matches!(op.class(), Class::Reduction(_) | Class::Product)
        || matches!(
            op,
            Op::GlobalAvgPool {}
                | Op::GlobalMaxPool {}
                | Op::AdaptiveAvgPool2d { .. }
                | Op::GroupNorm { .. }
                | Op::Flatten { .. }
        )
}
