//! The class that explained classes are compared with.
//!
//! Receives a request and the model; gives the class's index, refuses networks and settings for which the difference of two logits is
//! nothing, and takes the class itself out of lists. The score is left to [`Score::Against`](crate::engine::Score::Against).

use super::answer::Answer;
use super::request::useless;
use super::{Request, Target};
use crate::cam::{Method, Outputs};
use crate::card::Task;
use crate::engine::Score;
use crate::error::{Error, OptionName, Phrase, Problem, Result, Subject};
use crate::model::{FinalActivation, Model};

/// Index of the class of [`Request::against`], if there is one.
///
/// # Errors
/// When it is no class of the model, is itself to be explained, or cannot be compared.
pub(super) fn class(request: &Request, model: &Model) -> Result<Option<usize>> {
    let Some(against) = &request.against else { return Ok(None) };
    check(request, model)?;
    let is_fixed = |target: &Target| matches!(target, Target::Index(_) | Target::Name(_));
    if !is_fixed(against) {
        let problem = Problem::expected_but("an index or a name", "a class that differs from image to image");
        return Err(problem.about(Subject::Option(OptionName::Against)).into());
    }
    let class = against.class(model)?;
    let is_itself = |target: &Target| is_fixed(target) && target.class(model).ok() == Some(class);
    match request.targets.iter().any(is_itself) {
        true => Err(itself(model, class)),
        false => Ok(Some(class)),
    }
}

fn check(request: &Request, model: &Model) -> Result<()> {
    let output = model.output();
    let useless = |what: &str| Err(useless(OptionName::Against, what).into());
    match output.task {
        Task::Numbers | Task::Embedding => {
            return useless(&format!("a network whose task is '{}'", output.task.name()));
        }
        _ if model.num_classes() < 2 => return useless("a network with one class"),
        _ => {}
    }
    if !request.methods.iter().any(|method| method.info().uses_class) {
        let names: Vec<&str> = request.methods.iter().map(|method| method.info().name).collect();
        return useless(&format!("{}, whose map is the same for every class", names.join(", ")));
    }
    // A share of the other's logit is taken where that is greatest, and not at the anchor that is explained.
    let shares = |method: &&Method| method.traits().outputs == Outputs::Logits;
    if let (Some(method), Task::Detection) = (request.methods.iter().find(shares), output.task) {
        let name = method.info().name;
        return useless(&format!("{name} on a detector, whose classes are greatest at different anchors"));
    }
    if output.activation == FinalActivation::Identity {
        let problem = "compares logits, but the model gives probabilities without logits before them";
        return Err(Problem::new(problem).about(Subject::Option(OptionName::Against)).hint("drop it").into());
    }
    let other = request.score.filter(|score| *score != Score::Margin).map(|score| score.name());
    let library = request.options.library.map(|library| library.name());
    let found = match (other, library) {
        (Some(score), _) => OptionName::Score.set(score),
        (None, Some(library)) => OptionName::Compat.set(library),
        (None, None) => return Ok(()),
    };
    let problem = Problem::new("is a score of its own, the logit less that of the class");
    let problem = problem.about(Subject::Option(OptionName::Against)).found(Phrase::filled("{}", [found]));
    Err(problem.hint("drop one of them").into())
}

/// The targets without the class that they are compared with and its boxes, and whether any of these was among them.
///
/// # Errors
/// When nothing else is left.
pub(super) fn without(
    rival: usize,
    wanted: &mut Vec<usize>,
    (model, answer): (&Model, &Answer),
) -> Result<bool> {
    let count = wanted.len();
    wanted.retain(|target| answer.class_of(*target) != rival);
    match wanted.is_empty() {
        true => Err(itself(model, rival)),
        false => Ok(wanted.len() < count),
    }
}

fn itself(model: &Model, class: usize) -> Error {
    let problem = Problem::new("is to be explained against itself").named("class", model.class_name(class));
    problem.hint("name another class to explain, or to compare with").into()
}
