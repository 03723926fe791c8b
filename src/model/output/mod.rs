//! The meaning of a network's outputs: the task, how scores become probabilities, and which node has the scores.
//!
//! Receives a card, its graph and shapes; returns an [`OutputSpec`] and the index of the scores. `trace.rs` finds
//! what the graph proves about its last node; the card decides where nothing is proved; the rest is assumed, and
//! reported in [`OutputSpec::assumed`].

mod activation;
mod assumption;
mod dense;
mod detector;
mod formula;
mod kind;
mod proof;
mod scores;
mod sides;
mod spec;
mod trace;

use crate::card::{Card, Graph, OutputKind, Task};
use crate::error::{OptionName, Phrase, Problem};
pub use activation::FinalActivation;
use assumption::assumption;
use dense::Dense;
use detector::Detector;
pub use detector::{Anchors, Boxes, OwnOutput, Proposal, Scales};
use proof::Proof;
use scores::Scores;
pub use spec::{OutputForm, OutputSpec};
use trace::listed;

/// A card's network with the meaning of its outputs resolved.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) spec: OutputSpec,
    /// The graph, possibly with added nodes that give both sides of a binary output.
    pub(super) graph: Graph,
    pub(super) shapes: Vec<Vec<usize>>,
    /// Index of the node with the network's own scores.
    pub(super) raw_scores: usize,
    /// Index of the explained node; differs from `raw_scores` only where both sides are classes.
    pub(super) scores: usize,
    /// Number of values per picture in the last node's output.
    pub(super) outputs: usize,
    /// Number of classes.
    pub(super) classes: usize,
    pub(super) warnings: Vec<String>,
}

/// Determines what the outputs of `card` mean.
///
/// # Errors
/// When the output is not a list of values, or when the card contradicts itself or what the graph proves.
pub(super) fn resolve(
    card: &Card,
    mut graph: Graph,
    mut shapes: Vec<Vec<usize>>,
) -> Result<Resolved, Problem> {
    let last = graph.output.node().ok_or("its graph has no output")?;
    if let Some(Dense { spec, scores, classes }) = dense::resolve(card, &graph, &shapes, last)? {
        check_names(card, classes)?;
        return Ok(Resolved::of_one(spec, graph, shapes, scores, classes));
    }
    if let Some(Detector { spec, scores, anchors }) = detector::resolve(card, &mut graph, &mut shapes, last)?
    {
        anchors.check_names(card)?;
        let outputs = shapes[last].iter().product();
        let found = Resolved::of_one(spec, graph, shapes, scores, anchors.classes);
        return Ok(Resolved { outputs, ..found });
    }
    listed_scores(card, graph, shapes, last)
}

impl Resolved {
    /// A network whose own scores, at one node, are explained.
    fn of_one(
        spec: OutputSpec,
        graph: Graph,
        shapes: Vec<Vec<usize>>,
        scores: usize,
        classes: usize,
    ) -> Self {
        let (outputs, warnings) = (shapes[scores].iter().product(), vec![]);
        Self { spec, graph, shapes, raw_scores: scores, scores, outputs, classes, warnings }
    }
}

/// Why an output of another shape is not explained.
fn no_list(name: &str, shape: &[usize]) -> Problem {
    let hint = Phrase::default().option(OptionName::OutputName);
    Problem::new(format!("its output '{name}' has shape {shape:?}"))
        .expected("[batch, classes] or [batch]")
        .hint(hint.text(" takes a tensor inside of an ONNX file, such as [batch, classes, height, width]"))
}

/// The meaning of an output with one number per class.
fn listed_scores(
    card: &Card,
    graph: Graph,
    shapes: Vec<Vec<usize>>,
    last: usize,
) -> Result<Resolved, Problem> {
    let outputs = listed(&shapes[last]).ok_or_else(|| no_list(&graph.nodes[last].name, &shapes[last]))?;
    let proof = trace::prove(&graph, &shapes, last);
    let mut warnings = Vec::new();
    let mut scores = match card.output {
        Some(said) => scores::said(said, card.task, proof, last, outputs)?,
        None => scores::proved(card.task, proof, last, outputs)?,
    };
    let task = task(card.task, &scores, proof, outputs, &mut warnings)?;
    // Two names for one output: its own side is the second, as 1 is in labels of 0 and 1.
    let two_names = outputs == 1 && card.classes.len() == 2;
    if two_names && matches!(scores.activation, FinalActivation::Sigmoid | FinalActivation::Identity) {
        scores.sides = Some(false);
    }
    let assumed =
        scores.assumed.then(|| assumption(scores.activation == FinalActivation::None, scores.gives, outputs));
    let (gives, activation) = (scores.gives, scores.activation);
    let spec = OutputSpec { task, gives, activation, form: OutputForm::List, assumed };
    let raw_scores = scores.at;
    let (mut graph, mut shapes) = (graph, shapes);
    let at = match scores.sides {
        Some(own_first) => sides::append(&mut graph, &mut shapes, &scores, own_first),
        None => raw_scores,
    };
    let classes = listed(&shapes[at]).unwrap_or(outputs);
    check_names(card, classes)?;
    Ok(Resolved { spec, graph, shapes, raw_scores, scores: at, outputs, classes, warnings })
}

fn check_names(card: &Card, classes: usize) -> Result<(), Problem> {
    match card.classes.len() {
        names if names == 0 || names == classes => Ok(()),
        names => Err(Problem::new(format!("its card names {names} classes"))
            .expected(format!("{classes}, one for each output"))),
    }
}

/// The stated task, if the outputs allow it, else the usual one for such outputs.
fn task(
    said: Option<Task>,
    scores: &Scores,
    proof: Proof,
    outputs: usize,
    warnings: &mut Vec<String>,
) -> Result<Task, Problem> {
    let sums_to_one = matches!(proof, Proof::Softmax(_) | Proof::LogSoftmax(_)) && scores.at_softmax();
    let usual = match scores.activation {
        FinalActivation::None => Task::Numbers,
        _ if outputs == 1 && !sums_to_one => Task::Binary,
        FinalActivation::Sigmoid if scores.sides.is_none() => Task::MultiLabel,
        FinalActivation::Identity if scores.gives == OutputKind::Sigmoid => Task::MultiLabel,
        _ => Task::Classification,
    };
    if outputs == 1 && sums_to_one {
        warnings.push("the output is a softmax over one class, which is 1 for every picture".to_owned());
    }
    match said {
        None => Ok(usual),
        Some(Task::Binary) if outputs > 2 => Err(Problem::new("its task is said to be 'binary'")
            .expected("one output")
            .found(outputs.to_string())
            .hint("say 'classification'")),
        Some(Task::Classification) if usual == Task::Binary => {
            Err(Problem::new("its task is said to be 'classification'")
                .expected("two outputs or more")
                .found("one")
                .hint("say 'binary' or 'numbers'"))
        }
        Some(Task::MultiLabel) if sums_to_one => {
            warnings.push(
                "the task is said to be 'multi-label', but the graph proves that its probabilities add up to 1".to_owned(),
            );
            Ok(Task::MultiLabel)
        }
        Some(task) => Ok(task),
    }
}

#[cfg(test)]
mod tests;
