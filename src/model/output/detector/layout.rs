//! How a detector's output is divided: which axis is which, which columns are boxes, objectness and classes, and what computes them.
//!
//! Receives the graph; changes nothing in it.

use std::collections::{BTreeSet, HashSet};

use super::columns::{Columned, Columns};
use super::form::BOX;
use crate::card::{Card, Class, Op, ValueId};

/// The columns of an output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// The network's own output.
    pub(super) last: ValueId,
    /// The axis along which boxes and classes are side by side.
    pub(super) axis: usize,
    pub(super) rows: usize,
    /// The first column behind the classes.
    pub(super) end: usize,
    pub(super) anchors: usize,
}

impl Layout {
    pub(super) fn columns(&self, start: usize, end: usize) -> Columns {
        Columns { id: self.last, axis: self.axis, range: start..end }
    }
}

/// How the classes are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    Sigmoid,
    Softmax,
    /// A layer with weights: they are logits.
    Weights,
    Unknown,
}

/// Which axis is which: as the graph proves it, else, where a detector was asked for, there are more anchors than rows.
pub(super) fn layout(card: &Card, graph: &Columned, shape: &[usize], last: usize) -> Option<Layout> {
    let [1, a, b] = *shape else { return None };
    let is_said = card.task.is_some();
    let of = |axis: usize| {
        let (rows, anchors) = if axis == 1 { (a, b) } else { (b, a) };
        let layout = Layout { last: ValueId::of_node(last), axis, rows, end: rows, anchors };
        Layout { end: end_of_classes(card, graph, &layout), ..layout }
    };
    let proven = |layout: &Layout| {
        let rest = graph.sources(&layout.columns(BOX, layout.end));
        let fits = layout.rows > BOX && layout.anchors > 1;
        fits && matches!(behind(graph, &rest), Behind::Sigmoid | Behind::Softmax) && !is_alike(graph, layout)
    };
    // Boxes that are joined to classes, also of fewer anchors than classes.
    let has_boxes = |layout: &Layout| graph.starts_with(layout.last, layout.axis, BOX);
    let joined = || [1, 2].map(of).into_iter().find(|layout| layout.anchors > 1 && has_boxes(layout));
    let usual =
        || joined().or(Some(of(if b >= a { 1 } else { 2 }))).filter(|layout| is_said && layout.anchors > 1);
    [1, 2].map(of).into_iter().find(proven).or_else(usual)
}

/// The first column behind the classes: where sigmoids are followed by something else, that is no class, but mask coefficients,
/// keypoints or an angle.
fn end_of_classes(card: &Card, graph: &Columned, layout: &Layout) -> usize {
    let Layout { rows, .. } = *layout;
    let of = |start: usize, end: usize| behind(graph, &graph.sources(&layout.columns(start, end)));
    if rows <= BOX || of(BOX, rows) == Behind::Sigmoid {
        return rows;
    }
    let run = (BOX..rows).take_while(|column| of(*column, column + 1) == Behind::Sigmoid).count();
    match (run, card.classes.len()) {
        (0, _) => rows,
        // An objectness may stand before classes of another kind.
        (1, names) if names != 1 && of(BOX + 1, rows) != Behind::Unknown => rows,
        _ => BOX + run,
    }
}

/// Whether the first columns have the same sources as the rest: nothing is side by side.
fn is_alike(graph: &Columned, layout: &Layout) -> bool {
    let front = graph.sources(&layout.columns(0, BOX.min(layout.rows)));
    let rest = graph.sources(&layout.columns(BOX.min(layout.end - 1), layout.end));
    front.iter().all(|source| rest.iter().any(|other| other.id == source.id))
}

/// What all of some sources are.
pub(super) fn behind(graph: &Columned, sources: &[Columns]) -> Behind {
    let of = |source: &Columns| {
        let node = graph.graph.node(source.id);
        let whole = graph.shape(source.id).get(source.axis).is_some_and(|side| source.range == (0..*side));
        match node.map(|node| &node.op) {
            Some(Op::Sigmoid {}) => Behind::Sigmoid,
            Some(Op::Softmax { axis }) if *axis == source.axis && whole => Behind::Softmax,
            _ if graph.is_of_weights(source.id) => Behind::Weights,
            _ => Behind::Unknown,
        }
    };
    let mut all = sources.iter().map(of);
    match all.next() {
        Some(first) if all.all(|other| other == first) => first,
        _ => Behind::Unknown,
    }
}

/// What the columns are: how many before the classes, and whether the last of those is an objectness.
pub(super) struct Division {
    pub(super) has_boxes: bool,
    pub(super) has_objectness: bool,
    /// What of it is assumed, in words.
    pub(super) assumed: Option<&'static str>,
}

impl Division {
    /// As many names as classes say it; then what is computed apart from the rest.
    pub(super) fn of(card: &Card, graph: &Columned, layout: &Layout) -> Self {
        let Layout { end: rows, .. } = *layout;
        let names = card.classes.len();
        let said = |before: usize| names > 0 && rows == before + names;
        if said(BOX) || said(BOX + 1) {
            return Self { has_boxes: true, has_objectness: said(BOX + 1), assumed: None };
        }
        if rows <= BOX || said(0) || is_alike(graph, layout) {
            return Self { has_boxes: false, has_objectness: false, assumed: None };
        }
        let ids = |start: usize, end: usize| -> Vec<ValueId> {
            graph.sources(&layout.columns(start, end)).iter().map(|source| source.id).collect()
        };
        let has_more = rows > BOX + 1;
        let (first, rest) = (ids(BOX, BOX + 1), ids(BOX + 1, rows));
        let is_apart = has_more && first.iter().all(|id| !rest.contains(id));
        // YOLOv5 computes box, objectness and classes of one sigmoid.
        let is_of_one = has_more && made_of(graph, &ids(0, BOX), &rest);
        // Its `-seg` heads have sigmoids of their own, of the same layers.
        let is_of_one_layer = has_more && layers(graph, &ids(0, BOX)) == layers(graph, &rest);
        let assumed = "the number behind the box is taken for an objectness: one layer gives box and classes, as in YOLOv5, and the file \
                       names no classes";
        Self {
            has_boxes: true,
            has_objectness: is_apart || is_of_one || is_of_one_layer,
            assumed: (is_of_one_layer && !is_apart && !is_of_one).then_some(assumed),
        }
    }

    pub(super) fn first(&self) -> usize {
        if self.has_boxes { BOX + usize::from(self.has_objectness) } else { 0 }
    }
}

/// The last layers with weights on the way to some tensors.
fn layers(graph: &Columned, tensors: &[ValueId]) -> BTreeSet<usize> {
    let (mut open, mut seen, mut found) = (tensors.to_vec(), HashSet::new(), BTreeSet::new());
    while let Some(id) = open.pop() {
        let Some(at) = id.node().filter(|at| seen.insert(*at)) else { continue };
        let node = &graph.graph.nodes[at];
        match node.op.class() {
            Class::Linear | Class::Product => drop(found.insert(at)),
            _ => open.extend(&node.inputs),
        }
    }
    found
}

/// Whether some tensors are computed of others without any layer in between.
fn made_of(graph: &Columned, tensors: &[ValueId], others: &[ValueId]) -> bool {
    let mut open = tensors.to_vec();
    while let Some(id) = open.pop() {
        if others.contains(&id) {
            return true;
        }
        if let Some(node) = graph.graph.node(id)
            && !matches!(node.op.class(), Class::Linear | Class::Product | Class::Softmax)
        {
            open.extend(&node.inputs);
        }
    }
    false
}
