//! Finds the tensors whose axes are a grid over the picture: feature maps, also with channels last, and tokens.
//!
//! Follows the picture's rows and columns through the graph. Networks transpose them (a layer norm over channels wants
//! channels last), make a list of positions of them and put class tokens before it (transformers), and take windows of
//! them apart and together again (Swin). A tensor may have four axes without being a feature map.

mod axis;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use crate::axes::range_of_part;
use crate::card::{Class, Graph, Node, Op, Values};
pub(crate) use axis::Axis;
use axis::{Of, reshaped, settled};

/// The grid over the picture that a tensor holds, of `height` x `width` cells with `channels` each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The order of the axes.
    pub form: Form,
    /// Numbers per cell.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// False for four axes whose meaning a reshape hides; such a tensor is a feature map only if the user says so.
    pub is_certain: bool,
}

/// The order of the axes of a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `[batch, channels, height, width]`.
    ChannelsFirst,
    /// `[batch, height, width, channels]`.
    ChannelsLast,
    /// `[batch, prefix + height * width, channels]`, row by row.
    Tokens {
        /// Tokens before those of the cells: class token, registers, distillation token.
        prefix: usize,
    },
}

impl fmt::Display for Grid {
    /// For example `14x14 tokens after 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.height, self.width)?;
        match self.form {
            Form::ChannelsFirst => Ok(()),
            Form::ChannelsLast => write!(f, ", channels last"),
            Form::Tokens { prefix: 0 } => write!(f, " tokens"),
            Form::Tokens { prefix } => write!(f, " tokens after {prefix}"),
        }
    }
}

impl Grid {
    /// The grid of a tensor `[batch, channels, height, width]`.
    #[must_use]
    pub fn channels_first([channels, height, width]: [usize; 3]) -> Self {
        Self { form: Form::ChannelsFirst, channels, height, width, is_certain: true }
    }

    /// Tokens before those of the cells; `None` for a grid that is no list of tokens.
    #[must_use]
    pub fn prefix(&self) -> Option<usize> {
        match self.form {
            Form::Tokens { prefix } => Some(prefix),
            _ => None,
        }
    }

    /// The axes that the cells are on.
    #[must_use]
    pub fn axes(&self) -> &'static [usize] {
        match self.form {
            Form::ChannelsFirst => &[2, 3],
            Form::ChannelsLast => &[1, 2],
            Form::Tokens { .. } => &[1],
        }
    }
}

/// For each node the grid of its output, if it has one. `shapes` are those of the nodes, for a batch of one.
#[must_use]
pub fn grids(graph: &Graph, shapes: &[Vec<usize>]) -> Vec<Option<Grid>> {
    axes(graph, shapes).of_nodes().iter().map(|axes| judged(axes)).collect()
}

/// For each tensor what its axes hold.
pub(crate) fn axes(graph: &Graph, shapes: &[Vec<usize>]) -> Values<Vec<Axis>> {
    let input = &graph.input;
    let mut known = Values::new(feature_map([input.channels, input.height, input.width]));
    for (node, shape) in graph.nodes.iter().zip(shapes) {
        let inputs: Vec<&[Axis]> = node.inputs.iter().map(|id| known[*id].as_slice()).collect();
        let axes = settled(after(node, &inputs, shape));
        known.push(axes);
    }
    known
}

/// The axis along which an operation keeps some elements, and their indices.
pub(crate) fn kept(op: &Op) -> Option<(usize, Vec<usize>)> {
    match op {
        Op::Slice { axis, start, end, step } => Some((*axis, (*start..*end).step_by(*step).collect())),
        Op::Split { axis, sizes, part } => Some((*axis, range_of_part(sizes, *part).collect())),
        Op::Gather { axis, indices } => Some((*axis, indices.clone())),
        _ => None,
    }
}

fn feature_map([channels, height, width]: [usize; 3]) -> Vec<Axis> {
    let sides = [(Of::Batch, 1), (Of::Channels, channels), (Of::Rows, height), (Of::Columns, width)];
    sides.map(|(of, size)| Axis::new(of, size)).to_vec()
}

fn judged(axes: &[Axis]) -> Option<Grid> {
    let grid = |form, [channels, height, width]: [usize; 3], is_certain| {
        Some(Grid { form, channels, height, width, is_certain })
    };
    // Shapes are for one picture: more than one in the first axis means that windows or parts of it are there, whose
    // cells are no grid over the picture.
    if axes.first().is_none_or(|batch| batch.size() != 1) {
        return None;
    }
    match axes {
        [_, places, channels] => {
            let (prefix, [height, width]) = places.tokens()?;
            let is_channels = channels.of() == Of::Channels;
            is_channels.then(|| grid(Form::Tokens { prefix }, [channels.size(), height, width], true))?
        }
        [_, a, b, c] => {
            let kinds = [a.of(), b.of(), c.of()];
            let sizes = [a.size(), b.size(), c.size()];
            match kinds {
                [Of::Channels, Of::Rows, Of::Columns] => grid(Form::ChannelsFirst, sizes, true),
                [Of::Rows, Of::Columns, Of::Channels] => {
                    grid(Form::ChannelsLast, [sizes[2], sizes[0], sizes[1]], true)
                }
                _ => {
                    let wanted = [Of::Channels, Of::Rows, Of::Columns];
                    let may_be = |(of, wanted): (&Of, &Of)| of == wanted || *of == Of::Other;
                    // Lists of positions against each other are attention.
                    let is_list = [a, b, c].iter().any(|axis| axis.positions().is_some());
                    let is_possible = !is_list && kinds.iter().zip(&wanted).all(may_be);
                    is_possible.then(|| grid(Form::ChannelsFirst, sizes, false))?
                }
            }
        }
        _ => None,
    }
}

/// The axes of a node's output.
fn after(node: &Node, inputs: &[&[Axis]], shape: &[usize]) -> Vec<Axis> {
    let Some(x) = inputs.first() else { return shape.iter().map(|size| Axis::unknown(*size)).collect() };
    let found = match (&node.op, node.op.class()) {
        (Op::Transpose { perm }, _) => perm.iter().filter_map(|axis| x.get(*axis).cloned()).collect(),
        (Op::Slice { axis, start, end, step }, _) => {
            changed(x, *axis, |whole| whole.part(*start, *end, *step))
        }
        (Op::Split { axis, sizes, part }, _) => {
            let Range { start, end } = range_of_part(sizes, *part);
            changed(x, *axis, |whole| whole.part(start, end, 1))
        }
        (Op::Gather { axis, indices }, _) => changed(x, *axis, |whole| gathered(whole, indices)),
        (_, Class::Movement) => reshaped(x, shape),
        (Op::Concat { axis, at }, _) => joined(node, inputs, shape, (*axis, *at)),
        // Convolutions and pools slide over the last two axes, so those are height and width by definition.
        (Op::Conv2d { .. } | Op::ConvTranspose2d { .. } | Op::MaxPool2d { .. } | Op::AvgPool2d { .. }, _)
            if shape.iter().skip(2).all(|side| *side > 1) =>
        {
            shape.get(1..4).and_then(|sides| sides.try_into().ok()).map(feature_map).unwrap_or_default()
        }
        (Op::Linear {}, _) => with_weights(inputs, shape),
        (_, Class::Product) => product(inputs, shape),
        (_, Class::Reduction(_)) if x.len() != shape.len() => remaining(node, x),
        _ => alike(inputs, shape, None),
    };
    fitted(found, shape)
}

/// The elements of an axis at some indices: all from one on, or others.
fn gathered(whole: &Axis, indices: &[usize]) -> Axis {
    let first = indices.first().copied().unwrap_or_default();
    match indices.iter().copied().eq(first..whole.size()) {
        true => whole.part(first, whole.size(), 1),
        // Not all from one on: what is counted stays the same.
        false if whole.prefix == 0 => Axis::new(whole.of(), indices.len()),
        false => Axis::unknown(indices.len()),
    }
}

/// The axes of tensors side by side along `axis`; a stored one, if there is any, stands before input number `at`.
fn joined(node: &Node, inputs: &[&[Axis]], shape: &[usize], (axis, at): (usize, usize)) -> Vec<Axis> {
    let size = shape.get(axis).copied().unwrap_or(1);
    let mut parts: Vec<Axis> = inputs.iter().filter_map(|axes| axes.get(axis).cloned()).collect();
    let computed: usize = parts.iter().map(Axis::size).sum();
    if node.params.contains_key("other") && at <= parts.len() {
        parts.insert(at, Axis::unknown(size - computed.min(size)));
    }
    let joined = Axis::joined(&parts, size);
    changed(&alike(inputs, shape, Some(axis)), axis, |_| joined.clone())
}

/// With one axis replaced.
fn changed(axes: &[Axis], at: usize, change: impl Fn(&Axis) -> Axis) -> Vec<Axis> {
    let one = |(axis, own): (usize, &Axis)| if axis == at { change(own) } else { own.clone() };
    axes.iter().enumerate().map(one).collect()
}

/// The axes of tensors that meet element by element: of each axis the first that has its size and is known.
fn alike(inputs: &[&[Axis]], shape: &[usize], except: Option<usize>) -> Vec<Axis> {
    let same: Vec<&&[Axis]> = inputs.iter().filter(|axes| axes.len() == shape.len()).collect();
    let one = |(at, size): (usize, &usize)| {
        let candidates = same.iter().map(|axes| &axes[at]);
        let is_known = |axis: &&Axis| axis.of() != Of::Other || axis.positions().is_some();
        let fits = |axis: &&Axis| axis.size() == *size || except == Some(at);
        let best = candidates.clone().find(|axis| fits(axis) && is_known(axis));
        // An axis of another size is better than none where the operation changes it: it still says what is counted.
        let best = best.or_else(|| candidates.clone().find(fits)).or_else(|| candidates.clone().next());
        best.map_or_else(|| Axis::unknown(*size), |axis| axis.resized(*size))
    };
    shape.iter().enumerate().map(one).collect()
}

/// The axes of what stored weights make of the last axis: other channels.
fn with_weights(inputs: &[&[Axis]], shape: &[usize]) -> Vec<Axis> {
    let Some(x) = inputs.first().filter(|x| !x.is_empty()) else { return vec![] };
    changed(x, x.len() - 1, |axis| {
        // A linear layer over positions mixes them (MLP-Mixer): its outputs are no cells.
        let of = if axis.holds_picture() { Of::Other } else { Of::Channels };
        Axis::new(of, shape.last().copied().unwrap_or(1))
    })
}

/// The axes of a matrix product: rows of the first matrix, columns of the second.
fn product(inputs: &[&[Axis]], shape: &[usize]) -> Vec<Axis> {
    let rank = shape.len();
    let [a, b] = inputs else { return with_weights(inputs, shape) };
    if a.len() != rank || b.len() != rank || rank < 2 {
        return vec![];
    }
    let mut axes = alike(&[&a[..rank - 2], &b[..rank - 2]], &shape[..rank - 2], None);
    axes.extend([a[rank - 2].clone(), b[rank - 1].clone()]);
    axes
}

/// The axes that a reduction leaves.
fn remaining(node: &Node, x: &[Axis]) -> Vec<Axis> {
    let gone = node.op.reduction().map_or(&[][..], |(axes, _)| axes);
    x.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, axis)| axis.clone()).collect()
}

/// What is known about the axes, where they have the sizes of the tensor.
fn fitted(found: Vec<Axis>, shape: &[usize]) -> Vec<Axis> {
    let fits = found.len() == shape.len() && found.iter().zip(shape).all(|(axis, size)| axis.size() == *size);
    if fits { found } else { shape.iter().map(|size| Axis::unknown(*size)).collect() }
}
