//! Outputs of detectors: for each anchor, or query, a box and the scores of all classes.
//!
//! `[batch, rows, anchors]` or `[batch, anchors, rows]`, with rows of a box, perhaps of the objectness, and of classes. YOLO since
//! version 8 has `4 + classes`, YOLOv5 and YOLOX `5 + classes`, DETR and RT-DETR a row for each query; SSD and RetinaNet give
//! regressions instead of boxes. What the graph proves is used: activations, through all that moves and joins their results, and the
//! formula of the boxes. The logits before the activations are explained.

mod arithmetic;
mod boxes;
mod columns;
mod form;
mod layout;

use std::ops::Range;

use super::activation::FinalActivation;
use super::dense::unfit;
use super::spec::{OutputForm, OutputSpec};
use crate::card::{Card, Graph, Op, OutputKind, Task, ValueId};
use crate::error::{OptionName, Phrase, Problem};
use arithmetic::logit_of_both;
use boxes::Found;
use columns::Columned;
use form::BOX;
pub use form::{Anchors, Boxes, OwnOutput, Proposal, Scales};
use layout::{Behind, Division, Layout, behind};

/// Names of the class that means no object.
const BACKGROUND: [&str; 5] = ["background", "__background__", "no object", "no-object", "no_object"];

/// A detector's output.
pub(super) struct Detector {
    pub(super) spec: OutputSpec,
    /// Index of the explained node.
    pub(super) scores: usize,
    pub(super) anchors: Anchors,
}

/// The detector whose output is at `last`, with nodes added to explain it; `None` for another output.
///
/// # Errors
/// When the task is said to be detection, and the output is not one.
pub(super) fn resolve(
    card: &Card,
    graph: &mut Graph,
    shapes: &mut Vec<Vec<usize>>,
    last: usize,
) -> Result<Option<Detector>, Problem> {
    let is_said = card.task == Some(Task::Detection);
    if !is_said && card.task.is_some() {
        return Ok(None);
    }
    let shape = shapes[last].clone();
    let base = graph.nodes[last].name.clone();
    let mut columned = Columned { graph, shapes, base };
    match layout::layout(card, &columned, &shape, last) {
        Some(layout) => detector(card, &mut columned, layout, is_said).map(Some),
        None if is_said => {
            let expected = "an output [batch, 4 + classes, anchors] or [batch, anchors, 4 + classes]";
            Err(unfit(Task::Detection, expected, &shape).hint("export it without post-processing"))
        }
        None => Ok(None),
    }
}

/// The meaning of the output, with the nodes that compute what is explained.
fn detector(card: &Card, graph: &mut Columned, layout: Layout, is_said: bool) -> Result<Detector, Problem> {
    let division = Division::of(card, graph, &layout);
    let (first, classes) = (division.first(), layout.end - division.first());
    let found = match division.has_boxes {
        true => boxes::found(graph, layout.last, layout.axis, division.has_objectness),
        false => {
            Found { boxes: Boxes::Unknown, assumed: Some("no boxes are read: the output has classes alone") }
        }
    };
    let columns = layout.columns(first, layout.end);
    let known = behind(graph, &graph.sources(&columns));
    let (gives, activation) = activation(known, card.output, division.has_objectness)?;
    let background = match activation {
        FinalActivation::Softmax => Some(background(card, classes, found.boxes)),
        _ => None,
    };
    let own = OwnOutput { rows: layout.rows, first, turned: layout.axis == 2 };
    let has_objectness = division.has_objectness;
    let Layout { anchors, .. } = layout;
    let anchors = Anchors { anchors, classes, boxes: found.boxes, has_objectness, background, own };
    let undo = matches!(known, Behind::Sigmoid | Behind::Softmax);
    let scores = explained(graph, &layout, &anchors, undo).ok_or("has columns that cannot be taken apart")?;
    let choice = match activation {
        _ if undo || card.output.is_some() => None,
        FinalActivation::Sigmoid => Some("classes are taken for logits, each of its own (a sigmoid)"),
        _ => Some("classes are taken for probabilities"),
    };
    let details = [division.assumed, found.assumed];
    let assumed = assumed(&layout, &anchors, details, is_said, choice);
    let form = OutputForm::Anchors(anchors);
    let spec = OutputSpec { task: Task::Detection, gives, activation, form, assumed };
    Ok(Detector { spec, scores, anchors })
}

/// What the classes' columns give, and what makes their probabilities.
fn activation(
    known: Behind,
    said: Option<OutputKind>,
    has_objectness: bool,
) -> Result<(OutputKind, FinalActivation), Problem> {
    let softmax =
        |gives| match has_objectness {
            false => Ok((gives, FinalActivation::Softmax)),
            true => Err(Problem::new("has an objectness and a softmax over classes")
                .expected("a sigmoid for each class")),
        };
    match (known, said) {
        (Behind::Sigmoid, _) => Ok((OutputKind::Sigmoid, FinalActivation::Sigmoid)),
        (Behind::Softmax, _) => softmax(OutputKind::Softmax),
        (_, Some(OutputKind::Softmax)) => softmax(OutputKind::Logits),
        (Behind::Weights, None) | (_, Some(OutputKind::Sigmoid | OutputKind::Logits)) => {
            Ok((OutputKind::Logits, FinalActivation::Sigmoid))
        }
        _ if has_objectness => {
            Err(Problem::new("has an objectness, and classes whose activation the graph does not show")
                .hint("say 'sigmoid' for logits, or export it with a sigmoid at its end"))
        }
        (_, said) => Ok((said.unwrap_or(OutputKind::Probabilities), FinalActivation::Identity)),
    }
}

/// The class that means no object: by its name, else the last of queries, as DETR has it, and the first of anchors, as SSD has it.
fn background(card: &Card, classes: usize, boxes: Boxes) -> usize {
    let named = card.classes.iter().position(|name| BACKGROUND.contains(&name.to_lowercase().as_str()));
    let usual = if boxes == Boxes::Unknown { 0 } else { classes - 1 };
    named.unwrap_or(usual)
}

/// The explained tensor, `[batch, rows, anchors]`. `undo` takes the scores before their activation.
fn explained(graph: &mut Columned, layout: &Layout, anchors: &Anchors, undo: bool) -> Option<usize> {
    let first = anchors.own.first;
    // All of the output, as it is.
    if !undo && !anchors.has_objectness && layout.axis == 1 && anchors.first() == first {
        return layout.last.node();
    }
    let mut parts = Vec::new();
    if anchors.boxes != Boxes::Unknown {
        parts.push(rows(graph, layout, 0..BOX, false)?);
    }
    let mut classes = rows(graph, layout, first..layout.end, undo)?;
    if anchors.has_objectness {
        let objectness = rows(graph, layout, BOX..BOX + 1, undo)?;
        parts.push(objectness);
        let shape = [1, anchors.classes, layout.anchors];
        let push = |op: Op, inputs: &[ValueId]| graph.push("both", op, inputs, shape.to_vec());
        classes = logit_of_both(objectness, classes, push);
    }
    parts.push(classes);
    if let [only] = parts[..] {
        return only.node();
    }
    let shape = vec![1, anchors.first() + anchors.classes, layout.anchors];
    graph.push("logits", Op::Concat { axis: 1, at: 0 }, &parts, shape).node()
}

/// Columns of the output as rows, `[batch, rows, anchors]`.
fn rows(graph: &mut Columned, layout: &Layout, range: Range<usize>, undo: bool) -> Option<ValueId> {
    let shape = vec![1, range.len(), layout.anchors];
    let taken = graph.taken(&layout.columns(range.start, range.end), undo)?;
    Some(match layout.axis {
        1 => taken,
        _ => graph.push("turned", Op::Transpose { perm: vec![0, 2, 1] }, &[taken], shape),
    })
}

/// What neither the graph proves nor the card says.
fn assumed(
    layout: &Layout,
    anchors: &Anchors,
    details: [Option<&str>; 2],
    is_said: bool,
    choice: Option<&str>,
) -> Option<Phrase> {
    let background = anchors.background.map(|class| format!("class {class} is taken for the background"));
    let further = (layout.rows > layout.end).then(|| further(layout.rows - layout.end));
    let details = details.into_iter().flatten().map(str::to_owned).chain(background).chain(further);
    if !is_said {
        let details: String = details.map(|detail| format!("{detail}; ")).collect();
        let what = Phrase::from(in_words(layout, anchors) + &details);
        return Some(what.set(OptionName::Task, Task::Detection.name()).text(" says so"));
    }
    let details: Vec<String> = details.chain(choice.map(str::to_owned)).collect();
    let said = Phrase::from(details.join("; "));
    match (details.is_empty(), choice) {
        (true, _) => None,
        (false, None) => Some(said),
        (false, Some(_)) => {
            let otherwise = said.text("; ").set(OptionName::Output, OutputKind::Softmax.name());
            Some(otherwise.text(" says otherwise"))
        }
    }
}

/// What is left out.
fn further(count: usize) -> String {
    let numbers = if count == 1 { "the last number".to_owned() } else { format!("the last {count} numbers") };
    format!("left out of each anchor: {numbers}, perhaps mask coefficients, keypoints or an angle")
}

fn in_words(layout: &Layout, anchors: &Anchors) -> String {
    let (classes, count) = (anchors.classes, layout.anchors);
    let rows = match (layout.end - classes, anchors.has_objectness) {
        (0, _) => format!("{classes}"),
        (_, false) => format!("4 + {classes}"),
        (_, true) => format!("4 + 1 + {classes}"),
    };
    let rows = match layout.rows - layout.end {
        0 => rows,
        further => format!("{rows} + {further}"),
    };
    let shape = match layout.axis {
        1 => format!("[batch, {rows}, {count}]"),
        _ => format!("[batch, {count}, {rows}]"),
    };
    let objectness = if anchors.has_objectness { "an objectness, " } else { "" };
    let classes = if classes == 1 { "one class".to_owned() } else { format!("{classes} classes") };
    format!(
        "the output {shape} is taken for a detector's: for each anchor a box, {objectness}and {classes}; "
    )
}
