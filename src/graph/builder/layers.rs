//! Layers by name, so that an architecture reads like its paper.
//!
//! Receives names and settings, puts operations into a [`Builder`], and returns [`Built`]: the graph and the shapes of the
//! tensors that it needs, without their values. It knows no architecture. What does not fit (an input too small for the pools)
//! is remembered and reported once, by [`GraphBuilder::finish`], so that the calls need no error handling.

use std::collections::HashMap;

use super::window::{Conv, Pool};
use super::{Builder, Finished, Tensor, Weight};
use crate::card::{Graph, InputSpec, Layout, Op};
use crate::error::{Error, Problem, Result};

/// A graph together with the tensors that it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// The network.
    pub graph: Graph,
    /// Name and shape of every tensor, in graph order and in Burn's layout: linear weights are `[in, out]`.
    pub parameters: Vec<(String, Vec<usize>)>,
}

/// The result of a layer.
#[derive(Debug, Clone)]
pub struct Value {
    tensor: Tensor,
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
    problem: Option<Problem>,
}

impl GraphBuilder {
    /// Starts with a picture of `channels` and `[height, width]`.
    pub fn new(channels: usize, [height, width]: [usize; 2]) -> (Self, Value) {
        let input = InputSpec { name: "input".into(), channels, height, width, layout: Layout::default() };
        let (builder, tensor) = Builder::new(input, [1]);
        let input = Value { tensor, channels };
        (Self { builder, input: input.clone(), names: Vec::new(), problem: None }, input)
    }

    /// Ends the graph at `output`.
    ///
    /// # Errors
    /// When the input is too small for an operation.
    pub fn finish(self, output: &Value) -> Result<Built> {
        if let Some(problem) = self.problem {
            return Err(Error::request(problem));
        }
        let draft = self.builder.end_at(&output.tensor);
        let names: Vec<String> =
            draft.nodes().filter_map(|(id, _)| self.names.get(id.node()?).cloned()).collect();
        let finished = draft.finish(&names, |node, role, _| format!("{node}.{role}"));
        let Finished { graph, weights } = finished.map_err(Error::internal)?;
        let shapes: HashMap<String, Vec<usize>> =
            weights.into_iter().map(|(name, weight)| (name, weight.shape)).collect();
        let parameters = graph
            .nodes
            .iter()
            .flat_map(|node| node.op.roles().iter().filter_map(|(role, _)| node.params.get(*role)));
        let parameters =
            parameters.filter_map(|name| Some((name.clone(), shapes.get(name)?.clone()))).collect();
        Ok(Built { graph, parameters })
    }

    /// A convolution, its bias included where it has one.
    pub fn conv(&mut self, name: &str, input: &Value, conv: Conv) -> Value {
        let padding = conv.pads(input.size());
        let shape = vec![conv.out, input.channels / conv.groups, conv.kernel, conv.kernel];
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

    /// A linear layer with bias.
    pub fn linear(&mut self, name: &str, input: &Value, out: usize) -> Value {
        let weights = vec![("weight", vec![input.channels, out]), ("bias", vec![out])];
        self.put(name, &[input], weights, Op::Linear {})
    }

    /// Rectifier.
    pub fn relu(&mut self, name: &str, input: &Value) -> Value {
        self.plain(name, input, Op::Relu {})
    }

    /// Rectifier that ends at 6.
    pub fn relu6(&mut self, name: &str, input: &Value) -> Value {
        self.plain(name, input, Op::Relu6 {})
    }

    /// Nothing: networks are run for evaluation.
    pub fn dropout(&mut self, name: &str, input: &Value) -> Value {
        self.plain(name, input, Op::Dropout {})
    }

    /// Greatest value in each window.
    pub fn max_pool(&mut self, name: &str, input: &Value, pool: Pool) -> Value {
        let Pool { kernel, stride, padding, ceil_mode } = pool;
        let (kernel, stride, padding) = ([kernel; 2], [stride; 2], [padding; 4]);
        let op = Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1], ceil_mode };
        self.plain(name, input, op)
    }

    /// Mean of each `kernel` by `kernel` tile.
    pub fn avg_pool(&mut self, name: &str, input: &Value, kernel: usize) -> Value {
        let (kernel, stride, padding) = ([kernel; 2], [kernel; 2], [0; 4]);
        let op = Op::AvgPool2d { kernel, stride, padding, ceil_mode: false, count_include_pad: true };
        self.plain(name, input, op)
    }

    /// Mean over windows that divide the input into `side` by `side` cells.
    pub fn adaptive_avg_pool(&mut self, name: &str, input: &Value, side: usize) -> Value {
        self.plain(name, input, Op::AdaptiveAvgPool2d { output_size: [side; 2] })
    }

    /// Mean over height and width.
    pub fn global_avg_pool(&mut self, name: &str, input: &Value) -> Value {
        self.plain(name, input, Op::GlobalAvgPool {})
    }

    /// All values of an image as a list of features.
    pub fn flatten(&mut self, name: &str, input: &Value) -> Value {
        self.plain(name, input, Op::Flatten { start_axis: 1 })
    }

    /// Sum of two tensors of one shape.
    pub fn add(&mut self, name: &str, first: &Value, second: &Value) -> Value {
        self.put(name, &[first, second], vec![], Op::Add { scalar: None })
    }

    /// Channels of all `inputs` side by side.
    pub fn concat(&mut self, name: &str, inputs: &[&Value]) -> Value {
        self.put(name, inputs, vec![], Op::Concat { axis: 1, at: 0 })
    }

    fn plain(&mut self, name: &str, input: &Value, op: Op) -> Value {
        self.put(name, &[input], vec![], op)
    }

    /// Puts in a layer, or remembers why it does not fit and goes on with what the layer would have read.
    fn put(&mut self, name: &str, inputs: &[&Value], weights: Vec<(&str, Vec<usize>)>, op: Op) -> Value {
        let input = inputs.first().map_or(&self.input, |first| *first).clone();
        let kernel = match &op {
            Op::Conv2d { .. } => weights.first().and_then(|(_, shape)| shape.last().copied()),
            Op::MaxPool2d { kernel, .. } | Op::AvgPool2d { kernel, .. } => Some(kernel[0]),
            _ => None,
        };
        let weight = |(role, shape)| (role, Weight { shape, ..Weight::default() });
        let weights = weights.into_iter().map(weight).collect();
        let tensors: Vec<&Tensor> = inputs.iter().map(|input| &input.tensor).collect();
        match self.builder.emit(op, &tensors, weights) {
            Ok(tensor) => {
                self.names.push(name.to_owned());
                let channels = tensor.shapes[0].get(1).copied().unwrap_or_default();
                Value { tensor, channels }
            }
            Err(problem) => {
                let problem = kernel.map_or(problem, |kernel| self.too_small(name, &input, kernel));
                self.problem.get_or_insert(problem);
                input
            }
        }
    }

    fn too_small(&self, name: &str, input: &Value, kernel: usize) -> Problem {
        let InputSpec { height, width, .. } = self.builder.draft().input();
        let [rows, columns] = input.size();
        Problem::from(format!(
            "input size {height}x{width}: too small for '{name}', which gets {rows}x{columns} and needs {kernel}x{kernel} \
             (ask for a greater input size)"
        ))
    }
}

impl Value {
    /// Height and width; one for features.
    fn size(&self) -> [usize; 2] {
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
