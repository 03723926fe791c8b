//! What four columns of a detector's output are: found from the operations that compute them.
//!
//! | first two columns | last two | so the box is |
//! |---|---|---|
//! | moved by constants | moved by the same constants, of parts of one tensor | two corners (distances from a point) |
//! | | a difference of two tensors, an exponential, a square | a centre and a size |
//! | a sigmoid of all four, not scaled | | in shares of the picture; a centre and a size are assumed, as DETR has them |
//! | a convolution or a linear layer | | a regression; with objectness and one anchor per cell YOLOX's is assumed |
//! | anything else | | a centre and a size in pixels are assumed |

use super::arithmetic::{is_difference, is_factor, is_shift};
use super::columns::{Columned, Columns};
use super::form::{BOX, Boxes, Scales};
use crate::card::{Op, ValueId};

/// What the columns are, and what of it is assumed, in words.
pub(super) struct Found {
    pub(super) boxes: Boxes,
    pub(super) assumed: Option<&'static str>,
}

/// Determines what the four columns at the front of a tensor are.
pub(super) fn found(graph: &Columned, id: ValueId, axis: usize, has_objectness: bool) -> Found {
    let pair = |start| Pair::of(graph, &Columns { id, axis, range: start..start + BOX / 2 });
    let (Some(first), Some(last)) = (pair(0), pair(2)) else { return assumed_centre() };
    if first.is_raw && last.is_raw {
        return regression(graph, &Columns { id, axis, range: 0..BOX }, has_objectness);
    }
    if first.is_unit && last.is_unit {
        let assumed = "boxes are taken for centre, width and height, as shares of the input";
        return Found { boxes: Boxes::Centre { unit: true }, assumed: Some(assumed) };
    }
    let proven = |boxes| Found { boxes, assumed: None };
    if last.is_size {
        return proven(Boxes::Centre { unit: false });
    }
    match (first.moved, last.moved) {
        (Some(a), Some(b)) if a == b => proven(Boxes::Corners { unit: false }),
        _ => assumed_centre(),
    }
}

fn assumed_centre() -> Found {
    let assumed = "boxes are taken for centre, width and height in pixels";
    Found { boxes: Boxes::Centre { unit: false }, assumed: Some(assumed) }
}

/// Regressions that nothing is computed of.
fn regression(graph: &Columned, columns: &Columns, has_objectness: bool) -> Found {
    let cells = |columns: Columns| match graph.shape(columns.id)[..] {
        // One anchor per cell has the four numbers of one box.
        [1, BOX, height, width] if columns.axis == 1 => Some([height, width]),
        _ => None,
    };
    let scales: Option<Vec<[usize; 2]>> = graph.sources(columns).into_iter().map(cells).collect();
    let scales = scales.filter(|_| has_objectness);
    match scales.and_then(|scales| Scales::new(&scales)) {
        Some(scales) => {
            let assumed = "boxes are taken for YOLOX's: an offset from the cell, and the logarithms of width and height, in cells";
            Found { boxes: Boxes::Cells(scales), assumed: Some(assumed) }
        }
        None => {
            let assumed = "no boxes are read: they are regressions from anchors that the graph does not have";
            Found { boxes: Boxes::Unknown, assumed: Some(assumed) }
        }
    }
}

/// How two columns are computed, the same for every scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    /// By a layer with weights, and nothing after it.
    is_raw: bool,
    /// By a sigmoid, and nothing after it.
    is_unit: bool,
    /// As a size.
    is_size: bool,
    /// From this tensor, by adding constants.
    moved: Option<ValueId>,
}

impl Pair {
    fn of(graph: &Columned, columns: &Columns) -> Option<Self> {
        let mut all = graph.sources(columns).into_iter().map(|source| Self::of_source(graph, source));
        let first = all.next()??;
        // Scales are computed alike, from tensors of their own.
        let alike = |other: Option<Self>| {
            other.is_some_and(|other| Self { moved: None, ..other } == Self { moved: None, ..first })
        };
        all.all(alike).then_some(first)
    }

    fn of_source(graph: &Columned, mut columns: Columns) -> Option<Self> {
        let mut is_scaled = false;
        // Bounds the walk; a formula is much shorter.
        for _ in 0..graph.graph.nodes.len() {
            let node = graph.graph.node(columns.id)?;
            if !(is_factor(&node.op) && node.inputs.len() == 1) {
                break;
            }
            is_scaled = true;
            columns.id = *node.inputs.first()?;
            let mut sources = graph.sources(&columns);
            match (sources.pop(), sources.is_empty()) {
                (Some(only), true) => columns = only,
                _ => return None,
            }
        }
        let node = graph.graph.node(columns.id)?;
        let squares = node.inputs.len() == 2 && node.inputs[0] == node.inputs[1];
        let moved = match &node.op {
            op if is_shift(op) && node.inputs.len() == 1 => origin(graph, node.inputs[0]),
            _ => None,
        };
        Some(Self {
            is_raw: !is_scaled && graph.is_of_weights(columns.id),
            is_unit: !is_scaled && matches!(node.op, Op::Sigmoid {}),
            is_size: match &node.op {
                op if is_difference(op) => node.inputs.len() == 2,
                Op::Exp {} | Op::Pow { .. } => true,
                op => is_factor(op) && squares,
            },
            moved,
        })
    }
}

/// The tensor of which a value is a part, behind scales and signs.
fn origin(graph: &Columned, mut id: ValueId) -> Option<ValueId> {
    for _ in 0..graph.graph.nodes.len() {
        let node = graph.graph.node(id)?;
        match node.op {
            Op::Slice { .. } | Op::Split { .. } => return node.inputs.first().copied(),
            _ if is_factor(&node.op) && node.inputs.len() == 1 => id = *node.inputs.first()?,
            _ => return None,
        }
    }
    None
}
