//! Outputs with more than one number per class, and embeddings: what the shape proves, what the card says.

use super::activation::FinalActivation;
use super::scores::{contradiction, stated};
use super::spec::{OutputForm, OutputSpec};
use super::trace::listed;
use crate::card::{Card, Class, Graph, Op, OutputKind, Task};
use crate::error::{OptionName, Phrase, Problem};

/// An output that is no list of scores.
pub(super) struct Dense {
    pub(super) spec: OutputSpec,
    /// Index of the node with the explained values.
    pub(super) scores: usize,
    pub(super) classes: usize,
}

/// Determines what the output of a segmentation or an embedding means; `None` for a list of scores.
///
/// # Errors
/// When the output does not have the shape of the stated task, or the card contradicts itself.
pub(super) fn resolve(
    card: &Card,
    graph: &Graph,
    shapes: &[Vec<usize>],
    last: usize,
) -> Result<Option<Dense>, Problem> {
    let shape = &shapes[last];
    let is_map = matches!(shape[..], [1, _, height, width] if height * width > 1);
    let found = match card.task {
        // A map of more than one pixel can hardly be a list of scores, so the shape alone is enough to assume it, and
        // the assumption is reported.
        Some(Task::Segmentation) | None if is_map => segmentation(card, graph, shapes, last)?,
        Some(Task::Segmentation) => {
            return Err(unfit(Task::Segmentation, "an output [batch, classes, height, width]", shape));
        }
        Some(Task::Embedding) => embedding(card, &shapes[last], last)?,
        _ => return Ok(None),
    };
    Ok(Some(found))
}

/// The output does not have the shape of the stated task.
pub(super) fn unfit(task: Task, expected: &'static str, shape: &[usize]) -> Problem {
    Problem::new(format!("its task is said to be '{}'", task.name()))
        .expected(expected)
        .found(format!("{shape:?}"))
}

/// A number per class and pixel.
fn segmentation(card: &Card, graph: &Graph, shapes: &[Vec<usize>], last: usize) -> Result<Dense, Problem> {
    if let Some(said @ (OutputKind::Numbers | OutputKind::LogSigmoid)) = card.output {
        let what = format!("{}, but it is a map of classes", stated(said));
        return Err(Problem::new(what).hint("leave the output out"));
    }
    let (scores, proved) = before_activation(graph, last);
    // Logarithms and probabilities without logits before them are summed as they are.
    let gives = proved.or(card.output).unwrap_or(OutputKind::Logits);
    let [_, classes, height, width] = shapes[scores][..] else {
        return Err(Problem::new("has class maps that are no maps"));
    };
    let assumed = card.task.is_none().then(|| {
        let what = format!("the output [batch, {classes}, {height}, {width}] is taken for a segmentation, a map of logits for each class; ");
        Phrase::from(what).set(OptionName::Task, Task::Segmentation.name()).text(" says so")
    });
    let form = OutputForm::Pixels { height, width };
    let (task, activation) = (Task::Segmentation, FinalActivation::Reduced);
    Ok(Dense { spec: OutputSpec { task, gives, activation, form, assumed }, scores, classes })
}

/// A vector whose direction is compared with another's.
fn embedding(card: &Card, shape: &[usize], last: usize) -> Result<Dense, Problem> {
    let values = listed(shape)
        .filter(|values| *values > 1)
        .ok_or_else(|| unfit(Task::Embedding, "an output [batch, values]", shape))?;
    // Values of an embedding are no classes; names for them are a mistake worth reporting.
    if !card.classes.is_empty() {
        return Err(Problem::new(format!("its card names {} classes", card.classes.len()))
            .expected("none, because its task is 'embedding'"));
    }
    if let Some(said) = card.output.filter(|said| *said != OutputKind::Numbers) {
        return Err(contradiction(said, Task::Embedding));
    }
    let form = OutputForm::Vector { values };
    let (task, activation, gives) = (Task::Embedding, FinalActivation::Reduced, OutputKind::Numbers);
    Ok(Dense { spec: OutputSpec { task, gives, activation, form, assumed: None }, scores: last, classes: 1 })
}

/// The maps before an activation that ends the graph, and what it makes of them.
fn before_activation(graph: &Graph, last: usize) -> (usize, Option<OutputKind>) {
    let (mut at, mut found) = (last, None);
    loop {
        let node = &graph.nodes[at];
        let kind = match &node.op {
            op if op.class() == Class::Nothing => found,
            // Only one activation is taken off.
            _ if found.is_some() => return (at, found),
            Op::Softmax { axis: 1 } => Some(OutputKind::Softmax),
            Op::LogSoftmax { axis: 1 } => Some(OutputKind::LogSoftmax),
            Op::Sigmoid {} => Some(OutputKind::Sigmoid),
            _ => return (at, found),
        };
        match node.inputs.first().and_then(|id| id.node()) {
            Some(before) => (at, found) = (before, kind),
            None => return (at, found),
        }
    }
}
