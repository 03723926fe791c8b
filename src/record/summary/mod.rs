//! The summary of a run over all images: `summary.json` next to their records.
//!
//! This page is the wire format; `docs/summary.schema.json` is the same as a JSON Schema, and a test validates real
//! summaries with it. All counts are of images: records of one image by several methods count once. Probabilities are
//! added in whole millionths, which JSON numbers hold exactly for up to 10^9 images, so that a mean depends neither
//! on the order in which images finish nor on the division into shards. Only [`Summary::run`] depends on time. Memory
//! grows with the number of classes, not of images.

mod counts;
mod heat;
mod predicted;
mod tally;

use std::path::Path;

use burncam_metrics::localisation::Bounds;
use serde::{Deserialize, Serialize};

pub use self::counts::{
    Accuracy, ClassCount, Confusion, LabelCount, NotTaken, RunTime, SummaryModel, WarningCount,
};
use self::counts::{FIVE, in_millionths, is_zero, joined_mean};
pub use self::heat::{ClassHeat, Heat, ObjectHeat, WrongReason, heat_outside};
pub use self::tally::{Counted, Tally};
use super::{Failure, LabelRecord, Prediction, Record, check_shards, layout};
use crate::error::{Error, Problem, Result};

/// The newest summary version, and the one that this build writes.
pub const SUMMARY_VERSION: u32 = 2;

/// Number of failures that are listed; the rest is only counted, so that a summary stays small.
const MOST_FAILURES: usize = 1000;

/// The results of a run over several images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Version of this format; [`SUMMARY_VERSION`].
    pub schema_version: u32,
    /// Version of burncam.
    pub burncam: String,
    /// The network.
    pub model: SummaryModel,
    /// `K/N` for part K of N of a divided run, or `null`.
    pub shard: Option<String>,
    /// Number of images found.
    pub images: usize,
    /// Files that look like pictures but were not used, found while searching; in every shard, those of the whole
    /// run.
    pub not_taken: Tally<NotTaken>,
    /// Images that were explained.
    pub explained: usize,
    /// The condition on images that are explained; only in summaries of runs that explain some and predict the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<String>,
    /// Images that do not meet [`Summary::selection`], and were predicted only. They count in everything that is about predictions.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub predicted_only: usize,
    /// Images that could not be explained.
    pub failed: usize,
    /// True when the run was stopped before the last image.
    pub interrupted: bool,
    /// Mean probability of the most probable class, 0 to 1; `null` when nothing was explained, and for numbers.
    pub mean_proba: Option<f64>,
    /// How often each class was the most probable one; empty for numbers and for a network with one class.
    pub classes: Tally<ClassCount>,
    /// Warnings of the records, and how many images have each.
    pub warnings: Tally<WarningCount>,
    /// Images with a blank map.
    pub blank: usize,
    /// The network's accuracy, or `null` when no image has a label.
    pub accuracy: Option<Accuracy>,
    /// How many images each true class has, and how many of them were recognised; without images of several true classes.
    pub labels: Tally<LabelCount>,
    /// Mistakes: which class was taken for which, and how often. With [`Summary::labels`] these are the confusion matrix.
    pub confusion: Tally<Confusion>,
    /// Where the heat is, by method.
    pub heat: Tally<Heat>,
    /// Failed images and the reasons, in the order of the inputs, at most the first 1,000.
    pub failures: Vec<Failure>,
    /// Number of failures that are not listed.
    pub failures_omitted: usize,
    /// Duration. Everything else is equal from run to run.
    pub run: RunTime,
}

impl Summary {
    /// An empty summary for a run that found `images` images.
    pub fn new(model_name: &str, model_sha256: &str, images: usize) -> Self {
        Self {
            schema_version: SUMMARY_VERSION,
            burncam: env!("CARGO_PKG_VERSION").to_owned(),
            model: SummaryModel { name: model_name.to_owned(), sha256: model_sha256.to_owned() },
            shard: None,
            images,
            not_taken: Tally::default(),
            explained: 0,
            selection: None,
            predicted_only: 0,
            failed: 0,
            interrupted: false,
            mean_proba: None,
            classes: Tally::default(),
            warnings: Tally::default(),
            blank: 0,
            accuracy: None,
            labels: Tally::default(),
            confusion: Tally::default(),
            heat: Tally::default(),
            failures: vec![],
            failures_omitted: 0,
            run: RunTime::default(),
        }
    }

    /// Counts one explained image, given its records, one per method. Does nothing without records.
    ///
    /// `objects` are the boxes of the objects in the image with their classes, in pixels of the upright picture, as far as the caller knows them.
    pub fn add(&mut self, records: &[Record], objects: &[(LabelRecord, Bounds)]) {
        let Some(first) = records.first() else { return };
        if let Some(class) = first.predictions.first() {
            self.count_prediction(class, first.model.num_classes);
            if let Some(label) = &first.label {
                let is_true = |class: &Prediction| {
                    first.true_classes().iter().any(|label| label.target == class.target)
                };
                let listed = &first.predictions[..first.predictions.len().min(FIVE)];
                // With five classes or fewer every class is among the first five, so top-5 accuracy has no meaning.
                let has_five = first.model.num_classes > FIVE && listed.len() == FIVE;
                let top5 = has_five.then(|| listed.iter().any(is_true));
                let is_only = first.labels.is_empty();
                self.count_label((label, is_only), class, first.is_right() == Some(true), top5);
            }
        }
        records.iter().for_each(|record| heat::add(&mut self.heat, record, objects));
        self.explained += 1;
        self.blank += usize::from(
            records.iter().flat_map(|record| &record.targets).any(|target| target.finding.is_some()),
        );
        let mut warnings: Vec<&String> = records.iter().flat_map(|record| &record.warnings).collect();
        warnings.sort();
        warnings.dedup();
        for warning in warnings {
            self.warnings.add(WarningCount { warning: warning.clone(), count: 1 });
        }
    }

    fn count_prediction(&mut self, class: &Prediction, num_classes: usize) {
        // Regression outputs have no probability.
        let Some(proba) = class.proba.map(in_millionths) else { return };
        self.mean_proba = joined_mean((self.mean_proba, self.predicted()), (Some(proba), 1));
        let Prediction { target, class_name, .. } = class.clone();
        // With a single class there is no ranking.
        if num_classes > 1 {
            self.classes.add(ClassCount { target, class_name, count: 1, mean_proba: proba });
        }
    }

    /// Counts an image with this true class, its only one or the first of several.
    fn count_label(
        &mut self,
        (label, is_only): (&LabelRecord, bool),
        class: &Prediction,
        correct: bool,
        top5: Option<bool>,
    ) {
        self.join_accuracy(Some(Accuracy::new(1, usize::from(correct), top5.map(usize::from))));
        // Of several true classes none was mistaken for the prediction.
        if !is_only {
            return;
        }
        self.labels.add(LabelCount { label: label.clone(), count: 1, correct: usize::from(correct) });
        if !correct {
            let predicted = LabelRecord { target: class.target, class_name: class.class_name.clone() };
            self.confusion.add(Confusion { label: label.clone(), predicted, count: 1 });
        }
    }

    /// Counts one image that could not be explained.
    pub fn fail(&mut self, failure: Failure) {
        self.failed += 1;
        if self.failures.len() < MOST_FAILURES {
            self.failures.push(failure);
        } else {
            self.failures_omitted += 1;
        }
    }

    /// Records the duration of explaining `explained` images, without those that an earlier run had finished.
    pub fn took(&mut self, seconds: f64, explained: usize) {
        let rate = if seconds > 0.0 { explained as f64 / seconds } else { 0.0 };
        let rounded = |number: f64| (number * 1e3).round() / 1e3;
        self.run = RunTime { seconds: rounded(seconds), explained, images_per_second: rounded(rate) };
    }

    /// Merges the summaries of shards of one run, or of runs over different images. Failures are sorted by path.
    ///
    /// # Errors
    /// When there are no parts, when versions or networks differ, or when shards are missing, duplicated, or of
    /// different divisions.
    pub fn merge(parts: Vec<Self>) -> Result<Self> {
        let Some(first) = parts.first() else {
            return Err(Error::request(Problem::new("no summaries to merge").expected("one or more")));
        };
        for part in &parts {
            if (part.schema_version, &part.burncam) != (first.schema_version, &first.burncam) {
                let problem = format!("'{}' and '{}'", first.burncam, part.burncam);
                return Err(Error::request(
                    Problem::new(format!("summaries of burncam {problem} do not go together"))
                        .hint("run all parts with one version"),
                ));
            }
            if part.model != first.model {
                let name = |model: &SummaryModel| format!("'{}' ({:.12})", model.name, model.sha256);
                return Err(Error::request(
                    Problem::new(format!(
                        "summaries of the models {} and {} do not go together",
                        name(&first.model),
                        name(&part.model)
                    ))
                    .hint("run all parts with one model"),
                ));
            }
        }
        check_shards(parts.iter().map(|part| part.shard.as_deref()), "summaries")?;
        let mut whole = Self::new(&first.model.name, &first.model.sha256, 0);
        let seconds = parts.iter().map(|part| part.run.seconds);
        let seconds = if first.shard.is_some() { seconds.fold(0.0, f64::max) } else { seconds.sum() };
        let explained = parts.iter().map(|part| part.run.explained).sum();
        for part in parts {
            whole.join(part);
        }
        // A stable sort by path component, which is the order in which directories are searched.
        whole.failures.sort_by(|a, b| Path::new(&a.path).cmp(Path::new(&b.path)));
        whole.failures_omitted += whole.failures.len().saturating_sub(MOST_FAILURES);
        whole.failures.truncate(MOST_FAILURES);
        whole.took(seconds, explained);
        Ok(whole)
    }

    fn join(&mut self, part: Self) {
        self.join_selection(&part);
        let of_part = (part.mean_proba, part.predicted());
        self.mean_proba = joined_mean((self.mean_proba, self.predicted()), of_part);
        self.images += part.images;
        self.explained += part.explained;
        self.predicted_only += part.predicted_only;
        self.failed += part.failed;
        self.interrupted |= part.interrupted;
        self.blank += part.blank;
        // Every shard searches all directories, so the counts of found files are the same in each.
        let of_shard = part.shard.is_some();
        part.not_taken.into_counts().for_each(|kind| match of_shard {
            true => self.not_taken.add_the_same(kind),
            false => self.not_taken.add(kind),
        });
        part.classes.into_counts().for_each(|class| self.classes.add(class));
        part.warnings.into_counts().for_each(|warning| self.warnings.add(warning));
        part.labels.into_counts().for_each(|label| self.labels.add(label));
        part.confusion.into_counts().for_each(|mistake| self.confusion.add(mistake));
        part.heat.into_counts().for_each(|heat| self.heat.add(heat));
        self.join_accuracy(part.accuracy);
        self.failures.extend(part.failures);
        self.failures_omitted += part.failures_omitted;
    }

    fn join_accuracy(&mut self, more: Option<Accuracy>) {
        self.accuracy = match (self.accuracy.take(), more) {
            (Some(a), Some(b)) => Some(Accuracy::new(
                a.labelled + b.labelled,
                a.top1_correct + b.top1_correct,
                a.top5_correct.zip(b.top5_correct).map(|(a, b)| a + b),
            )),
            (a, b) => a.or(b),
        };
    }

    /// The summary as indented JSON with a final newline.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn to_json(&self) -> Result<String, Problem> {
        let numbers = [self.run.seconds, self.run.images_per_second, self.mean_proba.unwrap_or_default()];
        match numbers.into_iter().find(|number| !number.is_finite()) {
            Some(number) => {
                Err(Problem::new(format!("the summary holds {number}")).expected("finite numbers"))
            }
            None => layout::to_json(self),
        }
    }
}

#[cfg(test)]
mod tests;
