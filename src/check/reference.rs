//! Another framework's results for the same input.

use std::path::Path;

use super::{Difference, ReferenceCheck, Status, Subject, guarded, inner};
use crate::card::{InputSpec, OutputKind, Task, ValueId};
use crate::engine::Network;
use crate::error::{Error, Problem, Result, Subject as About};
use crate::input::{Array, MAX_FILE_BYTES, Npz};
use crate::model::Model;

/// Array names accepted for the other framework's output.
const OUTPUTS: [&str; 3] = ["logits", "output", "probabilities"];

/// Probabilities of single classes are compared on a scale of at least this, because tiny ones have few exact digits.
const LEAST_PROBABILITY: f64 = 1e-2;

/// Input and outputs, with shapes checked against the model.
pub(super) struct Reference {
    /// `[pictures, channels, height, width]`.
    input: Vec<f32>,
    pictures: usize,
    outputs: Vec<Output>,
}

/// One output and what it is compared with.
struct Output {
    array: &'static str,
    /// `[pictures, classes]`.
    values: Vec<f32>,
    /// Before the final activation, or after it.
    logits: bool,
}

impl Reference {
    /// Reads an archive.
    pub(super) fn open(path: &Path, model: &Model) -> Result<Self> {
        let name = path.display().to_string();
        let refuse = |problem: Problem| Error::from(problem.about(About::Reference(name.clone())));
        let mut archive = Npz::open(path)?;
        let names: Vec<_> = OUTPUTS.into_iter().filter(|name| archive.has(name)).collect();
        if !archive.has("input") || names.is_empty() {
            let names = OUTPUTS.map(|name| format!("'{name}'")).join(", ");
            let problem = Problem::new(format!("holds {}", archive.names()));
            return Err(refuse(problem.expected(format!("an array 'input' and one of {names}"))));
        }
        let spec = &model.graph().input;
        let input = archive.array("input", |shape| pictures(shape, spec).map(drop))?;
        let (pictures, channels_last) = pictures(&input.shape, spec).map_err(refuse)?;
        let classes = model.outputs();
        let mut outputs = Vec::new();
        for array in names {
            let Array { values, .. } = archive.array(array, |shape| fits(shape, pictures, classes))?;
            let logits = is_logits(array, &values, model).map_err(refuse)?;
            outputs.push(Output { array, values, logits });
        }
        let input = match channels_last {
            true => crate::input::channels_first(&input.values, pictures, spec.channels),
            false => input.values,
        };
        Ok(Self { input, pictures, outputs })
    }

    /// Runs every picture and compares every output.
    pub(super) fn check(self, subject: &Subject) -> Vec<ReferenceCheck> {
        self.outputs.iter().map(|output| self.compare(output, subject)).collect()
    }

    fn compare(&self, output: &Output, subject: &Subject) -> ReferenceCheck {
        let model = subject.model;
        let (node, gives) = match output.logits {
            true if model.has_activation() => (ValueId::of_node(model.raw_scores()), OutputKind::Logits),
            _ => (model.graph().output, model.output().gives),
        };
        let mut found = ReferenceCheck {
            status: Status::Failed,
            array: output.array.to_owned(),
            node: model.graph().name(node).unwrap_or_default().to_owned(),
            gives,
            pictures: self.pictures,
            difference: None,
            same_top_class: 0,
            problem: None,
        };
        match guarded(|| self.difference(output, subject, &mut found.same_top_class)) {
            Ok(difference) => {
                found.status = subject.status(&difference);
                found.difference = Some(difference);
            }
            Err(error) => found.problem = Some(inner(&error)),
        }
        found
    }

    fn difference(&self, output: &Output, subject: &Subject, same_top: &mut usize) -> Result<Difference> {
        let whole;
        let has_sides = subject.model.raw_scores() != subject.model.scores();
        let network = match output.logits {
            true if has_sides => {
                whole = Network::load_raw(subject.model, &subject.request.device)?;
                &whole
            }
            true => &subject.network,
            false => {
                whole = Network::load_whole(subject.model, &subject.request.device)?;
                &whole
            }
        };
        // Frameworks compute a sigmoid with an absolute error of about 1e-7, so the probabilities of a saturated one
        // agree only to those digits, however small they are.
        let gives = subject.model.output().gives;
        let probabilities =
            !output.logits && matches!(gives, OutputKind::Sigmoid | OutputKind::Probabilities);
        let least = if probabilities { LEAST_PROBABILITY } else { 0.0 };
        let mut worst = Difference::NONE;
        let pictures = self.input.chunks(self.input.len() / self.pictures);
        for (input, expected) in pictures.zip(output.values.chunks(output.values.len() / self.pictures)) {
            let found = network.logits(input.to_vec())?;
            worst = worst.worse(Difference::on_scale(&found, expected, least));
            let form = subject.model.output().form;
            let top = |values: &[f32]| match output.logits {
                true => form.most_probable(values),
                false => top_of_output(values, |at| form.is_class_of_output(at)),
            };
            *same_top += usize::from(top(&found) == top(expected));
        }
        Ok(worst)
    }
}

/// Number of pictures, and whether the channels are the last axis.
fn pictures(shape: &[usize], spec: &InputSpec) -> Result<(usize, bool), Problem> {
    let (channels, height, width) = (spec.channels, spec.height, spec.width);
    // Three axes of signals are [signals, channels, samples].
    let (first, last) = match spec.is_signal() && shape.len() == 3 {
        true => (vec![channels, width], vec![width, channels]),
        false => (vec![channels, height, width], vec![height, width, channels]),
    };
    let (count, axes) = match shape {
        [count, axes @ ..] if axes.len() == first.len() => (*count, axes),
        axes => (1, axes),
    };
    if count == 0 || (axes != first && axes != last) {
        let batch =
            |axes: &[usize]| axes.iter().fold("pictures".to_owned(), |text, side| format!("{text}, {side}"));
        let expected = format!("[{}] or [{}]", batch(&first), batch(&last));
        return Err(Problem::new(format!("has shape {shape:?}")).expected(expected));
    }
    let bytes = axes.iter().product::<usize>().checked_mul(count).and_then(|count| count.checked_mul(4));
    if bytes.is_none_or(|bytes| bytes as u64 > MAX_FILE_BYTES) {
        let limit = MAX_FILE_BYTES >> 20;
        return Err(Problem::new(format!("has shape {shape:?}, which is more than {limit} MiB"))
            .hint("take fewer pictures"));
    }
    Ok((count, axes != first))
}

fn fits(shape: &[usize], pictures: usize, classes: usize) -> Result<(), Problem> {
    let wide: Vec<usize> = shape.iter().copied().filter(|side| *side != 1).collect();
    let expected: Vec<usize> = [pictures, classes].into_iter().filter(|side| *side != 1).collect();
    // Axes of length one may be anywhere: [pictures], [pictures, classes, 1, 1]. Maps and anchors have axes of their own.
    let fits = wide == expected
        || shape.first() == Some(&pictures)
            && shape[1..].iter().product::<usize>() == classes
            && shape.len() > 2;
    match fits {
        true => Ok(()),
        false => Err(Problem::new(format!("has shape {shape:?}"))
            .expected(format!("[{pictures}, {classes}], pictures and classes"))),
    }
}

/// Whether an array is compared with the logits; otherwise with the output of the graph's last node.
fn is_logits(array: &str, values: &[f32], model: &Model) -> Result<bool, Problem> {
    let gives = model.output().gives;
    match (array, gives) {
        ("probabilities", OutputKind::Logits) => {
            Err(Problem::new("has probabilities, but the model's last node gives logits")
                .hint("store 'logits'"))
        }
        ("probabilities", OutputKind::Numbers) => {
            Err(Problem::new("has probabilities, but the model's last node gives numbers")
                .hint("store 'output'"))
        }
        ("probabilities", OutputKind::LogSoftmax | OutputKind::LogSigmoid) => {
            Err(Problem::new("has probabilities, but the model's last node gives their logarithms")
                .hint("store 'output'"))
        }
        // What is explained of a detector is made of its output, or of what is before it.
        _ if model.output().task == Task::Detection => Ok(false),
        // The last node gives the only scores.
        _ if !model.has_activation() => Ok(true),
        ("logits", OutputKind::Softmax | OutputKind::LogSoftmax) => {
            // Scripts often call any network output logits, so the values decide.
            Ok(!values.chunks(model.outputs()).all(|row| is_distribution(row, gives)))
        }
        ("logits", _) => Ok(true),
        _ => Ok(false),
    }
}

/// Index of the greatest score of a class in the network's own output, the first of equals.
fn top_of_output(values: &[f32], is_class: impl Fn(usize) -> bool) -> Option<usize> {
    let better = |best: usize, at: usize| if values[at] > values[best] { at } else { best };
    (0..values.len()).filter(|at| is_class(*at)).reduce(better)
}

/// Whether the values could come from a softmax, or its logarithm.
fn is_distribution(row: &[f32], output: OutputKind) -> bool {
    let share = |value: f32| match output {
        OutputKind::LogSoftmax => f64::from(value).exp(),
        _ => f64::from(value),
    };
    let sum: f64 = row.iter().map(|value| share(*value)).sum();
    row.iter().all(|value| (0.0..=1.001).contains(&share(*value))) && (sum - 1.0).abs() < 1e-3
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
