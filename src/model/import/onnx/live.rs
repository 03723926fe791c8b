//! The values that are still to be read while a graph is walked.
//!
//! Receives values by name and the nodes that have read them; returns values. Constants that no further node reads are dropped, and
//! the elements of those that stay are limited.

use std::collections::HashMap;

use super::constant::Constant;
use super::file;
use super::messages::NodeProto;
use super::site::Value;
use crate::error::Problem;

pub(super) struct Live<'a> {
    values: HashMap<&'a str, Value>,
    /// How often each name is still to be read.
    readers: HashMap<&'a str, usize>,
    /// Elements that further constants may have together.
    room: usize,
}

impl<'a> Live<'a> {
    /// No values yet. `nodes` are all that will read any, and `output` is read last.
    pub(super) fn new(nodes: impl IntoIterator<Item = &'a NodeProto>, output: &'a str, room: usize) -> Self {
        let mut readers = HashMap::from([(output, 1)]);
        for name in nodes.into_iter().flat_map(|node| &node.input) {
            *readers.entry(name.as_str()).or_insert(0) += 1;
        }
        Self { values: HashMap::new(), readers, room }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Keeps a value if anything reads it.
    pub(super) fn insert(&mut self, name: &'a str, value: Value) -> Result<(), Problem> {
        if self.readers.contains_key(name) {
            self.room = self.room.checked_sub(elements(&value)).ok_or_else(file::too_large)?;
            self.values.insert(name, value);
        }
        Ok(())
    }

    /// A node has read its inputs.
    pub(super) fn read_by(&mut self, node: &NodeProto) {
        for name in &node.input {
            let Some(count) = self.readers.get_mut(name.as_str()) else { continue };
            *count -= 1;
            if *count == 0 {
                self.readers.remove(name.as_str());
                self.take(name);
            }
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let value = self.values.remove(name)?;
        self.room += elements(&value);
        Some(value)
    }
}

/// Elements in memory. Tensors of the graph have none, since they are computed later.
fn elements(value: &Value) -> usize {
    match value {
        Value::Constant(constant) | Value::Repeated(constant) => constant.len(),
        Value::PerBatch(lanes) => lanes.iter().map(Constant::len).sum(),
        Value::List(values) => values.iter().map(elements).sum(),
        Value::Tensor(_)
        | Value::Sequence(_)
        | Value::Row(_)
        | Value::Rows(_)
        | Value::Merged(_)
        | Value::Chosen(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::*;

    fn node(inputs: &[&str]) -> NodeProto {
        NodeProto { input: inputs.iter().map(|name| (*name).into()).collect(), ..NodeProto::default() }
    }

    fn zeros(count: usize) -> Value {
        Constant::Float(ArrayD::zeros(IxDyn(&[count]))).into()
    }

    #[test]
    fn a_constant_is_dropped_after_its_last_reader_and_leaves_room() {
        let nodes = [node(&["a"]), node(&["a", "b"])];
        let mut live = Live::new(&nodes, "y", 10);
        live.insert("a", zeros(6)).unwrap();
        live.insert("unread", zeros(100)).unwrap();
        assert!(live.get("unread").is_none());
        live.read_by(&nodes[0]);
        assert!(live.get("a").is_some());
        assert!(live.insert("b", zeros(6)).is_err());
        live.read_by(&nodes[1]);
        assert!(live.get("a").is_none());
        live.insert("y", zeros(10)).unwrap();
        assert!(live.take("y").is_some());
    }
}
