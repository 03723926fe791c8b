//! The shape of every value, worked out before anything runs.
//!
//! Receives the graph and the shapes of the stored tensors, hands on one shape a node for a batch of one, or a
//! sentence that names the node. Burn panics on shapes that do not fit; after this check it has no reason to.

use std::collections::BTreeMap;

use crate::card::{Graph, Node, Op};

/// More elements than any real activation has (1 GiB of floats); a guard against absurd cards.
const MAX_ELEMENTS: usize = 1 << 28;

/// The greatest rank of a value; a channel shuffle needs five.
pub(crate) const MAX_RANK: usize = 6;

/// Shapes of all nodes in graph order, each `[1, ...]`.
pub(crate) fn infer(
    graph: &Graph,
    tensors: &BTreeMap<String, Vec<usize>>,
) -> Result<Vec<Vec<usize>>, String> {
    let input = &graph.input;
    let picture = sane(vec![1, input.channels, input.height, input.width])
        .map_err(|problem| format!("graph.input: {problem}"))?;
    let mut known: BTreeMap<&str, Vec<usize>> = BTreeMap::from([(input.name.as_str(), picture)]);
    let mut shapes = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let inputs: Vec<&[usize]> =
            node.inputs.iter().map(|name| known.get(name.as_str()).map_or(&[][..], Vec::as_slice)).collect();
        let shape = Site { node, inputs: &inputs, tensors }
            .output()
            .and_then(sane)
            .map_err(|problem| format!("node '{}' ({}): {problem}", node.name, node.op.name()))?;
        known.insert(&node.name, shape.clone());
        shapes.push(shape);
    }
    Ok(shapes)
}

fn sane(shape: Vec<usize>) -> Result<Vec<usize>, String> {
    if !(1..=MAX_RANK).contains(&shape.len()) {
        return Err(format!("its output {shape:?} has rank {}, expected 1 to {MAX_RANK}", shape.len()));
    }
    let elements = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
    match elements {
        Some(0) => Err(format!("its output would be empty, {shape:?} (is the input too small?)")),
        Some(count) if count <= MAX_ELEMENTS => Ok(shape),
        _ => Err(format!("its output {shape:?} is too large to compute")),
    }
}

/// One node with the shapes that reach it.
struct Site<'a> {
    node: &'a Node,
    inputs: &'a [&'a [usize]],
    tensors: &'a BTreeMap<String, Vec<usize>>,
}

type Shape = Result<Vec<usize>, String>;

impl Site<'_> {
    fn output(&self) -> Shape {
        use Op::*;
        let x = self.inputs[0];
        match &self.node.op {
            Conv2d { .. } => self.conv2d(),
            BatchNorm { .. } => self.batch_norm(),
            Linear {} => self.linear(),
            Matmul {} => matmul(x, self.inputs[1]),
            MaxPool2d { kernel, stride, padding, dilation, ceil_mode } => {
                Window { kernel, stride, padding, dilation, ceil: *ceil_mode }.output(x)
            }
            AvgPool2d { kernel, stride, padding, ceil_mode, .. } => {
                Window { kernel, stride, padding, dilation: &[1, 1], ceil: *ceil_mode }.output(x)
            }
            AdaptiveAvgPool2d { output_size: [height, width] } => {
                image(x).map(|[batch, channels, ..]| vec![batch, channels, *height, *width])
            }
            GlobalAvgPool {} | GlobalMaxPool {} => {
                image(x).map(|[batch, channels, ..]| vec![batch, channels, 1, 1])
            }
            Prelu {} => self.prelu(),
            Softmax { axis } | LogSoftmax { axis } => in_range(*axis, x).map(|()| x.to_vec()),
            Add { .. } | Sub { .. } | Mul { .. } | Div { .. } => self.arithmetic(),
            Concat { axis } => self.concat(*axis),
            Flatten { start_axis } => flatten(x, *start_axis),
            Reshape { shape } => reshape(x, shape),
            Transpose { perm } => transpose(x, perm),
            Squeeze { axes } => squeeze(x, axes),
            Unsqueeze { axes } => unsqueeze(x, axes),
            Slice { axis, start, end, step } => slice(x, *axis, *start, *end, *step),
            Split { axis, sizes, part } => split(x, *axis, sizes, *part),
            Pad { padding: [top, bottom, left, right], mode, .. } => {
                let [batch, channels, height, width] = image(x)?;
                if *mode == crate::card::PadMode::Reflect
                    && (top.max(bottom) >= &height || left.max(right) >= &width)
                {
                    return Err(format!("reflected padding must be smaller than the input {height}x{width}"));
                }
                Ok(vec![batch, channels, height + top + bottom, width + left + right])
            }
            ReduceMean { axes, keep_dims }
            | ReduceSum { axes, keep_dims }
            | ReduceMax { axes, keep_dims } => reduce(x, axes, *keep_dims),
            _ => Ok(x.to_vec()),
        }
    }

    fn tensor(&self, role: &str) -> Result<Option<&[usize]>, String> {
        let Some(name) = self.node.params.get(role) else { return Ok(None) };
        self.tensors
            .get(name)
            .map(|shape| Some(shape.as_slice()))
            .ok_or_else(|| format!("its {role} '{name}' is not in the file"))
    }

    fn require(&self, role: &str, expected: &[usize]) -> Result<(), String> {
        match self.tensor(role)? {
            Some(found) if found != expected => Err(format!(
                "its {role} '{}' has shape {found:?}, expected {expected:?}",
                self.node.params[role]
            )),
            _ => Ok(()),
        }
    }

    fn conv2d(&self) -> Shape {
        let Op::Conv2d { stride, padding, dilation, groups } = &self.node.op else { return Err("".into()) };
        let [_, channels, ..] = image(self.inputs[0])?;
        let weight = self.tensor("weight")?.unwrap_or_default();
        let &[out, per_group, height, width] = weight else {
            return Err(format!(
                "its weight has shape {weight:?}, expected [out, in / groups, height, width]"
            ));
        };
        if per_group.checked_mul(*groups) != Some(channels) || out % groups != 0 || height * width == 0 {
            return Err(format!(
                "its weight has shape {weight:?}, which does not fit {channels} channels in {groups} groups"
            ));
        }
        self.require("bias", &[out])?;
        let window = Window { kernel: &[height, width], stride, padding, dilation, ceil: false };
        window.output(self.inputs[0]).map(|shape| vec![shape[0], out, shape[2], shape[3]])
    }

    fn batch_norm(&self) -> Shape {
        let x = self.inputs[0];
        let &[_, channels, ..] = x else { return Err(format!("its input {x:?} has no channel axis")) };
        for role in ["gamma", "beta", "running_mean", "running_var"] {
            self.require(role, &[channels])?;
        }
        Ok(x.to_vec())
    }

    fn linear(&self) -> Shape {
        let x = self.inputs[0];
        let weight = self.tensor("weight")?.unwrap_or_default();
        let (&[input, output], [rest @ .., last]) = (weight, x) else {
            return Err(format!("its weight has shape {weight:?}, expected [in, out]"));
        };
        if input != *last || rest.is_empty() {
            return Err(format!("its weight has shape {weight:?}, which does not fit an input of {x:?}"));
        }
        self.require("bias", &[output])?;
        Ok([rest, &[output]].concat())
    }

    fn prelu(&self) -> Shape {
        let x = self.inputs[0];
        let channels = x.get(1).copied().unwrap_or_default();
        if self.tensor("slope")? != Some(&[1]) {
            self.require("slope", &[channels])?;
        }
        Ok(x.to_vec())
    }

    fn arithmetic(&self) -> Shape {
        let x = self.inputs[0];
        if self.node.op.scalar().is_some() {
            return Ok(x.to_vec());
        }
        match self.tensor("other")? {
            Some(other) => broadcast(x, other),
            None => broadcast(x, self.inputs[1]),
        }
    }

    fn concat(&self, axis: usize) -> Shape {
        let first = self.inputs[0];
        in_range(axis, first)?;
        let mut shape = first.to_vec();
        for other in &self.inputs[1..] {
            let fits = other.len() == first.len()
                && other.iter().zip(first).enumerate().all(|(at, (a, b))| at == axis || a == b);
            if !fits {
                return Err(format!("cannot join {first:?} and {other:?} along axis {axis}"));
            }
            shape[axis] += other[axis];
        }
        Ok(shape)
    }
}

/// A sliding window in two dimensions.
struct Window<'a> {
    kernel: &'a [usize; 2],
    stride: &'a [usize; 2],
    padding: &'a [usize; 4],
    dilation: &'a [usize; 2],
    ceil: bool,
}

impl Window<'_> {
    fn output(&self, input: &[usize]) -> Shape {
        let [batch, channels, height, width] = image(input)?;
        let [top, bottom, left, right] = *self.padding;
        Ok(vec![batch, channels, self.side(0, height, top, bottom)?, self.side(1, width, left, right)?])
    }

    fn side(&self, axis: usize, size: usize, before: usize, after: usize) -> Result<usize, String> {
        let reach = self.dilation[axis]
            .checked_mul(self.kernel[axis] - 1)
            .and_then(|span| span.checked_add(1))
            .ok_or("its kernel is too large to compute")?;
        let room = size
            .checked_add(before)
            .and_then(|sum| sum.checked_add(after))
            .ok_or("its padding is too large to compute")?
            .checked_sub(reach)
            .ok_or_else(|| format!("its input side {size} is smaller than its window {reach}"))?;
        let stride = self.stride[axis];
        if !self.ceil {
            return Ok(room / stride + 1);
        }
        // As in PyTorch: a window may hang over the end, but must start inside the input or its front padding.
        let count = room.div_ceil(stride) + 1;
        Ok(if (count - 1) * stride >= size + before { count - 1 } else { count })
    }
}

fn image(shape: &[usize]) -> Result<[usize; 4], String> {
    shape
        .try_into()
        .map_err(|_| format!("its input has shape {shape:?}, expected [batch, channels, height, width]"))
}

fn in_range(axis: usize, shape: &[usize]) -> Result<(), String> {
    if axis < shape.len() { Ok(()) } else { Err(format!("axis {axis} is not an axis of {shape:?}")) }
}

fn matmul(left: &[usize], right: &[usize]) -> Shape {
    let ([outer_left @ .., rows, inner], [outer_right @ .., depth, columns]) = (left, right) else {
        return Err(format!("cannot multiply {left:?} by {right:?}"));
    };
    if inner != depth {
        return Err(format!("cannot multiply {left:?} by {right:?}: {inner} columns meet {depth} rows"));
    }
    Ok([broadcast(outer_left, outer_right)?, vec![*rows, *columns]].concat())
}

/// The shape that two shapes broadcast to, aligned at their last axes.
pub(crate) fn broadcast(left: &[usize], right: &[usize]) -> Shape {
    let rank = left.len().max(right.len());
    let side =
        |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
    (0..rank)
        .map(|axis| match (side(left, axis), side(right, axis)) {
            (a, b) if a == b || b == 1 => Ok(a),
            (1, b) => Ok(b),
            _ => Err(format!("shapes {left:?} and {right:?} do not broadcast")),
        })
        .collect()
}

fn flatten(x: &[usize], start: usize) -> Shape {
    in_range(start, x)?;
    Ok([&x[..start], &[x[start..].iter().product()]].concat())
}

/// Resolves the zeros and the -1 of a reshape.
pub(crate) fn reshape(x: &[usize], spec: &[i64]) -> Shape {
    let refuse = || format!("cannot reshape {x:?} to {spec:?}");
    let mut shape = Vec::with_capacity(spec.len());
    let mut open = None;
    for (at, &side) in spec.iter().enumerate() {
        shape.push(match side {
            0 => *x.get(at).ok_or_else(refuse)?,
            -1 if open.replace(at).is_none() => 1,
            _ => usize::try_from(side).map_err(|_| refuse())?,
        });
    }
    let total: usize = x.iter().product();
    let product = shape.iter().try_fold(1_usize, |sum, side| sum.checked_mul(*side)).ok_or_else(refuse)?;
    match open {
        Some(at) if product > 0 && total.is_multiple_of(product) => shape[at] = total / product,
        None if product == total => {}
        _ => return Err(refuse()),
    }
    Ok(shape)
}

fn transpose(x: &[usize], perm: &[usize]) -> Shape {
    let mut sorted = perm.to_vec();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..x.len()) {
        return Err(format!("'perm' {perm:?} is not an order of the {} axes of {x:?}", x.len()));
    }
    Ok(perm.iter().map(|axis| x[*axis]).collect())
}

fn squeeze(x: &[usize], axes: &[usize]) -> Shape {
    match axes.iter().find(|axis| x.get(**axis) != Some(&1)) {
        Some(axis) => Err(format!("axis {axis} of {x:?} is not of size 1")),
        None => {
            Ok(x.iter().enumerate().filter(|(at, _)| !axes.contains(at)).map(|(_, side)| *side).collect())
        }
    }
}

fn unsqueeze(x: &[usize], axes: &[usize]) -> Shape {
    let mut sorted = axes.to_vec();
    sorted.sort_unstable();
    let mut shape = x.to_vec();
    for axis in sorted {
        if axis > shape.len() {
            return Err(format!("axes {axes:?} leave a gap after {x:?}"));
        }
        shape.insert(axis, 1);
    }
    Ok(shape)
}

fn slice(x: &[usize], axis: usize, start: usize, end: usize, step: usize) -> Shape {
    in_range(axis, x)?;
    let end = end.min(x[axis]);
    if start >= end {
        return Err(format!("a slice from {start} to {end} of axis {axis} of {x:?} is empty"));
    }
    let mut shape = x.to_vec();
    shape[axis] = (end - start).div_ceil(step);
    Ok(shape)
}

fn split(x: &[usize], axis: usize, sizes: &[usize], part: usize) -> Shape {
    in_range(axis, x)?;
    let total = sizes.iter().try_fold(0_usize, |sum, size| sum.checked_add(*size));
    if total != Some(x[axis]) || part >= sizes.len() {
        return Err(format!("cannot take part {part} of sizes {sizes:?} along axis {axis} of {x:?}"));
    }
    let mut shape = x.to_vec();
    shape[axis] = sizes[part];
    Ok(shape)
}

fn reduce(x: &[usize], axes: &[usize], keep_dims: bool) -> Shape {
    axes.iter().try_for_each(|axis| in_range(*axis, x))?;
    let kept = x.iter().enumerate().filter_map(|(at, side)| match (axes.contains(&at), keep_dims) {
        (true, false) => None,
        (true, true) => Some(1),
        (false, _) => Some(*side),
    });
    Ok(kept.collect())
}
