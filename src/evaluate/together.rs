//! Figures of several pictures together, on their way into an evaluation; and the pictures that they are made of.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cam::Progress;
use crate::explain::Subject;
use crate::record::{
    EvaluatedMosaic, EvaluatedSanity, Evaluation, MosaicSettingsRecord, SanitySettingsRecord,
};

/// Figures that no single picture has.
#[derive(Debug, Default)]
pub struct Together {
    pub(super) mosaics: Vec<EvaluatedMosaic>,
    pub(super) mosaic_settings: Option<MosaicSettingsRecord>,
    pub(super) sanity: Vec<EvaluatedSanity>,
    pub(super) sanity_settings: Option<SanitySettingsRecord>,
}

impl Together {
    /// Adds the figures to an evaluation.
    pub fn put_into<T>(self, evaluation: &mut Evaluation<T>) {
        evaluation.mosaics = self.mosaics;
        evaluation.settings.mosaics = self.mosaic_settings;
        evaluation.sanity = self.sanity;
        evaluation.settings.sanity = self.sanity_settings;
    }
}

/// What is made of all pictures of a run.
#[derive(Clone, Copy)]
pub struct Gathered<'a> {
    /// How many pictures there are, those of all shards.
    pub count: usize,
    /// Gives a picture by its number below `count`, as often as it is asked for, on several threads, and `None` for one that cannot be read.
    pub read: &'a (dyn Fn(usize) -> Option<Subject> + Sync),
    /// Measures every N-th mosaic and image, from the K-th on, counted from 0: `(K, N)`. Which there are does not depend on it.
    pub share: (usize, usize),
    /// Gives who listens to a stage that begins, if anyone.
    pub progress: &'a (dyn Fn(Stage) -> Option<Progress> + Sync),
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Pictures whose classes are asked for.
    Pictures,
    /// Mosaics that are explained.
    Mosaics,
    /// Maps that are compared with those on random networks.
    Maps,
}

impl std::fmt::Debug for Gathered<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gathered").field("count", &self.count).field("share", &self.share).finish()
    }
}

impl Gathered<'_> {
    /// Whether this part of a run measures what has this number.
    pub(super) fn has(&self, number: usize) -> bool {
        let (own, of) = self.share;
        number % of.max(1) == own
    }

    /// Counts to `total` on several threads.
    pub(super) fn counter(&self, stage: Stage, total: usize) -> impl Fn() + Sync {
        let (progress, done) = ((self.progress)(stage), AtomicUsize::new(0));
        move || {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress.iter().for_each(|progress| progress.report(done, total));
        }
    }
}
