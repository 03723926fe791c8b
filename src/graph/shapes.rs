//! Shape inference for every tensor, before anything runs.
//!
//! Receives the graph and the shapes of the stored tensors; gives one shape per node for a batch of one, or a
//! sentence that names the node. Burn panics on shapes that do not fit; after this check it has no reason to.

mod weighted;

use std::collections::BTreeMap;

use super::axes::{
    Shape, broadcast, flatten, gather, in_range, matmul, range_of_part, reduce, reshape, slice, split,
    squeeze, top, transpose, unsqueeze,
};
use super::resize;
use super::window::{Window, image};
use crate::card::{Graph, Op, PadMode, ResizeMapping, Values};
use crate::error::Problem;
use crate::memory::allow;

/// More elements than any real activation has (1 GiB of floats); guards against absurd cards.
const MAX_ELEMENTS: usize = 1 << 28;

/// The highest rank of a tensor of a graph; a channel shuffle needs five.
pub const MAX_RANK: usize = 6;

/// The highest rank while a graph is built. Frameworks take windows of windows apart in seven axes and more; the passes
/// bring these to [`MAX_RANK`] where that is possible.
const MAX_RANK_OF_DRAFTS: usize = 8;

/// Shapes of all nodes in graph order, each `[1, ...]`.
pub fn infer(graph: &Graph, tensors: &BTreeMap<String, Vec<usize>>) -> Result<Vec<Vec<usize>>, Problem> {
    let input = &graph.input;
    let picture = sane(vec![1, input.channels, input.height, input.width])
        .map_err(|problem| problem.after("graph.input: "))?;
    let mut shapes = Values::new(picture);
    for node in &graph.nodes {
        let inputs: Vec<&[usize]> = node.inputs.iter().map(|id| shapes[*id].as_slice()).collect();
        let params = node.params.iter();
        let params: Vec<Stored> = params
            .map(|(role, name)| Stored { role, name, shape: tensors.get(name).map(Vec::as_slice) })
            .collect();
        let shape = after(&node.op, &inputs, &params)
            .and_then(|shape| of_rank(shape, MAX_RANK))
            .map_err(|problem| problem.about_node(&node.name, node.op.name()))?;
        shapes.push(shape);
    }
    Ok(shapes.of_nodes().to_vec())
}

/// A parameter of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// What the operation takes it for.
    pub role: &'a str,
    /// Its name in the file, for messages; may be empty.
    pub name: &'a str,
    /// Its shape; `None` where the file does not have it.
    pub shape: Option<&'a [usize]>,
}

/// The output shape of an operation for these input and parameter shapes.
///
/// # Errors
/// When they do not fit together, or the result is empty, absurdly large, or has more axes than any graph that is built.
pub fn after(op: &Op, inputs: &[&[usize]], params: &[Stored]) -> Result<Vec<usize>, Problem> {
    Site { op, inputs, params }.output().and_then(sane)
}

/// Where the elements that a movement gives are in an array of this shape: the first one's place, and for each axis of the result (or of what
/// the result reshapes) its extent and the distance along it. `None` for other operations, and for several indices.
#[must_use]
pub fn moved(op: &Op, shape: &[usize]) -> Option<(usize, Vec<[usize; 2]>)> {
    use Op::*;
    let distance = |axis: usize| shape[axis + 1..].iter().product::<usize>();
    let mut axes: Vec<[usize; 2]> = (0..shape.len()).map(|axis| [shape[axis], distance(axis)]).collect();
    let mut part = |axis: usize, start: usize, count: usize, step: usize| {
        *axes.get_mut(axis)? = [count, step * distance(axis)];
        Some((start * distance(axis), axes.clone()))
    };
    match op {
        Flatten { .. } | Reshape { .. } | Squeeze { .. } | Unsqueeze { .. } => {
            Some((0, vec![[shape.iter().product(), 1]]))
        }
        Transpose { perm } => Some((0, perm.iter().map(|axis| axes[*axis]).collect())),
        Slice { axis, start, end, step } => {
            let count = (*end).min(*shape.get(*axis)?).checked_sub(*start)?.div_ceil((*step).max(1));
            part(*axis, *start, count, *step)
        }
        Split { axis, sizes, part: at } => {
            let range = range_of_part(sizes, *at);
            part(*axis, range.start, range.len(), 1)
        }
        Gather { axis, indices } => match indices[..] {
            [index] => part(*axis, index, 1, 1),
            _ => None,
        },
        _ => None,
    }
}

fn of_rank(shape: Vec<usize>, most: usize) -> Shape {
    match (1..=most).contains(&shape.len()) {
        true => Ok(shape),
        false => Err(Problem::new(format!("its output {shape:?} has rank {}", shape.len()))
            .expected(format!("1 to {MAX_RANK}"))),
    }
}

fn sane(shape: Vec<usize>) -> Shape {
    let shape = of_rank(shape, MAX_RANK_OF_DRAFTS)?;
    let elements = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
    match elements {
        Some(0) => {
            Err(Problem::new(format!("its output would be empty, {shape:?}")).hint("is the input too small?"))
        }
        Some(count) if count <= MAX_ELEMENTS => allow(count as u64 * 4).map(|()| shape),
        _ => Err(format!("its output {shape:?} is too large to compute").into()),
    }
}

/// An operation with the shapes of its inputs and parameters.
struct Site<'a> {
    op: &'a Op,
    inputs: &'a [&'a [usize]],
    params: &'a [Stored<'a>],
}

impl Site<'_> {
    fn output(&self) -> Shape {
        use Op::*;
        let x = self.inputs[0];
        match self.op {
            Conv2d { .. } => self.conv2d(),
            BatchNorm { .. } => self.batch_norm(),
            LayerNorm { .. } => self.layer_norm(),
            GroupNorm { groups, .. } => self.group_norm(*groups),
            LocalResponseNorm { .. } => channels(x).map(|_| x.to_vec()),
            ConvTranspose2d { .. } => self.conv_transpose(),
            Linear {} => self.linear(),
            Matmul {} => matmul(x, self.second()?),
            MaxPool2d { .. }
            | AvgPool2d { .. }
            | AdaptiveAvgPool2d { .. }
            | GlobalAvgPool {}
            | GlobalMaxPool {} => pooled(x, self.op),
            Resize { output_size, mapping, .. } => resized(x, *output_size, mapping.as_ref()),
            Prelu {} => self.prelu(),
            Softmax { axis } | LogSoftmax { axis } => in_range(*axis, x).map(|()| x.to_vec()),
            op if op.is_arithmetic() => self.arithmetic(),
            Concat { axis, .. } => self.concat(*axis),
            Flatten { start_axis } => flatten(x, *start_axis),
            Reshape { shape } => reshape(x, shape),
            Transpose { perm } => transpose(x, perm),
            Squeeze { axes } => squeeze(x, axes),
            Unsqueeze { axes } => unsqueeze(x, axes),
            Slice { axis, start, end, step } => slice(x, *axis, *start, *end, *step),
            Split { axis, sizes, part } => split(x, *axis, sizes, *part),
            Gather { axis, indices } => gather(x, *axis, indices),
            TopK { count } => top(x, *count),
            Pad { padding, mode, .. } => padded(x, *padding, *mode),
            ReduceMean { axes, keep_dims }
            | ReduceSum { axes, keep_dims }
            | ReduceMax { axes, keep_dims }
            | ReduceMin { axes, keep_dims }
            | ReduceL2 { axes, keep_dims } => reduce(x, axes, *keep_dims),
            _ => Ok(x.to_vec()),
        }
    }

    fn stored(&self, role: &str) -> Option<&Stored<'_>> {
        self.params.iter().find(|param| param.role == role)
    }

    fn tensor(&self, role: &str) -> Result<Option<&[usize]>, Problem> {
        let Some(param) = self.stored(role) else { return Ok(None) };
        let missing = || Problem::new(format!("its {role} '{}' is not in the file", param.name));
        param.shape.map(Some).ok_or_else(missing)
    }

    fn require(&self, role: &str, expected: &[usize]) -> Result<(), Problem> {
        match self.tensor(role)? {
            Some(found) if found != expected => {
                let name = self.stored(role).map(|param| param.name).filter(|name| !name.is_empty());
                let name = name.map_or_else(String::new, |name| format!(" '{name}'"));
                Err(Problem::new(format!("its {role}{name} has shape {found:?}"))
                    .expected(format!("{expected:?}")))
            }
            _ => Ok(()),
        }
    }

    fn arithmetic(&self) -> Shape {
        let x = self.inputs[0];
        if self.op.scalar().is_some() {
            return Ok(x.to_vec());
        }
        broadcast(x, self.second()?)
    }

    /// The second operand: the parameter `other`, or else the second input.
    fn second(&self) -> Result<&[usize], Problem> {
        Ok(self.tensor("other")?.unwrap_or(self.inputs.get(1).copied().unwrap_or_default()))
    }

    fn concat(&self, axis: usize) -> Shape {
        let first = self.inputs[0];
        in_range(axis, first)?;
        let mut shape = first.to_vec();
        for other in &self.inputs[1..] {
            let fits = other.len() == first.len()
                && other.iter().zip(first).enumerate().all(|(at, (a, b))| at == axis || a == b);
            if !fits {
                return Err(format!("cannot join {first:?} and {other:?} along axis {axis}").into());
            }
            shape[axis] += other[axis];
        }
        if let Some(other) = self.tensor("other")? {
            // It is the same for every picture, so its first axis has length 1.
            let fits = other.len() == first.len()
                && other.iter().zip(first).enumerate().all(|(at, (a, b))| at == axis || *a == 1 || a == b);
            if !fits {
                return Err(format!("cannot join {first:?} and a stored {other:?} along axis {axis}").into());
            }
            shape[axis] += other[axis];
        }
        Ok(shape)
    }
}

fn pooled(x: &[usize], op: &Op) -> Shape {
    let [batch, channels, ..] = image(x)?;
    match op {
        Op::MaxPool2d { kernel, stride, padding, dilation, ceil_mode } => {
            let window = Window { kernel, stride, padding, dilation, ceil: *ceil_mode };
            let output = window.output(x)?;
            window.check_reads(x, &output)?;
            Ok(output)
        }
        Op::AvgPool2d { kernel, stride, padding, ceil_mode, .. } => {
            Window { kernel, stride, padding, dilation: &[1, 1], ceil: *ceil_mode }.output(x)
        }
        Op::AdaptiveAvgPool2d { output_size: [height, width] } => Ok(vec![batch, channels, *height, *width]),
        _ => Ok(vec![batch, channels, 1, 1]),
    }
}

fn padded(x: &[usize], [top, bottom, left, right]: [usize; 4], mode: PadMode) -> Shape {
    let [batch, channels, height, width] = image(x)?;
    if mode == PadMode::Reflect && (top.max(bottom) >= height || left.max(right) >= width) {
        return Err(format!("reflected padding must be smaller than the input {height}x{width}").into());
    }
    Ok(vec![batch, channels, height + top + bottom, width + left + right])
}

fn channels(shape: &[usize]) -> Result<usize, Problem> {
    shape.get(1).copied().ok_or_else(|| Problem::new(format!("its input {shape:?} has no channel axis")))
}

fn resized(x: &[usize], size: [usize; 2], mapping: Option<&ResizeMapping>) -> Shape {
    let [batch, channels, height, width] = image(x)?;
    match mapping {
        Some(mapping) if !resize::fits(mapping, [height, width], size) => {
            Err(format!("its 'mapping.scale' {:?} does not make {size:?} of {height}x{width}", mapping.scale)
                .into())
        }
        _ => Ok(vec![batch, channels, size[0], size[1]]),
    }
}
