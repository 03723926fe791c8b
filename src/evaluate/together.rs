//! Figures of several pictures together, on their way into an evaluation.

use crate::record::{EvaluatedMosaic, Evaluation, MosaicSettingsRecord, SanitySettingsRecord};

/// Figures that no single picture has.
#[derive(Debug, Default)]
pub struct Together {
    pub(super) mosaics: Vec<EvaluatedMosaic>,
    pub(super) mosaic_settings: Option<MosaicSettingsRecord>,
    pub(super) sanity: Vec<Option<f64>>,
    pub(super) sanity_settings: Option<SanitySettingsRecord>,
}

impl Together {
    pub(super) fn put_into(self, evaluation: &mut Evaluation) {
        evaluation.mosaics = self.mosaics;
        evaluation.settings.mosaics = self.mosaic_settings;
        evaluation.sanity = self.sanity;
        evaluation.settings.sanity = self.sanity_settings;
    }
}
