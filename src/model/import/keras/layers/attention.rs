//! Attention, and the projection that it shares with other products.

use serde_json::Value;

use super::super::hdf5::Array;
use super::super::site::{Site, Tensor, weight};
use super::elementwise::TIMES;
use crate::card::Op;
use crate::error::Problem;

/// `MultiHeadAttention` over all axes between batch and channels.
pub(super) fn multi_head(site: &mut Site) -> Result<Tensor, Problem> {
    let [query, value, key] = operands(site)?;
    let middle = 1..query.rank() as i64 - 1;
    if let Some(axes) = site.settings.list("attention_axes")?.filter(|axes| !axes.iter().copied().eq(middle))
    {
        let what = format!("attends along the axes {axes:?}");
        return Err(Problem::new(what).expected("all but the first and the last"));
    }
    for setting in ["use_gate", "sliding_window"] {
        if site.settings.get(setting).is_some_and(|value| *value != Value::Bool(false)) {
            return Err(Problem::new(format!("has '{setting}'")).expected("attention of all to all"));
        }
    }
    let own = heads(site, "query", &query, [0, 2, 1, 3])?;
    // Keys are turned at once, as their product with the queries needs them.
    let others = heads(site, "key", &key, [0, 2, 3, 1])?;
    let values = heads(site, "value", &value, [0, 2, 1, 3])?;
    // On the query and not on the scores, as in Keras, so that values are rounded alike.
    let factor = (own.side(3)? as f64).sqrt().recip();
    let scaled = site.unary(TIMES(Some(factor)), &own)?;
    let mixed = mix(site, &scaled, &others, &values)?;
    let mixed = site.turn(vec![0, 2, 1, 3], &mixed)?;
    let (kernel, bias) = arrays(site, "attention_output")?;
    let y = project(site, &mixed, kernel, 2, bias)?;
    if query.rank() != 4 {
        return Ok(y);
    }
    // Back to the rows and columns that `tokens` joined.
    let shape = vec![0, query.side(2)? as i64, query.side(3)? as i64, -1];
    let picture = site.shape(shape, &y)?;
    site.as_graph(&picture)
}

/// `[batch, tokens, heads, channels]` of one part, with its axes in the order `perm`.
fn heads(site: &mut Site, part: &str, x: &Tensor, perm: [usize; 4]) -> Result<Tensor, Problem> {
    let (kernel, bias) = arrays(site, part)?;
    let x = tokens(site, x)?;
    let heads = project(site, &x, kernel, 1, bias)?;
    match heads.rank() {
        4 => site.turn(perm.to_vec(), &heads),
        rank => Err(Problem::new(format!("its {part} has {rank} axes")).expected("heads")),
    }
}

/// `Attention` of one head without weights but a factor.
pub(super) fn dot_product(site: &mut Site) -> Result<Tensor, Problem> {
    let mode = site.settings.text("score_mode", "dot")?;
    if mode != "dot" {
        return Err(Problem::new(format!("has 'score_mode' '{mode}'")).expected("dot"));
    }
    let tensors = site.tensors()?;
    let (query, value, key) = match &tensors[..] {
        [query, value] => (query, value, value),
        [query, value, key] => (query, value, key),
        all => {
            return Err(Problem::new(format!("is called on {} tensors", all.len())).expected("two or three"));
        }
    };
    if [query, value, key].iter().any(|x| x.rank() != 3) {
        return Err(Problem::new("attends to tensors of other axes").expected("[batch, steps, channels]"));
    }
    let scaled = match site.settings.flag("use_scale", false)? {
        false => query.clone(),
        true => {
            let factor = site.parameters(&["scale"])?.into_iter().next();
            let factor = factor.and_then(|factor| factor.values.first().copied()).ok_or("has no factor")?;
            site.unary(TIMES(Some(f64::from(factor))), query)?
        }
    };
    let turned = site.turn(vec![0, 2, 1], key)?;
    mix(site, &scaled, &turned, value)
}

/// `softmax(query key) value`, over the last axes.
fn mix(site: &mut Site, query: &Tensor, key: &Tensor, value: &Tensor) -> Result<Tensor, Problem> {
    let scores = site.product(query, key)?;
    let shares = site.unary(Op::Softmax { axis: scores.rank() - 1 }, &scores)?;
    site.product(&shares, value)
}

/// Query, value and key, by position or by name.
fn operands(site: &Site) -> Result<[Tensor; 3], Problem> {
    let all = site.operands.iter().map(|operand| operand.clone().tensor());
    let all: Vec<Tensor> = all.collect::<Option<_>>().ok_or("is called on a constant")?;
    if all.len() > 3 {
        return Err(Problem::new(format!("is called on {} tensors", all.len())).expected("no masks"));
    }
    let take = |at: usize, name: &str| site.named_tensor(name).or_else(|| all.get(at).cloned());
    let query = take(0, "query").ok_or("is called on nothing")?;
    let value = take(1, "value").ok_or("is called without a value")?;
    // Keras's order is query, value, key, and without a key the value is both.
    let key = take(2, "key").unwrap_or_else(|| value.clone());
    Ok([query, value, key])
}

/// `[batch, tokens, channels]`.
fn tokens(site: &mut Site, x: &Tensor) -> Result<Tensor, Problem> {
    match x.rank() {
        3 => Ok(x.clone()),
        4 => {
            let last = site.as_keras(x)?;
            let shape = vec![0, -1, last.side(3)? as i64];
            site.shape(shape, &last)
        }
        rank => Err(Problem::new(format!("attends to a tensor of {rank} axes")).expected("three or four")),
    }
}

fn arrays(site: &Site, part: &str) -> Result<(Array, Option<Array>), Problem> {
    let biased = site.settings.flag("use_bias", true)?;
    let roles: &[&str] = if biased { &["kernel", "bias"] } else { &["kernel"] };
    let mut arrays = site.parameters_of(part, roles)?.into_iter();
    let kernel = arrays.next().ok_or("has no kernel")?;
    Ok((kernel, arrays.next()))
}

/// The last `inner` axes of `x`, which is as Keras has it, times as many first ones of the kernel, whose others follow. The bias
/// is one for each of these.
pub(super) fn project(
    site: &mut Site,
    x: &Tensor,
    kernel: Array,
    inner: usize,
    bias: Option<Array>,
) -> Result<Tensor, Problem> {
    let kept = x.rank().checked_sub(inner).filter(|kept| *kept > 0).ok_or("has too few axes")?;
    let sides = (1..x.rank()).map(|axis| x.side(axis)).collect::<Result<Vec<_>, _>>()?;
    if kernel.shape.len() < inner || sides[kept - 1..] != kernel.shape[..inner] {
        let what = format!("has a kernel of shape {:?} for [batch, {sides:?}]", kernel.shape);
        return Err(what.into());
    }
    let shaped = |end: &[usize]| -> Vec<i64> {
        let sides = sides[..kept - 1].iter().chain(end).map(|side| *side as i64);
        std::iter::once(0).chain(sides).collect()
    };
    let new = kernel.shape[inner..].to_vec();
    let rows: usize = kernel.shape[..inner].iter().product();
    let columns: usize = new.iter().product();
    let flat = if inner == 1 { x.clone() } else { site.shape(shaped(&[rows]), x)? };
    let mut weights = vec![("weight", weight(Array { shape: vec![rows, columns], values: kernel.values }))];
    weights.extend(bias.map(|bias| ("bias", weight(Array { shape: vec![columns], values: bias.values }))));
    let y = site.emit(Op::Linear {}, &[&flat], weights)?;
    if new.len() == 1 { Ok(y) } else { site.shape(shaped(&new), &y) }
}
