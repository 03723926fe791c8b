//! The graph as the card's JSON has it: tensors by name.
//!
//! Receives what serde read, gives a [`super::Graph`], whose nodes refer to tensors by number, and writes that again under its
//! names. This is the only place where names are looked up, so names that lead nowhere are reported here and nowhere else.

use std::collections::{BTreeMap, HashMap};

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::graph::{doubled, within};
use super::{InputSpec, Op, ValueId};
use crate::error::Problem;

/// The graph under the names of its tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Graph {
    input: InputSpec,
    nodes: Vec<Node>,
    output: String,
}

#[derive(Serialize)]
struct Node {
    name: String,
    inputs: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    params: BTreeMap<String, String>,
    #[serde(flatten)]
    op: Op,
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

fn take<T: DeserializeOwned, E: serde::de::Error>(
    fields: &mut serde_json::Map<String, serde_json::Value>,
    key: &str,
) -> Result<Option<T>, E> {
    fields
        .remove(key)
        .map(|value| serde_json::from_value(value).map_err(|error| E::custom(format!("{key}: {error}"))))
        .transpose()
}

impl Graph {
    /// The graph by numbers, checked as [`super::Graph::check`] does.
    pub(super) fn resolve(self) -> Result<super::Graph, Problem> {
        let Self { input, nodes, output } = self;
        // First of all: a graph without nodes is reported as empty, not as an output that no node gives.
        input.check_size(nodes.len())?;
        let mut ids = HashMap::from([(input.name.clone(), ValueId::INPUT)]);
        let mut found: Vec<super::Node> = Vec::with_capacity(nodes.len());
        for (index, Node { name, inputs, params, op }) in nodes.into_iter().enumerate() {
            let known = || std::iter::once(&input).map(|input| &input.name).chain(names(&found));
            let of = |input: &String| {
                ids.get(input).copied().ok_or_else(|| {
                    let problem = Problem::new(format!("reads '{input}', which no earlier node gives"));
                    within(index, &name)(problem.near(input, known().map(String::as_str)))
                })
            };
            let inputs = inputs.iter().map(of).collect::<Result<_, _>>()?;
            let node = super::Node { name, inputs, params, op };
            node.check().map_err(within(index, &node.name))?;
            if ids.insert(node.name.clone(), ValueId::of_node(index)).is_some() {
                return Err(doubled(index, &node.name));
            }
            found.push(node);
        }
        // The input itself is no result: there would be nothing to explain.
        let ending = ids.get(&output).copied().filter(|id| *id != ValueId::INPUT);
        let output = ending.ok_or_else(|| {
            Problem::new(format!("no node is called '{output}'"))
                .near(&output, names(&found).map(String::as_str))
                .about_field("graph.output")
        })?;
        Ok(super::Graph { input, nodes: found, output })
    }

    /// The graph by names; `None` when a node refers to a tensor that does not exist.
    fn named(graph: &super::Graph) -> Option<Self> {
        let name = |id: ValueId| graph.name(id).map(str::to_owned);
        let node = |node: &super::Node| {
            let super::Node { name: own, inputs, params, op } = node.clone();
            let inputs = inputs.into_iter().map(name).collect::<Option<_>>()?;
            Some(Node { name: own, inputs, params, op })
        };
        let nodes = graph.nodes.iter().map(node).collect::<Option<_>>()?;
        Some(Self { input: graph.input.clone(), nodes, output: name(graph.output)? })
    }
}

fn names(nodes: &[super::Node]) -> impl Iterator<Item = &String> {
    nodes.iter().map(|node| &node.name)
}

impl Serialize for super::Graph {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = Graph::named(self);
        named
            .ok_or_else(|| S::Error::custom("a node reads a tensor that does not exist"))?
            .serialize(serializer)
    }
}
