//! Outputs of detectors: for each anchor a box and the scores of all classes, `[batch, 4 + classes, anchors]`.
//!
//! YOLO's exports since version 8 end so: boxes as centre, width and height in pixels of the input, then the classes'
//! probabilities, each a sigmoid. The logits before it are explained.

use std::collections::BTreeMap;

use super::dense::unfit;
use super::sides::free_name;
use super::spec::{FinalActivation, OutputForm, OutputSpec};
use crate::card::{Card, Graph, Node, Op, OutputKind, Task, ValueId};
use crate::error::{OptionName, Phrase, Problem};

/// Numbers of a box.
pub(super) const BOX: usize = 4;

/// A detector's output.
pub(super) struct Detector {
    pub(super) spec: OutputSpec,
    pub(super) classes: usize,
    /// A node that joins boxes and logits, where the graph joins boxes and probabilities.
    pub(super) joined: Option<(Node, Vec<usize>)>,
}

/// The detector whose output is at `last`; `None` for another output.
///
/// # Errors
/// When the task is said to be detection, and the output is not one.
pub(super) fn resolve(
    card: &Card,
    graph: &Graph,
    shapes: &[Vec<usize>],
    last: usize,
) -> Result<Option<Detector>, Problem> {
    let is_said = card.task == Some(Task::Detection);
    let parts = parts(graph, shapes, last);
    let form = match shapes[last][..] {
        [1, rows, anchors] if rows > BOX && (is_said || card.task.is_none()) => {
            Some((rows - BOX, anchors)).filter(|(_, anchors)| *anchors > 1)
        }
        _ => None,
    };
    let (Some((classes, anchors)), true) = (form, is_said || parts.is_some()) else {
        return match is_said {
            true => Err(unfit(Task::Detection, "an output [batch, 4 + classes, anchors]", &shapes[last])
                .hint("export it without post-processing")),
            false => Ok(None),
        };
    };
    let activation = match (&parts, card.output) {
        (None, Some(OutputKind::Sigmoid | OutputKind::Logits)) | (Some(_), _) => FinalActivation::Sigmoid,
        (None, _) => FinalActivation::Identity,
    };
    let gives =
        if parts.is_some() { OutputKind::Sigmoid } else { card.output.unwrap_or(OutputKind::Probabilities) };
    let assumed = (!is_said).then(|| assumed(classes, anchors));
    let form = OutputForm::Anchors { anchors, first: BOX };
    let spec = OutputSpec { task: Task::Detection, gives, activation, form, assumed };
    let joined = parts.map(|inputs| (joined(graph, last, inputs), shapes[last].clone()));
    Ok(Some(Detector { spec, classes, joined }))
}

/// A node that joins these tensors as the output at `last` joins its own.
fn joined(graph: &Graph, last: usize, inputs: Vec<ValueId>) -> Node {
    let name = free_name(graph, format!("{}.logits", graph.nodes[last].name));
    Node { name, inputs, params: BTreeMap::new(), op: Op::Concat { axis: 1, at: 0 } }
}

fn assumed(classes: usize, anchors: usize) -> Phrase {
    let what = format!(
        "the output [batch, 4 + {classes}, {anchors}] is taken for a detector's: for each anchor a box as centre, width and height in \
         pixels, and {classes} classes; "
    );
    Phrase::from(what).set(OptionName::Task, Task::Detection.name()).text(" says so")
}

/// The tensors that would be joined if the classes were logits: boxes, and what the last sigmoid reads.
fn parts(graph: &Graph, shapes: &[Vec<usize>], last: usize) -> Option<Vec<ValueId>> {
    let node = &graph.nodes[last];
    if !node.params.is_empty() {
        return None;
    }
    let (Op::Concat { axis: 1, .. }, [boxes @ .., classes]) = (&node.op, &node.inputs[..]) else {
        return None;
    };
    let rows = |id: &ValueId| id.node().and_then(|at| shapes[at].get(1).copied()).unwrap_or_default();
    let sigmoid = graph.node(*classes)?;
    let is_sigmoid = matches!(sigmoid.op, Op::Sigmoid {});
    let fits = boxes.iter().map(rows).sum::<usize>() == BOX;
    (is_sigmoid && fits).then(|| [boxes, &sigmoid.inputs[..1]].concat())
}
