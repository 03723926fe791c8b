//! Functions in place of layers that rearrange, reduce and cut tensors: those of `keras.ops`, and TensorFlow's.

use serde_json::Value;

use super::super::settings::{front, numbers};
use super::super::site::{Operand, Site, TO_KERAS, Tensor};
use super::arithmetic::{Function, concatenate};
use super::{picture, shape};
use crate::card::{Op, PadMode};
use crate::error::Problem;

pub(super) const FUNCTIONS: [Function; 20] = [
    (&["Reshape"], &["reshape"], reshape),
    (&["Transpose"], &["transpose", "compat.v1.transpose"], transpose),
    (&["ExpandDims"], &["expand_dims"], expand),
    (&["Squeeze"], &["squeeze", "compat.v1.squeeze"], squeeze),
    (&["Stack"], &["stack"], stack),
    (&["Concatenate"], &["concat"], concatenate),
    (&["GetItem"], &["__operators__.getitem"], super::indices::pick),
    (&["Cast"], &["cast"], cast),
    (&["Mean"], &["math.reduce_mean"], |site| {
        reduce(site, |axes, keep_dims| Op::ReduceMean { axes, keep_dims })
    }),
    (&["Sum"], &["math.reduce_sum"], |site| {
        reduce(site, |axes, keep_dims| Op::ReduceSum { axes, keep_dims })
    }),
    (&["Max"], &["math.reduce_max"], |site| {
        reduce(site, |axes, keep_dims| Op::ReduceMax { axes, keep_dims })
    }),
    (&["Min"], &["math.reduce_min"], |site| {
        reduce(site, |axes, keep_dims| Op::ReduceMin { axes, keep_dims })
    }),
    (&["Matmul"], &["linalg.matmul"], matmul),
    (&["Softmax"], &["nn.softmax"], softmax),
    (&["Clip"], &["clip_by_value"], clip),
    (&["Square"], &["math.square"], |site| power(site, Some(2.0))),
    (&["Sqrt"], &["math.sqrt"], |site| power(site, Some(0.5))),
    (&["Power"], &["math.pow"], |site| power(site, None)),
    (&["Resize"], &["image.resize"], picture::resize),
    (&[], &["pad", "compat.v1.pad"], pad),
];

/// An axis, or none.
fn axis(site: &Site) -> Result<Option<i64>, Problem> {
    Ok(site.integers("axis")?.and_then(|axes| axes.first().copied()))
}

/// A place for a new axis in a tensor that then has `rank` axes.
fn place(axis: i64, rank: usize) -> Result<usize, Problem> {
    let front = usize::try_from(front(axis, rank)).ok().filter(|front| (1..rank).contains(front));
    front.ok_or_else(|| Problem::new(format!("makes an axis at {axis}")).expected("one behind the batch"))
}

fn reshape(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let shape = site.integers("newshape")?;
    let shape = shape.map_or_else(|| site.integers("shape"), |shape| Ok(Some(shape)))?;
    let [batch, target @ ..] = &shape.ok_or("has no constant shape")?[..] else {
        return Err("makes a number of a batch".into());
    };
    let own: usize = x.shapes[0][1..].iter().product();
    let made: i64 = target.iter().product();
    let is_batch = match batch {
        -1 => usize::try_from(made) == Ok(own),
        batch => usize::try_from(*batch) == Ok(x.shapes[0][0]),
    };
    match is_batch {
        true => shape::reshaped(site, &x, target),
        false => {
            Err(Problem::new("mixes the pictures of a batch").expected("a batch that stays the first axis"))
        }
    }
}

fn transpose(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let axes = site.integers("axes")?;
    let axes = axes.map_or_else(|| site.integers("perm"), |axes| Ok(Some(axes)))?;
    match axes.as_deref() {
        Some([0, others @ ..]) => shape::permuted(site, &x, others),
        _ => Err(Problem::new(format!("turns the axes as {axes:?}")).expected("the batch to stay first")),
    }
}

fn expand(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let at = place(axis(site)?.ok_or("has no 'axis'")?, x.rank() + 1)?;
    expanded(site, &x, at)
}

fn expanded(site: &mut Site, x: &Tensor, at: usize) -> Result<Tensor, Problem> {
    // A picture of one channel.
    if x.rank() == 3 && at == 3 {
        return site.unsqueeze(vec![1], x);
    }
    let ordered = site.as_keras(x)?;
    let y = site.unsqueeze(vec![at], &ordered)?;
    site.as_graph(&y)
}

fn squeeze(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let wanted = match axis(site)? {
        Some(axis) => vec![axis],
        None => (1..x.rank() as i64).filter(|axis| x.shapes[0][*axis as usize] == 1).collect(),
    };
    let ordered = site.as_keras(&x)?;
    let axes = wanted.iter().map(|axis| usize::try_from(front(*axis, x.rank())));
    let axes = axes.collect::<Result<_, _>>().map_err(|_| "has an axis that is not there")?;
    let y = site.squeeze(axes, &ordered)?;
    site.as_graph(&y)
}

fn stack(site: &mut Site) -> Result<Tensor, Problem> {
    let tensors = site.tensors()?;
    let rank = tensors.first().ok_or("is called on nothing")?.rank() + 1;
    let at = place(axis(site)?.unwrap_or(0), rank)?;
    let parts = tensors.iter().map(|part| expanded(site, part, at)).collect::<Result<Vec<_>, _>>()?;
    let axis = if rank == 4 { TO_KERAS[at] } else { at };
    site.emit(Op::Concat { axis, at: 0 }, &parts.iter().collect::<Vec<_>>(), vec![])
}

/// From and to floats, which the graph computes with alone.
fn cast(site: &mut Site) -> Result<Tensor, Problem> {
    let value = site.value("dtype");
    let name = value.as_ref().and_then(Value::as_str).unwrap_or_default();
    match name.contains("float") {
        true => site.input(),
        false => Err(Problem::new(format!("makes numbers of the type '{name}'")).expected("floats")),
    }
}

fn reduce(site: &mut Site, op: fn(Vec<usize>, bool) -> Op) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let keep = site.is_set("keepdims")?;
    let wanted = site.integers("axis")?.unwrap_or_else(|| (1..x.rank() as i64).collect());
    let axes: Vec<i64> = wanted.iter().map(|axis| front(*axis, x.rank())).collect();
    if axes.iter().any(|axis| !(1..x.rank() as i64).contains(axis)) {
        return Err(
            Problem::new(format!("works along the axes {wanted:?}")).expected("axes behind the batch")
        );
    }
    let axes: Vec<usize> = axes.into_iter().map(|axis| axis as usize).collect();
    // Where the channels are all that is left, or all axes stay, the order does not matter.
    if x.rank() == 4 && (keep || axes == [1, 2] || axes == [3]) {
        let axes = axes.into_iter().map(|axis| TO_KERAS[axis]).collect();
        return site.unary(op(axes, keep), &x);
    }
    let ordered = site.as_keras(&x)?;
    let y = site.unary(op(axes, keep), &ordered)?;
    site.as_graph(&y)
}

fn matmul(site: &mut Site) -> Result<Tensor, Problem> {
    let mut tensors = site.tensors()?;
    tensors.extend(site.named_tensor("b").filter(|_| tensors.len() == 1));
    let [first, second] = &tensors[..] else { return Err("needs two tensors".into()) };
    if first.rank() != second.rank() || first.rank() < 3 {
        let what = format!("multiplies tensors of {} and {} axes", first.rank(), second.rank());
        return Err(Problem::new(what).expected("as many axes, at least three"));
    }
    let mut ordered = [site.as_keras(first)?, site.as_keras(second)?];
    for (x, key) in ordered.iter_mut().zip(["transpose_a", "transpose_b"]) {
        if site.is_set(key)? {
            let rank = x.rank();
            let perm = (0..rank - 2).chain([rank - 1, rank - 2]).collect();
            *x = site.turn(perm, x)?;
        }
    }
    let y = site.product(&ordered[0], &ordered[1])?;
    site.as_graph(&y)
}

fn softmax(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let axis = site.axis(&x, axis(site)?.unwrap_or(-1))?;
    site.unary(Op::Softmax { axis }, &x)
}

fn clip(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let bound = |keys: [&str; 2]| {
        let value = keys.iter().find_map(|key| site.value(key)).and_then(|value| value.as_f64());
        value.ok_or_else(|| Problem::new(format!("has no '{}'", keys[0])))
    };
    let (min, max) = (bound(["x_min", "clip_value_min"])?, bound(["x_max", "clip_value_max"])?);
    site.unary(Op::Clip { min, max }, &x)
}

fn power(site: &mut Site, exponent: Option<f64>) -> Result<Tensor, Problem> {
    let mut operands = site.operands.iter().cloned();
    let x = operands.next().and_then(Operand::tensor).ok_or("is called on no tensor")?;
    let second = operands.next().and_then(Operand::constant);
    let given = second.or_else(|| site.value("y")).and_then(|value| value.as_f64());
    match exponent.or(given) {
        Some(0.5) => site.unary(Op::Sqrt { of_squares: false }, &x),
        Some(exponent) => site.unary(Op::Pow { exponent }, &x),
        None => Err(Problem::new("has an exponent that is computed").expected("a number")),
    }
}

/// `tf.pad` of a picture's rows and columns.
fn pad(site: &mut Site) -> Result<Tensor, Problem> {
    let (x, _) = site.picture()?;
    let sides = site.value("paddings").as_ref().and_then(numbers);
    let Some([0.0, 0.0, top, bottom, left, right, 0.0, 0.0]) =
        sides.and_then(|sides| <[f64; 8]>::try_from(sides).ok())
    else {
        return Err(Problem::new("pads more than rows and columns").expected("a picture that gets wider"));
    };
    let mode = site.value("mode");
    let mode = match mode.as_ref().and_then(Value::as_str).unwrap_or("CONSTANT") {
        "CONSTANT" => PadMode::Constant,
        "REFLECT" => PadMode::Reflect,
        other => return Err(Problem::new(format!("pads as '{other}'")).expected("CONSTANT or REFLECT")),
    };
    let value = site.value("constant_values").and_then(|value| value.as_f64()).unwrap_or(0.0);
    let padding = [top, bottom, left, right].map(|side| side as usize);
    site.unary(Op::Pad { padding, mode, value }, &x)
}
