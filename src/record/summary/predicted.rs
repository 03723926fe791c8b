//! Images of a run that were predicted and not explained. Receives their predictions; counts them in a summary.

use super::Summary;
use super::counts::{FIVE, WarningCount};
use crate::record::PredictionRecord;

impl Summary {
    /// Images whose prediction is counted.
    pub(super) fn predicted(&self) -> usize {
        self.explained + self.predicted_only
    }

    /// Counts one image that was predicted and not explained, by a network of `num_classes` classes.
    pub fn add_predicted(&mut self, prediction: &PredictionRecord, num_classes: usize) {
        if let Some(class) = prediction.predictions.first() {
            self.count_prediction(class, num_classes);
            if let (Some(label), Some(rank)) = (prediction.true_classes().first(), prediction.label_rank) {
                let top5 = (num_classes > FIVE).then_some(rank <= FIVE);
                self.count_label((label, prediction.labels.is_empty()), class, rank == 1, top5);
            }
        }
        for warning in &prediction.warnings {
            self.warnings.add(WarningCount { warning: warning.clone(), count: 1 });
        }
        self.predicted_only += 1;
    }

    /// Takes over the condition of the first part; of parts with other conditions there is none of the whole.
    pub(super) fn join_selection(&mut self, part: &Self) {
        if self.images == 0 {
            self.selection.clone_from(&part.selection);
        } else if self.selection != part.selection {
            self.selection = None;
        }
    }
}
