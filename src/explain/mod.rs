//! The conductor: from a subject to its explanation, one line a room.
//!
//! Receives a [`Model`], [`Settings`] and [`Subject`]s; hands on [`Explanation`]s, from which
//! [`Explanation::draw`] makes pictures and [`Explainer::record`] the record. Writing files is left to
//! [`crate::output`].

mod artifacts;
mod probability;
mod subject;
mod target;

pub use artifacts::{ArtifactKind, Drawing, Style};
pub use subject::Subject;
pub use target::Target;

use crate::cam::{ClassMap, Finding, Method};
use crate::device::DeviceName;
use crate::engine::{Network, Recording, Score};
use crate::error::{Error, Result};
use crate::input::Placement;
use crate::model::{Choice, LayerRequest, Model};
use crate::record::{
    Artifact, CoversRecord, LayerRecord, ModelRecord, NetworkInputRecord, Prediction, RawRecord, Record,
    SCHEMA_VERSION, SettingsRecord, TargetRecord,
};

/// What to explain, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the network runs. Default: `flex`.
    pub device: DeviceName,
    /// Default: Grad-CAM.
    pub method: Method,
    /// Default: the logit.
    pub score: Score,
    /// Default: `auto`.
    pub layer: LayerRequest,
    /// Default: the most probable class.
    pub targets: Vec<Target>,
    /// How many predictions the record lists. Default: 5.
    pub top_k: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            device: DeviceName::default(),
            method: Method::GradCam,
            score: Score::Logit,
            layer: LayerRequest::Auto,
            targets: vec![Target::Top(1)],
            top_k: 5,
        }
    }
}

/// A model with its weights loaded, ready to explain one image after another.
#[derive(Debug)]
pub struct Explainer {
    model: Model,
    network: Network,
    layer: Choice,
    settings: Settings,
}

/// A model with its weights loaded, ready to classify; it needs no layer that could be explained.
#[derive(Debug)]
pub struct Predictor {
    model: Model,
    network: Network,
}

/// One image explained by one method.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The explained classes, in the order asked for, each once.
    pub targets: Vec<ClassExplanation>,
    /// The most probable classes.
    pub predictions: Vec<Prediction>,
    /// What a reader should know before trusting the pictures.
    pub warnings: Vec<String>,
}

/// One explained class.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassExplanation {
    /// The class with its scores.
    pub class: Prediction,
    /// The class score whose gradient was taken.
    pub score: f64,
    /// Rank among all classes, 1 for the most probable.
    pub rank: usize,
    /// The map.
    pub map: ClassMap,
    /// Why the map is blank, if it is.
    pub finding: Option<String>,
}

impl Predictor {
    /// Loads the weights.
    ///
    /// # Errors
    /// When the weights cannot be read or the device cannot be opened.
    pub fn new(model: Model, device: &DeviceName) -> Result<Self> {
        let network = Network::load(&model, &[], device)?;
        Ok(Self { model, network })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The `top_k` most probable classes of a subject, most probable first.
    ///
    /// # Errors
    /// When the logits are not finite.
    pub fn predict(&self, subject: &Subject, top_k: usize) -> Result<Vec<Prediction>> {
        let logits = self.network.logits(subject.values.clone())?;
        let classes = classes(&self.model, &self.network, &logits, subject)?;
        Ok(classes.into_iter().take(top_k).collect())
    }
}

impl Explainer {
    /// Chooses the layer, checks the targets and loads the weights.
    ///
    /// # Errors
    /// When the layer or a class is not the model's, or the weights cannot be read.
    pub fn new(model: Model, settings: Settings) -> Result<Self> {
        settings.targets.iter().try_for_each(|target| target.check(&model))?;
        let layer = model.choose_layer(&settings.layer)?;
        let network = Network::load(&model, &[layer.index], &settings.device)?;
        Ok(Self { model, network, layer, settings })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The layer that is explained, and why this one.
    #[must_use]
    pub fn layer(&self) -> &Choice {
        &self.layer
    }

    /// Explains every target of a subject from one pass through the trunk.
    ///
    /// # Errors
    /// When the logits are not finite.
    pub fn explain(&self, subject: &Subject) -> Result<Explanation> {
        let trunk = self.network.trunk(subject.values.clone())?;
        let first = self.network.record(&trunk)?;
        let classes = classes(&self.model, &self.network, &first.logits()?, subject)?;
        // A recording is good for one backward pass; the one that gave the logits serves the first class.
        let mut recording = Some(first);
        let mut targets = Vec::new();
        for class in self.wanted(&classes)? {
            let recording = recording.take().map_or_else(|| self.network.record(&trunk), Ok)?;
            targets.push(self.explain_class(&classes, class, recording, subject)?);
        }
        let warnings = targets
            .iter()
            .filter_map(|target: &ClassExplanation| {
                target.finding.as_ref().map(|finding| format!("{}: {finding}", target.class.class_name))
            })
            .collect();
        let predictions = classes.into_iter().take(self.settings.top_k).collect();
        Ok(Explanation { targets, predictions, warnings })
    }

    fn explain_class(
        &self,
        classes: &[Prediction],
        class: usize,
        recording: Recording,
        subject: &Subject,
    ) -> Result<ClassExplanation> {
        let at = classes.iter().position(|candidate| candidate.target == class);
        let rank = at.ok_or_else(|| Error::internal("a class has no rank"))?;
        let score = self.settings.score.for_output(self.model.output());
        let value = probability::score(score, classes, rank);
        let saturated = score == Score::Prob && 1.0 - classes[rank].proba < f64::from(f32::EPSILON);
        let evidence = recording.evidence(&score, class)?;
        let evidence = evidence.first().ok_or_else(|| Error::internal("the layer gave no evidence"))?;
        let map = self.settings.method.class_map(evidence, saturated)?;
        let finding = map.finding.map(|finding| self.tell(finding, subject)).transpose()?;
        Ok(ClassExplanation { class: classes[rank].clone(), score: value, rank: rank + 1, map, finding })
    }

    /// A finding in words; for a map that is not finite, with the layer where that began.
    fn tell(&self, finding: Finding, subject: &Subject) -> Result<String> {
        if finding != Finding::NotFinite {
            return Ok(finding.message().to_owned());
        }
        let layer = self.network.first_not_finite(subject.values.clone())?;
        let where_from = match layer {
            Some(position) => {
                format!("NaN or infinity first seen at layer '{}'", self.model.graph().nodes[position].name)
            }
            None => "its gradient overflows".to_owned(),
        };
        Ok(format!("{}: {where_from}", finding.message()))
    }

    /// The classes to explain, each once, in the order asked for.
    fn wanted(&self, classes: &[Prediction]) -> Result<Vec<usize>> {
        let ranked: Vec<usize> = classes.iter().map(|class| class.target).collect();
        let mut wanted = Vec::new();
        for target in &self.settings.targets {
            for class in target.resolve(&self.model, &ranked)? {
                if !wanted.contains(&class) {
                    wanted.push(class);
                }
            }
        }
        Ok(wanted)
    }

    /// The record of an explanation. `artifacts` are the files of each target, in order.
    pub fn record(
        &self,
        subject: &Subject,
        explanation: &Explanation,
        style: Option<&Style>,
        artifacts: Vec<Vec<Artifact>>,
    ) -> Record {
        let regions = explanation.targets.iter().map(|target| artifacts::region(target, subject));
        let targets = explanation.targets.iter().zip(regions).zip(artifacts);
        let info = self.settings.method.info();
        Record {
            schema_version: SCHEMA_VERSION,
            estimator: self.model.name().to_owned(),
            description: format!(
                "{} visualization for image classification: where the layer '{}' speaks for each target class",
                info.title, self.layer.name
            ),
            error: String::new(),
            method: info.title.to_owned(),
            is_regression: false,
            targets: targets.map(|((target, region), files)| target_record(target, region, files)).collect(),
            input: subject.file.clone(),
            network_input: self.network_input(subject),
            model: self.model_record(),
            layer: self.layer_record(),
            predictions: explanation.predictions.clone(),
            warnings: self.model.warnings().iter().chain(&explanation.warnings).cloned().collect(),
            settings: SettingsRecord {
                method: info.name.to_owned(),
                score: self.settings.score.name().to_owned(),
                device: self.settings.device.to_string(),
                burncam: env!("CARGO_PKG_VERSION").to_owned(),
                burn: crate::BURN_VERSION.to_owned(),
                style: style.map(Style::record),
            },
        }
    }

    fn network_input(&self, subject: &Subject) -> NetworkInputRecord {
        let input = &self.model.graph().input;
        let Placement { left, top, right, bottom } = subject.placement;
        NetworkInputRecord {
            channels: input.channels,
            height: input.height,
            width: input.width,
            preprocess: (!subject.is_tensor).then(|| self.model.card().preprocess.clone()),
            covers: CoversRecord { left, top, right, bottom },
        }
    }

    fn model_record(&self) -> ModelRecord {
        ModelRecord {
            name: self.model.name().to_owned(),
            file: self.model.file_name(),
            sha256: self.network.sha256().to_owned(),
            num_classes: self.model.num_classes(),
            source: self.model.card().source.clone(),
        }
    }

    fn layer_record(&self) -> LayerRecord {
        let shape = &self.model.shapes()[self.layer.index];
        LayerRecord {
            name: self.layer.name.clone(),
            index: self.layer.index,
            op: self.model.graph().nodes[self.layer.index].op.name(),
            channels: shape[1],
            height: shape[2],
            width: shape[3],
            reason: self.layer.reason.clone(),
            alternatives: self.layer.alternatives.clone(),
        }
    }
}

/// All classes with their probabilities, most probable first.
fn classes(model: &Model, network: &Network, logits: &[f32], subject: &Subject) -> Result<Vec<Prediction>> {
    if logits.iter().any(|logit| !logit.is_finite()) {
        let layer = network.first_not_finite(subject.values.clone())?;
        let name = layer.map_or("the logits", |position| model.graph().nodes[position].name.as_str());
        return Err(Error::image(
            &subject.file.path,
            format!(
                "the network gives numbers that are not finite, first at layer '{name}' (is the input in range?)"
            ),
        ));
    }
    Ok(probability::ranked(logits, model.output(), |index| model.class_name(index)))
}

fn target_record(
    target: &ClassExplanation,
    region: Option<crate::record::BoxRecord>,
    artifacts: Vec<Artifact>,
) -> TargetRecord {
    let heatmap = &target.map.heatmap;
    TargetRecord {
        target: target.class.target,
        class_name: target.class.class_name.clone(),
        score: target.score,
        proba: target.class.proba,
        logit: target.class.logit,
        rank: target.rank,
        heatmap: heatmap.values().chunks(heatmap.width()).map(<[f32]>::to_vec).collect(),
        raw: target.map.raw.map(|raw| RawRecord {
            min: raw.min,
            max: raw.max,
            mean: raw.mean,
            share_above_zero: raw.share_above_zero,
        }),
        normalization: "relu, divided by maximum".to_owned(),
        region,
        finding: target.finding.clone(),
        artifacts,
    }
}
