//! Compares seeded forward passes with the output kind that the card claims.
//!
//! Receives a model; returns sentences about contradictions. A misunderstood output makes every probability wrong,
//! and a few noise pictures reveal most cases: probabilities outside 0 to 1, logits that sum to 1.

use super::{guarded, noise};
use crate::card::{OutputKind, Task};
use crate::engine::DeviceName;
use crate::engine::{Network, Runtime};
use crate::error::{OptionName, Phrase, Result};
use crate::model::{FinalActivation, Model};

/// Number of noise pictures. Logits of all of them may be within 0 to 1 by chance, but then they do not also sum to
/// 1.
const PICTURES: u64 = 3;

/// Tolerance for sums of probabilities, and for values outside 0 to 1. Half precision has three digits.
const NEAR: f64 = 2e-3;

/// Differences below this share of the largest value are rounding.
const SAME: f64 = 1e-6;

/// This many logits may all be within 0 to 1 by chance.
const FEW: usize = 8;

/// What contradicts a card, with `{}` for options that may be meant.
const NOT_FINITE: &str =
    "the network gives numbers that are not finite for a noise picture (are the weights whole?)";
const ALL_EQUAL: &str = "the network gives the same numbers for different noise pictures (are the weights and the preprocessing right?)";
const NOT_PROBABILITIES: &str = "the outputs are called probabilities, but noise pictures give numbers outside of 0 to 1 ({} or {} may be meant)";
const NOT_SHARES: &str = "the outputs are called probabilities of classes that exclude each other, but do not add up to 1 \
                          for noise pictures ({} may be meant)";
const SHARES: &str = "the outputs are called logits, but for noise pictures they are within 0 to 1 and add up to 1, as \
                      probabilities do ({} may be meant)";
const IN_RANGE: &str = "the outputs are taken for logits, but all of them are within 0 to 1 for noise pictures \
                        ({} may be meant, or {})";

/// Findings about a model's outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputCheck {
    /// Contradictions with the card, one sentence each.
    pub contradictions: Vec<Phrase>,
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
        let row = |seed| {
            let row = network.logits(noise::input(model, seed)?)?;
            // A detector's boxes are in pixels, and no probabilities.
            let is_class = |(at, _): &(usize, f32)| model.output().form.is_class_of_output(*at);
            Ok(row.into_iter().enumerate().filter(is_class).map(|(_, value)| value).collect())
        };
        (0..PICTURES).map(row).collect::<Result<Vec<_>>>()
    })?;
    Ok(judge(&rows, model))
}

fn judge(rows: &[Vec<f32>], model: &Model) -> OutputCheck {
    let mut found = OutputCheck::default();
    if rows.iter().flatten().any(|value| !value.is_finite()) {
        // Nothing else can be said of such numbers.
        found.contradictions.push(Phrase::filled(NOT_FINITE, []));
        return found;
    }
    if are_equal(rows) {
        found.contradictions.push(Phrase::filled(ALL_EQUAL, []));
    }
    let range = Range::of(rows);
    if range.shares && model.output().assumed.is_some() && is_called_logits(model) {
        found.evident = Some(OutputKind::Probabilities);
    } else if let Some(contradiction) = contradiction(&range, model) {
        found.contradictions.push(contradiction);
    }
    found
}

/// Where the values of all rows are.
struct Range {
    /// Number of values.
    count: usize,
    /// Within 0 to 1.
    unit: bool,
    /// Within 0 to 1, and each row adds up to 1. A single output of 1 proves nothing.
    shares: bool,
}

impl Range {
    fn of(rows: &[Vec<f32>]) -> Self {
        let in_range = |value: &f32| (-NEAR..=1.0 + NEAR).contains(&f64::from(*value));
        let sum = |row: &[f32]| row.iter().map(|value| f64::from(*value)).sum::<f64>();
        let unit = rows.iter().flatten().all(in_range);
        let add_up = |row: &Vec<f32>| row.len() > 1 && (sum(row) - 1.0).abs() <= NEAR;
        Self { count: rows.iter().map(Vec::len).sum(), unit, shares: unit && rows.iter().all(add_up) }
    }
}

/// Whether the outputs are logits according to the card, which a final softmax or sigmoid of ours follows.
fn is_called_logits(model: &Model) -> bool {
    let output = model.output();
    output.gives == OutputKind::Logits && output.has_logits()
}

/// What the card says and the values refute. Of several contradictions the first explains the others.
fn contradiction(range: &Range, model: &Model) -> Option<Phrase> {
    let output = model.output();
    let [none, probabilities] = ["none", "probabilities"].map(|kind| OptionName::Output.set(kind));
    let says_probabilities =
        matches!(output.gives, OutputKind::Softmax | OutputKind::Sigmoid | OutputKind::Probabilities);
    if says_probabilities && !range.unit {
        return Some(Phrase::filled(NOT_PROBABILITIES, [OptionName::Output.set("logits"), none]));
    }
    let exclude_each_other = output.task == Task::Classification && model.outputs() > 1;
    if output.activation == FinalActivation::Identity && exclude_each_other && !range.shares {
        return Some(Phrase::filled(NOT_SHARES, [OptionName::Task.set("multi-label")]));
    }
    if !is_called_logits(model) {
        return None;
    }
    if range.shares {
        return Some(Phrase::filled(SHARES, [probabilities]));
    }
    (range.unit && range.count > FEW).then(|| Phrase::filled(IN_RANGE, [probabilities, none]))
}

/// Whether the outputs are the same for all pictures.
fn are_equal(rows: &[Vec<f32>]) -> bool {
    let greatest = rows.iter().flatten().fold(0.0_f64, |most, value| most.max(f64::from(value.abs())));
    let near = |a: &f32, b: &f32| (f64::from(*a) - f64::from(*b)).abs() <= SAME * greatest;
    rows.windows(2).all(|pair| pair[0].iter().zip(&pair[1]).all(|(a, b)| near(a, b)))
}
