//! From an ONNX file to a model: graph and weights from [`onnx`](super::onnx), and a card for them.

use super::keras;
use super::onnx::{self, Lowered, Options, Said};
use super::preprocess::{Preset, assumed, preset};
use super::request::{ImportRequest, Imported};
use super::self_contained;
use super::signal;
use super::state_dict::file_name;
use crate::card::{Filter, Graph, InputSpec, Layout, Preprocess, Resize, Task};
use crate::error::{Phrase, Result};

/// Imports an ONNX file.
pub(super) fn import(request: &ImportRequest) -> Result<Imported> {
    self_contained::refuse_descriptions(request)?;
    let options =
        Options { size: request.input, output: request.output_name.clone(), inputs: request.inputs.clone() };
    let Lowered { graph, weights, whole, notes: mut assumptions, said } =
        onnx::open(&request.source, &options)?;
    let request = &completed(request, &said, &graph.input);
    let preprocess = match &request.preprocess {
        _ if graph.input.is_signal() => signal::as_they_are(request, &graph.input, &mut assumptions)?,
        Some(preprocess) => preprocess.clone(),
        None => assume(
            request,
            &graph,
            Pixels {
                whole,
                normalised: onnx::normalizes_itself(&graph, &weights),
                task: said.ultralytics,
                keras: said.keras,
            },
            &mut assumptions,
        ),
    };
    let file = file_name(&request.source);
    let name = file.strip_suffix(".onnx").unwrap_or(&file);
    self_contained::finish(request, name, graph, weights, preprocess, assumptions)
}

/// What a graph does with pixels before its first layer.
struct Pixels {
    /// Its input has an integer type.
    whole: bool,
    /// It normalises them itself.
    normalised: bool,
    /// The task for which ultralytics prepares pictures, if the file says that it is theirs.
    task: Option<String>,
    /// The models and layers in it, if the file was made of a Keras model.
    keras: Option<Vec<String>>,
}

/// The request, with what the file says of itself where the caller says nothing.
fn completed(request: &ImportRequest, said: &Said, input: &InputSpec) -> ImportRequest {
    let mut request = request.clone();
    let theirs = said.ultralytics.as_deref();
    // In all of these each anchor has a box and classes, perhaps with more.
    let is_detector = matches!(theirs, Some("detect" | "segment" | "pose" | "obb"));
    // Of other tasks names of classes are no names of outputs.
    if request.classes.is_empty() {
        request.classes = match said.own.classes.is_empty() {
            true if is_detector || theirs == Some("classify") => said.classes.clone(),
            _ => said.own.classes.clone(),
        };
    }
    // A preset is another way altogether; single options change what the file says.
    if request.preprocess.is_none() && request.adjust.preset.is_none() {
        let stated = said.own.preprocess.clone();
        request.preprocess = stated.map(|stated| request.adjust.change(stated, input));
    }
    // Task and output belong together: the caller's say about one replaces both.
    if request.task.is_none() && request.output.is_none() {
        (request.task, request.output) = (said.own.task, said.own.output);
    }
    request.task = request.task.or((is_detector || said.has_boxes).then_some(Task::Detection));
    request.license = request.license.or_else(|| said.own.license.clone()).or_else(|| said.license.clone());
    request
}

/// The preset that was requested or that the graph suggests, with the caller's changes.
fn assume(
    request: &ImportRequest,
    graph: &Graph,
    pixels: Pixels,
    assumptions: &mut Vec<Phrase>,
) -> Preprocess {
    let InputSpec { height, width, layout, .. } = graph.input;
    let usual = |preset: Preset, reason: &str| (preset, Some(reason.to_owned()));
    let of_keras = || pixels.keras.as_deref().and_then(keras::known_name);
    let (chosen, reason) = match request.adjust.preset {
        Some(chosen) => (chosen, None),
        None if pixels.task.is_some() => usual(Preset::Ultralytics, "the file has ultralytics' metadata"),
        None if pixels.whole => usual(Preset::Raw, "the input takes whole numbers"),
        None if pixels.normalised => usual(Preset::Raw, "the graph normalises its input itself"),
        None => match of_keras() {
            Some((name, preset)) => (preset, Some(format!("a model in it is called '{name}'"))),
            None if layout == Layout::ChannelsLast => usual(Preset::Tf, "channels come last, as in Keras"),
            None if pixels.keras.is_some() => usual(Preset::Tf, "the file was made of a TensorFlow model"),
            None => usual(Preset::Imagenet, "an ONNX file does not say how pictures are prepared"),
        },
    };
    let mut base = preset(chosen, &graph.input);
    if pixels.task.is_some_and(|task| task != "classify") && chosen == Preset::Ultralytics {
        // Their detectors see the whole picture between bars of grey.
        let (filter, fill) = (Filter::Bilinear, 114);
        base = Preprocess { resize: Resize::Letterbox { height, width, filter, fill }, crop: None, ..base };
    }
    let preprocess = request.adjust.apply(base, [height, width]);
    if let Some(reason) = reason {
        assumptions.push(assumed(&reason, &format!("preset '{}'", chosen.name()), &preprocess));
    }
    preprocess
}
