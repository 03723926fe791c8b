//! Is a heatmap right? Metrics of methods and baselines over pictures.
//!
//! Receives a [`Model`], an [`EvaluationRequest`] and [`Subject`]s, one at a time; gives the figures of each, and an [`Evaluation`] of all
//! of them. The metrics themselves are in the crate `metrics`; files and text are left to the caller.
//!
//! ```no_run
//! use burncam::evaluate::{EvaluationRequest, Evaluator};
//! use burncam::{Model, Request};
//!
//! # fn main() -> burncam::Result<()> {
//! let mut request = Request::default();
//! request.methods = vec!["gradcam".parse()?, "layercam".parse()?];
//! let evaluator = Evaluator::new(Model::embedded()?, EvaluationRequest::new(request))?;
//! let mut targets = Vec::new();
//! for photo in ["a.jpg", "b.jpg"] {
//!     targets.extend(evaluator.evaluate(&evaluator.explainer().read(photo)?, None)?);
//! }
//! let evaluation = evaluator.summarise(targets)?;
//! println!("{}", evaluation.verdict);
//! # Ok(())
//! # }
//! ```

mod measure;
mod measured;
mod metric;
mod place;
mod request;
mod rows;
mod scorer;
mod summary;
mod table;
mod verdict;

use burncam_metrics::Picture;

pub use metric::Metric;
pub use place::Objects;
pub use request::{EvaluationRequest, Filling};

use crate::engine::{Network, Score};
use crate::error::{Error, Result};
use crate::explain::{ClassExplanation, Explainer, Scored, Subject};
use crate::model::Model;
use crate::record::{EvaluatedTarget, Evaluation, TargetFigures};
use measure::{Measures, Sight};
use place::Place;
use rows::{BASELINES, Row};
use scorer::NetworkScorer;

/// A model with its weights loaded, ready to evaluate one picture after another.
#[derive(Debug)]
pub struct Evaluator {
    explainer: Explainer,
    /// The network as a whole on the native kernels, for scores of changed inputs: the explainer's is recorded from its layer on.
    network: Network,
    measures: Measures,
    score: Score,
}

impl Evaluator {
    /// Checks the request and loads the weights.
    ///
    /// # Errors
    /// As [`Explainer::new`], and when a metric or its settings do not fit.
    pub fn new(model: Model, request: EvaluationRequest) -> Result<Self> {
        let measures = request.measures()?;
        let score = request.score_for(&model)?;
        let network = Network::load(&model, &[], &request.explain.runtime)?;
        Ok(Self { explainer: Explainer::new(model, request.explain)?, network, measures, score })
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
        (0..targets).map(|at| self.evaluate_target((subject, objects), &scored, at)).collect()
    }

    /// The figures of all targets as one evaluation, in the order given. Images, failures and an interruption are for the caller to add.
    ///
    /// # Errors
    /// When the model file could not be hashed.
    pub fn summarise(&self, targets: Vec<EvaluatedTarget>) -> Result<Evaluation> {
        summary::summarise(&self.explainer, &self.measures, self.score, targets)
    }

    fn evaluate_target(
        &self,
        (subject, objects): (&Subject, Option<&Objects>),
        scored: &Scored,
        at: usize,
    ) -> Result<EvaluatedTarget> {
        let target = &scored.explanations[0].targets[at];
        // A box of a detector is one of the targets behind the classes.
        let of_box = target.box_number.map(|number| self.explainer.model().num_classes() + number - 1);
        let mut scorer = NetworkScorer {
            network: &self.network,
            reduction: &scored.reduction,
            outputs: scored.outputs,
            target: of_box.unwrap_or(target.class.target),
            score: self.score,
            batch_size: self.explainer.request().options.batch_size.max(1),
        };
        let shape = self.network.input();
        let [black, _] = self.explainer.model().card().preprocess.bounds(shape[0]);
        let picture = Picture::new(shape, subject.values.clone(), black, &mut scorer)?;
        let place = objects
            .and_then(|objects| objects.place(target.class.target, &subject.placement, [shape[1], shape[2]]));
        let rows = 0..scored.explanations.len() + BASELINES.len();
        let figures =
            rows.map(|row| self.evaluate_row(row, (scored, at), (&picture, place.as_ref()), &mut scorer));
        Ok(EvaluatedTarget {
            rows: figures.collect::<Result<_>>()?,
            path: subject.file.path.clone(),
            sha256: subject.file.sha256.clone(),
            target: target.class.target,
            class_name: target.class.class_name.clone(),
            score: picture.score(),
            area: place.as_ref().map(Place::area),
        })
    }

    fn evaluate_row(
        &self,
        row: usize,
        (scored, at): (&Scored, usize),
        (picture, place): (&Picture, Option<&Place>),
        scorer: &mut NetworkScorer,
    ) -> Result<TargetFigures> {
        let request = self.explainer.request();
        let (shape, library, target) = (picture.shape(), request.options.library, scorer.target);
        let size = [shape[1], shape[2]];
        let mut explain = |values: &[f32]| match request.methods.get(row) {
            Some(method) => {
                let map = self.explainer.map_of(values, &scored.reduction, *method, target)?;
                rows::of_method(&map, library, size)
            }
            None => rows::of_baseline(row - request.methods.len(), request.options.seed, values, shape),
        };
        let map = match scored.explanations.get(row).map(|explanation| &explanation.targets[at]) {
            Some(ClassExplanation { finding: Some(finding), .. }) => Row::Blank(finding.clone()),
            // The map that shares its pass with all others.
            Some(target) => rows::unless_constant(rows::of_method(&target.map, library, size)?),
            None => rows::unless_constant(explain(picture.values())?),
        };
        match map {
            Row::Map(map) => self.measures.of(&map, Sight { picture, scorer, explain: &mut explain, place }),
            Row::Blank(reason) => Ok(TargetFigures::blank(reason)),
        }
    }
}

impl TargetFigures {
    fn blank(reason: String) -> Self {
        Self { blank: Some(reason), tied_share: None, values: vec![], curves: vec![] }
    }
}
