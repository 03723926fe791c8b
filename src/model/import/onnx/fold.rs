//! Operations on constants: exporters compute shapes, axes and rearranged weights in the graph itself.
//!
//! Receives a [`Site`] whose inputs are all known (or, for `Shape`, have a known shape); returns its results.
//! [`lower`](super::lower) handles nodes that depend on a picture.

use ndarray::{ArrayD, Axis, IxDyn};

use super::constant::{Constant, Lanes, both, rearrange};
use super::file::MAX_ELEMENTS;
use super::parts;
use super::site::{Site, Value, front, fronts};
use crate::axes;
use crate::error::Problem;

/// Evaluates one node.
pub(super) type Fold = fn(&Site) -> Result<Vec<Constant>, Problem>;

/// The function that evaluates an operation on constants, if there is one.
pub(super) fn find(op: &str) -> Option<Fold> {
    Some(match op {
        "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Pow" | "Min" | "Max" | "Sum" | "Mean" | "Equal" | "Less"
        | "Greater" | "LessOrEqual" | "GreaterOrEqual" | "And" | "Or" => super::arithmetic::binary,
        "Neg" | "Abs" | "Sqrt" | "Reciprocal" | "Exp" | "Log" | "Sin" | "Cos" | "Floor" | "Ceil"
        | "Round" | "Not" => super::arithmetic::unary,
        "Cast" => super::cast::cast,
        "CastLike" => super::cast::cast_like,
        "Clip" => super::arithmetic::clip,
        "ReduceSum" | "ReduceMean" | "ReduceProd" | "ReduceMax" | "ReduceMin" | "ReduceL2"
        | "ReduceSumSquare" => super::reduce::along,
        "BatchNormalization" => super::reduce::batch_norm,
        "Constant" => constant,
        "ConstantOfShape" => constant_of_shape,
        "CumSum" => parts::running_sum,
        "Tile" => parts::tile,
        "Concat" => concat,
        "Expand" => expand,
        "Flatten" => flatten,
        "Gather" => parts::gather,
        "Identity" => identity,
        "Pad" => super::border::pad,
        "Range" => range,
        "Reshape" => reshape,
        "Shape" => shape,
        "Size" => size,
        "Slice" => parts::slice,
        "Split" => parts::split,
        "Squeeze" => squeeze,
        "Transpose" => transpose,
        "Unsqueeze" => unsqueeze,
        "Where" => super::arithmetic::choose,
        _ => return None,
    })
}

fn identity(site: &Site) -> Result<Vec<Constant>, Problem> {
    Ok(vec![site.constant(0)?.clone()])
}

fn constant(site: &Site) -> Result<Vec<Constant>, Problem> {
    let list =
        |ints: &[i64]| Constant::Int(ArrayD::from_shape_fn(IxDyn(&[ints.len()]), |at| both(ints[at[0]])));
    if let Some(value) = site.held("value")? {
        return Ok(vec![value]);
    }
    if let Some(ints) = site.ints("value_ints")? {
        return Ok(vec![list(&ints)]);
    }
    if site.attribute("value_int").is_some() {
        return Ok(vec![Constant::Int(ArrayD::from_elem(IxDyn(&[]), both(site.int("value_int", 0)?)))]);
    }
    if site.attribute("value_float").is_some() {
        let number = site.float("value_float", 0.0)? as f32;
        return Ok(vec![Constant::Float(ArrayD::from_elem(IxDyn(&[]), number))]);
    }
    if let Some(floats) = site.floats_in("value_floats")? {
        return Ok(vec![Constant::Float(ndarray::Array1::from(floats).into_dyn())]);
    }
    Err(Problem::new("has no value that can be read").expected("numbers"))
}

/// The sizes in input `at`, which must be valid and independent of the batch.
pub(super) fn sizes(site: &Site, at: usize) -> Result<Vec<usize>, Problem> {
    let ints = site.constant(at)?.ints().map_err(|problem| problem.after("its shape "))?;
    let refuse = || Problem::new(format!("its shape {ints:?} is not sensible"));
    let sizes: Vec<usize> =
        ints.iter().map(|side| usize::try_from(*side)).collect::<Result<_, _>>().map_err(|_| refuse())?;
    bounded(&sizes).map_err(|_| refuse())?;
    Ok(sizes)
}

/// Refuses shapes with more elements than any network has, before memory is allocated for them.
pub(super) fn bounded(shape: &[usize]) -> Result<(), Problem> {
    match shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side)) {
        Some(count) if count <= MAX_ELEMENTS => Ok(()),
        _ => Err(Problem::new(format!("its result {shape:?} is too large to compute"))),
    }
}

fn constant_of_shape(site: &Site) -> Result<Vec<Constant>, Problem> {
    let shape = IxDyn(&sizes(site, 0)?);
    Ok(vec![match site.held("value")? {
        Some(Constant::Int(array)) => {
            Constant::Int(ArrayD::from_elem(shape, array.first().copied().unwrap_or_default()))
        }
        Some(Constant::Float(array)) => {
            Constant::Float(ArrayD::from_elem(shape, array.first().copied().unwrap_or_default()))
        }
        None => Constant::Float(ArrayD::zeros(shape)),
    }])
}

fn concat(site: &Site) -> Result<Vec<Constant>, Problem> {
    let all = (0..site.inputs.len()).map(|at| site.constant(at)).collect::<Result<Vec<_>, _>>()?;
    let rank = all.first().map_or(0, |first| first.shape().len());
    let axis = Axis(site.axis(0, rank)?);
    if let Some(other) = all.iter().find(|other| other.shape().len() != rank) {
        return Err(Problem::new(format!("joins values of rank {rank} and {}", other.shape().len()))
            .expected("one rank"));
    }
    if all.iter().all(|constant| matches!(constant, Constant::Int(_))) {
        let arrays = all.iter().map(|constant| constant.lanes()).collect::<Result<Vec<_>, _>>()?;
        let views: Vec<_> = arrays.iter().map(|array| array.view()).collect();
        return Ok(vec![Constant::Int(
            ndarray::concatenate(axis, &views).map_err(|cause| Problem::new(cause.to_string()))?,
        )]);
    }
    let arrays = all.iter().map(|constant| constant.floats()).collect::<Result<Vec<_>, _>>()?;
    let views: Vec<_> = arrays.iter().map(|array| array.view()).collect();
    Ok(vec![Constant::Float(
        ndarray::concatenate(axis, &views).map_err(|cause| Problem::new(cause.to_string()))?,
    )])
}

fn expand(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let shape = axes::broadcast(input.shape(), &sizes(site, 1)?)?;
    bounded(&shape)?;
    let refuse = || Problem::new(format!("cannot expand {:?} to {shape:?}", input.shape()));
    Ok(vec![rearrange!(input, array => array.broadcast(IxDyn(&shape)).ok_or_else(refuse)?.to_owned())])
}

fn flatten(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let rank = input.shape().len();
    let axis = site.int("axis", 1)?;
    let axis = if axis == rank as i64 { rank } else { front(axis, rank)? };
    let before: usize = input.shape()[..axis].iter().product();
    let after: usize = input.shape()[axis..].iter().product();
    Ok(vec![reshaped(input, &[before, after])?])
}

fn range(site: &Site) -> Result<Vec<Constant>, Problem> {
    if let Constant::Float(_) = site.constant(0)? {
        return real_range(site);
    }
    let ends = (0..3).map(|at| site.constant(at)?.ints()).collect::<Result<Vec<_>, _>>()?;
    let [&[start], &[limit], &[step]] = [ends[0].as_slice(), &ends[1], &ends[2]] else {
        return Err("its start, limit and step are not single numbers".into());
    };
    let span = i128::from(limit) - i128::from(start);
    // The last step may be partial. A step away from the limit gives no elements.
    let part = |step: i128| i128::from(span % step != 0 && (span < 0) == (step < 0));
    let count = if step == 0 { -1 } else { span / i128::from(step) + part(i128::from(step)) };
    let count = usize::try_from(count.max(0)).ok().filter(|count| *count <= MAX_ELEMENTS && step != 0);
    let count =
        count.ok_or_else(|| Problem::new(format!("cannot count from {start} to {limit} by {step}")))?;
    Ok(vec![Constant::Int(ArrayD::from_shape_fn(IxDyn(&[count]), |at| both(start + at[0] as i64 * step)))])
}

/// Adds real numbers step by step in single precision, as onnxruntime does, so that the same rounding results.
fn real_range(site: &Site) -> Result<Vec<Constant>, Problem> {
    let refuse = || Problem::new("its start, limit and step are not single numbers");
    let end = |at: usize| site.constant(at)?.scalar().ok_or_else(refuse);
    let [start, limit, step] = [end(0)? as f32, end(1)? as f32, end(2)? as f32];
    let count = (f64::from(limit - start) / f64::from(step)).ceil().max(0.0);
    if !(count.is_finite() && step != 0.0) || count > MAX_ELEMENTS as f64 {
        return Err(Problem::new(format!("cannot count from {start} to {limit} by {step}")));
    }
    let numbers: Vec<f32> =
        std::iter::successors(Some(start), |number| Some(number + step)).take(count as usize).collect();
    Ok(vec![Constant::Float(ndarray::Array1::from(numbers).into_dyn())])
}

pub(super) fn reshaped(input: &Constant, shape: &[usize]) -> Result<Constant, Problem> {
    let refuse = |_| Problem::new(format!("cannot reshape {:?} to {shape:?}", input.shape()));
    Ok(rearrange!(input, array => {
        array.as_standard_layout().into_owned().into_shape_with_order(IxDyn(shape)).map_err(refuse)?
    }))
}

fn reshape(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let Some(spec) = site.ints_of("shape", 1)? else { return Err("its shape is not there".into()) };
    Ok(vec![reshaped(input, &axes::reshape(input.shape(), &spec)?)?])
}

/// `Shape`, the only operation that needs the shape of its input and not its value.
fn shape(site: &Site) -> Result<Vec<Constant>, Problem> {
    let lanes: Vec<Lanes> = match site.input(0) {
        Some(Value::Constant(constant)) => constant.shape().iter().map(|side| both(*side as i64)).collect(),
        Some(Value::Tensor(tensor)) => {
            let [first, second] = &tensor.shapes;
            first.iter().zip(second).map(|(first, second)| [*first as i64, *second as i64]).collect()
        }
        Some(Value::Rows(tensor)) => {
            let lane = |lane: usize| {
                let (last, rest) = tensor.shapes[lane].split_last().unwrap_or((&1, &[]));
                [rest.iter().product::<usize>() as i64, *last as i64]
            };
            let (first, second) = (lane(0), lane(1));
            vec![[first[0], second[0]], [first[1], second[1]]]
        }
        _ => return Err("its input 0 is not there, or a list".into()),
    };
    let rank = lanes.len() as i64;
    let place = |axis: i64| if axis < 0 { axis + rank } else { axis }.clamp(0, rank) as usize;
    let (start, end) = (place(site.int("start", 0)?), place(site.int("end", rank)?));
    let part = lanes.get(start..end).unwrap_or_default().to_vec();
    Ok(vec![Constant::Int(
        ArrayD::from_shape_vec(IxDyn(&[part.len()]), part)
            .map_err(|cause| Problem::new(cause.to_string()))?,
    )])
}

fn size(site: &Site) -> Result<Vec<Constant>, Problem> {
    let [Constant::Int(sides)] = &shape(site)?[..] else { return Err("its shape is not known".into()) };
    let product = sides
        .iter()
        .fold([1_i64; 2], |product, side| [0, 1].map(|lane| product[lane].saturating_mul(side[lane])));
    Ok(vec![Constant::Int(ArrayD::from_elem(IxDyn(&[]), product))])
}

fn squeeze(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let axes = match site.ints_of("axes", 1)? {
        Some(axes) => fronts(&axes, input.shape().len())?,
        None => (0..input.shape().len()).filter(|axis| input.shape()[*axis] == 1).collect(),
    };
    Ok(vec![reshaped(input, &axes::squeeze(input.shape(), &axes)?)?])
}

fn unsqueeze(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let Some(axes) = site.ints_of("axes", 1)? else { return Err("its axes are not there".into()) };
    let axes = fronts(&axes, input.shape().len() + axes.len())?;
    Ok(vec![reshaped(input, &axes::unsqueeze(input.shape(), &axes)?)?])
}

fn transpose(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let rank = input.shape().len();
    let perm = permutation(site, rank)?;
    Ok(vec![
        rearrange!(input, array => array.view().permuted_axes(IxDyn(&perm)).as_standard_layout().into_owned()),
    ])
}

/// The axis order of a `Transpose`; without one, axes are reversed.
pub(super) fn permutation(site: &Site, rank: usize) -> Result<Vec<usize>, Problem> {
    let Some(perm) = site.ints("perm")? else { return Ok((0..rank).rev().collect()) };
    let perm = perm.iter().map(|axis| front(*axis, rank)).collect::<Result<Vec<_>, _>>()?;
    let mut sorted = perm.clone();
    sorted.sort_unstable();
    match sorted.iter().copied().eq(0..rank) {
        true => Ok(perm),
        false => Err(Problem::new(format!("its order of axes {perm:?} is not one of {rank} axes"))),
    }
}
