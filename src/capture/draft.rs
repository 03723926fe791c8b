//! The graph in the making: what each tensor of a recording became, and the nodes so far.
//!
//! Receives operations with what they read, hands on nodes with names and the weights under theirs. Which operation is
//! made of which is left to [`super::lower`] and [`super::arithmetic`].

use std::collections::{BTreeMap, HashMap};

use burn::backend::ir::{OperationIr, TensorId, TensorIr};
use burn::backend::{DType, TensorData};

use super::names::{Names, wanted};
use crate::card::{Node, Op};
use crate::error::Problem;
use crate::model::StoredTensor;

/// What a tensor of the recording is in the graph.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// The value of a node, or the input.
    Node(String),
    /// A parameter, or a constant made in the forward pass; perhaps in another shape than its own.
    Constant(Constant),
    /// A node's value with a border of minus infinity, which is how Burn pads unevenly for a maximum.
    Bordered { node: String, padding: [usize; 4] },
}

/// Numbers that do not depend on the input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Constant {
    pub(super) id: TensorId,
    pub(super) shape: Vec<usize>,
}

impl Constant {
    /// In the shape that cards want: Burn brings the slopes of PReLU to the rank of the value.
    pub(super) fn for_role(self, role: &str) -> Self {
        let shape = if role == "slope" { vec![self.shape.iter().product()] } else { self.shape };
        Self { shape, ..self }
    }
}

/// A graph in the making.
#[derive(Debug)]
pub(super) struct Draft {
    values: BTreeMap<TensorId, TensorData>,
    paths: HashMap<TensorId, String>,
    pub(super) known: HashMap<TensorId, Value>,
    /// Shapes of values, by name.
    shapes: HashMap<String, Vec<usize>>,
    /// How many operations read a tensor.
    readers: HashMap<TensorId, usize>,
    /// For each operation the path of the first parameter that it or a later one reads.
    next: Vec<Option<String>>,
    /// The operation at hand.
    pub(super) at: usize,
    pub(super) names: Names,
    pub(super) nodes: Vec<Node>,
    /// Names of the stored tensors.
    stored: HashMap<Constant, String>,
    tensor_names: Names,
    pub(super) tensors: Vec<StoredTensor>,
}

impl Draft {
    /// Starts with the numbers that were there before the forward pass.
    pub(super) fn new(
        values: BTreeMap<TensorId, TensorData>,
        paths: HashMap<TensorId, String>,
        operations: &[OperationIr],
    ) -> Result<Self, Problem> {
        let names = Names::of_modules(paths.values());
        let mut known = HashMap::new();
        for (id, data) in &values {
            if !matches!(data.dtype(), DType::F32 | DType::F16 | DType::BF16 | DType::F64)
                && let Some(path) = paths.get(id)
            {
                let problem = Problem::new(format!("has element type {:?}", data.dtype())).expected("floats");
                return Err(problem.named("its parameter", path));
            }
            known.insert(*id, Value::Constant(Constant { id: *id, shape: data.shape().to_vec() }));
        }
        let mut readers = HashMap::new();
        for tensor in operations.iter().flat_map(OperationIr::inputs) {
            *readers.entry(tensor.id).or_insert(0) += 1;
        }
        let mut next: Vec<Option<String>> = Vec::new();
        for operation in operations.iter().rev() {
            let own = operation.inputs().find_map(|tensor| paths.get(&tensor.id));
            next.push(own.or(next.last().and_then(Option::as_ref)).cloned());
        }
        next.reverse();
        Ok(Self {
            values,
            paths,
            known,
            shapes: HashMap::new(),
            readers,
            next,
            at: 0,
            names,
            nodes: Vec::new(),
            stored: HashMap::new(),
            tensor_names: Names::default(),
            tensors: Vec::new(),
        })
    }

    /// Makes a tensor the value called `name`.
    pub(super) fn call(&mut self, tensor: TensorId, shape: &[usize], name: String) {
        self.shapes.insert(name.clone(), shape.to_vec());
        self.known.insert(tensor, Value::Node(name));
    }

    /// The shape of a value.
    pub(super) fn shape_of(&self, name: &str) -> Option<&[usize]> {
        self.shapes.get(name).map(Vec::as_slice)
    }

    /// The node that a tensor is the value of.
    pub(super) fn node(&self, tensor: &TensorIr) -> Option<String> {
        match self.known.get(&tensor.id) {
            Some(Value::Node(name)) => Some(name.clone()),
            _ => None,
        }
    }

    /// The constant that a tensor is.
    pub(super) fn constant(&self, tensor: &TensorIr) -> Option<Constant> {
        match self.known.get(&tensor.id) {
            Some(Value::Constant(constant)) => Some(constant.clone()),
            _ => None,
        }
    }

    /// The last node, if `tensor` is its value and only the operation at hand reads it.
    pub(super) fn only_just_made(&mut self, tensor: &TensorIr) -> Option<&mut Node> {
        let name = self.node(tensor)?;
        let alone = self.readers.get(&tensor.id) == Some(&1);
        self.nodes.last_mut().filter(|last| alone && last.name == name)
    }

    /// Two tensors are one value, which whoever reads either reads.
    pub(super) fn alias(&mut self, input: &TensorIr, output: &TensorIr) -> Option<()> {
        match self.known.get(&input.id)?.clone() {
            Value::Node(name) => self.call(output.id, &output.shape, name),
            other => drop(self.known.insert(output.id, other)),
        }
        let others = self.readers.get(&input.id).map_or(0, |readers| readers - 1);
        *self.readers.entry(output.id).or_insert(0) += others;
        Some(())
    }

    /// A constant that the forward pass makes.
    pub(super) fn make(&mut self, output: &TensorIr, value: f64) -> Option<()> {
        let shape = output.shape.to_vec();
        self.values.insert(output.id, TensorData::full(shape.clone(), value as f32));
        self.known.insert(output.id, Value::Constant(Constant { id: output.id, shape }));
        Some(())
    }

    /// Appends a node, whose value is `output`.
    pub(super) fn push(
        &mut self,
        op: Op,
        inputs: Vec<String>,
        params: Vec<(&str, Constant)>,
        output: &TensorIr,
    ) -> Option<()> {
        let mut by_age: Vec<&str> = inputs.iter().map(String::as_str).collect();
        by_age.sort_by_key(|name| self.nodes.iter().position(|node| node.name == *name));
        let path = params.first().and_then(|(_, constant)| self.paths.get(&constant.id)).map(String::as_str);
        let next = self.next.get(self.at).and_then(Option::as_deref);
        let name = self.names.free(wanted(&op, &by_age, path, next), path);
        let params =
            params.into_iter().map(|(role, constant)| (role.to_owned(), self.store(constant, &name, role)));
        let params = params.collect();
        self.call(output.id, &output.shape, name.clone());
        self.nodes.push(Node { name, inputs, params, op });
        Some(())
    }

    /// Keeps a constant under its path, or as the `role` of the node that reads it.
    pub(super) fn store(&mut self, constant: Constant, node: &str, role: &str) -> String {
        if let Some(name) = self.stored.get(&constant) {
            return name.clone();
        }
        let path = self.paths.get(&constant.id).cloned().unwrap_or_else(|| format!("{node}.{role}"));
        let name = self.tensor_names.free(path, None);
        let bytes = self.values.get(&constant.id).map(|data| data.clone().convert::<f32>().into_bytes());
        let tensor = StoredTensor::new(
            name.clone(),
            DType::F32,
            constant.shape.clone(),
            None,
            bytes.unwrap_or_else(|| burn_pack::Bytes::from_bytes_vec(vec![])),
        );
        self.tensors.push(tensor);
        self.stored.insert(constant, name.clone());
        name
    }

    /// What is said of an operation that a card does not have.
    pub(super) fn refusal(&self, operation: &OperationIr) -> String {
        let place = operation.inputs().find_map(|tensor| match self.known.get(&tensor.id)? {
            Value::Node(name) | Value::Bordered { node: name, .. } => Some(format!("behind '{name}'")),
            Value::Constant(_) => None,
        });
        let parameter = || {
            operation
                .inputs()
                .find_map(|tensor| self.paths.get(&tensor.id))
                .map(|path| format!("of '{path}'"))
        };
        format!(
            "its forward pass uses '{}' {}, which no operation of a model file does (docs/capture.md lists them)",
            kind(operation),
            place.or_else(parameter).unwrap_or_else(|| "of a constant".into()),
        )
    }
}

/// `Erf` for `Float(F32, Erf(UnaryOpIr { .. }))`: Burn has no shorter name for an operation than its debug text.
fn kind(operation: &OperationIr) -> String {
    let text = format!("{operation:?}");
    let head = text.split('{').next().unwrap_or_default();
    let variant = head.rsplit('(').nth(1).unwrap_or(head);
    variant.rsplit(' ').next().unwrap_or(variant).to_owned()
}
