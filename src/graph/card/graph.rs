//! The graph: operations on tensors by number, in topological order.
//!
//! Receives nodes, checks that they fit together. Names are labels, for users and messages; [`super::wire`] reads and writes the
//! JSON, where they are also references.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{Combination, Op, ValueId};
use crate::error::{Problem, Subject};

/// A network as a flat list of operations in topological order.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// The network's input.
    pub input: InputSpec,
    /// The operations, each after all of its inputs.
    pub nodes: Vec<Node>,
    /// The tensor with the class scores, `[batch, classes]`.
    pub output: ValueId,
}

/// Name and size of the network's input, `[batch, channels, height, width]`. A signal is a picture of one row: the height is 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// The name by which a card's nodes refer to it.
    pub name: String,
    /// Number of channels: 3, or 1 for grey; of a signal any.
    pub channels: usize,
    /// Height in pixels; 1 for a signal.
    pub height: usize,
    /// Width in pixels; a signal's number of samples.
    pub width: usize,
    /// The axis order of the source framework's tensors. The graph itself computes channels first.
    #[serde(default, skip_serializing_if = "Layout::is_default")]
    pub layout: Layout,
}

/// The axis order of a tensor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `[channels, height, width]`, as in Burn, PyTorch and ONNX.
    #[default]
    ChannelsFirst,
    /// `[height, width, channels]`, as in TensorFlow and picture files.
    ChannelsLast,
}

impl InputSpec {
    /// Whether the input is a signal, one row of samples.
    #[must_use]
    pub fn is_signal(&self) -> bool {
        self.height == 1 && self.width > 1
    }
}

impl Layout {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The source framework's own name, for example `layer4.2.conv3`. Its output tensor has the same name.
    pub name: String,
    /// What it reads.
    pub inputs: Vec<ValueId>,
    /// Role of a weight in the operation -> name of the tensor in the file.
    pub params: BTreeMap<String, String>,
    /// The operation and its settings.
    pub op: Op,
}

impl Node {
    /// Whether it adds computed tensors, as the end of a residual connection does.
    #[must_use]
    pub fn adds_computed(&self) -> bool {
        self.op.combination() == Some(Combination::Sum) && self.inputs.len() > 1
    }
}

impl Graph {
    /// Index of the node called `name`, as a user says it. Nodes refer to each other by number.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }

    /// The node that gives a tensor; `None` for the input.
    #[must_use]
    pub fn node(&self, id: ValueId) -> Option<&Node> {
        self.nodes.get(id.node()?)
    }

    /// The name of a tensor; `None` when the graph does not have it.
    #[must_use]
    pub fn name(&self, id: ValueId) -> Option<&str> {
        match id.node() {
            Some(at) => self.nodes.get(at).map(|node| node.name.as_str()),
            None => Some(&self.input.name),
        }
    }

    /// Checks order, names, arity and roles of a graph that was built in memory; shapes are checked later.
    pub fn check(&self) -> Result<(), Problem> {
        self.input.check_size(self.nodes.len())?;
        let mut names: HashSet<&str> = HashSet::from([self.input.name.as_str()]);
        for (index, node) in self.nodes.iter().enumerate() {
            let within = within(index, &node.name);
            // Tensors are numbered in the order of the nodes, so that one comparison finds forward references and
            // cycles.
            if node.inputs.iter().any(|input| *input >= ValueId::of_node(index)) {
                return Err(within(Problem::new("reads a tensor that no earlier node gives")));
            }
            node.check().map_err(within)?;
            if !names.insert(&node.name) {
                return Err(doubled(index, &node.name));
            }
        }
        match self.output.node() {
            Some(at) if at < self.nodes.len() => Ok(()),
            _ => Err(Problem::new("no node gives it").about_field("graph.output")),
        }
    }
}

/// Says of a problem which node has it.
pub(super) fn within(index: usize, name: &str) -> impl Fn(Problem) -> Problem {
    move |problem| problem.about(Subject::CardNode { index, name: name.to_owned() })
}

/// The problem of a name that stands for two tensors.
pub(super) fn doubled(index: usize, name: &str) -> Problem {
    let problem = Problem::new(format!("two nodes are called '{name}'"));
    within(index, name)(problem.expected("different names"))
}

impl Node {
    /// Checks arity, roles and settings.
    pub(super) fn check(&self) -> Result<(), Problem> {
        self.op.check_arity(self.inputs.len(), self.params.contains_key("other"))?;
        let roles = self.op.roles();
        for role in self.params.keys() {
            if !roles.iter().any(|(name, _)| name == role) {
                let expected: Vec<_> = roles.iter().map(|(name, _)| *name).collect();
                let expected = if expected.is_empty() { "none".into() } else { expected.join(", ") };
                return Err(Problem::new(format!("'{}' has no parameter '{role}'", self.op.name()))
                    .expected(expected));
            }
        }
        match roles.iter().find(|(name, required)| *required && !self.params.contains_key(*name)) {
            Some((name, _)) => Err(format!("'{}' needs the parameter '{name}'", self.op.name()).into()),
            None => self.op.check(),
        }
    }
}
