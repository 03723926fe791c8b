//! From a picture file to probabilities: the network's input, and whether another framework computes the same.
//!
//! Receives a model, a picture file and optionally another framework's results for it; returns a [`PictureReport`].
//! The other checks start at the network's input, but most mistakes are made before it, in preprocessing.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::picture_reference::{PictureReference, Scores};
use super::prepared::{InputCheck, compare_inputs};
use super::{Difference, Status};
use crate::engine::DeviceName;
use crate::engine::Runtime;
use crate::error::{Problem, Result, Wording};
use crate::explain::{Predictor, Subject};
use crate::input::{Layout, Picture, ReadOptions};
use crate::model::Model;
use crate::record::{InputRecord, Prediction};

/// Number of classes listed.
const LISTED: usize = 5;

/// What to check about a picture, and how strictly.
#[derive(Debug, Clone)]
pub struct PictureRequest {
    /// A picture file.
    pub picture: PathBuf,
    /// Colour under transparent pixels. Default: white.
    pub background: [u8; 3],
    /// As [`ReadOptions::window`]. Default: none.
    pub window: Option<[f64; 2]>,
    /// Where the network runs. Default: `flex`.
    pub device: DeviceName,
    /// A JSON file with another framework's results for the picture; `docs/check.md` has the format. Default: none.
    pub reference: Option<PathBuf>,
    /// The greatest difference of a probability that passes; for logits, as a share of the largest. Default:
    /// [`PictureRequest::TOLERANCE`].
    pub tolerance: f64,
    /// How options are called in the texts of the report. Default: by the library's fields.
    pub wording: Wording,
}

impl PictureRequest {
    /// Resizing in other libraries differs by single levels, and people round the values they write down.
    pub const TOLERANCE: f64 = 0.01;

    /// A request with every default.
    #[must_use]
    pub fn new(picture: &Path) -> Self {
        Self {
            picture: picture.into(),
            background: [255; 3],
            window: None,
            device: DeviceName::default(),
            reference: None,
            tolerance: Self::TOLERANCE,
            wording: Wording::LIBRARY,
        }
    }
}

/// A model's results for a picture, and their comparison with a reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PictureReport {
    /// The model's name.
    pub model: String,
    /// Its file's name.
    pub file: String,
    /// Version of burncam.
    pub burncam: String,
    /// Where the network ran.
    pub device: String,
    /// The picture file.
    pub picture: InputRecord,
    /// `[1, channels, height, width]`.
    pub shape: [usize; 4],
    /// Statistics of the input's channels, in the network's order.
    pub channels: Vec<ChannelNumbers>,
    /// The most probable classes.
    pub predictions: Vec<Prediction>,
    /// Warnings about the picture, such as damage or a colour profile.
    pub warnings: Vec<String>,
    /// No comparison failed.
    pub passed: bool,
    /// The greatest difference that passes, for probabilities and logits.
    pub tolerance: f64,
    /// The preprocessed picture compared with the reference's `input`, if any.
    pub input: Option<InputCheck>,
    /// The network on the reference's own `input`, if any.
    pub network: Option<StageCheck>,
    /// The whole way from the picture file to the result, if there is a reference.
    pub result: Option<StageCheck>,
    /// Which stage differs, in words.
    pub finding: Option<String>,
}

/// Statistics of one channel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelNumbers {
    /// Mean.
    pub mean: f64,
    /// Minimum.
    pub min: f32,
    /// Maximum.
    pub max: f32,
}

/// Probabilities or logits compared with the reference's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageCheck {
    /// How it ended.
    pub status: Status,
    /// What was compared: `probabilities` or `logits`.
    pub compared: String,
    /// Number of classes.
    pub classes: usize,
    /// Greatest difference: absolute for probabilities, as a share of the largest for logits.
    pub difference: f64,
    /// Whether both have the same greatest class.
    pub same_top_class: bool,
}

/// Preprocesses a picture, runs the network, and compares with another framework.
///
/// # Errors
/// When the picture, the weights or the reference cannot be read, or do not fit each other.
pub fn check_picture(model: Model, request: &PictureRequest) -> Result<PictureReport> {
    let reference =
        request.reference.as_deref().map(|path| PictureReference::open(path, &model)).transpose()?;
    let name = request.picture.display().to_string();
    let options = ReadOptions { window: request.window, ..request.background.into() };
    let picture = Picture::open(&request.picture, options)?;
    let subject = Subject::from_picture(picture, &name, &model)?;
    let predictor = super::guarded(|| Predictor::new(model, Runtime::from(&request.device)))?;
    let classes = predictor.model().num_classes();
    let predictions = super::guarded(|| predictor.predict(&subject, classes))?;
    let mut report = report(&predictor, request, &subject, &predictions);
    if let Some(reference) = reference {
        compare(&mut report, &predictor, (&reference, request.wording), &subject, &predictions)?;
    }
    Ok(report)
}

fn report(
    predictor: &Predictor,
    request: &PictureRequest,
    subject: &Subject,
    predictions: &[Prediction],
) -> PictureReport {
    let model = predictor.model();
    let input = &model.graph().input;
    PictureReport {
        model: model.name().to_owned(),
        file: model.file_name(),
        burncam: env!("CARGO_PKG_VERSION").to_owned(),
        device: request.device.to_string(),
        picture: subject.file.clone(),
        shape: [1, input.channels, input.height, input.width],
        channels: subject.values.chunks(input.height * input.width).map(numbers).collect(),
        predictions: predictions.iter().take(LISTED).cloned().collect(),
        warnings: subject.warnings.iter().map(|warning| warning.say(request.wording)).collect(),
        passed: true,
        tolerance: request.tolerance,
        input: None,
        network: None,
        result: None,
        finding: None,
    }
}

fn numbers(plane: &[f32]) -> ChannelNumbers {
    ChannelNumbers {
        mean: plane.iter().map(|value| f64::from(*value)).sum::<f64>() / plane.len() as f64,
        min: plane.iter().copied().fold(f32::INFINITY, f32::min),
        max: plane.iter().copied().fold(f32::NEG_INFINITY, f32::max),
    }
}

fn compare(
    report: &mut PictureReport,
    predictor: &Predictor,
    (reference, wording): (&PictureReference, Wording),
    subject: &Subject,
    predictions: &[Prediction],
) -> Result<()> {
    let model = predictor.model();
    let classes = model.num_classes();
    if let Some(path) = &reference.input {
        let name = path.display().to_string();
        let read = |layout| Subject::from_tensor(path, &name, layout, None, model);
        let other =
            // The first error is the one to report: nearly all references are in that order.
            read(Layout::ChannelsFirst).or_else(|error| read(Layout::ChannelsLast).map_err(|_| error))?;
        report.input = Some(compare_inputs(&subject.values, &other.values, model, wording));
        let theirs = super::guarded(|| predictor.predict(&other, classes))?;
        report.network = Some(stage(&reference.scores, &theirs, report.tolerance)?);
    }
    report.result = Some(stage(&reference.scores, predictions, report.tolerance)?);
    report.finding = finding(report);
    let input = report.input.as_ref().map(|check| check.status);
    let stages = [&report.network, &report.result].into_iter().flatten().map(|check| check.status);
    report.passed = !stages.chain(input).any(|status| status == Status::Failed);
    Ok(())
}

/// Compares all scores with the reference's.
fn stage(scores: &Scores, predictions: &[Prediction], tolerance: f64) -> Result<StageCheck> {
    let mut ours = predictions.to_vec();
    // Predictions are in order of probability, the reference is in order of index.
    ours.sort_by_key(|class| class.target);
    let greatest = |values: &mut dyn Iterator<Item = (usize, f64)>| {
        values.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(class, _)| class)
    };
    let (compared, difference, top) = match scores {
        Scores::Probabilities(pairs) => {
            let apart =
                pairs.iter().map(|(class, expected)| Ok((probability(&ours[*class])? - expected).abs()));
            let apart = apart.collect::<Result<Vec<f64>>>()?;
            let greatest = greatest(&mut pairs.iter().copied());
            ("probabilities", apart.into_iter().fold(0.0, f64::max), greatest)
        }
        Scores::Logits(expected) => {
            let found = ours.iter().map(score).collect::<Result<Vec<f32>>>()?;
            let greatest = greatest(&mut expected.iter().map(|value| f64::from(*value)).enumerate());
            ("logits", Difference::between(&found, expected).relative, greatest)
        }
    };
    let status = if difference <= tolerance { Status::Ok } else { Status::Failed };
    Ok(StageCheck {
        status,
        compared: compared.to_owned(),
        classes: scores.len(),
        difference,
        same_top_class: predictions.first().map(|class| class.target) == top,
    })
}

fn probability(class: &Prediction) -> Result<f64> {
    class.proba.ok_or_else(|| {
        let problem = Problem::new("reference: has probabilities, but the model's outputs are numbers");
        problem.hint("store 'logits'").into()
    })
}

#[allow(clippy::cast_possible_truncation)] // a score was an `f32`
fn score(class: &Prediction) -> Result<f32> {
    class.logit.or(class.number).map(|score| score as f32).ok_or_else(|| {
        let problem = Problem::new("reference: has logits, but the model gives probabilities only");
        problem.hint("store 'probabilities'").into()
    })
}

/// The stage at which the two pipelines diverge.
fn finding(report: &PictureReport) -> Option<String> {
    let failed = |check: &Option<StageCheck>| check.as_ref().map(|check| check.status == Status::Failed);
    let input = report.input.as_ref().map(|check| check.status == Status::Failed);
    match (input, failed(&report.network), failed(&report.result)) {
        (Some(true), Some(false), _) => {
            let hint = report.input.as_ref().and_then(|check| check.hint.clone()).unwrap_or_default();
            Some(format!("the network is the same, the picture is prepared in another way{hint}"))
        }
        (Some(false), Some(true), _) => {
            Some("the picture is prepared in the same way, the network differs".into())
        }
        (Some(true), Some(true), _) => Some("both the prepared picture and the network differ".into()),
        (Some(false), Some(false), Some(true)) => Some(
            "picture and network are the same within their limits, which for this picture is not enough"
                .into(),
        ),
        (None, _, Some(true)) => Some(
            "what differs is the prepared picture or the network: with an 'input' the reference shows which"
                .into(),
        ),
        _ => None,
    }
}
