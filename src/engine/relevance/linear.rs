//! Relevance through a linear layer: every rule is a gradient of the layer with other weights and inputs.
//!
//! Receives an operation of class `Linear` with its parameters, its input, and the relevance of its output; gives that of its
//! input. A rule is a sum of terms, each an input and parameters of its own:
//!
//! ```text
//! z   = sum_t  W_t x_t + b_t                     of all terms
//! R_x = sum_t  x_t (.) W_t^T ( R / stable(z) )
//! ```
//!
//! The pull-back `W_t^T` is Burn's, so that one formula serves convolutions, their transposes and linear layers.

use burn::tensor::Tensor;

use super::composite::{FirstRule, Rule};
use crate::card::Op;
use crate::error::{Error, Result};
use crate::operands::Params;
use crate::recorded::Recorded;
use crate::value::{Value, map_tensor, sum, zip_tensors};

/// Added to denominators, with their sign: zennit's default.
const EPSILON: f64 = 1e-6;

/// How much positive weights count more under the gamma rule: zennit's default, and the middle of what Montavon et al. take.
const GAMMA: f64 = 0.25;

/// An input, and the parameters that it meets.
type Term = (Value, Params);

/// Relevance of the input `x` of a linear layer; `output` is what the layer gave.
pub(super) fn by(
    rule: Rule,
    op: &Op,
    params: &Params,
    x: Value,
    output: Value,
    relevance: Value,
) -> Result<Value> {
    let (up, down) = (positive(x.clone()), negative(x.clone()));
    match rule {
        Rule::Epsilon => shared(op, vec![(x, params.clone())], relevance),
        Rule::Plus => {
            let terms = [(up, changed(params, positive)), (down, unbiased(params, negative))];
            shared(op, sized(terms)?, relevance)
        }
        Rule::Alpha2Beta1 => {
            let with = [(up.clone(), changed(params, positive)), (down.clone(), unbiased(params, negative))];
            let against = [(up, changed(params, negative)), (down, unbiased(params, positive))];
            let with = shared(op, sized(with)?, relevance.clone())?;
            let against = shared(op, sized(against)?, relevance)?;
            zip_tensors!(with, against, (a, b) => a.mul_scalar(2.0) - b)
        }
        Rule::Gamma => {
            // What the layer gave above zero is explained by weights that favour it, what it gave below by the others.
            let (above, below) = split(&relevance, output)?;
            let favour = |part: fn(Value) -> Value| move |value: Value| favoured(value, part);
            let with = [
                (up.clone(), changed(params, favour(positive))),
                (down.clone(), unbiased(params, favour(negative))),
            ];
            let against =
                [(up, changed(params, favour(negative))), (down, unbiased(params, favour(positive)))];
            let above = shared(op, sized(with)?, above)?;
            let below = shared(op, sized(against)?, below)?;
            zip_tensors!(above, below, (a, b) => a + b)
        }
    }
}

/// Relevance of the input `x` of a layer that reads the picture. `bounds` are the least and the greatest input.
pub(super) fn first(
    rule: FirstRule,
    op: &Op,
    params: &Params,
    x: Value,
    bounds: Option<[Value; 2]>,
    relevance: Value,
) -> Result<Value> {
    let ones = |value: Value| map_tensor!(value, t => t.ones_like());
    let square = |value: Value| map_tensor!(value, t => t.square());
    let terms = match rule {
        FirstRule::Flat => vec![(ones(x), unbiased(params, ones))],
        // Squared biases take their part, as in zennit.
        FirstRule::Squares => vec![(ones(x), changed(params, square))],
        FirstRule::Box => {
            let [low, high] = bounds.ok_or_else(|| Error::internal("the input has no bounds"))?;
            let minus = |value: Value| map_tensor!(value, t => t.neg());
            // The three biases, b - b+ - b-, cancel.
            vec![
                (x, unbiased(params, |weight| weight)),
                (minus(low), unbiased(params, positive)),
                (minus(high), unbiased(params, negative)),
            ]
        }
    };
    shared(op, terms, relevance)
}

/// The formula at the top.
fn shared(op: &Op, terms: Vec<Term>, relevance: Value) -> Result<Value> {
    let record = |(x, params): Term| Ok((x.clone(), Recorded::new(op, &params, vec![x])?));
    let terms = terms.into_iter().map(record).collect::<Result<Vec<(Value, Recorded)>>>()?;
    let mut total = None;
    for (_, term) in &terms {
        total = sum(total, Some(term.output()))?;
    }
    let none = || Error::internal("a rule has no terms");
    let share = quotient(relevance, total.ok_or_else(none)?)?;
    let mut result = None;
    for (x, term) in terms {
        let gradient = term.back(share.clone())?.pop().flatten();
        let part = match gradient {
            Some(gradient) => zip_tensors!(x, gradient, (x, g) => x * g)?,
            None => map_tensor!(x, t => t.zeros_like()),
        };
        result = sum(result, Some(part))?;
    }
    result.ok_or_else(none)
}

/// `relevance / (z + epsilon)`, where epsilon has the sign of `z`, and that of a zero is positive.
pub(super) fn quotient(relevance: Value, z: Value) -> Result<Value> {
    zip_tensors!(relevance, z, (r, z) => r / stable(z))
}

fn stable<const RANK: usize>(z: Tensor<RANK>) -> Tensor<RANK> {
    let below = z.clone().lower_elem(0.0);
    let step = z.zeros_like().add_scalar(EPSILON).mask_fill(below, -EPSILON);
    z + step
}

/// The relevance of outputs that are not negative, and of those that are.
fn split(relevance: &Value, output: Value) -> Result<(Value, Value)> {
    let above =
        zip_tensors!(relevance.clone(), output.clone(), (r, z) => r.mask_fill(z.lower_elem(0.0), 0.0))?;
    let below =
        zip_tensors!(relevance.clone(), output, (r, z) => r.mask_fill(z.greater_equal_elem(0.0), 0.0))?;
    Ok((above, below))
}

fn positive(value: Value) -> Value {
    map_tensor!(value, t => t.clamp_min(0.0))
}

fn negative(value: Value) -> Value {
    map_tensor!(value, t => t.clamp_max(0.0))
}

/// `value + gamma part(value)`.
fn favoured(value: Value, part: fn(Value) -> Value) -> Value {
    let part = map_tensor!(part(value.clone()), t => t.mul_scalar(GAMMA));
    // Of the same shape, so this cannot fail.
    zip_tensors!(value.clone(), part, (a, b) => a + b).unwrap_or(value)
}

/// All parameters changed alike.
fn changed(params: &Params, change: impl Fn(Value) -> Value) -> Params {
    params.iter().map(|(role, value)| (role.clone(), change(value.clone()))).collect()
}

/// As [`changed`], without the bias: in a sum of terms it counts once.
fn unbiased(params: &Params, change: impl Fn(Value) -> Value) -> Params {
    let mut params = changed(params, change);
    params.remove("bias");
    params
}

/// Without the second term, that of negative inputs, where there are none: behind a ReLU half of the work.
fn sized([up, down]: [Term; 2]) -> Result<Vec<Term>> {
    let least = map_tensor!(down.0.clone(), t => t.min()).to_vec()?;
    Ok(if least.iter().all(|value| *value == 0.0) { vec![up] } else { vec![up, down] })
}
