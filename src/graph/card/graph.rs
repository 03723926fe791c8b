//! The graph: named operations on named tensors, in topological order.

use std::collections::{BTreeMap, HashSet};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::Op;
use crate::error::{Problem, Subject};

/// A network as a flat list of operations in topological order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// The network's input.
    pub input: InputSpec,
    /// The operations, each after all of its inputs.
    pub nodes: Vec<Node>,
    /// Name of the tensor with the class scores, `[batch, classes]`.
    pub output: String,
}

/// Name and size of the network's input, `[batch, channels, height, width]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// The name by which nodes refer to it.
    pub name: String,
    /// Number of colour channels: 3, or 1 for grey.
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
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

impl Layout {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// One operation. Its output tensor has the node's name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Node {
    /// The source framework's own name, for example `layer4.2.conv3`.
    pub name: String,
    /// Names of its input tensors.
    pub inputs: Vec<String>,
    /// Role of a weight in the operation -> name of the tensor in the file.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// The operation and its settings.
    #[serde(flatten)]
    pub op: Op,
}

impl<'de> Deserialize<'de> for Node {
    /// Written by hand because serde cannot both flatten and refuse unknown fields: the fields common to all nodes
    /// are removed first, and the rest must be exactly the operation's.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = serde_json::Map::deserialize(deserializer)?;
        let name: String = take(&mut fields, "name")?.ok_or_else(|| D::Error::missing_field("name"))?;
        let inputs = take(&mut fields, "inputs")?.ok_or_else(|| D::Error::missing_field("inputs"))?;
        let params = take(&mut fields, "params")?.unwrap_or_default();
        let op = serde_json::from_value(fields.into())
            .map_err(|error| D::Error::custom(format!("node '{name}': {error}")))?;
        Ok(Self { name, inputs, params, op })
    }
}

fn take<T: serde::de::DeserializeOwned, E: serde::de::Error>(
    fields: &mut serde_json::Map<String, serde_json::Value>,
    key: &str,
) -> Result<Option<T>, E> {
    fields
        .remove(key)
        .map(|value| serde_json::from_value(value).map_err(|error| E::custom(format!("{key}: {error}"))))
        .transpose()
}

impl Graph {
    /// Index of the node called `name`.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }

    /// Checks names, order, arity and roles; shapes are checked later.
    pub fn check(&self) -> Result<(), Problem> {
        self.check_size()?;
        let mut known: Vec<&str> = vec![&self.input.name];
        let mut seen: HashSet<&str> = HashSet::from([self.input.name.as_str()]);
        for (index, node) in self.nodes.iter().enumerate() {
            let within =
                |problem: Problem| problem.about(Subject::CardNode { index, name: node.name.clone() });
            for input in &node.inputs {
                if !seen.contains(input.as_str()) {
                    let problem = Problem::new(format!("reads '{input}', which no earlier node gives"));
                    return Err(within(problem.near(input, known.iter().copied())));
                }
            }
            node.check().map_err(within)?;
            if !seen.insert(&node.name) {
                let problem = Problem::new(format!("two nodes are called '{}'", node.name));
                return Err(within(problem.expected("different names")));
            }
            known.push(&node.name);
        }
        if self.position(&self.output).is_none() {
            return Err(Problem::new(format!("no node is called '{}'", self.output))
                .near(&self.output, known.into_iter().skip(1))
                .about_field("graph.output"));
        }
        Ok(())
    }
}

impl Node {
    fn check(&self) -> Result<(), Problem> {
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
