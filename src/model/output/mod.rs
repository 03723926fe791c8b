//! What a network's outputs mean: the task, how scores become probabilities, and which node holds the scores.
//!
//! Receives a card, its graph and its shapes; returns an [`OutputSpec`] and the position of the scores. What the graph
//! proves of its last node is found in `trace.rs`; what the card says decides where nothing is proved; what is left is
//! assumed, and said in [`OutputSpec::assumed`].

mod formula;
mod kind;
mod sides;
mod trace;

use std::fmt;

use crate::card::{Card, Graph, OutputKind, Task};
use trace::{Origin, Proof};

/// What turns the scores that are explained into probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalActivation {
    /// The scores are logits, and probabilities are their softmax.
    Softmax,
    /// The scores are logits, and each class's probability is the sigmoid of its own.
    Sigmoid,
    /// The scores are the network's own probabilities: no logits stand behind them.
    Identity,
    /// The scores are plain numbers, which have no probabilities.
    None,
}

/// What the outputs of a network mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSpec {
    /// What the network is for.
    pub task: Task,
    /// What the graph's last node gives.
    pub gives: OutputKind,
    /// What turns the scores into probabilities.
    pub activation: FinalActivation,
    /// What neither the card says nor the graph proves and was assumed, a sentence; `None` when nothing was.
    pub assumed: Option<String>,
}

impl OutputSpec {
    /// Whether the scores are logits.
    #[must_use]
    pub fn has_logits(&self) -> bool {
        matches!(self.activation, FinalActivation::Softmax | FinalActivation::Sigmoid)
    }

    /// Whether the network gives numbers and no probabilities.
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

/// What became of a card's network once the meaning of its outputs is settled.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) spec: OutputSpec,
    /// The graph, perhaps with nodes behind it that give both sides of a binary output.
    pub(super) graph: Graph,
    pub(super) shapes: Vec<Vec<usize>>,
    /// Position of the node that holds the network's own scores.
    pub(super) raw_scores: usize,
    /// Position of the node that is explained; another one than `raw_scores` only where both sides are.
    pub(super) scores: usize,
    /// Numbers a picture that the last node gives.
    pub(super) outputs: usize,
    pub(super) warnings: Vec<String>,
}

/// Where the scores are, and what they are.
struct Scores {
    gives: OutputKind,
    activation: FinalActivation,
    at: usize,
    /// Both sides of the one score at `at` are classes; whether its own side comes first.
    sides: Option<bool>,
    /// Neither said nor proved.
    assumed: bool,
}

/// Settles what the outputs of `card` mean.
///
/// # Errors
/// When the output is no list of numbers, or what the card says contradicts itself or what the graph proves.
pub(super) fn resolve(card: &Card, graph: Graph, shapes: Vec<Vec<usize>>) -> Result<Resolved, String> {
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
    // Names of both sides of the one output: its own is the second, as 1 is in labels of 0 and 1.
    let two_names = outputs == 1 && card.classes.len() == 2;
    if two_names && matches!(scores.activation, FinalActivation::Sigmoid | FinalActivation::Identity) {
        scores.sides = Some(false);
    }
    let assumed = scores.assumed.then(|| assumption(&scores, outputs));
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

/// How many numbers a picture has, when all lie along one axis; `shape` is `[1, ...]`.
fn listed(shape: &[usize]) -> Option<usize> {
    let wide = shape.iter().skip(1).filter(|side| **side != 1).count();
    (shape.first() == Some(&1) && wide <= 1).then(|| shape.iter().product())
}

fn check_names(card: &Card, classes: usize) -> Result<(), String> {
    match card.classes.len() {
        names if names == 0 || names == classes => Ok(()),
        names => Err(format!("its card names {names} classes, expected {classes}, one for each output")),
    }
}

/// Scores where the card says what they are. A graph that proves to end in probabilities keeps them: nothing is applied twice.
fn said_scores(
    said: OutputKind,
    task: Option<Task>,
    proof: Proof,
    last: usize,
    outputs: usize,
) -> Result<Scores, String> {
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
            false => Err(format!(
                "its output is said to be '{}', but the graph proves that it is {} \
                 (leave the output out: what the graph proves is used)",
                said.name(),
                proof.words()
            )),
        };
    }
    match said {
        OutputKind::Softmax | OutputKind::LogSoftmax if outputs == 1 => Err(format!(
            "its output is said to be '{}', but one output is no choice between classes \
             (say 'sigmoid' for a probability or 'none' for a number)",
            said.name()
        )),
        OutputKind::Softmax if task == Some(Task::MultiLabel) => Err(contradiction(said, Task::MultiLabel)),
        OutputKind::Softmax => Ok(Scores::last(OutputKind::Logits, Softmax, last)),
        // Logarithms of probabilities are logits of them.
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

fn contradiction(said: OutputKind, task: Task) -> String {
    format!(
        "its output is said to be '{}' and its task '{}' (leave out one of them)",
        said.name(),
        task.name()
    )
}

fn unshown_logits() -> String {
    "gives logarithms of independent probabilities without the logits before them (say 'none' to explain them as numbers)"
        .to_owned()
}

/// Logits of which nothing more is known.
fn usual_activation(task: Option<Task>, outputs: usize) -> FinalActivation {
    match task {
        Some(Task::MultiLabel) => FinalActivation::Sigmoid,
        _ if outputs == 1 => FinalActivation::Sigmoid,
        _ => FinalActivation::Softmax,
    }
}

/// Scores as the graph proves them, or, where it proves nothing, as is usual for the task.
fn proved_scores(task: Option<Task>, proof: Proof, last: usize, outputs: usize) -> Result<Scores, String> {
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

/// The task that was said, if the outputs can serve it, or else the usual one for such outputs.
fn task(
    said: Option<Task>,
    scores: &Scores,
    proof: Proof,
    outputs: usize,
    warnings: &mut Vec<String>,
) -> Result<Task, String> {
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
        Some(Task::Binary) if outputs > 2 => {
            Err(format!("its task is said to be 'binary', expected one output, got {outputs} (say 'classification')"))
        }
        Some(Task::Classification) if usual == Task::Binary => Err(
            "its task is said to be 'classification', expected two outputs or more, got one (say 'binary' or 'numbers')"
                .to_owned(),
        ),
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
    /// Whether probabilities come from a softmax, and not from two sides of a sigmoid.
    fn at_softmax(&self) -> bool {
        self.sides.is_none() && self.activation != FinalActivation::None
    }
}

fn assumption(scores: &Scores, outputs: usize) -> String {
    match (scores.activation, outputs) {
        (FinalActivation::None, _) if scores.gives == OutputKind::LogSigmoid => {
            "the outputs are logarithms of independent probabilities, and the logits before them are not at hand, so they are \
             taken for plain numbers; --output none says so"
                .to_owned()
        }
        (FinalActivation::None, _) => {
            "the one output is bounded and no probability, so it is taken for a plain number; \
             --output sigmoid takes it for a logit"
                .to_owned()
        }
        (_, 1) => "the one output is taken for the logit of a yes-or-no question, whose probability is its sigmoid; \
                   --output none takes it for a plain number, --output probabilities for a probability"
            .to_owned(),
        _ => format!(
            "the {outputs} outputs are taken for logits of classes that exclude each other (softmax); \
             --task multi-label, --output none or --output probabilities say otherwise"
        ),
    }
}

#[cfg(test)]
mod tests;
