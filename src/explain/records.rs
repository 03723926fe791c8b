//! The record of an explanation.

use super::networks::hashes_model;
use super::{ClassExplanation, Explainer, Explanation, Scale, Subject};
use crate::cam::Method;
use crate::card::Task;
use crate::engine::Attention;
use crate::error::Result;
use crate::heatmap::{Heatmap, Sampling};
use crate::input::Placement;
use crate::model::Choice;
use crate::record::{
    Artifact, BoxRecord, CoversRecord, LabelRecord, LayerRecord, MapRecord, ModelRecord, NetworkInputRecord,
    RawRecord, Record, SCHEMA_VERSION, TargetRecord,
};

/// A record's heatmap has no more cells than this in a direction, so that records stay small; a larger map's cells are averaged.
const MOST_CELLS: usize = 56;

/// The files and boxes of one target in a record.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Illustration {
    /// The files.
    pub(crate) artifacts: Vec<Artifact>,
    /// As [`Canvas::boxes`](super::Canvas::boxes) gives them.
    pub(crate) boxes: Vec<BoxRecord>,
}

impl Explainer {
    /// The record of an explanation. `artifacts` are the files of each target, in order.
    ///
    /// # Errors
    /// When the model file could not be hashed.
    pub fn record(
        &self,
        subject: &Subject,
        explanation: &Explanation,
        artifacts: Vec<Vec<Artifact>>,
    ) -> Result<Record> {
        let targets = explanation.targets.iter().zip(artifacts);
        let illustration = |(target, artifacts)| {
            let boxes = explanation.canvas(target, subject, &self.request.style).boxes();
            Illustration { artifacts, boxes }
        };
        self.illustrated_record(subject, explanation, targets.map(illustration).collect())
    }

    /// As [`Explainer::record`], with precomputed boxes; one illustration per target, in order.
    ///
    /// # Errors
    /// As [`Explainer::record`].
    pub(crate) fn illustrated_record(
        &self,
        subject: &Subject,
        explanation: &Explanation,
        illustrations: Vec<Illustration>,
    ) -> Result<Record> {
        let info = explanation.method.info();
        let targets = explanation.targets.iter().zip(illustrations);
        Ok(Record {
            schema_version: SCHEMA_VERSION,
            file: None,
            estimator: self.model().name().to_owned(),
            description: self.description(explanation),
            error: String::new(),
            method: info.title.to_owned(),
            is_regression: self.model().output().is_regression(),
            targets: targets
                .map(|(target, illustration)| self.target(explanation, target, illustration))
                .collect(),
            grid: None,
            input: subject.file.clone(),
            network_input: self.network_input(subject),
            model: self.model_named(hashes_model(&self.request))?,
            layers: self.layer_records(explanation.method),
            predictions: explanation.predictions.clone(),
            detections: explanation.detections.clone(),
            label: subject.labels.first().map(|target| self.label_record(*target)),
            labels: match subject.labels.len() {
                0 | 1 => vec![],
                _ => subject.labels.iter().map(|target| self.label_record(*target)).collect(),
            },
            label_rank: explanation.true_class.map(|class| class.rank),
            label_proba: explanation.true_class.and_then(|class| class.proba),
            warnings: self.all_warnings(subject, explanation),
            settings: self.settings_record(explanation.method),
        })
    }

    fn all_warnings(&self, subject: &Subject, explanation: &Explanation) -> Vec<String> {
        let of_subject: Vec<String> =
            subject.warnings.iter().map(|warning| warning.say(self.request.wording)).collect();
        let of_layers = if explanation.method.info().uses_layer { self.warnings() } else { vec![] };
        [self.model().warnings(), &of_layers, &of_subject, &explanation.warnings].concat()
    }

    /// The record of a true class.
    #[must_use]
    pub fn label_record(&self, target: usize) -> LabelRecord {
        LabelRecord { target, class_name: self.model().class_name(target) }
    }

    fn description(&self, explanation: &Explanation) -> String {
        let info = explanation.method.info();
        let layers = self.layers_of(explanation.method).iter().map(|layer| format!("'{}'", layer.name));
        let layers: Vec<String> = layers.collect();
        let verb = if self.request.options.counterfactual { "against" } else { "for" };
        let place = match (info.uses_layer, &layers[..]) {
            (false, _) if info.uses_attention => "where the attention of all blocks speaks".to_owned(),
            (false, _) => "where the picture speaks".to_owned(),
            (true, [layer]) => format!("where the layer {layer} speaks"),
            (true, _) => format!("where the layers {} speak", layers.join(", ")),
        };
        let (task, target) = match self.model().output().task {
            Task::Numbers => ("regression", "number"),
            Task::Segmentation => ("segmentation", "class"),
            Task::Detection => ("detection", "class or box"),
            Task::Embedding => ("similarity", "embedding"),
            _ => ("classification", "class"),
        };
        let what = if info.uses_class {
            let rival =
                self.rival_name().map(|rival| format!(", compared with '{rival}'")).unwrap_or_default();
            format!("{place} {verb} each target {target}{rival}")
        } else {
            format!("{place}, whatever the {target}")
        };
        format!("{} visualization for image {task}: {what}", info.title)
    }

    fn target(
        &self,
        explanation: &Explanation,
        target: &ClassExplanation,
        illustration: Illustration,
    ) -> TargetRecord {
        let heatmap = explanation.heatmap(target);
        let small = reduced(&heatmap);
        let raw = |stats: &crate::heatmap::Stats| RawRecord {
            min: stats.min,
            max: stats.max,
            mean: stats.mean,
            share_above_zero: stats.share_above_zero,
        };
        TargetRecord {
            target: target.class.target,
            class_name: target.class.class_name.clone(),
            score: target.score,
            proba: target.class.proba,
            logit: target.class.logit,
            rank: target.rank,
            box_number: target.box_number,
            share: target.class.share,
            pixels: target.pixels,
            heatmap: small.values().chunks(small.width()).map(<[f32]>::to_vec).collect(),
            map: MapRecord {
                height: heatmap.height(),
                width: heatmap.width(),
                scale: explanation.divisor(target),
            },
            raw: target.raw.iter().map(raw).collect(),
            normalization: self.normalization(explanation, small.values().len() < heatmap.values().len()),
            boxes: illustration.boxes,
            finding: target.finding.clone(),
            artifacts: illustration.artifacts,
        }
    }

    /// How the signed map became the record's, which may have fewer cells.
    fn normalization(&self, explanation: &Explanation, is_reduced: bool) -> String {
        let request = &self.request;
        let last = if is_reduced { ", averaged over blocks" } else { "" };
        if let Some(library) = request.options.library {
            return format!("as {} does{last}", library.name());
        }
        let first = if request.options.signed { "signed" } else { "relu" };
        let then = match (explanation.scale, request.options.signed) {
            (Scale::Own, false) => "divided by maximum",
            (Scale::Own, true) => "divided by greatest size",
            (Scale::Raw, _) => "not divided",
            (Scale::Fixed(_), _) => "divided by a common scale",
        };
        format!("{first}, {then}{last}")
    }

    fn network_input(&self, subject: &Subject) -> NetworkInputRecord {
        let input = &self.model().graph().input;
        let Placement { left, top, right, bottom } = subject.placement;
        NetworkInputRecord {
            channels: input.channels,
            height: input.height,
            width: input.width,
            // A tensor was prepared elsewhere; the card would claim what was not done.
            preprocess: (!subject.is_tensor).then(|| self.model().card().preprocess.clone()),
            covers: CoversRecord { left, top, right, bottom },
        }
    }

    /// The model in records.
    ///
    /// # Errors
    /// When the model file could not be hashed.
    pub fn model_record(&self) -> Result<ModelRecord> {
        self.model_named(true)
    }

    fn model_named(&self, hashed: bool) -> Result<ModelRecord> {
        let model = self.model();
        Ok(ModelRecord {
            name: model.name().to_owned(),
            file: model.file_name(),
            sha256: hashed.then(|| self.model_sha256()).transpose()?.map(str::to_owned),
            card_sha256: model.card_sha256().map(str::to_owned),
            task: Some(model.output().task),
            num_classes: model.num_classes(),
            source: model.card().source.clone(),
        })
    }

    /// The layers that a method explains, or the attention that it reads, in records; known before any image is explained.
    #[must_use]
    pub fn layer_records(&self, method: Method) -> Vec<LayerRecord> {
        if method.info().uses_attention {
            return self.attention_records();
        }
        self.layers_of(method).iter().map(|layer| self.layer_record(layer)).collect()
    }

    /// A layer in records.
    pub(crate) fn layer_record(&self, layer: &Choice) -> LayerRecord {
        let grid = self.model().grid(layer.index);
        let [channels, height, width] = grid.map_or([0; 3], |grid| [grid.channels, grid.height, grid.width]);
        LayerRecord {
            name: layer.name.clone(),
            index: layer.index,
            op: self.model().graph().nodes[layer.index].op.name(),
            channels,
            height,
            width,
            prefix: grid.and_then(|grid| grid.prefix()),
            finer: layer.coarse.as_ref().and_then(|grid| Some(grid.finer.as_ref()?.0.clone())),
            branches: layer.branches.clone(),
            reason: layer.reason.clone(),
            alternatives: layer.alternatives.clone(),
        }
    }

    /// The attention of every block, with heads as channels.
    fn attention_records(&self) -> Vec<LayerRecord> {
        let record = |block: &Attention| {
            let grid = block.grid;
            LayerRecord {
                name: block.name.clone(),
                index: block.softmax,
                op: self.model().graph().nodes[block.softmax].op.name(),
                channels: block.heads,
                height: grid.map_or(0, |grid| grid.height),
                width: grid.map_or(0, |grid| grid.width),
                prefix: grid.and_then(|grid| grid.prefix()),
                finer: None,
                branches: vec![],
                reason: "the attention of every block is read".to_owned(),
                alternatives: vec![],
            }
        };
        self.network.attentions().iter().map(record).collect()
    }
}

/// The map itself, or one with fewer cells, each the mean of a block.
fn reduced(map: &Heatmap) -> Heatmap {
    // As few blocks as the limit allows, with nearly equally many cells in each.
    let blocks = |length: usize| length.div_ceil(length.div_ceil(MOST_CELLS));
    let (height, width) = (blocks(map.height()), blocks(map.width()));
    if (height, width) == (map.height(), map.width()) {
        return map.clone();
    }
    let edge = |at: usize, cells: usize, length: usize| at * length / cells;
    let mut values = Vec::with_capacity(height * width);
    for row in 0..height {
        for column in 0..width {
            let ys = edge(row, height, map.height())..edge(row + 1, height, map.height());
            let xs = edge(column, width, map.width())..edge(column + 1, width, map.width());
            let count = ys.len() * xs.len();
            let sum: f64 = ys
                .flat_map(|y| map.values()[y * map.width()..][xs.clone()].iter())
                .map(|value| f64::from(*value))
                .sum();
            values.push((sum / count as f64) as f32);
        }
    }
    Heatmap::new(height, width, values).unwrap_or_else(|| map.resized(height, width, Sampling::Bilinear))
}
