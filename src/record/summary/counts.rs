//! Counts in a summary: classes, warnings, correct answers and mistakes. Receives those of one image or of one shard,
//! and adds them up without loss.

use serde::{Deserialize, Serialize};

use super::tally::Counted;
use crate::record::LabelRecord;

/// What top-5 accuracy counts.
pub(super) const FIVE: usize = 5;

/// The network that a summary is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SummaryModel {
    /// Name from its card.
    pub name: String,
    /// SHA-256 of the model file, lower-case hexadecimal.
    pub sha256: String,
}

/// How often a class was the most probable one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassCount {
    /// Index of the class.
    pub target: usize,
    /// Its name, or its index as text.
    pub class_name: String,
    /// Images.
    pub count: usize,
    /// Mean probability of the class over these images, 0 to 1.
    pub mean_proba: f64,
}

/// How often images of a class were recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelCount {
    /// The true class.
    pub label: LabelRecord,
    /// Explained images with this class, and no other.
    pub count: usize,
    /// Those whose most probable class it is. The others are in [`Summary::confusion`](super::Summary::confusion).
    pub correct: usize,
}

/// How many images have a warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarningCount {
    /// The text of the warning.
    pub warning: String,
    /// Images.
    pub count: usize,
}

/// Accuracy of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// Explained images whose true class is known.
    pub labelled: usize,
    /// Those whose most probable class is the true one.
    pub top1_correct: usize,
    /// Those whose true class is among the five most probable; `null` when there are five classes or fewer, or when
    /// records list fewer than five (`--top-k`).
    pub top5_correct: Option<usize>,
    /// [`Accuracy::top1_correct`] as a share of the labelled images, 0 to 1.
    pub top1: f64,
    /// [`Accuracy::top5_correct`] as a share of the labelled images, 0 to 1.
    pub top5: Option<f64>,
}

/// How often one class was mistaken for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confusion {
    /// The true class.
    pub label: LabelRecord,
    /// The most probable class.
    pub predicted: LabelRecord,
    /// Images.
    pub count: usize,
}

/// Files that a search found but did not use, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotTaken {
    /// The file extension with its dot in lower case, `without ending`, or `directory`.
    pub kind: String,
    /// `not read`, `left out` (by `--include` or `--exclude`), `hidden`, or `not a file` (pipes, sockets, devices).
    pub reason: String,
    /// Files.
    pub count: usize,
}

/// How long a run took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunTime {
    /// Seconds from the first image to the last. Shards run in parallel, so the longest counts; for separate runs,
    /// the sum.
    pub seconds: f64,
    /// Images explained in this time, or predicted where others are explained, without those that failed or that an earlier run had finished.
    pub explained: usize,
    /// [`RunTime::explained`] per second.
    pub images_per_second: f64,
}

/// Whether a count is left out of the summary.
pub(super) fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Accuracy {
    pub(super) fn new(labelled: usize, top1_correct: usize, top5_correct: Option<usize>) -> Self {
        let share = |correct: usize| correct as f64 / labelled as f64;
        let (top1, top5) = (share(top1_correct), top5_correct.map(share));
        Self { labelled, top1_correct, top5_correct, top1, top5 }
    }
}

impl Counted for ClassCount {
    type Key = usize;
    fn key(&self) -> usize {
        self.target
    }
    fn count(&self) -> usize {
        self.count
    }
    fn join(&mut self, other: Self) {
        let sum = millionths(self.mean_proba, self.count) + millionths(other.mean_proba, other.count);
        self.count += other.count;
        self.mean_proba = mean(sum, self.count);
    }
}

impl Counted for LabelCount {
    type Key = usize;
    fn key(&self) -> usize {
        self.label.target
    }
    fn count(&self) -> usize {
        self.count
    }
    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.correct += other.correct;
    }
}

impl Counted for WarningCount {
    type Key = String;
    fn key(&self) -> String {
        self.warning.clone()
    }
    fn count(&self) -> usize {
        self.count
    }
    fn join(&mut self, other: Self) {
        self.count += other.count;
    }
}

impl Counted for NotTaken {
    type Key = (String, String);
    fn key(&self) -> (String, String) {
        (self.reason.clone(), self.kind.clone())
    }
    fn count(&self) -> usize {
        self.count
    }
    fn join(&mut self, other: Self) {
        self.count += other.count;
    }
}

impl Counted for Confusion {
    /// True class, then predicted class.
    type Key = (usize, usize);
    fn key(&self) -> (usize, usize) {
        (self.label.target, self.predicted.target)
    }
    fn count(&self) -> usize {
        self.count
    }
    fn join(&mut self, other: Self) {
        self.count += other.count;
    }
}

/// The sum of probabilities, in millionths, that corresponds to a mean over `count` images.
fn millionths(mean: f64, count: usize) -> u64 {
    (mean * count as f64 * 1e6).round() as u64
}

fn mean(millionths: u64, count: usize) -> f64 {
    millionths as f64 / (count as f64 * 1e6)
}

/// A probability rounded to whole millionths.
pub(super) fn in_millionths(proba: f64) -> f64 {
    mean(millionths(proba, 1), 1)
}

/// The mean over two sets of images, from each set's mean and size.
pub(super) fn joined_mean(a: (Option<f64>, usize), b: (Option<f64>, usize)) -> Option<f64> {
    let sum = |(mean, count): (Option<f64>, usize)| mean.map_or(0, |mean| millionths(mean, count));
    let count = a.1 + b.1;
    (count > 0 && a.0.or(b.0).is_some()).then(|| mean(sum(a) + sum(b), count))
}
