//! The figures of all targets as one evaluation: means and intervals per row, mean curves, paired comparisons, settings.

use burncam_metrics::{Better, Comparison, Summary, paired, summary};

use super::measure::Measures;
use super::metric::Metric;
use super::request::{curves_record, road_record};
use super::rows::{BASELINES, ENLARGED, scaled};
use super::verdict;
use crate::cam::Options;
use crate::engine::Score;
use crate::error::Result;
use crate::explain::Explainer;
use crate::record::{
    CurveRecord, EVALUATION_VERSION, EvaluatedRow, EvaluatedTarget, Evaluation, EvaluationSettings,
    FigureRecord, OptionsRecord, PairRecord, TargetFigures,
};

/// All of an evaluation that follows from its targets.
pub(super) fn summarise(
    explainer: &Explainer,
    measures: &Measures,
    score: Score,
    targets: Vec<EvaluatedTarget>,
) -> Result<Evaluation> {
    let metrics = &measures.metrics;
    let seed = explainer.request().options.seed;
    let rows = rows(explainer, metrics, &targets);
    let best = verdict::best(metrics, &rows);
    let comparisons = best.map_or_else(Vec::new, |best| compare(metrics, &rows, best, &targets, seed));
    Ok(Evaluation {
        schema_version: EVALUATION_VERSION,
        burncam: env!("CARGO_PKG_VERSION").to_owned(),
        model: explainer.model_record()?,
        settings: settings(explainer, measures, score),
        metrics: metrics.iter().map(|metric| metric.record(score)).collect(),
        images: 0,
        failed: 0,
        interrupted: false,
        verdict: verdict::sentence(metrics, &rows, best, &comparisons),
        rows,
        comparisons,
        targets,
        failures: vec![],
    })
}

fn rows(explainer: &Explainer, metrics: &[Metric], targets: &[EvaluatedTarget]) -> Vec<EvaluatedRow> {
    let request = explainer.request();
    let methods = request.methods.iter().map(|method| (method.info().name, false));
    let baselines = BASELINES.into_iter().map(|name| (name, true));
    let row = |(at, (name, is_baseline)): (usize, (&str, bool))| {
        let figures: Vec<&TargetFigures> = targets.iter().map(|target| &target.rows[at]).collect();
        let figure = |metric| figure_of(targets, at, metric, request.options.seed);
        EvaluatedRow {
            name: name.to_owned(),
            is_baseline,
            blank: figures.iter().filter(|figures| figures.blank.is_some()).count(),
            figures: (0..metrics.len()).map(figure).collect(),
            curves: mean_curves(&figures),
        }
    };
    methods.chain(baselines).enumerate().map(row).collect()
}

fn settings(explainer: &Explainer, measures: &Measures, score: Score) -> EvaluationSettings {
    let request = explainer.request();
    let with_layer = request.methods.iter().find(|method| method.info().uses_layer);
    let settings = request.methods.first().map(|method| explainer.settings_record(*method));
    EvaluationSettings {
        layers: with_layer.map_or_else(Vec::new, |method| explainer.layer_records(*method)),
        score: score.name().to_owned(),
        map_score: settings.map_or_else(String::new, |settings| settings.score),
        compat: request.options.library.map(|library| library.name().to_owned()),
        seed: request.options.seed,
        options: options(explainer),
        enlarged: ENLARGED.to_owned(),
        scaled: scaled(request.options.library),
        curves: measures.curves.as_ref().map(curves_record),
        road: measures.road.as_ref().map(road_record),
        device: request.runtime.device.to_string(),
        engine: request.runtime.engine_name().to_owned(),
        precision: request.runtime.precision.name().to_owned(),
    }
}

/// The options of all methods, unless each has its own.
fn options(explainer: &Explainer) -> Option<OptionsRecord> {
    let request = explainer.request();
    let Options { samples, noise, patch, stride, channels, composite, rollout, .. } = &request.options;
    let sizes = [samples, patch, stride, channels];
    if !sizes.iter().any(|size| size.is_some()) && noise.is_none() && composite.is_none() && rollout.is_none()
    {
        return None;
    }
    let records = request.methods.iter().map(|method| explainer.settings_record(*method).options);
    // Rules and heads are only in the records of the methods that use them.
    records.reduce(|all, one| OptionsRecord {
        composite: all.composite.or(one.composite),
        rollout: all.rollout.or(one.rollout),
        ..all
    })
}

fn value(target: &EvaluatedTarget, row: usize, metric: usize) -> Option<f64> {
    target.rows[row].values.get(metric).copied().flatten()
}

fn figure_of(targets: &[EvaluatedTarget], row: usize, metric: usize, seed: u64) -> FigureRecord {
    let values: Vec<f64> = targets.iter().filter_map(|target| value(target, row, metric)).collect();
    summary(&values, seed).map(FigureRecord::from).unwrap_or_default()
}

/// The mean of each curve at the shares that all targets have in common: those of one network's input are the same.
fn mean_curves(figures: &[&TargetFigures]) -> Vec<CurveRecord> {
    let Some(first) = figures.iter().find(|figures| !figures.curves.is_empty()) else { return vec![] };
    let mean = |(at, curve): (usize, &CurveRecord)| {
        let all: Vec<&CurveRecord> = figures.iter().filter_map(|figures| figures.curves.get(at)).collect();
        let score = |step: usize| {
            let sum: f64 = all.iter().map(|curve| f64::from(curve.scores[step])).sum();
            (sum / all.len() as f64) as f32
        };
        CurveRecord { scores: (0..curve.scores.len()).map(score).collect(), ..curve.clone() }
    };
    first.curves.iter().enumerate().map(mean).collect()
}

fn compare(
    metrics: &[Metric],
    rows: &[EvaluatedRow],
    best: usize,
    targets: &[EvaluatedTarget],
    seed: u64,
) -> Vec<PairRecord> {
    let votes =
        || metrics.iter().enumerate().filter_map(|(at, metric)| Some((at, metric, metric.info().better?)));
    let others = (0..rows.len()).filter(|row| *row != best);
    let pair = |(at, metric, better): (usize, &Metric, Better), other: usize| {
        let both =
            targets.iter().filter_map(|target| Some((value(target, best, at)?, value(target, other, at)?)));
        let (first, second): (Vec<f64>, Vec<f64>) = both.unzip();
        let Comparison { wins, ties, losses, difference } = paired(&first, &second, better, seed)?;
        let [first, second] = [best, other].map(|row| rows[row].name.clone());
        let difference = FigureRecord::from(difference);
        Some(PairRecord { metric: metric.to_string(), first, second, wins, ties, losses, difference })
    };
    others.flat_map(|other| votes().filter_map(move |vote| pair(vote, other))).collect()
}

impl From<Summary> for FigureRecord {
    fn from(summary: Summary) -> Self {
        let Summary { count, mean, standard_error, interval } = summary;
        Self { count, mean: Some(mean), standard_error, interval }
    }
}
