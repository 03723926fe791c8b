//! What is assumed of outputs that neither the card states nor the graph proves, in words.

use crate::card::{OutputKind, Task};
use crate::error::{OptionName, Phrase};

/// The sentence for `outputs` values that are taken for plain numbers, or else for logits; `gives` is what the graph suggests.
pub(super) fn assumption(numbers: bool, gives: OutputKind, outputs: usize) -> Phrase {
    let [sigmoid, none, probabilities] =
        [OutputKind::Sigmoid, OutputKind::Numbers, OutputKind::Probabilities]
            .map(|kind| OptionName::Output.set(kind.name()));
    match (numbers, outputs) {
        (true, _) if gives == OutputKind::LogSigmoid => Phrase::filled(
            "the outputs are logarithms of independent probabilities, and the logits before them are not at hand, so they are \
             taken for plain numbers; {} says so",
            [none],
        ),
        (true, 2..) => {
            let what = format!(
                "the {outputs} outputs are bounded and no probabilities, such as percent, so they are taken for plain numbers"
            );
            Phrase::from(what).phrase(Phrase::filled(
                "; {} takes them for logits",
                [OptionName::Output.set(OutputKind::Logits.name())],
            ))
        }
        (true, _) => Phrase::filled(
            "the one output is bounded and no probability, so it is taken for a plain number; {} takes it for a logit",
            [sigmoid],
        ),
        (_, 1) => Phrase::filled(
            "the one output is taken for the logit of a yes-or-no question, whose probability is its sigmoid; \
             {} takes it for a plain number, {} for a probability",
            [none, probabilities],
        ),
        _ => {
            let what = format!(
                "the {outputs} outputs are taken for logits of classes that exclude each other (softmax)"
            );
            let otherwise = [OptionName::Task.set(Task::MultiLabel.name()), none, probabilities];
            Phrase::from(what).phrase(Phrase::filled("; {}, {} or {} say otherwise", otherwise))
        }
    }
}
