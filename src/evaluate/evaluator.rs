//! One picture at a time: the maps of all rows, their figures, and the evaluation of all pictures.

use std::path::Path;

use burncam_metrics::{Map, Picture};

use super::agreement;
use super::apart::Apart;
use super::columns::Columns;
use super::header::header;
use super::info::Rule;
use super::measure::{Measures, Sight};
use super::place::{Objects, Place};
use super::request::EvaluationRequest;
use super::rows::{self, BASELINES, Row};
use super::scorer::NetworkScorer;
use crate::engine::{Network, Reduction, Score};
use crate::error::{Error, Result};
use crate::explain::{ClassExplanation, Explainer, Scored, Subject};
use crate::input::sha256_hex;
use crate::model::Model;
use crate::record::{EvaluatedTarget, Evaluation, TargetFigures};

/// A model with its weights loaded, ready to evaluate one picture after another.
#[derive(Debug)]
pub struct Evaluator {
    pub(super) explainer: Explainer,
    /// The network as a whole on the native kernels, for scores of changed inputs: the explainer's is recorded from its layer on.
    pub(super) network: Network,
    pub(super) measures: Measures,
    score: Score,
    /// Mosaics, if their number was asked for.
    pub(super) mosaics: Option<usize>,
    /// For DiFull the network taken apart.
    pub(super) apart: Option<Apart>,
    agreement: bool,
}

impl Evaluator {
    /// Checks the request and loads the weights.
    ///
    /// # Errors
    /// As [`Explainer::new`], and when a metric or its settings do not fit.
    pub fn new(model: Model, request: EvaluationRequest) -> Result<Self> {
        let measures = request.measures()?;
        let score = request.score_for(&model)?;
        request.check_together(&measures, &model)?;
        let network = Network::load(&model, &[], &request.explain.runtime)?;
        let (mosaics, agreement) = (request.mosaics, request.agreement);
        let explainer = Explainer::new(model, request.explain)?;
        let is_apart = measures.reads_rule(|rule| matches!(rule, Rule::Leak));
        let apart = is_apart.then(|| Apart::new(&explainer)).transpose()?;
        Ok(Self { explainer, network, measures, score, mosaics, apart, agreement })
    }

    /// The explainer of the maps.
    #[must_use]
    pub fn explainer(&self) -> &Explainer {
        &self.explainer
    }

    /// The figures of every explained class of a subject, of all methods and baselines. The maps of all methods come from one pass through
    /// the trunk. `objects` are those of the picture, where the caller knows them.
    ///
    /// # Errors
    /// When the subject cannot be explained, or a score is not finite.
    pub fn evaluate(&self, subject: &Subject, objects: Option<&Objects>) -> Result<Vec<EvaluatedTarget>> {
        let scored = self.explainer.explain_for_scores(&[subject])?.pop();
        let scored = scored.ok_or_else(|| Error::internal("a subject has no explanations"))??;
        let first = scored.explanations.first();
        let targets = first.map_or(0, |explanation| explanation.targets.len());
        let input_sha256 = self.input_sha256(subject, objects);
        let evaluated = |at: usize| self.evaluate_target((subject, objects, &input_sha256), &scored, at);
        (0..targets).map(evaluated).collect()
    }

    /// The figures of all targets as one evaluation, in the order of paths. Images, failures and an interruption are for the caller to add.
    /// [`Columns`] makes the same of targets that are not all in memory.
    ///
    /// # Errors
    /// When the model file could not be hashed.
    pub fn summarise(&self, mut targets: Vec<EvaluatedTarget>) -> Result<Evaluation> {
        let header = self.header()?;
        // Stable: the targets of one picture keep their order.
        targets.sort_by(|one, other| Path::new(&one.path).cmp(Path::new(&other.path)));
        let mut columns = Columns::new(&header)?;
        targets.iter().for_each(|target| columns.add(target));
        Ok(columns.summarise(header)?.with_targets(targets))
    }

    /// The evaluation of no picture: network, settings, metrics and the names of rows.
    ///
    /// # Errors
    /// When the model file could not be hashed.
    pub fn header(&self) -> Result<Evaluation> {
        header(&self.explainer, &self.measures, self.score, self.agreement)
    }

    /// SHA-256 of all that the figures of a picture depend on besides network and settings: the network's input, the true classes, and the
    /// objects. It is that of [`EvaluatedTarget::input_sha256`].
    #[must_use]
    pub fn input_sha256(&self, subject: &Subject, objects: Option<&Objects>) -> String {
        let mut bytes: Vec<u8> = subject.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        // Debug is the text of every number, and differs where one does.
        bytes.extend(format!("{:?} {:?} ", subject.labels, subject.placement).into_bytes());
        match objects {
            None => {}
            Some(Objects::Boxes(boxes)) => bytes.extend(format!("{boxes:?}").into_bytes()),
            Some(Objects::Mask(mask)) => {
                bytes.extend(format!("{}x{} ", mask.height(), mask.width()).into_bytes());
                bytes.extend(mask.values().iter().flat_map(|value| value.to_le_bytes()));
            }
        }
        sha256_hex(&bytes)
    }

    fn evaluate_target(
        &self,
        (subject, objects, input_sha256): (&Subject, Option<&Objects>, &str),
        scored: &Scored,
        at: usize,
    ) -> Result<EvaluatedTarget> {
        let target = &scored.explanations[0].targets[at];
        let mut scorer = self.scorer(scored, at);
        let shape = self.network.input();
        let [black, _] = self.explainer.model().card().preprocess.bounds(shape[0]);
        let picture = Picture::new(shape, subject.values.clone(), black, &mut scorer)?;
        let place = objects
            .and_then(|objects| objects.place(target.class.target, &subject.placement, [shape[1], shape[2]]));
        let maps = (0..self.rows()).map(|row| self.map_of_row(row, (scored, at), &picture, &scorer));
        let maps = maps.collect::<Result<Vec<Row>>>()?;
        let agreement = if self.agreement { agreement::of_maps(&maps) } else { vec![] };
        let figures = maps.into_iter().enumerate().map(|(row, map)| {
            let map = match map {
                Row::Blank(reason) => return Ok(TargetFigures::blank(reason)),
                Row::Map(map) => map,
            };
            let (reduction, of, place) = (scorer.reduction, scorer.target, place.as_ref());
            let mut explain = |values: &[f32]| self.map_of_input(row, values, reduction, of);
            let sight = Sight { picture: &picture, scorer: &mut scorer, explain: &mut explain, place };
            self.measures.of(&map, sight)
        });
        Ok(EvaluatedTarget {
            rows: figures.collect::<Result<_>>()?,
            path: subject.file.path.clone(),
            sha256: subject.file.sha256.clone(),
            input_sha256: input_sha256.to_owned(),
            target: target.class.target,
            class_name: target.class.class_name.clone(),
            score: picture.score(),
            area: place.as_ref().map(Place::area),
            agreement,
        })
    }

    /// Number of rows: the methods, then the baselines.
    pub(super) fn rows(&self) -> usize {
        self.explainer.request().methods.len() + BASELINES.len()
    }

    /// The network as metrics of one target see it.
    fn scorer<'a>(&'a self, scored: &'a Scored, at: usize) -> NetworkScorer<'a> {
        let target = &scored.explanations[0].targets[at];
        // A box of a detector is one of the targets behind the classes.
        let of_box = target.box_number.map(|number| self.explainer.model().num_classes() + number - 1);
        NetworkScorer {
            network: &self.network,
            reduction: &scored.reduction,
            outputs: scored.outputs,
            target: of_box.unwrap_or(target.class.target),
            score: self.score,
            batch_size: self.explainer.request().options.batch_size.max(1),
        }
    }

    /// The map of a row for the picture itself.
    fn map_of_row(
        &self,
        row: usize,
        (scored, at): (&Scored, usize),
        picture: &Picture,
        scorer: &NetworkScorer,
    ) -> Result<Row> {
        let [_, height, width] = picture.shape();
        let library = self.explainer.request().options.library;
        match scored.explanations.get(row).map(|explanation| &explanation.targets[at]) {
            Some(ClassExplanation { finding: Some(finding), .. }) => Ok(Row::Blank(finding.clone())),
            // The map that shares its pass with all others.
            Some(target) => {
                Ok(rows::unless_constant(rows::of_method(&target.map, library, [height, width])?))
            }
            None => {
                let map = self.map_of_input(row, picture.values(), scorer.reduction, scorer.target)?;
                Ok(rows::unless_constant(map))
            }
        }
    }

    /// The map of a row for any input, by the same rule.
    fn map_of_input(&self, row: usize, values: &[f32], reduction: &Reduction, target: usize) -> Result<Map> {
        let request = self.explainer.request();
        let shape @ [_, height, width] = self.network.input();
        match request.methods.get(row) {
            Some(method) => {
                let map = self.explainer.map_of(values, reduction, *method, target)?;
                rows::of_method(&map, request.options.library, [height, width])
            }
            None => rows::of_baseline(row - request.methods.len(), request.options.seed, values, shape),
        }
    }
}

impl TargetFigures {
    fn blank(reason: String) -> Self {
        Self { blank: Some(reason), tied_share: None, values: vec![], curves: vec![] }
    }
}
