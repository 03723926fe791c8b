//! Receptive fields: the region of the input that a cell of each layer depends on.

use super::Model;
use crate::card::{Class, Node, Op, ResizeMode, Values};

impl Model {
    /// Receptive fields by the usual recurrence: a window of `k` at a step of `j` input pixels adds `(k - 1) j`.
    pub(super) fn receptive_fields(&self) -> Vec<[usize; 2]> {
        let input = &self.graph.input;
        let whole = [input.height, input.width];
        let mut seen: Values<([usize; 2], [usize; 2])> = Values::new(([1, 1], [1, 1]));
        for node in &self.graph.nodes {
            let (mut field, mut jump) = ([1, 1], [1, 1]);
            for id in &node.inputs {
                let (other, step) = seen[*id];
                for axis in 0..2 {
                    // Where branches meet, a cell depends on the larger of their regions.
                    field[axis] = field[axis].max(other[axis]);
                    jump[axis] = jump[axis].max(step[axis]);
                }
            }
            match self.window(node) {
                Some((kernel, step)) => {
                    for axis in 0..2 {
                        field[axis] = (field[axis]
                            .saturating_add((kernel[axis] - 1).saturating_mul(jump[axis])))
                        .min(whole[axis]);
                        // Rounded up and at most the picture, so that the region is never reported smaller than it is.
                        let [across, cells] = step[axis];
                        jump[axis] = jump[axis].saturating_mul(across).div_ceil(cells).min(whole[axis]);
                    }
                }
                None if sees_all(&node.op) => field = whole,
                None => {}
            }
            seen.push((field, jump));
        }
        seen.of_nodes().iter().map(|(field, _)| *field).collect()
    }

    /// Extent of the window, with dilation, and its step as a pair: input cells per output cells.
    fn window(&self, node: &Node) -> Option<([usize; 2], [[usize; 2]; 2])> {
        let spread = |kernel: [usize; 2], dilation: &[usize; 2]| {
            [0, 1].map(|axis: usize| {
                (kernel[axis].saturating_sub(1)).saturating_mul(dilation[axis]).saturating_add(1)
            })
        };
        let each = |stride: &[usize; 2]| stride.map(|stride| [stride, 1]);
        let kernel = || {
            let weight = node.params.get("weight").and_then(|name| self.pack.shapes.get(name))?;
            Some([*weight.get(2)?, *weight.get(3)?])
        };
        match &node.op {
            Op::Conv2d { stride, dilation, .. } => Some((spread(kernel()?, dilation), each(stride))),
            Op::ConvTranspose2d { stride, dilation, .. } => {
                // Cells of its output are a stride nearer to each other, and a window reaches that many fewer cells of its input.
                let reach = spread(kernel()?, dilation);
                let taps = [0, 1].map(|axis| reach[axis].div_ceil(stride[axis].max(1)));
                Some((taps, stride.map(|stride| [1, stride])))
            }
            Op::MaxPool2d { kernel, stride, dilation, .. } => Some((spread(*kernel, dilation), each(stride))),
            Op::AvgPool2d { kernel, stride, .. } => Some((*kernel, each(stride))),
            Op::Resize { output_size, mode, .. } => {
                let taps = match mode {
                    ResizeMode::Nearest => 1,
                    ResizeMode::Bilinear => 2,
                    ResizeMode::Bicubic => 4,
                };
                let source = node.inputs.first()?.node().map(|at| &self.shapes[at]);
                let picture = &self.graph.input;
                let [height, width] =
                    source.map_or([picture.height, picture.width], |shape| [shape[2], shape[3]]);
                Some(([taps; 2], [[height, output_size[0]], [width, output_size[1]]]))
            }
            _ => None,
        }
    }
}

/// Operations each of whose values depends on the whole picture.
fn sees_all(op: &Op) -> bool {
    matches!(op.class(), Class::Reduction(_) | Class::Product)
        || matches!(
            op,
            Op::GlobalAvgPool {}
                | Op::GlobalMaxPool {}
                | Op::AdaptiveAvgPool2d { .. }
                | Op::GroupNorm { .. }
                | Op::Flatten { .. }
        )
}
