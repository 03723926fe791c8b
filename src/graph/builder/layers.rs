//! Layers by name, so that an architecture reads like its paper.
//!
//! Receives names and settings, puts operations into a [`Builder`], and returns [`Built`]: the graph and the shapes of the
//! tensors that it needs, without their values. It knows no architecture. What does not fit (an input too small for the pools)
//! is remembered and reported once, by [`GraphBuilder::finish`], so that the calls need no error handling.

use std::collections::{BTreeMap, HashMap};

use super::activation::Activation;
use super::derived::Derived;
use super::head::Head;
use super::window::Conv;
use super::{Builder, Finished, Tensor, ValueId, Weight};
use crate::card::{Graph, InputSpec, Layout, Op};
use crate::error::{Error, Problem, Result};

/// A graph together with the tensors that it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// The network.
    pub graph: Graph,
    /// Name and shape of every tensor, in graph order and in Burn's layout: linear weights are `[in, out]`.
    pub parameters: Vec<(String, Vec<usize>)>,
    /// How those of the tensors are made that files of weights do not have as they are.
    pub derived: BTreeMap<String, Derived>,
    /// Modules in whose place another head can stand, the outermost first.
    pub heads: Vec<String>,
}

/// The result of a layer.
#[derive(Debug, Clone)]
pub struct Value {
    pub(super) tensor: Tensor,
    /// Number of channels; of features, after [`GraphBuilder::flatten`].
    pub channels: usize,
}

/// A network in the making.
#[derive(Debug)]
pub struct GraphBuilder {
    builder: Builder,
    input: Value,
    /// One for each node.
    names: Vec<String>,
    /// What a layer or tensor is called.
    pub(super) call: fn(&str) -> String,
    /// Stands in the place of the network's own.
    pub(super) head: Option<Head>,
    pub(super) heads: Vec<String>,
    pub(super) derived: BTreeMap<String, Derived>,
    /// Layers after this many are left out.
    most: usize,
    problem: Option<Problem>,
}

impl GraphBuilder {
    /// Starts with a picture of `channels` and `[height, width]`.
    pub fn new(channels: usize, [height, width]: [usize; 2]) -> (Self, Value) {
        let input = InputSpec { name: "input".into(), channels, height, width, layout: Layout::default() };
        let (builder, tensor) = Builder::new(input, [1]);
        let input = Value { tensor, channels };
        let (names, heads) = (Vec::new(), Vec::new());
        (
            Self {
                builder,
                input: input.clone(),
                names,
                call: str::to_owned,
                head: None,
                heads,
                derived: BTreeMap::new(),
                most: usize::MAX,
                problem: None,
            },
            input,
        )
    }

    /// With another head than the network's own.
    #[must_use]
    pub fn with_head(self, head: Option<Head>) -> Self {
        Self { head, ..self }
    }

    /// Only the first `most` layers: the calls for later ones return what these would have read.
    #[must_use]
    pub fn cut_after(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Whether [`GraphBuilder::cut_after`] leaves out all further layers, so that their weights need not be computed.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.names.len() >= self.most
    }

    /// With other names for layers and tensors: `call` gets those that the network has for them.
    #[must_use]
    pub fn called(self, call: fn(&str) -> String) -> Self {
        Self { call, ..self }
    }

    /// Ends the graph at `output`.
    ///
    /// # Errors
    /// When the input is too small for an operation.
    pub fn finish(self, output: &Value) -> Result<Built> {
        if let Some(problem) = self.problem {
            return Err(Error::request(problem));
        }
        // A cut network ends where it was cut: `output` may be any tensor before that.
        let last = ValueId::of_node(self.names.len().saturating_sub(1));
        let output = if self.is_cut() { last } else { output.tensor.id };
        let mut draft = self.builder.into_draft();
        // No passes: an architecture is written with the operations that the passes would find.
        draft.end_at(output);
        let names: Vec<String> =
            draft.nodes().filter_map(|(id, _)| self.names.get(id.node()?).cloned()).collect();
        let finished = draft.finish(&names, |node, role, weight| match weight.source.as_str() {
            "" => format!("{node}.{role}"),
            own => own.to_owned(),
        });
        let Finished { graph, weights } = finished.map_err(Error::internal)?;
        let shapes: HashMap<String, Vec<usize>> =
            weights.into_iter().map(|(name, weight)| (name, weight.shape)).collect();
        let parameters = graph
            .nodes
            .iter()
            .flat_map(|node| node.op.roles().iter().filter_map(|(role, _)| node.params.get(*role)));
        let parameters =
            parameters.filter_map(|name| Some((name.clone(), shapes.get(name)?.clone()))).collect();
        Ok(Built { graph, parameters, derived: self.derived, heads: self.heads })
    }

    /// A convolution, its bias included where it has one.
    pub fn conv(&mut self, name: &str, input: &Value, conv: Conv) -> Value {
        let padding = conv.pads(input.size());
        let [height, width] = conv.kernel;
        let shape = vec![conv.out, input.channels / conv.groups, height, width];
        let mut weights = vec![("weight", shape)];
        if conv.bias {
            weights.push(("bias", vec![conv.out]));
        }
        let op = Op::Conv2d { stride: [conv.stride; 2], padding, dilation: [1, 1], groups: conv.groups };
        self.put(name, &[input], weights, op)
    }

    /// Batch norm with running statistics.
    pub fn batch_norm(&mut self, name: &str, input: &Value, epsilon: f64) -> Value {
        let roles = ["gamma", "beta", "running_mean", "running_var"];
        let weights = roles.map(|role| (role, vec![input.channels]));
        self.put(name, &[input], weights.to_vec(), Op::BatchNorm { epsilon })
    }

    /// Layer norm over the last axis.
    pub fn layer_norm(&mut self, name: &str, input: &Value, epsilon: f64) -> Value {
        let weights = ["gamma", "beta"].map(|role| (role, vec![input.features()]));
        self.put(name, &[input], weights.to_vec(), Op::LayerNorm { epsilon })
    }

    /// A function of one element.
    pub fn activation(&mut self, name: &str, input: &Value, activation: Activation) -> Value {
        self.plain(name, input, Op::of(activation))
    }

    /// Rectifier.
    pub fn relu(&mut self, name: &str, input: &Value) -> Value {
        self.activation(name, input, Activation::Relu)
    }

    /// Rectifier that ends at 6.
    pub fn relu6(&mut self, name: &str, input: &Value) -> Value {
        self.activation(name, input, Activation::Relu6)
    }

    /// Nothing: networks are run for evaluation.
    pub fn dropout(&mut self, name: &str, input: &Value) -> Value {
        self.plain(name, input, Op::Dropout {})
    }

    /// All values of an image as a list of features.
    pub fn flatten(&mut self, name: &str, input: &Value) -> Value {
        self.plain(name, input, Op::Flatten { start_axis: 1 })
    }

    pub(super) fn plain(&mut self, name: &str, input: &Value, op: Op) -> Value {
        self.put(name, &[input], vec![], op)
    }

    /// Puts in a layer whose weights are called after it.
    pub(super) fn put(
        &mut self,
        name: &str,
        inputs: &[&Value],
        weights: Vec<(&str, Vec<usize>)>,
        op: Op,
    ) -> Value {
        let weight = |(role, shape)| (role, Weight { shape, ..Weight::default() });
        self.put_weights(name, inputs, weights.into_iter().map(weight).collect(), op)
    }

    /// Puts in a layer, or remembers why it does not fit and goes on with what the layer would have read.
    pub(super) fn put_weights(
        &mut self,
        name: &str,
        inputs: &[&Value],
        weights: Vec<(&str, Weight)>,
        op: Op,
    ) -> Value {
        let input = inputs.first().map_or(&self.input, |first| *first).clone();
        if self.is_cut() {
            return input;
        }
        let kernel = match &op {
            Op::Conv2d { .. } => {
                weights.first().and_then(|(_, weight)| weight.shape.get(2..)?.try_into().ok())
            }
            Op::MaxPool2d { kernel, .. } | Op::AvgPool2d { kernel, .. } => Some(*kernel),
            _ => None,
        };
        let tensors: Vec<&Tensor> = inputs.iter().map(|input| &input.tensor).collect();
        match self.builder.emit(op, &tensors, weights) {
            Ok(tensor) => {
                self.names.push((self.call)(name));
                let channels = tensor.shapes[0].get(1).copied().unwrap_or_default();
                Value { tensor, channels }
            }
            Err(problem) => {
                let problem = kernel.map_or(problem, |kernel| self.too_small(name, &input, kernel));
                // The first problem is the cause; what follows is computed from a wrong shape.
                self.problem.get_or_insert(problem);
                input
            }
        }
    }

    fn too_small(&self, name: &str, input: &Value, [high, wide]: [usize; 2]) -> Problem {
        let InputSpec { height, width, .. } = self.builder.draft().input();
        let [rows, columns] = input.size();
        Problem::from(format!(
            "input size {height}x{width}: too small for '{name}', which gets {rows}x{columns} and needs {high}x{wide} \
             (ask for a greater input size)"
        ))
    }
}

impl Value {
    /// Number of values along the last axis.
    #[must_use]
    pub fn features(&self) -> usize {
        self.tensor.shapes[0].last().copied().unwrap_or_default()
    }

    /// All extents, for a batch of one.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.tensor.shapes[0]
    }

    /// Height and width; one for features.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        match self.tensor.shapes[0][..] {
            [_, _, height, width] => [height, width],
            _ => [1, 1],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_that_is_too_small_is_reported_with_the_operation() {
        let (mut builder, input) = GraphBuilder::new(3, [8, 2]);
        let value = builder.conv("stem", &input, Conv::new(4, 3));
        let error = builder.finish(&value).unwrap_err().to_string();
        assert!(error.starts_with("input size 8x2: too small for 'stem'"), "{error}");
    }
}
