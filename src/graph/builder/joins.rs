//! Layers that join tensors, or a tensor and stored ones: products, sums, linear layers; and softmax.

use super::derived::Derived;
use super::layers::{GraphBuilder, Value};
use crate::card::Op;
use crate::draft::Weight;

impl GraphBuilder {
    /// A linear layer with bias, over the last axis.
    pub fn linear(&mut self, name: &str, input: &Value, out: usize) -> Value {
        let weights = vec![("weight", vec![input.features(), out]), ("bias", vec![out])];
        self.put(name, &[input], weights, Op::Linear {})
    }

    /// A linear layer without bias, over the last axis.
    pub fn projection(&mut self, name: &str, input: &Value, out: usize) -> Value {
        self.put(name, &[input], vec![("weight", vec![input.features(), out])], Op::Linear {})
    }

    /// Sum of two tensors of one shape.
    pub fn add(&mut self, name: &str, first: &Value, second: &Value) -> Value {
        self.put(name, &[first, second], vec![], Op::Add { scalar: None })
    }

    /// Channels of all `inputs` side by side.
    pub fn concat(&mut self, name: &str, inputs: &[&Value]) -> Value {
        self.concat_along(name, inputs, 1)
    }

    /// Product of two tensors, broadcast to one shape.
    pub fn mul(&mut self, name: &str, first: &Value, second: &Value) -> Value {
        self.put(name, &[first, second], vec![], Op::Mul { scalar: None })
    }

    /// Each value times a number.
    pub fn times(&mut self, name: &str, input: &Value, factor: f64) -> Value {
        self.plain(name, input, Op::Mul { scalar: Some(factor) })
    }

    /// Matrix product over the last two axes.
    pub fn matmul(&mut self, name: &str, first: &Value, second: &Value) -> Value {
        self.put(name, &[first, second], vec![], Op::Matmul {})
    }

    /// Softmax over the last axis.
    pub fn softmax(&mut self, name: &str, input: &Value) -> Value {
        self.plain(name, input, Op::Softmax { axis: input.shape().len() - 1 })
    }

    /// Divided by the length along the last axis, which counts as at least 1e-12.
    pub fn normalised(&mut self, name: &str, input: &Value) -> Value {
        let axes = vec![input.shape().len() - 1];
        let length = self.plain(&format!("{name}.length"), input, Op::ReduceL2 { axes, keep_dims: true });
        // PyTorch's `normalize` has the same bound.
        let least = Op::Maximum { scalar: Some(1e-12) };
        let length = self.plain(&format!("{name}.clamp"), &length, least);
        self.put(name, &[input, &length], vec![], Op::Div { scalar: None })
    }

    /// A linear layer whose tensors are called `PREFIXweight` and `PREFIXbias`.
    pub fn linear_called(&mut self, name: &str, input: &Value, out: usize, prefix: &str) -> Value {
        let called = |role: &str| (self.call)(&format!("{prefix}{role}"));
        let weight = stored(&[input.features(), out], called("weight"));
        let bias = stored(&[out], called("bias"));
        self.put_weights(name, &[input], vec![("weight", weight), ("bias", bias)], Op::Linear {})
    }

    /// Each value times a stored tensor of `shape`, which is called `parameter`.
    pub fn scale(&mut self, name: &str, input: &Value, parameter: &str, shape: &[usize]) -> Value {
        let weight = stored(shape, (self.call)(parameter));
        self.put_weights(name, &[input], vec![("other", weight)], Op::Mul { scalar: None })
    }

    /// Each value plus that of a stored tensor of `shape`, which is called `parameter`.
    pub fn shift(&mut self, name: &str, input: &Value, parameter: &str, shape: &[usize]) -> Value {
        let weight = stored(shape, (self.call)(parameter));
        self.put_weights(name, &[input], vec![("other", weight)], Op::Add { scalar: None })
    }

    /// Each value times a tensor of `shape` that is made from weights.
    pub fn scale_by(&mut self, name: &str, input: &Value, shape: &[usize], derived: Derived) -> Value {
        let parameter = format!("{name}.other");
        self.derived.insert((self.call)(&parameter), derived.called(self.call));
        self.scale(name, input, &parameter, shape)
    }

    /// Each value plus that of a tensor of `shape` that is made from weights.
    pub fn shift_by(&mut self, name: &str, input: &Value, shape: &[usize], derived: Derived) -> Value {
        let parameter = format!("{name}.other");
        self.derived.insert((self.call)(&parameter), derived.called(self.call));
        self.shift(name, input, &parameter, shape)
    }

    /// A stored tensor of `shape`, which is called `parameter`, before `input` along `axis`; the same for every picture.
    pub fn behind(
        &mut self,
        name: &str,
        parameter: &str,
        shape: &[usize],
        input: &Value,
        axis: usize,
    ) -> Value {
        let weight = stored(shape, (self.call)(parameter));
        self.put_weights(name, &[input], vec![("other", weight)], Op::Concat { axis, at: 0 })
    }

    /// All `inputs` side by side along `axis`.
    pub fn concat_along(&mut self, name: &str, inputs: &[&Value], axis: usize) -> Value {
        self.put(name, inputs, vec![], Op::Concat { axis, at: 0 })
    }
}

/// A weight of which only name and shape are known.
fn stored(shape: &[usize], source: String) -> Weight {
    Weight { shape: shape.to_vec(), source, ..Weight::default() }
}
