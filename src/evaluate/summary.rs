//! The figures of all targets as one evaluation: means and intervals per row, mean curves, paired comparisons, the verdict.
//!
//! Receives the columns of all targets, and of an evaluation the rest, so that parts of a run are summarised as one piece would be.

use burncam_metrics::localisation::RightBoxes;
use burncam_metrics::{Better, Comparison, Summary, figure_of_all, paired, summary};

use super::agreement::pairs;
use super::columns::{Columns, Totals};
use super::info::Rule;
use super::metric::Metric;
use super::verdict;
use crate::error::Result;
use crate::record::{AgreementRecord, EvaluatedRow, Evaluation, FigureRecord, PairRecord};

impl Columns {
    /// All of an evaluation that follows from its targets, mosaics and images, with the totals in the place of the targets.
    ///
    /// # Errors
    /// When a metric is not one of this version.
    pub fn summarise<T>(&self, evaluation: Evaluation<T>) -> Result<Evaluation<Totals>> {
        let metrics = Metric::all_of(&evaluation)?;
        let mut evaluation = evaluation.with_targets(self.totals());
        let rows = (0..evaluation.rows.len()).map(|at| self.row(&evaluation, &metrics, at)).collect();
        evaluation.rows = rows;
        evaluation.agreement = self.agreement_of_rows(&evaluation);
        let rows = &evaluation.rows;
        let best = verdict::best(&metrics, rows);
        let comparisons = best.map_or_else(Vec::new, |best| self.compare(&evaluation, &metrics, best));
        evaluation.verdict = verdict::sentence(&metrics, rows, best, &comparisons);
        evaluation.comparisons = comparisons;
        Ok(evaluation)
    }

    /// How alike the maps of every two rows are, over all targets; none unless it was asked for.
    fn agreement_of_rows(&self, evaluation: &Evaluation<Totals>) -> Vec<AgreementRecord> {
        if !evaluation.settings.agreement {
            return vec![];
        }
        let seed = evaluation.settings.seed;
        let figure = |pair: usize, at: usize| {
            summary(&self.agreement(pair, at), seed).map(FigureRecord::from).unwrap_or_default()
        };
        let rows = &evaluation.rows;
        let record = |(at, (first, second)): (usize, (usize, usize))| AgreementRecord {
            first: rows[first].name.clone(),
            second: rows[second].name.clone(),
            spearman: figure(at, 0),
            pearson: figure(at, 1),
            ssim: figure(at, 2),
        };
        pairs(rows.len()).enumerate().map(record).collect()
    }

    fn row(&self, evaluation: &Evaluation<Totals>, metrics: &[Metric], at: usize) -> EvaluatedRow {
        let EvaluatedRow { name, is_baseline, .. } = &evaluation.rows[at];
        EvaluatedRow {
            name: name.clone(),
            is_baseline: *is_baseline,
            blank: self.blank(at),
            figures: (0..metrics.len()).map(|metric| self.figure(evaluation, metrics, metric, at)).collect(),
            curves: self.mean_curves(at),
        }
    }

    /// A row's values of a metric, one for each of what it measures; none of a metric that is of all targets together.
    fn values_of(
        &self,
        evaluation: &Evaluation<Totals>,
        metric: Metric,
        at: usize,
        row: usize,
    ) -> Vec<Option<f64>> {
        let mosaics = &evaluation.mosaics;
        match metric.info().rule {
            Rule::Target(_) => self.values(row, at).collect(),
            Rule::Cell => {
                mosaics.iter().flat_map(|mosaic| &mosaic.cells).map(|cell| cell.shares[row]).collect()
            }
            Rule::Leak => mosaics.iter().map(|mosaic| mosaic.leaks[row]).collect(),
            Rule::Weights => evaluation.sanity.iter().map(|image| image.similarities[row]).collect(),
            Rule::Boxes { .. } => vec![],
        }
    }

    fn figure(
        &self,
        evaluation: &Evaluation<Totals>,
        metrics: &[Metric],
        at: usize,
        row: usize,
    ) -> FigureRecord {
        let seed = evaluation.settings.seed;
        match metrics[at].info().rule {
            Rule::Boxes { figure, resampled } => of_boxes(self.boxes(row), figure, resampled, seed),
            _ => {
                let values = self.values_of(evaluation, metrics[at], at, row);
                let values: Vec<f64> = values.into_iter().flatten().collect();
                summary(&values, seed).map(FigureRecord::from).unwrap_or_default()
            }
        }
    }

    fn compare(&self, evaluation: &Evaluation<Totals>, metrics: &[Metric], best: usize) -> Vec<PairRecord> {
        let rows = &evaluation.rows;
        let votes = || {
            metrics.iter().enumerate().filter_map(|(at, metric)| Some((at, metric, metric.info().better?)))
        };
        let others = (0..rows.len()).filter(|row| *row != best);
        let pair = |(at, metric, better): (usize, &Metric, Better), other: usize| {
            let [first, second] = [best, other].map(|row| self.values_of(evaluation, *metric, at, row));
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
}

/// The figure of the boxes of all targets together.
fn of_boxes(
    boxes: &[RightBoxes],
    figure: fn(&[RightBoxes]) -> Option<f64>,
    resampled: bool,
    seed: u64,
) -> FigureRecord {
    let drawn = |drawn: &[usize]| figure(&drawn.iter().map(|at| boxes[*at]).collect::<Vec<_>>());
    if resampled {
        return figure_of_all(boxes.len(), seed, drawn).map(FigureRecord::from).unwrap_or_default();
    }
    let mean = figure(boxes);
    mean.map(|_| FigureRecord { count: boxes.len(), mean, ..FigureRecord::default() }).unwrap_or_default()
}

impl From<Summary> for FigureRecord {
    fn from(summary: Summary) -> Self {
        let Summary { count, mean, standard_error, interval } = summary;
        Self { count, mean: Some(mean), standard_error, interval }
    }
}
