//! The parts of ONNX's messages that the importer reads.
//!
//! Names and field numbers are those of `onnx.proto`, IR version 13 and older. Fields that are not declared here are
//! skipped: documentation, training, devices, and data of quantised or sparse models.
//! Every field may be missing from a file; a number is then 0 and a text is empty.
//!
//! `prost` decodes them. Code generated from the full schema would add a schema compiler to every build. `rten-onnx`,
//! another small reader, lacks local functions and the metadata of nodes, in which PyTorch stores module names.

use bytes::Bytes;
use prost::Message;

use crate::error::{Problem, Subject};

/// Whether a domain is that of the standard's own operators.
pub(super) fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

/// A whole file.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ModelProto {
    #[prost(string, tag = "2")]
    pub(super) producer_name: String,
    #[prost(message, optional, tag = "7")]
    pub(super) graph: Option<GraphProto>,
    #[prost(message, repeated, tag = "8")]
    pub(super) opset_import: Vec<OperatorSetIdProto>,
    #[prost(message, repeated, tag = "14")]
    pub(super) metadata_props: Vec<StringStringEntryProto>,
    #[prost(message, repeated, tag = "25")]
    pub(super) functions: Vec<FunctionProto>,
}

/// A whole file again, of which only the metadata is read.
#[derive(Clone, PartialEq, Message)]
pub(super) struct MetadataOfModel {
    #[prost(message, repeated, tag = "14")]
    pub(super) metadata_props: Vec<StringStringEntryProto>,
}

/// The version of one set of operations; the standard set has the domain `""` or `ai.onnx`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OperatorSetIdProto {
    #[prost(string, tag = "1")]
    pub(super) domain: String,
    #[prost(int64, tag = "2")]
    pub(super) version: i64,
}

/// Nodes and weights. Values are referred to by name.
#[derive(Clone, PartialEq, Message)]
pub(super) struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    pub(super) node: Vec<NodeProto>,
    #[prost(message, repeated, tag = "5")]
    pub(super) initializer: Vec<TensorProto>,
    #[prost(message, repeated, tag = "11")]
    pub(super) input: Vec<ValueInfoProto>,
    #[prost(message, repeated, tag = "12")]
    pub(super) output: Vec<ValueInfoProto>,
}

/// A local function: nodes that other nodes call by its domain and name.
#[derive(Clone, PartialEq, Message)]
pub(super) struct FunctionProto {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, repeated, tag = "4")]
    pub(super) input: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    pub(super) output: Vec<String>,
    #[prost(message, repeated, tag = "7")]
    pub(super) node: Vec<NodeProto>,
    #[prost(string, tag = "10")]
    pub(super) domain: String,
}

/// One operation. An input or output with an empty name is left out.
#[derive(Clone, PartialEq, Message)]
pub(super) struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    pub(super) input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(super) output: Vec<String>,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "4")]
    pub(super) op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub(super) attribute: Vec<AttributeProto>,
    #[prost(string, tag = "7")]
    pub(super) domain: String,
    #[prost(message, repeated, tag = "9")]
    pub(super) metadata_props: Vec<StringStringEntryProto>,
}

impl NodeProto {
    /// How messages refer to a node. One without a name is known by its first output.
    pub(super) fn called(&self) -> String {
        match (self.name.as_str(), self.output.first()) {
            ("", Some(output)) => format!("the node that gives '{output}'"),
            (name, _) => format!("node '{name}'"),
        }
    }

    /// Gives the values that it reads and gives new names, also those inside of its own graphs. Where `new` has none, the name stays.
    pub(super) fn rename(&mut self, new: &impl Fn(&str) -> Option<String>) {
        let change = |name: &mut String| {
            if let Some(other) = new(name) {
                *name = other;
            }
        };
        self.input.iter_mut().chain(&mut self.output).for_each(change);
        for graph in self.attribute.iter_mut().filter_map(|attribute| attribute.g.as_mut()) {
            let values = graph.input.iter_mut().chain(&mut graph.output).map(|value| &mut value.name);
            values.chain(graph.initializer.iter_mut().map(|tensor| &mut tensor.name)).for_each(change);
            graph.node.iter_mut().for_each(|node| node.rename(new));
        }
    }

    /// A problem inside the node, called as in [`NodeProto::called`].
    pub(super) fn explain(&self, problem: Problem) -> Problem {
        match (self.name.as_str(), self.output.first()) {
            ("", Some(output)) => {
                let (output, op) = (output.clone(), self.op_type.clone());
                problem.about(Subject::UnnamedNode { output, op })
            }
            (name, _) => problem.about_node(name, &self.op_type),
        }
    }
}

/// A setting of a node. `kind` says which field holds it: 1 for `f`, 2 for `i`, 3 for `s`, 4 for `t`, 5 for `g`, 6 for `floats`,
/// 7 for `ints`; old files leave it 0.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AttributeProto {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(float, tag = "2")]
    pub(super) f: f32,
    #[prost(int64, tag = "3")]
    pub(super) i: i64,
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) s: Bytes,
    #[prost(message, optional, tag = "5")]
    pub(super) t: Option<TensorProto>,
    /// A branch or body of control flow, which reads values around it by their names.
    #[prost(message, optional, boxed, tag = "6")]
    pub(super) g: Option<Box<GraphProto>>,
    #[prost(float, repeated, tag = "7")]
    pub(super) floats: Vec<f32>,
    #[prost(int64, repeated, tag = "8")]
    pub(super) ints: Vec<i64>,
    #[prost(int32, tag = "20")]
    pub(super) kind: i32,
    /// In a function: the attribute of the call that gives the value.
    #[prost(string, tag = "21")]
    pub(super) ref_attr_name: String,
}

/// A weight or constant. Its elements are in `raw_data`, in the list for its `data_type`, or, if `data_location` is
/// 1, in the file that `external_data` names.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorProto {
    #[prost(int64, repeated, tag = "1")]
    pub(super) dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub(super) data_type: i32,
    #[prost(float, repeated, tag = "4")]
    pub(super) float_data: Vec<f32>,
    #[prost(int32, repeated, tag = "5")]
    pub(super) int32_data: Vec<i32>,
    #[prost(int64, repeated, tag = "7")]
    pub(super) int64_data: Vec<i64>,
    #[prost(string, tag = "8")]
    pub(super) name: String,
    /// Little-endian, row-major. A slice of the file, not a copy.
    #[prost(bytes = "bytes", tag = "9")]
    pub(super) raw_data: Bytes,
    #[prost(double, repeated, tag = "10")]
    pub(super) double_data: Vec<f64>,
    #[prost(uint64, repeated, tag = "11")]
    pub(super) uint64_data: Vec<u64>,
    #[prost(message, repeated, tag = "13")]
    pub(super) external_data: Vec<StringStringEntryProto>,
    #[prost(int32, tag = "14")]
    pub(super) data_location: i32,
}

/// An entry of a map of strings.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StringStringEntryProto {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// What the file states about an input or output.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ValueInfoProto {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) kind: Option<TypeProto>,
}

impl ValueInfoProto {
    /// Element type and shape, if it is a tensor.
    pub(super) fn tensor(&self) -> Option<&TensorTypeProto> {
        self.kind.as_ref()?.tensor_type.as_ref()
    }
}

/// The type of a value; a sequence or map has none of the declared fields.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TypeProto {
    #[prost(message, optional, tag = "1")]
    pub(super) tensor_type: Option<TensorTypeProto>,
}

/// `TypeProto.Tensor`: `elem_type` is a code of `TensorProto.DataType`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorTypeProto {
    #[prost(int32, tag = "1")]
    pub(super) elem_type: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) shape: Option<TensorShapeProto>,
}

/// The sizes of a tensor's axes.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorShapeProto {
    #[prost(message, repeated, tag = "1")]
    pub(super) dim: Vec<DimensionProto>,
}

/// `TensorShapeProto.Dimension`: a size, or nothing if it is open or has only a name.
#[derive(Clone, PartialEq, Message)]
pub(super) struct DimensionProto {
    #[prost(int64, optional, tag = "1")]
    pub(super) dim_value: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> ModelProto {
        let tensor = TensorProto { name: "w".into(), raw_data: vec![7; 64].into(), ..TensorProto::default() };
        let node = NodeProto { op_type: "Relu".into(), input: vec!["w".into()], ..NodeProto::default() };
        let graph = GraphProto { node: vec![node], initializer: vec![tensor], ..GraphProto::default() };
        ModelProto { graph: Some(graph), ..ModelProto::default() }
    }

    #[test]
    fn tensors_are_slices_of_the_file() {
        let file = Bytes::from(model().encode_to_vec());
        let read = ModelProto::decode(file.clone()).unwrap();
        assert_eq!(read, model());
        let raw = &read.graph.unwrap().initializer[0].raw_data;
        assert!(file.as_ptr_range().contains(&raw.as_ptr()));
    }

    #[test]
    fn a_file_that_is_cut_short_or_nested_without_end_is_an_error() {
        let file = Bytes::from(model().encode_to_vec());
        for length in 1..file.len() {
            assert!(ModelProto::decode(file.slice(..length)).is_err(), "{length}");
        }
        // Groups of field 100, nested.
        let nested = [0xa3, 0x06].repeat(10_000);
        assert!(ModelProto::decode(Bytes::from(nested)).is_err());
    }
}
