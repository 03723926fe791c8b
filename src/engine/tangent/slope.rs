//! Derivatives of pointwise functions.
//!
//! Receives a pointwise operation and its input; gives the derivative as an expression that can be differentiated
//! again. Piecewise constant parts are outside autodiff.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use burn::tensor::{Tensor, activation};

use super::super::kink;
use super::super::value::{Value, map_tensor};
use crate::card::{Op, SELU_CONSTANTS};
use crate::error::{Error, Result};

/// `f'(x)`, of `x`'s shape.
pub(super) fn of(op: &Op, x: Value) -> Result<Value> {
    match (op, op.scalar(), op.clip()) {
        (Op::Sign {}, ..) => Ok(map_tensor!(x, t => t.inner().zeros_like())),
        (Op::Minimum { .. }, Some(number), _) => Ok(map_tensor!(x, t => below(&t, number))),
        (Op::Maximum { .. }, Some(number), _) => Ok(map_tensor!(x, t => below(&t.neg(), -number))),
        (Op::Relu {}, ..) => Ok(map_tensor!(x, t => above_zero(&t))),
        (_, _, Some([low, high])) => Ok(map_tensor!(x, t => within(&t, low, high))),
        _ => Ok(map_tensor!(x, t => pointwise(op, t)?)),
    }
}

fn pointwise<const RANK: usize>(op: &Op, x: Tensor<RANK>) -> Result<Tensor<RANK>> {
    Ok(match op {
        Op::LeakyRelu { slope } => above_zero(&x).mul_scalar(1.0 - slope).add_scalar(*slope),
        Op::Abs {} => x.inner().sign(),
        Op::HardSigmoid { alpha, beta } => {
            within(&x.mul_scalar(*alpha).add_scalar(*beta), 0.0, 1.0).mul_scalar(*alpha)
        }
        Op::HardSwish {} => {
            let ramp = x.clone().div_scalar(6.0).add_scalar(0.5);
            let inside = within(&ramp, 0.0, 1.0);
            kink::clamp(ramp, 0.0, 1.0) + x.div_scalar(6.0) * inside
        }
        Op::Elu { alpha } => elu(x, *alpha),
        Op::Selu {} => elu(x, SELU_CONSTANTS[0]).mul_scalar(SELU_CONSTANTS[1]),
        Op::Gelu { approximate: false } => {
            // Φ(x) + x φ(x)
            let below = x.clone().mul_scalar(FRAC_1_SQRT_2).erf().add_scalar(1.0).mul_scalar(0.5);
            let density = x.clone().square().mul_scalar(-0.5).exp();
            below + (x * density).mul_scalar(0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2)
        }
        Op::Gelu { approximate: true } => gelu_by_tanh(x),
        Op::Silu {} => silu(x),
        Op::Mish {} => {
            let t = activation::softplus(x.clone(), 1.0).tanh();
            t.clone() + x.clone() * flattening(t) * activation::sigmoid(x)
        }
        Op::Sigmoid {} => activation::sigmoid(x.clone()) * activation::sigmoid(x.neg()),
        Op::Tanh {} => flattening(x.tanh()),
        Op::Softplus {} => activation::sigmoid(x),
        Op::LogSigmoid {} => activation::sigmoid(x.neg()),
        Op::Exp {} => x.exp(),
        Op::Sqrt { of_squares: true } => {
            let zero = x.clone().inner().equal_elem(0.0);
            x.mask_fill(zero.clone(), 1.0).sqrt().recip().mul_scalar(0.5).mask_fill(zero, 0.0)
        }
        Op::Sqrt { .. } => x.sqrt().recip().mul_scalar(0.5),
        Op::Log {} => x.recip(),
        Op::Sin {} => x.cos(),
        Op::Cos {} => x.sin().neg(),
        Op::Erf {} => x.square().neg().exp().mul_scalar(FRAC_2_SQRT_PI),
        // Without a power of zero, whose own derivative at zero would be 0 times infinity.
        Op::Pow { exponent } if *exponent == 0.0 => x.inner().zeros_like(),
        Op::Pow { exponent } if *exponent == 1.0 => x.inner().ones_like(),
        Op::Pow { exponent } => x.powf_scalar(exponent - 1.0).mul_scalar(*exponent),
        _ => return Err(Error::internal(format!("'{}' does not work on each number alone", op.name()))),
    })
}

/// `σ(x) + x σ(x) σ(-x)`.
fn silu<const RANK: usize>(x: Tensor<RANK>) -> Tensor<RANK> {
    let s = activation::sigmoid(x.clone());
    s.clone() + x.clone() * s * activation::sigmoid(x.neg())
}

/// One where positive, else zero.
fn above_zero<const RANK: usize>(x: &Tensor<RANK>) -> Tensor<RANK> {
    x.clone().inner().greater_elem(0.0).float()
}

/// One between `min` and `max` exclusive, otherwise zero: the slope of a clamp.
fn within<const RANK: usize>(x: &Tensor<RANK>, min: f64, max: f64) -> Tensor<RANK> {
    let x = x.clone().inner();
    let inside = x.ones_like();
    inside.mask_fill(x.clone().lower_equal_elem(min), 0.0).mask_fill(x.greater_equal_elem(max), 0.0)
}

/// One below the bound, 1/2 at it, otherwise zero.
fn below<const RANK: usize>(x: &Tensor<RANK>, bound: f64) -> Tensor<RANK> {
    let x = x.clone().inner();
    x.clone().lower_elem(bound).float().mask_fill(x.equal_elem(bound), 0.5)
}

/// `1 - t^2`, the slope of a hyperbolic tangent `t`.
fn flattening<const RANK: usize>(t: Tensor<RANK>) -> Tensor<RANK> {
    t.square().neg().add_scalar(1.0)
}

fn elu<const RANK: usize>(x: Tensor<RANK>, alpha: f64) -> Tensor<RANK> {
    let positive = above_zero(&x);
    // Clamped, because an exponential that overflows would give NaN even where it is masked.
    let tail = x.clamp_max(0.0).exp().mul_scalar(alpha);
    tail * positive.clone().neg().add_scalar(1.0) + positive
}

/// Of `x (1 + tanh u) / 2` with `u = sqrt(2 / π) (x + 0.044715 x^3)`.
fn gelu_by_tanh<const RANK: usize>(x: Tensor<RANK>) -> Tensor<RANK> {
    const ROOT: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
    const CUBIC: f64 = 0.044_715;
    let square = x.clone().square();
    let t = (x.clone() * square.clone().mul_scalar(CUBIC).add_scalar(1.0)).mul_scalar(ROOT).tanh();
    let inner = square.mul_scalar(3.0 * CUBIC).add_scalar(1.0).mul_scalar(ROOT);
    (t.clone().add_scalar(1.0) + x * flattening(t) * inner).mul_scalar(0.5)
}

#[cfg(test)]
mod tests {
    use super::super::super::ops;
    use super::*;
    use crate::card::functions;

    const PLACES: [f32; 15] =
        [-7.0, -3.0, -2.5, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 1.5, 2.5, 3.0, 5.0, 6.0, 7.0];

    /// Every function of the table, and what is kinked with a number.
    fn each() -> Vec<Op> {
        let hard = Op::HardSigmoid { alpha: 1.0 / 6.0, beta: 0.5 };
        let powers = [0.0, 1.0, 2.0].map(|exponent| Op::Pow { exponent });
        let clips = [Op::Relu6 {}, Op::Clip { min: -1.0, max: 0.5 }];
        let extremes = [Op::Minimum { scalar: Some(1.0) }, Op::Maximum { scalar: Some(1.0) }];
        functions::all([0.2, 0.5]).chain([hard]).chain(powers).chain(clips).chain(extremes).collect()
    }

    fn close(what: &str, op: &Op, found: &[f32], expected: impl Iterator<Item = f64>) {
        for ((place, found), expected) in PLACES.iter().zip(found).zip(expected) {
            let off = (f64::from(*found) - expected).abs();
            // Where a root, a logarithm or a power has no value, all agree that there is none.
            let same = off <= 4e-6 * expected.abs().max(1.0) || (!found.is_finite() && !expected.is_finite());
            assert!(same, "{what} of {op:?} at {place}: {found}, expected {expected}");
        }
    }

    /// The expressions here, what autodiff makes of the operations themselves, and the table agree, at corners and elsewhere.
    #[test]
    fn values_slopes_and_curvatures_are_those_of_the_backward_pass_and_of_the_table() {
        let device = crate::DeviceName::default().open().unwrap();
        for op in each() {
            let leaf = Tensor::<1>::from_data(PLACES, &device).autodiff().require_grad();
            let value = ops::apply(&op, &Default::default(), vec![Value::R1(leaf.clone())]).unwrap();
            let Value::R1(value) = value else { panic!("{op:?}") };
            let gradient = leaf.grad(&value.clone().sum().backward()).unwrap();
            let gradient = Value::R1(gradient).to_vec().unwrap();
            let slope = of(&op, Value::R1(leaf.clone())).unwrap();
            let found = slope.clone().to_vec().unwrap();
            close("slope", &op, &found, gradient.iter().map(|slope| f64::from(*slope)));
            let Some(function) = op.function() else { continue };
            let at = |of: fn(functions::Function, f64) -> f64| {
                PLACES.iter().map(move |place| of(function, f64::from(*place)))
            };
            close("value", &op, &Value::R1(value).to_vec().unwrap(), at(functions::Function::value));
            close("slope", &op, &found, at(functions::Function::slope));
            let Value::R1(slope) = slope else { panic!("{op:?}") };
            let curvature = match slope.is_tracked() {
                true => leaf.grad(&slope.sum().backward()).unwrap(),
                false => leaf.inner().zeros_like(),
            };
            close(
                "curvature",
                &op,
                &Value::R1(curvature).to_vec().unwrap(),
                at(functions::Function::curvature),
            );
        }
    }
}
