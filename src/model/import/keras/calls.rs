//! The calls of layers, as the two generations of Keras write them.
//!
//! Keras 2 writes `[[name, call, output, {keywords}], ...]` for each call, Keras 3 `{"args": [...], "kwargs": {...}}` with
//! an object for each tensor. Receives either; gives the arguments, with tensors still by name.

use serde_json::{Map, Value};

use super::settings::count;
use crate::error::Problem;

/// Deeper than arguments are nested in practice.
const MAX_DEPTH: usize = 16;

/// A tensor: the layer's name, which of its calls, and which of that call's outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named(pub(super) String, pub(super) usize, pub(super) usize);

/// What a layer is called with.
#[derive(Debug, Clone, Default)]
pub(super) struct Raw {
    pub(super) arguments: Vec<RawArgument>,
    pub(super) named: Vec<(String, RawArgument)>,
}

#[derive(Debug, Clone)]
pub(super) enum RawArgument {
    Tensor(Named),
    List(Vec<RawArgument>),
    Constant(Value),
}

impl Raw {
    /// All tensors among the arguments.
    pub(super) fn references(&self) -> Vec<&Named> {
        let mut found = Vec::new();
        let mut open: Vec<&RawArgument> = self.arguments.iter().collect();
        open.extend(self.named.iter().map(|(_, argument)| argument));
        while let Some(argument) = open.pop() {
            match argument {
                RawArgument::Tensor(named) => found.push(named),
                RawArgument::List(list) => open.extend(list),
                RawArgument::Constant(_) => {}
            }
        }
        found
    }
}

/// The calls in a layer's `inbound_nodes`.
///
/// # Errors
/// When they have neither form.
pub(super) fn calls(nodes: Option<&Value>) -> Result<Vec<Raw>, Problem> {
    let nodes = nodes.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    nodes.iter().map(call).collect()
}

/// A model's inputs or outputs: one tensor, a list, or a dictionary of them.
///
/// # Errors
/// When they have another form.
pub(super) fn references(value: &Value) -> Result<Vec<Named>, Problem> {
    if let Some(single) = named(value) {
        return Ok(vec![single]);
    }
    let list: Vec<&Value> = match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(list) => list.values().collect(),
        _ => vec![],
    };
    let found = list.into_iter().map(named).collect::<Option<Vec<_>>>();
    found.ok_or_else(|| {
        Problem::new("lists its inputs and outputs in an unknown way").hint(super::hints::EXPORT)
    })
}

fn call(node: &Value) -> Result<Raw, Problem> {
    match node {
        Value::Object(call) => {
            let arguments = call.get("args").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let arguments = arguments.iter().map(|value| argument(value, 0)).collect::<Result<_, _>>()?;
            Ok(Raw { arguments, named: keywords(call.get("kwargs"))? })
        }
        Value::Array(list) if list.first().is_some_and(Value::is_string) => of_entries(&[node]),
        Value::Array(list) => of_entries(&list.iter().collect::<Vec<_>>()),
        _ => Err("has calls in an unknown form".into()),
    }
}

/// The form of Keras 2: several tensors are one argument, a list.
fn of_entries(entries: &[&Value]) -> Result<Raw, Problem> {
    let (mut all, mut named) = (Vec::new(), Vec::new());
    for entry in entries {
        let parts = entry.as_array().map(Vec::as_slice).unwrap_or_default();
        all.push(match parts {
            [Value::String(mark), _, value, ..] if mark == "_CONSTANT_VALUE" => {
                RawArgument::Constant(value.clone())
            }
            // What follows are keywords, read below: with them the entry would be no name of a tensor.
            _ => argument(&Value::Array(parts.iter().take(3).cloned().collect()), 0)?,
        });
        named.extend(keywords(parts.get(3))?);
    }
    let arguments = if all.len() == 1 { all } else { vec![RawArgument::List(all)] };
    Ok(Raw { arguments, named })
}

fn keywords(value: Option<&Value>) -> Result<Vec<(String, RawArgument)>, Problem> {
    let empty = Map::new();
    let words = value.and_then(Value::as_object).unwrap_or(&empty);
    words.iter().map(|(name, value)| Ok((name.clone(), argument(value, 0)?))).collect()
}

fn argument(value: &Value, depth: usize) -> Result<RawArgument, Problem> {
    if depth > MAX_DEPTH {
        return Err("has arguments inside of one another without an end".into());
    }
    if let Some(named) = named(value) {
        return Ok(RawArgument::Tensor(named));
    }
    match value {
        Value::Array(list) => {
            let list = list.iter().map(|value| argument(value, depth + 1)).collect::<Result<_, _>>()?;
            Ok(RawArgument::List(list))
        }
        other => Ok(RawArgument::Constant(other.clone())),
    }
}

/// `[name, call, output]`, or an object with that as its history.
fn named(value: &Value) -> Option<Named> {
    let history = match value {
        Value::Object(_) => value.get("config")?.get("keras_history")?,
        list => list,
    };
    match history.as_array()?.as_slice() {
        [Value::String(name), call, output] => Some(Named(name.clone(), count(call)?, count(output)?)),
        _ => None,
    }
}
