//! Which node has the scores, and how they become probabilities.
//!
//! Receives what the card states and what the graph proves; returns [`Scores`], or refuses statements that contradict
//! each other or the proof.

use super::activation::FinalActivation;
use super::proof::{Origin, Proof};
use crate::card::{OutputKind, Task};
use crate::error::Problem;

/// Location and kind of the scores.
pub(super) struct Scores {
    pub(super) gives: OutputKind,
    pub(super) activation: FinalActivation,
    pub(super) at: usize,
    /// Both sides of the one score at `at` are classes; true when its own side comes first.
    pub(super) sides: Option<bool>,
    /// Neither stated nor proved.
    pub(super) assumed: bool,
}

impl Scores {
    fn last(gives: OutputKind, activation: FinalActivation, last: usize) -> Self {
        Self { gives, activation, at: last, sides: None, assumed: false }
    }

    /// Whether probabilities come from a softmax, and not from the two sides of a sigmoid.
    pub(super) fn at_softmax(&self) -> bool {
        self.sides.is_none() && self.activation != FinalActivation::None
    }
}

/// Scores by the card. A graph that provably ends in probabilities keeps them, because no activation may be applied
/// twice.
pub(super) fn said(
    said: OutputKind,
    task: Option<Task>,
    proof: Proof,
    last: usize,
    outputs: usize,
) -> Result<Scores, Problem> {
    if said == OutputKind::Numbers {
        return match task {
            None | Some(Task::Numbers) => Ok(Scores::last(said, FinalActivation::None, last)),
            Some(other) => Err(contradiction(said, other)),
        };
    }
    if task == Some(Task::Numbers) {
        return Err(contradiction(said, Task::Numbers));
    }
    if !proof.is_activation() {
        return unproved(said, task, last, outputs);
    }
    if proof.agrees_with(said) {
        return proved(task, proof, last, outputs);
    }
    let what = format!("{}, but the graph proves that it is {}", stated(said), proof.words());
    Err(Problem::new(what).hint("leave the output out: what the graph proves is used"))
}

/// Scores by the card alone.
fn unproved(said: OutputKind, task: Option<Task>, last: usize, outputs: usize) -> Result<Scores, Problem> {
    use FinalActivation::{Identity, Sigmoid, Softmax};
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

pub(super) fn stated(said: OutputKind) -> String {
    format!("its output is said to be '{}'", said.name())
}

pub(super) fn contradiction(said: OutputKind, task: Task) -> Problem {
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
pub(super) fn proved(
    task: Option<Task>,
    proof: Proof,
    last: usize,
    outputs: usize,
) -> Result<Scores, Problem> {
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
        Proof::Bounded if task.is_none() => {
            Scores { assumed: true, ..Scores::last(OutputKind::Numbers, None, last) }
        }
        Proof::Bounded | Proof::Nothing => Scores {
            assumed: task.is_none(),
            ..Scores::last(OutputKind::Logits, usual_activation(task, outputs), last)
        },
    })
}
