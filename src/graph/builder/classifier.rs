//! The end of a network, where another head can stand in the place of its own.
//!
//! Gives [`GraphBuilder`] the calls by which an architecture says which modules are its head.

use super::head::HeadLayer;
use super::layers::{GraphBuilder, Value};

/// PyTorch's default epsilon of norms.
const NORM_EPSILON: f64 = 1e-5;

impl GraphBuilder {
    /// A head that is called `module`: its `usual` layers, or those that stand in their place.
    pub fn head(
        &mut self,
        module: &str,
        input: &Value,
        usual: impl FnOnce(&mut Self, &Value) -> Value,
    ) -> Value {
        let called = (self.call)(module);
        self.heads.push(called.clone());
        let Some(other) = self.head.take_if(|head| head.module == called) else { return usual(self, input) };
        let mut x = match input.tensor.rank() {
            2 => input.clone(),
            _ => self.flatten(&format!("{module}.flatten"), input),
        };
        // The names of another head are those of its tensors already.
        let call = std::mem::replace(&mut self.call, str::to_owned);
        for (name, layer) in &other.layers {
            x = match *layer {
                HeadLayer::Linear { outputs, bias: true } => self.linear(name, &x, outputs),
                HeadLayer::Linear { outputs, bias: false } => self.projection(name, &x, outputs),
                HeadLayer::BatchNorm => self.batch_norm(name, &x, NORM_EPSILON),
                HeadLayer::LayerNorm => self.layer_norm(name, &x, NORM_EPSILON),
                HeadLayer::Activation(activation) => self.activation(name, &x, activation),
            };
        }
        self.call = call;
        x
    }

    /// The last linear layer, or another head in its place.
    pub fn classifier(&mut self, name: &str, input: &Value, classes: usize) -> Value {
        self.head(name, input, |b, x| b.linear(name, x, classes))
    }
}
