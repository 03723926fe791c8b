//! Builds a [`Graph`] operation by operation, so that an architecture reads like its paper.
//!
//! Receives names and settings, tracks every tensor's size and the parameters that the operations need, and gives
//! [`Built`]. Knows no architecture. An error (an input too small for the pools) is remembered and reported once, by
//! [`GraphBuilder::finish`], so that the calls need no error handling.

mod window;

use std::collections::BTreeMap;

use crate::card::{Graph, InputSpec, Layout, Node, Op};
use crate::error::{Error, Result};
use window::windows;
pub use window::{Conv, Pool};

/// A graph with the parameters it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// The network.
    pub graph: Graph,
    /// Name and shape of every tensor, in graph order and in Burn's layout: linear weights are `[in, out]`.
    pub parameters: Vec<(String, Vec<usize>)>,
}

/// The output of an operation: its name, and its size for one picture.
#[derive(Debug, Clone)]
pub struct Value {
    name: String,
    /// Number of channels; of features, after [`GraphBuilder::flatten`].
    pub channels: usize,
    /// Height and width.
    size: [usize; 2],
}

/// A graph under construction.
#[derive(Debug)]
pub struct GraphBuilder {
    nodes: Vec<Node>,
    parameters: Vec<(String, Vec<usize>)>,
    input: InputSpec,
    problem: Option<String>,
}

impl GraphBuilder {
    /// Starts with a picture of `channels` and `[height, width]`.
    pub fn new(channels: usize, [height, width]: [usize; 2]) -> (Self, Value) {
        let input = InputSpec { name: "input".into(), channels, height, width, layout: Layout::default() };
        let value = Value { name: input.name.clone(), channels, size: [height, width] };
        (Self { nodes: Vec::new(), parameters: Vec::new(), input, problem: None }, value)
    }

    /// Ends the graph at `output`.
    ///
    /// # Errors
    /// When the input is too small for an operation.
    pub fn finish(self, output: &Value) -> Result<Built> {
        if let Some(problem) = self.problem {
            return Err(Error::request(problem));
        }
        let graph = Graph { input: self.input, nodes: self.nodes, output: output.name.clone() };
        Ok(Built { graph, parameters: self.parameters })
    }

    /// A convolution with square filters, and its parameters.
    pub fn conv(&mut self, name: &str, input: &Value, conv: Conv) -> Value {
        let padding = conv.pads(input.size);
        let size = self.window(name, input, conv.kernel, conv.stride, padding, false);
        let shape = vec![conv.out, input.channels / conv.groups, conv.kernel, conv.kernel];
        let mut params = self.parameter(name, "weight", shape);
        if conv.bias {
            params.extend(self.parameter(name, "bias", vec![conv.out]));
        }
        let op = Op::Conv2d { stride: [conv.stride; 2], padding, dilation: [1, 1], groups: conv.groups };
        self.push(name, &[input], params, op);
        Value { name: name.into(), channels: conv.out, size }
    }

    /// A batch norm in evaluation mode, and its four parameters.
    pub fn batch_norm(&mut self, name: &str, input: &Value, epsilon: f64) -> Value {
        let mut params = BTreeMap::new();
        for role in ["gamma", "beta", "running_mean", "running_var"] {
            params.extend(self.parameter(name, role, vec![input.channels]));
        }
        self.push(name, &[input], params, Op::BatchNorm { epsilon });
        Value { name: name.into(), ..input.clone() }
    }

    /// A linear layer with bias.
    pub fn linear(&mut self, name: &str, input: &Value, out: usize) -> Value {
        let mut params = self.parameter(name, "weight", vec![input.channels, out]);
        params.extend(self.parameter(name, "bias", vec![out]));
        self.push(name, &[input], params, Op::Linear {});
        Value { name: name.into(), channels: out, size: [1, 1] }
    }

    /// `max(x, 0)`.
    pub fn relu(&mut self, name: &str, input: &Value) -> Value {
        self.same_size(name, input, Op::Relu {})
    }

    /// `min(max(x, 0), 6)`.
    pub fn relu6(&mut self, name: &str, input: &Value) -> Value {
        self.same_size(name, input, Op::Relu6 {})
    }

    /// Nothing in evaluation mode; kept because the source framework names it.
    pub fn dropout(&mut self, name: &str, input: &Value) -> Value {
        self.same_size(name, input, Op::Dropout {})
    }

    /// Greatest value of each window.
    pub fn max_pool(&mut self, name: &str, input: &Value, pool: Pool) -> Value {
        let Pool { kernel, stride, padding, ceil_mode } = pool;
        let padding = [padding; 4];
        let size = self.window(name, input, kernel, stride, padding, ceil_mode);
        let op =
            Op::MaxPool2d { kernel: [kernel; 2], stride: [stride; 2], padding, dilation: [1, 1], ceil_mode };
        self.push(name, &[input], BTreeMap::new(), op);
        Value { name: name.into(), channels: input.channels, size }
    }

    /// Mean of each `kernel` by `kernel` tile.
    pub fn avg_pool(&mut self, name: &str, input: &Value, kernel: usize) -> Value {
        let size = self.window(name, input, kernel, kernel, [0; 4], false);
        let op = Op::AvgPool2d {
            kernel: [kernel; 2],
            stride: [kernel; 2],
            padding: [0; 4],
            ceil_mode: false,
            count_include_pad: true,
        };
        self.push(name, &[input], BTreeMap::new(), op);
        Value { name: name.into(), channels: input.channels, size }
    }

    /// Mean over windows that divide the input into `side` by `side` cells.
    pub fn adaptive_avg_pool(&mut self, name: &str, input: &Value, side: usize) -> Value {
        self.push(name, &[input], BTreeMap::new(), Op::AdaptiveAvgPool2d { output_size: [side; 2] });
        Value { name: name.into(), channels: input.channels, size: [side; 2] }
    }

    /// Mean over height and width.
    pub fn global_avg_pool(&mut self, name: &str, input: &Value) -> Value {
        self.push(name, &[input], BTreeMap::new(), Op::GlobalAvgPool {});
        Value { name: name.into(), channels: input.channels, size: [1, 1] }
    }

    /// All axes but the batch joined into features.
    pub fn flatten(&mut self, name: &str, input: &Value) -> Value {
        self.push(name, &[input], BTreeMap::new(), Op::Flatten { start_axis: 1 });
        let [height, width] = input.size;
        Value { name: name.into(), channels: input.channels * height * width, size: [1, 1] }
    }

    /// Sum of two tensors of the same shape.
    pub fn add(&mut self, name: &str, first: &Value, second: &Value) -> Value {
        self.push(name, &[first, second], BTreeMap::new(), Op::Add { scalar: None });
        Value { name: name.into(), ..first.clone() }
    }

    /// Concatenates the channels of all `inputs`, which have the size of the first.
    pub fn concat(&mut self, name: &str, inputs: &[&Value]) -> Value {
        self.push(name, inputs, BTreeMap::new(), Op::Concat { axis: 1 });
        let size = inputs.first().map_or([0, 0], |first| first.size);
        Value { name: name.into(), channels: inputs.iter().map(|input| input.channels).sum(), size }
    }

    fn same_size(&mut self, name: &str, input: &Value, op: Op) -> Value {
        self.push(name, &[input], BTreeMap::new(), op);
        Value { name: name.into(), ..input.clone() }
    }

    fn push(&mut self, name: &str, inputs: &[&Value], params: BTreeMap<String, String>, op: Op) {
        let inputs = inputs.iter().map(|input| input.name.clone()).collect();
        self.nodes.push(Node { name: name.into(), inputs, params, op });
    }

    fn parameter(&mut self, name: &str, role: &str, shape: Vec<usize>) -> BTreeMap<String, String> {
        let tensor = format!("{name}.{role}");
        self.parameters.push((tensor.clone(), shape));
        BTreeMap::from([(role.to_owned(), tensor)])
    }

    /// Height and width after sliding a square window; remembers an error when not even one fits.
    fn window(
        &mut self,
        name: &str,
        input: &Value,
        kernel: usize,
        stride: usize,
        [top, bottom, left, right]: [usize; 4],
        ceil_mode: bool,
    ) -> [usize; 2] {
        let [height, width] = input.size;
        let size = [
            windows(height, top, bottom, kernel, stride, ceil_mode),
            windows(width, left, right, kernel, stride, ceil_mode),
        ];
        if size.contains(&0) && self.problem.is_none() {
            let InputSpec { height, width, .. } = self.input;
            self.problem = Some(format!(
                "input size {height}x{width}: too small for '{name}', which gets {}x{} and needs {kernel}x{kernel} \
                 (ask for a greater input size)",
                input.size[0], input.size[1],
            ));
        }
        size
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
