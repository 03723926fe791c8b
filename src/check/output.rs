//! Compares seeded forward passes with the output kind that the card claims.
//!
//! Receives a model; returns sentences about contradictions. A misunderstood output makes every probability wrong,
//! and a few noise pictures reveal most cases: probabilities outside 0 to 1, logits that sum to 1.

use super::{guarded, noise};
use crate::card::{OutputKind, Task};
use crate::engine::DeviceName;
use crate::engine::{Network, Runtime};
use crate::error::Result;
use crate::model::{FinalActivation, Model};

/// Number of noise pictures. Logits of all of them may be within 0 to 1 by chance, but then they do not also sum to
/// 1.
const PICTURES: u64 = 3;

/// Tolerance for sums of probabilities, and for values outside 0 to 1. Half precision has three digits.
const NEAR: f64 = 2e-3;

/// Differences below this share of the largest value are rounding.
const SAME: f64 = 1e-6;

/// Findings about a model's outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputCheck {
    /// Contradictions with the card, one sentence each.
    pub contradictions: Vec<String>,
    /// The only possible kind of output, when the card does not state one and the values leave no doubt.
    pub evident: Option<OutputKind>,
}

/// Runs a few seeded noise pictures through a model and compares the outputs with the output kind of its card.
///
/// # Errors
/// When the weights cannot be read, or the network cannot run.
pub fn check_output(model: &Model) -> Result<OutputCheck> {
    let runtime = Runtime { low_memory: true, ..Runtime::from(&DeviceName::default()) };
    let rows = guarded(|| {
        let network = Network::load_whole(model, runtime)?;
        (0..PICTURES).map(|seed| network.logits(noise::input(model, seed)?)).collect::<Result<Vec<_>>>()
    })?;
    Ok(judge(&rows, model))
}

fn judge(rows: &[Vec<f32>], model: &Model) -> OutputCheck {
    let mut found = OutputCheck::default();
    let mut say = |sentence: &str| found.contradictions.push(sentence.to_owned());
    if rows.iter().flatten().any(|value| !value.is_finite()) {
        say("the network gives numbers that are not finite for a noise picture (are the weights whole?)");
        return found;
    }
    if are_equal(rows) {
        say(
            "the network gives the same numbers for different noise pictures (are the weights and the preprocessing right?)",
        );
    }
    let output = model.output();
    let in_range = |row: &[f32]| row.iter().all(|value| (-NEAR..=1.0 + NEAR).contains(&f64::from(*value)));
    let sums_to_one =
        |row: &[f32]| (row.iter().map(|value| f64::from(*value)).sum::<f64>() - 1.0).abs() <= NEAR;
    let all_in_range = rows.iter().all(|row| in_range(row));
    let shares = model.outputs() > 1 && all_in_range && rows.iter().all(|row| sums_to_one(row));
    let says_probabilities =
        matches!(output.gives, OutputKind::Softmax | OutputKind::Sigmoid | OutputKind::Probabilities);
    match output.activation {
        _ if says_probabilities && !all_in_range => {
            say("the outputs are called probabilities, but noise pictures give numbers outside of 0 to 1 \
                 (--output logits or --output none may be meant)");
        }
        FinalActivation::Identity
            if output.task == Task::Classification && model.outputs() > 1 && !shares =>
        {
            say(
                "the outputs are called probabilities of classes that exclude each other, but do not add up to 1 \
                 for noise pictures (--task multi-label may be meant)",
            );
        }
        FinalActivation::Softmax | FinalActivation::Sigmoid
            if output.gives == OutputKind::Logits && shares =>
        {
            if output.assumed.is_some() {
                found.evident = Some(OutputKind::Probabilities);
            } else {
                say(
                    "the outputs are called logits, but for noise pictures they are within 0 to 1 and add up to 1, as \
                     probabilities do (--output probabilities may be meant)",
                );
            }
        }
        FinalActivation::Softmax | FinalActivation::Sigmoid
            if output.gives == OutputKind::Logits && all_in_range && rows.len() * model.outputs() > 8 =>
        {
            say("the outputs are taken for logits, but all of them are within 0 to 1 for noise pictures \
                 (--output probabilities may be meant, or --output none)");
        }
        _ => {}
    }
    found
}

/// Whether the outputs are the same for all pictures.
fn are_equal(rows: &[Vec<f32>]) -> bool {
    let greatest = rows.iter().flatten().fold(0.0_f64, |most, value| most.max(f64::from(value.abs())));
    let near = |a: &f32, b: &f32| (f64::from(*a) - f64::from(*b)).abs() <= SAME * greatest;
    rows.windows(2).all(|pair| pair[0].iter().zip(&pair[1]).all(|(a, b)| near(a, b)))
}
