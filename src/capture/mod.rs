//! A model file from a typed Burn module, inside the program that trained it.
//!
//! Receives a module, one input and the function that runs it; gives [`Captured`]: a card with the whole graph, and
//! the weights under their parameter paths. The forward pass is recorded on Burn's capture device (`record`),
//! converted to a card's operations (`lower`), and run once to compare its outputs with the module's. Needs the cargo
//! feature `capture`. Besides [`crate::engine`] the only room that uses Burn, because it receives the caller's
//! module.

mod arithmetic;
mod context;
mod lower;
mod masked;
mod names;
mod record;
mod rows;
mod translate;

use std::path::Path;

use burn::module::Module;
use burn::tensor::Tensor;

use crate::card::SCHEMA_VERSION;
pub use crate::card::{Card, ColorOrder, Crop, Filter, Preprocess, Resize, Source};
use crate::engine::{DeviceName, Network};
use crate::error::{Error, Problem, Result};
use crate::model::Model;
pub use crate::model::StoredTensor;

/// Information that a module does not contain.
#[derive(Debug, Clone)]
pub struct CaptureSettings {
    /// The model's name in records.
    pub name: String,
    /// Class names by class index. Empty: classes are called by their index.
    pub classes: Vec<String>,
    /// The preprocessing of pictures.
    pub preprocess: Preprocess,
    /// The origin of the weights, for the card.
    pub source: Option<Source>,
}

/// A module as a model, ready to be written.
#[derive(Debug, Clone)]
pub struct Captured {
    /// The card, with the whole graph.
    pub card: Card,
    /// The weights of the graph, under their paths in the module, as `f32`.
    pub tensors: Vec<StoredTensor>,
}

impl Captured {
    /// Writes the model file and opens it.
    ///
    /// # Errors
    /// When `path` exists and `overwrite` is off, or it cannot be written.
    pub fn save(&self, path: &Path, overwrite: bool) -> Result<Model> {
        Model::save(path, &self.card, self.tensors.clone(), overwrite)?;
        Model::open(path, None)
    }
}

/// Records `forward` for `sample` and converts it to a model.
///
/// The module may be in training, on any device, with autodiff or without: a copy of it is put into evaluation mode,
/// and the module itself is not changed. Layers are named by their parameters (`blocks.0.conv` has
/// `blocks.0.conv.weight`), operations without parameters by their kind and enclosing block (`blocks.0.relu`). A
/// forward pass with branches that depend on values is recorded with the branches that `sample` takes.
///
/// # Shapes
/// `sample` is one input as in training, `[1, channels, height, width]`; `forward` gives `[1, classes]`.
///
/// # Errors
/// When `sample` is not a batch of one, the forward pass uses an operation that cards do not have, the settings do
/// not fit the module, or the recorded graph's outputs differ from the module's.
///
/// # Panics
/// When `forward` does: it must create tensors on its input's device, and cannot read values of tensors.
pub fn capture<M, F>(module: &M, sample: Tensor<4>, forward: F, settings: CaptureSettings) -> Result<Captured>
where
    M: Module,
    F: Fn(&M, Tensor<4>) -> Tensor<2>,
{
    // Also a deep copy: clones share running statistics, and moving those to the capture device breaks the original.
    let module = module.valid();
    // The capture device has no gradients.
    let sample = sample.without_autodiff();
    let size = size_of(&sample)?;
    // On the caller's own device, before anything is converted: this is what the file must give.
    let expected = numbers(forward(&module, sample.clone()))?;
    let values = numbers(sample.clone())?;

    let blame = |problem: Problem| problem.of_model(&settings.name);
    let recording = record::record(&module, sample, forward).map_err(blame)?;
    let (graph, tensors) = lower::lower(recording, size).map_err(blame)?;
    let card = Card {
        schema_version: SCHEMA_VERSION,
        name: settings.name.clone(),
        arch: None,
        num_classes: None,
        graph: Some(graph),
        preprocess: settings.preprocess,
        task: None,
        output: None,
        classes: settings.classes,
        source: settings.source,
    };
    let captured = Captured { card, tensors };
    compare(&captured.run(values)?, &expected).map_err(|problem| Error::model(&settings.name, problem))?;
    Ok(captured)
}

impl Captured {
    /// The output of the graph's last node for one input, after a round trip through a file.
    fn run(&self, values: Vec<f32>) -> Result<Vec<f32>> {
        let directory = tempfile::tempdir().map_err(Error::write_into(&std::env::temp_dir()))?;
        // The name of a model may hold slashes, which are no part of a file name.
        let path = directory.path().join(format!("{}.bpk", self.card.name.replace(['/', '\\'], "_")));
        let model = self.clone().save(&path, false)?;
        // A final softmax is part of the module's output.
        Network::load_whole(&model, &DeviceName::default())?.logits(values)
    }
}

fn size_of(sample: &Tensor<4>) -> Result<[usize; 3]> {
    match sample.dims() {
        [1, channels, height, width] => Ok([channels, height, width]),
        other => Err(Error::request(
            Problem::new(format!("sample: has shape {other:?}"))
                .expected("[1, channels, height, width]")
                .hint("`sample.narrow(0, 0, 1)` takes the first of a batch"),
        )),
    }
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let data = tensor.into_data().convert::<f32>();
    data.try_to_vec().map_err(|error| Error::internal(format!("a tensor cannot be read: {error}")))
}

/// Far above rounding errors of reordered sums, far below the effect of a wrong operation.
const TOLERANCE: f32 = 1e-3;

fn compare(found: &[f32], expected: &[f32]) -> Result<(), Problem> {
    let scale = expected.iter().fold(1e-3_f32, |scale, value| scale.max(value.abs()));
    let differs = |(_, (found, expected)): &(usize, (&f32, &f32))| {
        let close = (*found - *expected).abs() <= TOLERANCE * scale;
        !close // a number that is not finite is close to none
    };
    match found.iter().zip(expected).enumerate().find(differs) {
        None if found.len() == expected.len() => Ok(()),
        None => {
            Err(format!("the recorded graph gives {} classes, the module {}", found.len(), expected.len())
                .into())
        }
        Some((class, (found, expected))) => {
            Err(Problem::new(format!("the recorded graph gives {found} for class {class}"))
                .expected(format!("the module's {expected}"))
                .hint("does its forward pass draw random numbers?"))
        }
    }
}
