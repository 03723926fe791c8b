//! The graph's counterpart of each recorded tensor, and the builder of the graph.
//!
//! Receives operations with their inputs, returns the finished graph with its names and weights. [`super::lower`] and
//! [`super::arithmetic`] translate operations.

use std::collections::{BTreeMap, HashMap};

use burn::backend::ir::{OperationIr, TensorId, TensorIr};
use burn::backend::{DType, TensorData};

use super::names::{self, Names};
use crate::card::{Graph, InputSpec, Layout, Op};
use crate::error::Problem;
use crate::model::StoredTensor;
use burncam_graph::builder::{Builder, Draft, Finished, Tensor, ValueId, Weight, WeightId};
use burncam_graph::passes;

/// The graph's counterpart of a recorded tensor.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// The input, or a node's output.
    Tensor(Tensor),
    /// A parameter, or a constant created in the forward pass; possibly reshaped.
    Constant(Constant),
    /// A tensor with a border of minus infinity: Burn's uneven padding for maxima.
    Bordered { tensor: Tensor, padding: [usize; 4] },
}

/// Values that do not depend on the input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Constant {
    pub(super) id: TensorId,
    pub(super) shape: Vec<usize>,
}

impl Constant {
    /// In the shape that cards use: Burn broadcasts the slopes of PReLU to the tensor's rank.
    pub(super) fn for_role(self, role: &str) -> Self {
        let shape = if role == "slope" { vec![self.shape.iter().product()] } else { self.shape };
        Self { shape, ..self }
    }
}

/// A recording during its conversion to a graph.
#[derive(Debug)]
pub(super) struct Context {
    values: BTreeMap<TensorId, TensorData>,
    paths: HashMap<TensorId, String>,
    pub(super) known: HashMap<TensorId, Value>,
    /// For each operation the path of the first parameter that it or a later one reads.
    next: Vec<Option<String>>,
    names: Names,
    stored: HashMap<Constant, WeightId>,
    /// Tensors of which only the last axis is left, all others being one axis of rows -> the tensor before that.
    pub(super) rows: HashMap<ValueId, Tensor>,
    builder: Builder,
    /// Why the builder refused an operation.
    problem: Option<Problem>,
}

impl Context {
    /// Starts with the input and the values that existed before the forward pass.
    pub(super) fn new(
        values: BTreeMap<TensorId, TensorData>,
        paths: HashMap<TensorId, String>,
        operations: &[OperationIr],
        (picture, [channels, height, width]): (TensorId, [usize; 3]),
    ) -> Result<Self, Problem> {
        let mut names = Names::of_modules(paths.values());
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
        let mut next: Vec<Option<String>> = Vec::new();
        for operation in operations.iter().rev() {
            let own = operation.inputs().find_map(|tensor| paths.get(&tensor.id));
            // From the end, so that each operation knows which parameter comes next.
            next.push(own.or(next.last().and_then(Option::as_ref)).cloned());
        }
        next.reverse();
        let name = names.free("input".into(), None);
        let (builder, input) =
            Builder::new(InputSpec { name, channels, height, width, layout: Layout::default() }, [1]);
        known.insert(picture, Value::Tensor(input));
        let (stored, rows, problem) = Default::default();
        Ok(Self { values, paths, known, next, names, stored, rows, builder, problem })
    }

    /// Sets the recorded operation that the following nodes come from.
    pub(super) fn begin(&mut self, operation: usize) {
        self.builder.origin = operation;
    }

    /// The graph's tensor for a recorded tensor.
    pub(super) fn tensor(&self, tensor: &TensorIr) -> Option<Tensor> {
        match self.known.get(&tensor.id) {
            Some(Value::Tensor(tensor)) => Some(tensor.clone()),
            _ => None,
        }
    }

    /// The constant for a recorded tensor.
    pub(super) fn constant(&self, tensor: &TensorIr) -> Option<Constant> {
        match self.known.get(&tensor.id) {
            Some(Value::Constant(constant)) => Some(constant.clone()),
            _ => None,
        }
    }

    /// Makes two recorded tensors one tensor of the graph.
    pub(super) fn alias(&mut self, input: &TensorIr, output: &TensorIr) -> Option<()> {
        let value = self.known.get(&input.id)?.clone();
        self.known.insert(output.id, value);
        Some(())
    }

    /// Adds a constant created by the forward pass.
    pub(super) fn make(&mut self, output: &TensorIr, value: f64) -> Option<()> {
        let shape = output.shape.to_vec();
        self.values.insert(output.id, TensorData::full(shape.clone(), value as f32));
        self.known.insert(output.id, Value::Constant(Constant { id: output.id, shape }));
        Some(())
    }

    /// Adds an operation with the output `output`.
    pub(super) fn push(
        &mut self,
        op: Op,
        inputs: &[&Tensor],
        params: Vec<(&str, Constant)>,
        output: &TensorIr,
    ) -> Option<()> {
        let emitted = params
            .into_iter()
            .map(|(role, constant)| Ok((role, self.store(constant)?)))
            .collect::<Result<Vec<_>, Problem>>()
            .and_then(|params| self.builder.emit_with(op, inputs, params));
        match emitted {
            Ok(tensor) => {
                self.known.insert(output.id, Value::Tensor(tensor));
                Some(())
            }
            Err(problem) => {
                self.problem = Some(problem);
                None
            }
        }
    }

    /// Stores a constant, once for each shape in which it is read.
    fn store(&mut self, constant: Constant) -> Result<WeightId, Problem> {
        if let Some(id) = self.stored.get(&constant) {
            return Ok(*id);
        }
        let source = self.paths.get(&constant.id).cloned().unwrap_or_default();
        let data = self.values.get(&constant.id).ok_or("reads a constant whose values were not recorded")?;
        let values = data.clone().convert::<f32>().try_to_vec();
        let values =
            values.map_err(|error| format!("reads a constant that is not made of floats: {error}"))?;
        let id = self.builder.store(Weight { shape: constant.shape.clone(), values, source });
        self.stored.insert(constant, id);
        Ok(id)
    }

    /// The graph that ends at `output`, and its weights under their paths in the module.
    pub(super) fn finish(mut self, output: &Tensor) -> Result<(Graph, Vec<StoredTensor>), Problem> {
        // Names are given after the passes: an operation that was joined from several is one layer.
        let mut draft = self.builder.end_at(output);
        passes::canonicalise(&mut draft);
        let own = names::assign(&draft, &self.next, &mut self.names);
        let mut tensors = Names::default();
        let finished = draft.finish(&own, |node, role, weight| {
            let path =
                if weight.source.is_empty() { format!("{node}.{role}") } else { weight.source.clone() };
            tensors.free(path, None)
        });
        let Finished { graph, weights } = finished?;
        let mut weights: HashMap<String, Weight> = weights.into_iter().collect();
        let stored = |(name, Weight { shape, values, .. })| StoredTensor::floats(name, shape, values);
        // A layer's weight before its bias, as modules have them.
        let roles = graph
            .nodes
            .iter()
            .flat_map(|node| node.op.roles().iter().filter_map(|(role, _)| node.params.get(*role)));
        let tensors = roles.filter_map(|name| weights.remove_entry(name)).map(stored).collect();
        Ok((graph, tensors))
    }

    /// The message about an operation that cards do not have.
    pub(super) fn refusal(&self, operation: &OperationIr) -> String {
        let place = operation.inputs().find_map(|tensor| match self.known.get(&tensor.id)? {
            Value::Tensor(tensor) | Value::Bordered { tensor, .. } => {
                Some(format!("behind '{}'", self.called(tensor)))
            }
            Value::Constant(_) => None,
        });
        let parameter = || {
            operation
                .inputs()
                .find_map(|tensor| self.paths.get(&tensor.id))
                .map(|path| format!("of '{path}'"))
        };
        let place = place.or_else(parameter).unwrap_or_else(|| "of a constant".into());
        let kind = kind(operation);
        match &self.problem {
            Some(problem) => format!("its forward pass uses '{kind}' {place}, which {problem}"),
            None => format!(
                "its forward pass uses '{kind}' {place}, which no operation of a model file does (docs/capture.md lists them)"
            ),
        }
    }

    /// The name of a tensor if the graph ended there.
    fn called(&self, tensor: &Tensor) -> String {
        let mut draft: Draft = self.builder.clone().end_at(tensor);
        passes::canonicalise(&mut draft);
        let input = draft.input().name.clone();
        names::assign(&draft, &self.next, &mut self.names.clone()).pop().unwrap_or(input)
    }
}

/// `Erf` for `Float(F32, Erf(UnaryOpIr { .. }))`: Burn has no other name for an operation than its debug text.
fn kind(operation: &OperationIr) -> String {
    let text = format!("{operation:?}");
    let head = text.split('{').next().unwrap_or_default();
    let variant = head.rsplit('(').nth(1).unwrap_or(head);
    variant.rsplit(' ').next().unwrap_or(variant).to_owned()
}
