//! The figures of all targets as one evaluation: means and intervals per row, mean curves, paired comparisons, the verdict.
//!
//! Receives an evaluation with its targets, and nothing else, so that parts of a run are summarised as one piece would be.

use std::path::Path;

use burncam_metrics::{Better, Comparison, Summary, figure_of_all, paired, summary};

use super::agreement;
use super::info::Rule;
use super::metric::Metric;
use super::verdict;
use crate::error::Result;
use crate::record::{
    CurveRecord, EvaluatedRow, EvaluatedTarget, Evaluation, FigureRecord, PairRecord, TargetFigures,
};

/// All of an evaluation that follows from its targets, which come into the order of paths: figures do not depend on the order in which
/// pictures were named.
///
/// # Errors
/// When a metric is not one of this version.
pub(super) fn summarised(mut evaluation: Evaluation) -> Result<Evaluation> {
    let metrics = Metric::all_of(&evaluation)?;
    // Stable: the targets of one picture keep their order.
    evaluation.targets.sort_by(|one, other| Path::new(&one.path).cmp(Path::new(&other.path)));
    evaluation.rows = (0..evaluation.rows.len()).map(|at| row(&evaluation, &metrics, at)).collect();
    evaluation.agreement = agreement::of_all(&evaluation);
    let rows = &evaluation.rows;
    let best = verdict::best(&metrics, rows);
    let comparisons = best.map_or_else(Vec::new, |best| compare(&evaluation, &metrics, best));
    evaluation.verdict = verdict::sentence(&metrics, rows, best, &comparisons);
    evaluation.comparisons = comparisons;
    Ok(evaluation)
}

fn row(evaluation: &Evaluation, metrics: &[Metric], at: usize) -> EvaluatedRow {
    let EvaluatedRow { name, is_baseline, .. } = &evaluation.rows[at];
    let figures: Vec<&TargetFigures> = evaluation.targets.iter().map(|target| &target.rows[at]).collect();
    EvaluatedRow {
        name: name.clone(),
        is_baseline: *is_baseline,
        blank: figures.iter().filter(|figures| figures.blank.is_some()).count(),
        figures: (0..metrics.len()).map(|metric| figure_of(evaluation, metrics, metric, at)).collect(),
        curves: mean_curves(&figures),
    }
}

/// A row's values of a metric, one for each of what it measures; none of a metric that is of all targets together.
fn values(evaluation: &Evaluation, metric: Metric, at: usize, row: usize) -> Vec<Option<f64>> {
    let mosaics = &evaluation.mosaics;
    match metric.info().rule {
        Rule::Target(_) => {
            let value = |target: &EvaluatedTarget| target.rows[row].values.get(at).copied().flatten();
            evaluation.targets.iter().map(value).collect()
        }
        Rule::Cell => mosaics.iter().flat_map(|mosaic| &mosaic.cells).map(|cell| cell.shares[row]).collect(),
        Rule::Leak => mosaics.iter().map(|mosaic| mosaic.leaks[row]).collect(),
        Rule::Curves { .. } | Rule::Weights => vec![],
    }
}

fn figure_of(evaluation: &Evaluation, metrics: &[Metric], at: usize, row: usize) -> FigureRecord {
    let seed = evaluation.settings.seed;
    match metrics[at].info().rule {
        Rule::Curves { name, figure, resampled } => {
            let curves = evaluation.targets.iter().filter_map(|target| {
                let curve = target.rows[row].curves.iter().find(|curve| curve.metric == name)?;
                Some(curve.scores.iter().map(|score| f64::from(*score)).collect::<Vec<f64>>())
            });
            let curves: Vec<Vec<f64>> = curves.collect();
            let drawn =
                |drawn: &[usize]| figure(&drawn.iter().map(|at| &curves[*at][..]).collect::<Vec<_>>());
            let found = match resampled {
                true => figure_of_all(curves.len(), seed, drawn).map(FigureRecord::from),
                false => {
                    let mean = drawn(&(0..curves.len()).collect::<Vec<_>>());
                    mean.map(|_| FigureRecord { count: curves.len(), mean, ..FigureRecord::default() })
                }
            };
            found.unwrap_or_default()
        }
        Rule::Weights => {
            let mean = evaluation.sanity.get(row).copied().flatten();
            let count = evaluation.settings.sanity.as_ref().map_or(0, |sanity| sanity.pictures);
            mean.map(|_| FigureRecord { count, mean, ..FigureRecord::default() }).unwrap_or_default()
        }
        _ => {
            let values: Vec<f64> = values(evaluation, metrics[at], at, row).into_iter().flatten().collect();
            summary(&values, seed).map(FigureRecord::from).unwrap_or_default()
        }
    }
}

/// The mean of each curve at the shares that all targets have in common: those of one network's input are the same.
fn mean_curves(figures: &[&TargetFigures]) -> Vec<CurveRecord> {
    let mut first: Vec<&CurveRecord> = Vec::new();
    for curve in figures.iter().flat_map(|figures| &figures.curves) {
        if !first.iter().any(|known| known.metric == curve.metric) {
            first.push(curve);
        }
    }
    let mean = |curve: &&CurveRecord| {
        let all = figures.iter().flat_map(|figures| &figures.curves);
        let all: Vec<&CurveRecord> = all.filter(|other| other.metric == curve.metric).collect();
        let score = |step: usize| {
            let sum: f64 = all.iter().map(|curve| f64::from(curve.scores[step])).sum();
            (sum / all.len() as f64) as f32
        };
        CurveRecord { scores: (0..curve.scores.len()).map(score).collect(), ..(*curve).clone() }
    };
    first.iter().map(mean).collect()
}

fn compare(evaluation: &Evaluation, metrics: &[Metric], best: usize) -> Vec<PairRecord> {
    let rows = &evaluation.rows;
    let votes =
        || metrics.iter().enumerate().filter_map(|(at, metric)| Some((at, metric, metric.info().better?)));
    let others = (0..rows.len()).filter(|row| *row != best);
    let pair = |(at, metric, better): (usize, &Metric, Better), other: usize| {
        let [first, second] = [best, other].map(|row| values(evaluation, *metric, at, row));
        let both = first.into_iter().zip(second).filter_map(|(first, second)| Some((first?, second?)));
        let (first, second): (Vec<f64>, Vec<f64>) = both.unzip();
        let Comparison { wins, ties, losses, difference } =
            paired(&first, &second, better, evaluation.settings.seed)?;
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
