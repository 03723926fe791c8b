//! What means, intervals and comparisons need of all targets, in columns: 8 bytes for each figure of a target, 16 for the boxes of a map.
//!
//! Receives targets one by one, in the order of their paths; keeps no name, no curve and no map.

use burncam_metrics::localisation::RightBoxes;

use super::agreement::pairs;
use super::metric::Metric;
use super::place::RIGHT;
use super::table::BOXES;
use crate::error::Result;
use crate::record::{CurveRecord, EvaluatedTarget, Evaluation, TargetFigures};

/// The figures of all targets of an evaluation.
///
/// Figures of the same targets in another order differ in their last digits, so that the order is fixed: that of paths.
#[derive(Debug)]
pub struct Columns {
    metrics: usize,
    targets: usize,
    rows: Vec<Column>,
    /// Spearman, Pearson and SSIM of each pair of rows.
    agreement: Vec<[Vec<f64>; 3]>,
    area: MeanArea,
}

/// The figures of a row.
#[derive(Debug, Clone)]
struct Column {
    blank: usize,
    /// For each metric of single targets a value per target, NaN where there is none: a target's own values are finite.
    values: Vec<Vec<f64>>,
    curves: Vec<MeanCurve>,
    boxes: Vec<RightBoxes>,
}

/// The sum of the curves of one metric.
#[derive(Debug, Clone)]
struct MeanCurve {
    metric: String,
    shares: Vec<f32>,
    sums: Vec<f64>,
    count: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct MeanArea {
    sum: f64,
    count: usize,
}

/// What is said of all targets together besides their figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Totals {
    /// Number of targets.
    pub count: usize,
    /// Mean share of the network's input that their objects cover; `None` where no object is known.
    pub area: Option<f64>,
}

impl Columns {
    /// No target yet, of an evaluation with these rows and metrics.
    ///
    /// # Errors
    /// When a metric is not one of this version.
    pub fn new<T>(evaluation: &Evaluation<T>) -> Result<Self> {
        let metrics = Metric::all_of(evaluation)?;
        let rows = evaluation.rows.len();
        let column = Column { blank: 0, values: vec![vec![]; metrics.len()], curves: vec![], boxes: vec![] };
        let agreement = if evaluation.settings.agreement { pairs(rows).count() } else { 0 };
        Ok(Self {
            metrics: metrics.len(),
            targets: 0,
            rows: vec![column; rows],
            agreement: vec![Default::default(); agreement],
            area: MeanArea::default(),
        })
    }

    /// Adds the next target.
    pub fn add(&mut self, target: &EvaluatedTarget) {
        self.targets += 1;
        self.area.sum += target.area.unwrap_or_default();
        self.area.count += usize::from(target.area.is_some());
        for (column, figures) in self.rows.iter_mut().zip(&target.rows) {
            column.add(figures, self.metrics);
        }
        for (at, columns) in self.agreement.iter_mut().enumerate() {
            let found = target.agreement.get(at).copied().unwrap_or_default();
            columns.iter_mut().zip(found).for_each(|(column, found)| column.push(or_nan(found)));
        }
    }

    pub(super) fn totals(&self) -> Totals {
        let MeanArea { sum, count } = self.area;
        Totals { count: self.targets, area: (count > 0).then(|| sum / count as f64) }
    }

    /// Targets whose map of a row is blank.
    pub(super) fn blank(&self, row: usize) -> usize {
        self.rows[row].blank
    }

    /// A row's value of each target, of a metric by its place.
    pub(super) fn values(&self, row: usize, metric: usize) -> impl Iterator<Item = Option<f64>> {
        self.rows[row].values[metric].iter().map(|value| Some(*value).filter(|value| !value.is_nan()))
    }

    /// For each target with boxes at which thresholds a row's box is right.
    pub(super) fn boxes(&self, row: usize) -> &[RightBoxes] {
        &self.rows[row].boxes
    }

    /// A figure of the agreement of a pair of rows, of each target that has it.
    pub(super) fn agreement(&self, pair: usize, at: usize) -> Vec<f64> {
        let column = self.agreement.get(pair).map_or(&[][..], |columns| &columns[at]);
        column.iter().copied().filter(|value| !value.is_nan()).collect()
    }

    /// The mean of each curve of a row at the shares that all targets have in common: those of one network's input are the same.
    pub(super) fn mean_curves(&self, row: usize) -> Vec<CurveRecord> {
        let mean = |curve: &MeanCurve| CurveRecord {
            metric: curve.metric.clone(),
            shares: curve.shares.clone(),
            scores: curve.sums.iter().map(|sum| (sum / curve.count as f64) as f32).collect(),
        };
        self.rows[row].curves.iter().map(mean).collect()
    }
}

impl Column {
    fn add(&mut self, figures: &TargetFigures, metrics: usize) {
        self.blank += usize::from(figures.blank.is_some());
        for metric in 0..metrics {
            self.values[metric].push(or_nan(figures.values.get(metric).copied().flatten()));
        }
        for curve in &figures.curves {
            self.add_curve(curve);
            if curve.metric == BOXES {
                let found: Vec<f64> = curve.scores.iter().map(|score| f64::from(*score)).collect();
                self.boxes.extend(RightBoxes::new(&found, RIGHT));
            }
        }
    }

    fn add_curve(&mut self, curve: &CurveRecord) {
        let CurveRecord { metric, shares, scores } = curve;
        let known = self.curves.iter_mut().find(|known| known.metric == *metric);
        let sum = match known {
            Some(known) => known,
            None => {
                let sums = vec![0.0; scores.len()];
                let new = MeanCurve { metric: metric.clone(), shares: shares.clone(), sums, count: 0 };
                self.curves.push(new);
                let Some(new) = self.curves.last_mut() else { return };
                new
            }
        };
        sum.count += 1;
        sum.sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += f64::from(*score));
    }
}

fn or_nan(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::NAN)
}
