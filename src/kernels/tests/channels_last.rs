//! Operations and arrays with the channels last: what a case needs of them, and plain loops in double precision.

use super::case::{Case, id};
use super::reference::Tensor;
use crate::Shapes;
use crate::card::Op;
use crate::plan::Parameters;

impl Case {
    /// Adds a linear layer to `out` channels; returns its slot.
    pub(super) fn linear(&mut self, x: usize, out: usize, bias: bool) -> usize {
        let channels = self.shape(x)[0];
        let scale = (3.0 / channels as f32).sqrt();
        let weight = self.dice.values(channels * out).iter().map(|weight| weight * scale).collect();
        let mut parameters = Parameters::from([("weight".to_owned(), (weight, vec![channels, out]))]);
        if bias {
            parameters.insert("bias".into(), (self.dice.values(out), vec![out]));
        }
        self.add(Op::Linear {}, &[x], parameters)
    }

    /// Adds a layer norm; returns its slot.
    pub(super) fn layer_norm(&mut self, x: usize, epsilon: f64) -> usize {
        let channels = self.shape(x)[0];
        let mut of_channels = |role: &str| (role.to_owned(), (self.dice.values(channels), vec![channels]));
        let parameters = ["gamma", "beta"].map(&mut of_channels).into_iter().collect();
        self.add(Op::LayerNorm { epsilon }, &[x], parameters)
    }

    /// These shapes, with the channels last where the case has them there.
    pub(super) fn ordered(&self, mut shapes: Shapes) -> Shapes {
        for slot in 0..self.slots() {
            let [channels, height, width] = self.shape(slot);
            match self.channels_last {
                0 => {}
                3 => shapes.insert_channels_last(id(slot), &[1, height * width, channels]),
                _ => shapes.insert_channels_last(id(slot), &[1, height, width, channels]),
            }
        }
        self.arrays.iter().for_each(|(slot, shape)| shapes.insert_channels_last(id(*slot), shape));
        shapes
    }

    /// A tensor's elements in the order in which arrays have them.
    pub(super) fn array(&self, tensor: &Tensor) -> Vec<f64> {
        let [channels, height, width] = tensor.shape;
        match self.channels_last {
            0 => tensor.values.clone(),
            _ => Tensor::from_fn([height, width, channels], |y, x, c| tensor.at(c, y, x)).values,
        }
    }

    /// The tensor of an image with these elements, in the order in which arrays have them.
    pub(super) fn tensor(&self, slot: usize, array: &[f64]) -> Tensor {
        self.in_form(self.shape(slot), array)
    }

    /// As [`Case::tensor`], of this shape.
    pub(super) fn in_form(&self, shape: [usize; 3], array: &[f64]) -> Tensor {
        let [channels, _, width] = shape;
        let at = |c: usize, y: usize, x: usize| match self.channels_last {
            0 => (c * shape[1] + y) * width + x,
            _ => (y * width + x) * channels + c,
        };
        Tensor::from_fn(shape, |c, y, x| array[at(c, y, x)])
    }
}

/// As operations have it.
pub(super) fn weight_shape(parameters: &Parameters) -> Option<[usize; 4]> {
    let mut sides = [1; 4];
    if let Some((_, shape)) = parameters.get("other") {
        sides[4 - shape.len()..].copy_from_slice(shape);
        return Some(sides);
    }
    let (_, shape) = parameters.get("weight").or(parameters.get("gamma"))?;
    sides[..shape.len()].copy_from_slice(shape);
    Some(sides)
}

/// A linear layer or layer norm of one image.
pub(super) fn compute(op: &Op, x: &Tensor, parameters: &Parameters) -> Tensor {
    let [channels, height, width] = x.shape;
    let of = |role: &str, at: usize| parameters.get(role).map_or(0.0, |(values, _)| f64::from(values[at]));
    if let Op::LayerNorm { epsilon } = op {
        let standard = standardised(x, *epsilon).0;
        return Tensor::from_fn(x.shape, |c, i, j| standard.at(c, i, j) * of("gamma", c) + of("beta", c));
    }
    let out = parameters["weight"].1[1];
    Tensor::from_fn([out, height, width], |c, i, j| {
        of("bias", c) + (0..channels).map(|k| x.at(k, i, j) * of("weight", k * out + c)).sum::<f64>()
    })
}

/// The gradient of its input, from that of its output.
pub(super) fn pull((op, parameters): (&Op, &Parameters), x: &Tensor, gradient: &Tensor) -> Tensor {
    let of = |role: &str, at: usize| f64::from(parameters[role].0[at]);
    let Op::LayerNorm { epsilon } = op else {
        let out = parameters["weight"].1[1];
        return Tensor::from_fn(x.shape, |k, i, j| {
            (0..out).map(|c| gradient.at(c, i, j) * of("weight", k * out + c)).sum()
        });
    };
    let (standard, scale) = standardised(x, *epsilon);
    let channels = x.shape[0];
    let mean = |of: &dyn Fn(usize) -> f64| (0..channels).map(of).sum::<f64>() / channels as f64;
    let h = |c: usize, i: usize, j: usize| gradient.at(c, i, j) * of("gamma", c);
    Tensor::from_fn(x.shape, |c, i, j| {
        let along = mean(&|c| h(c, i, j) * standard.at(c, i, j));
        (h(c, i, j) - mean(&|c| h(c, i, j)) - standard.at(c, i, j) * along) * scale.at(0, i, j)
    })
}

/// Each pixel with mean zero and variance one over its channels, and what its elements were multiplied by.
fn standardised(x: &Tensor, epsilon: f64) -> (Tensor, Tensor) {
    let [channels, height, width] = x.shape;
    let mean = |of: &dyn Fn(usize) -> f64| (0..channels).map(of).sum::<f64>() / channels as f64;
    let scale = Tensor::from_fn([1, height, width], |_, i, j| {
        let middle = mean(&|c| x.at(c, i, j));
        1.0 / (mean(&|c| (x.at(c, i, j) - middle).powi(2)) + epsilon).sqrt()
    });
    let standard =
        Tensor::from_fn(x.shape, |c, i, j| (x.at(c, i, j) - mean(&|c| x.at(c, i, j))) * scale.at(0, i, j));
    (standard, scale)
}
