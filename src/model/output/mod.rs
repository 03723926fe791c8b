//! The meaning of a network's outputs: the task, how scores become probabilities, and which node has the scores.
//!
//! Receives a card, its graph and shapes; returns an [`OutputSpec`] and the index of the scores. `trace.rs` finds
//! what the graph proves about its last node; the card decides where nothing is proved; the rest is assumed, and
//! reported in [`OutputSpec::assumed`].

mod assumption;
mod formula;
mod kind;
mod sides;
mod trace;

use std::fmt;

use crate::card::{Card, Graph, OutputKind, Task};
use crate::error::{Phrase, Problem};
use assumption::assumption;
use trace::{Origin, Proof};

/// How the explained scores become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalActivation {
    /// The scores are logits, and probabilities are their softmax.
    Softmax,
    /// The scores are logits, and each class's probability is the sigmoid of its logit.
    Sigmoid,
    /// The scores are the network's own probabilities; it has no logits.
    Identity,
    /// The scores are values without probabilities.
    None,
}

/// The meaning of a network's outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSpec {
    /// The network's task.
    pub task: Task,
    /// What the graph's last node gives.
    pub gives: OutputKind,
    /// How scores become probabilities.
    pub activation: FinalActivation,
    /// What was assumed because neither card nor graph determines it, as a sentence; `None` when nothing was.
    pub assumed: Option<Phrase>,
}

impl OutputSpec {
    /// Whether the scores are logits.
    #[must_use]
    pub fn has_logits(&self) -> bool {
        matches!(self.activation, FinalActivation::Softmax | FinalActivation::Sigmoid)
    }

    /// Whether the network gives values instead of probabilities.
    #[must_use]
    pub fn is_regression(&self) -> bool {
        self.activation == FinalActivation::None
    }
}

impl fmt::Display for OutputSpec {
    /// For example `multi-label: gives logits, probabilities are the sigmoid of each`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gives = match self.gives {
            OutputKind::Numbers => "numbers",
            OutputKind::Softmax | OutputKind::Sigmoid | OutputKind::Probabilities => "probabilities",
            other => other.name(),
        };
        let proba = match (self.activation, self.task) {
            (FinalActivation::Softmax, _) => "probabilities are the softmax of the logits",
            (FinalActivation::Sigmoid, Task::Binary) => "the probability is the sigmoid of the logit",
            (FinalActivation::Sigmoid, _) => "probabilities are the sigmoid of each logit",
            (FinalActivation::Identity, _) => "which are shown and explained as they are",
            (FinalActivation::None, _) => "without probabilities",
        };
        write!(f, "{}: gives {gives}, {proba}", self.task.name())
    }
}

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
    pub(super) warnings: Vec<String>,
}

/// Location and kind of the scores.
struct Scores {
    gives: OutputKind,
    activation: FinalActivation,
    at: usize,
    /// Both sides of the one score at `at` are classes; true when its own side comes first.
    sides: Option<bool>,
    /// Neither stated nor proved.
    assumed: bool,
}

/// Determines what the outputs of `card` mean.
///
/// # Errors
/// When the output is not a list of values, or when the card contradicts itself or what the graph proves.
pub(super) fn resolve(card: &Card, graph: Graph, shapes: Vec<Vec<usize>>) -> Result<Resolved, Problem> {
    let last = graph.position(&graph.output).ok_or("its graph has no output")?;
    let outputs = listed(&shapes[last]).ok_or_else(|| {
        format!(
            "its output '{}' has shape {:?}, expected [batch, classes] or [batch]",
            graph.output, shapes[last]
        )
    })?;
    let proof = trace::prove(&graph, &shapes, last);
    let mut warnings = Vec::new();
    let mut scores = match card.output {
        Some(said) => said_scores(said, card.task, proof, last, outputs)?,
        None => proved_scores(card.task, proof, last, outputs)?,
    };
    let task = task(card.task, &scores, proof, outputs, &mut warnings)?;
    // Two names for one output: its own side is the second, as 1 is in labels of 0 and 1.
    let two_names = outputs == 1 && card.classes.len() == 2;
    if two_names && matches!(scores.activation, FinalActivation::Sigmoid | FinalActivation::Identity) {
        scores.sides = Some(false);
    }
    let assumed =
        scores.assumed.then(|| assumption(scores.activation == FinalActivation::None, scores.gives, outputs));
    let spec = OutputSpec { task, gives: scores.gives, activation: scores.activation, assumed };
    let raw_scores = scores.at;
    let (mut graph, mut shapes) = (graph, shapes);
    let at = match scores.sides {
        Some(own_first) => sides::append(&mut graph, &mut shapes, &scores, own_first)?,
        None => raw_scores,
    };
    check_names(card, listed(&shapes[at]).unwrap_or(outputs))?;
    Ok(Resolved { spec, graph, shapes, raw_scores, scores: at, outputs, warnings })
}

/// Number of values per picture, when all are along one axis; `shape` is `[1, ...]`.
fn listed(shape: &[usize]) -> Option<usize> {
    let wide = shape.iter().skip(1).filter(|side| **side != 1).count();
    (shape.first() == Some(&1) && wide <= 1).then(|| shape.iter().product())
}

fn check_names(card: &Card, classes: usize) -> Result<(), Problem> {
    match card.classes.len() {
        names if names == 0 || names == classes => Ok(()),
        names => Err(Problem::new(format!("its card names {names} classes"))
            .expected(format!("{classes}, one for each output"))),
    }
}

/// Scores by the card. A graph that provably ends in probabilities keeps them, because no activation may be applied
/// twice.
fn said_scores(
    said: OutputKind,
    task: Option<Task>,
    proof: Proof,
    last: usize,
    outputs: usize,
) -> Result<Scores, Problem> {
    use FinalActivation::{Identity, None, Sigmoid, Softmax};
    if said == OutputKind::Numbers {
        return match task {
            Option::None | Some(Task::Numbers) => Ok(Scores::last(said, None, last)),
            Some(other) => Err(contradiction(said, other)),
        };
    }
    if task == Some(Task::Numbers) {
        return Err(contradiction(said, Task::Numbers));
    }
    if proof.is_activation() {
        return match proof.agrees_with(said) {
            true => proved_scores(task, proof, last, outputs),
            false => {
                let what = format!("{}, but the graph proves that it is {}", stated(said), proof.words());
                Err(Problem::new(what).hint("leave the output out: what the graph proves is used"))
            }
        };
    }
    match said {
        OutputKind::Softmax | OutputKind::LogSoftmax if outputs == 1 => {
            let what = format!("{}, but one output is no choice between classes", stated(said));
            Err(Problem::new(what).hint("say 'sigmoid' for a probability or 'none' for a number"))
        }
        OutputKind::Softmax if task == Some(Task::MultiLabel) => Err(contradiction(said, Task::MultiLabel)),
        OutputKind::Softmax => Ok(Scores::last(OutputKind::Logits, Softmax, last)),
        // Logarithms of probabilities are valid logits for them.
        OutputKind::LogSoftmax => Ok(Scores::last(said, Softmax, last)),
        OutputKind::Sigmoid => Ok(Scores::last(OutputKind::Logits, Sigmoid, last)),
        OutputKind::Probabilities => Ok(Scores::last(said, Identity, last)),
        OutputKind::LogSigmoid => Err(unshown_logits()),
        OutputKind::Logits | OutputKind::Numbers => {
            let activation = usual_activation(task, outputs);
            Ok(Scores::last(OutputKind::Logits, activation, last))
        }
    }
}

fn stated(said: OutputKind) -> String {
    format!("its output is said to be '{}'", said.name())
}

fn contradiction(said: OutputKind, task: Task) -> Problem {
    let what = format!("{} and its task '{}'", stated(said), task.name());
    Problem::new(what).hint("leave out one of them")
}

fn unshown_logits() -> Problem {
    Problem::new("gives logarithms of independent probabilities without the logits before them")
        .hint("say 'none' to explain them as numbers")
}

/// The activation for logits without further knowledge.
fn usual_activation(task: Option<Task>, outputs: usize) -> FinalActivation {
    match task {
        Some(Task::MultiLabel) => FinalActivation::Sigmoid,
        _ if outputs == 1 => FinalActivation::Sigmoid,
        _ => FinalActivation::Softmax,
    }
}

/// Scores as the graph proves them, or, without a proof, as is usual for the task.
fn proved_scores(task: Option<Task>, proof: Proof, last: usize, outputs: usize) -> Result<Scores, Problem> {
    use FinalActivation::{Identity, None, Sigmoid, Softmax};
    let behind = |gives, activation, origin| match origin {
        Origin::Node(at) => Scores { at, ..Scores::last(gives, activation, last) },
        Origin::Sides { node, own_first } => {
            Scores { at: node, sides: Some(own_first), ..Scores::last(gives, Sigmoid, last) }
        }
        Origin::Unknown => Scores::last(gives, Identity, last),
    };
    if task == Some(Task::Numbers) {
        return Ok(Scores::last(OutputKind::Numbers, None, last));
    }
    Ok(match proof {
        Proof::Softmax(origin) => behind(OutputKind::Softmax, Softmax, origin),
        Proof::Sigmoid(origin) => behind(OutputKind::Sigmoid, Sigmoid, origin),
        Proof::LogSoftmax(Origin::Unknown) => Scores::last(OutputKind::LogSoftmax, Softmax, last),
        Proof::LogSoftmax(origin) => behind(OutputKind::LogSoftmax, Softmax, origin),
        Proof::LogSigmoid(Origin::Unknown) if task.is_some() => return Err(unshown_logits()),
        Proof::LogSigmoid(Origin::Unknown) => {
            Scores { assumed: true, ..Scores::last(OutputKind::LogSigmoid, None, last) }
        }
        Proof::LogSigmoid(origin) => behind(OutputKind::LogSigmoid, Sigmoid, origin),
        Proof::Bounded if task.is_none() && outputs == 1 => {
            Scores { assumed: true, ..Scores::last(OutputKind::Numbers, None, last) }
        }
        Proof::Bounded | Proof::Nothing => Scores {
            assumed: task.is_none(),
            ..Scores::last(OutputKind::Logits, usual_activation(task, outputs), last)
        },
    })
}

impl Scores {
    fn last(gives: OutputKind, activation: FinalActivation, last: usize) -> Self {
        Self { gives, activation, at: last, sides: None, assumed: false }
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

impl Scores {
    /// Whether probabilities come from a softmax, and not from the two sides of a sigmoid.
    fn at_softmax(&self) -> bool {
        self.sides.is_none() && self.activation != FinalActivation::None
    }
}

#[cfg(test)]
mod tests;
