//! Which elements of a tensor are the greatest.
//!
//! Receives scores, gives zeros and ones. They are chosen in plain arrays, where equal scores keep the order of their places on every
//! device.

use super::value::{Value, map_tensor, on_tensor, zip_tensors};
use crate::error::Result;

/// Rows that are 1 at the places of the `count` greatest along the last axis, from the greatest on: `[..., count, places]`.
pub(super) fn top(x: Value, count: usize) -> Result<Value> {
    let shape = x.shape();
    let (rest, places) = shape.split_at(shape.len() - 1);
    let mut rows = Vec::new();
    for scores in x.to_vec()?.chunks(places[0]) {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        // A zero has the same rank with either sign.
        order.sort_by(|a, b| (scores[*b] + 0.0).total_cmp(&(scores[*a] + 0.0)));
        for place in &order[..count.min(order.len())] {
            rows.extend((0..scores.len()).map(|at| if at == *place { 1.0 } else { 0.0 }));
        }
    }
    let device = on_tensor!(&x, t => t.device());
    let rows = Value::new(rows, &[rest, &[count], places].concat(), &device)?;
    // A tensor of zeros with the slope of a sign connects the choice with its scores: it has a gradient, of zero.
    let zeros = map_tensor!(x, t => t.sign().mul_scalar(0.0)).reshape(&[rest, &[1], places].concat())?;
    zip_tensors!(zeros, rows, (zeros, rows) => zeros.add(rows))
}
