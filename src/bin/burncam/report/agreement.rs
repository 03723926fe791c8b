//! How much the maps of several methods agree on one picture.
//!
//! Receives the records of a picture one by one; gives the least rank correlation between two methods' maps of one target.

use burncam::record::{Record, TargetRecord};
use burncam_metrics::{Map, spearman};
use burncam_picture::heatmap::{Heatmap, Sampling};

use super::rows::rounded;

/// Side of the grid on which maps of different sizes are compared.
const GRID: usize = 28;

/// The maps of one picture so far.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    /// Index of the target in its record, and its map.
    maps: Vec<(usize, Map)>,
    least: Option<f64>,
}

impl Agreement {
    /// Adds the maps of a record, which another method made than those before.
    pub(super) fn add(&mut self, record: &Record) {
        let mut new = Vec::new();
        for (at, target) in record.targets.iter().enumerate() {
            let Some(map) = map_of(target) else { continue };
            let others = self.maps.iter().filter(|(other, _)| *other == at);
            // A constant map ranks nothing, and agrees with none.
            let found = others.filter_map(|(_, other)| spearman(other, &map)).map(rounded);
            self.least = found.chain(self.least).reduce(f64::min);
            new.push((at, map));
        }
        self.maps.append(&mut new);
    }

    /// The least correlation so far, -1 to 1; `None` before the second method.
    pub(super) fn least(&self) -> Option<f64> {
        self.least
    }
}

/// The map on the common grid: all methods of a run see the same part of the picture.
fn map_of(target: &TargetRecord) -> Option<Map> {
    let width = target.heatmap.first()?.len();
    let map = Heatmap::new(target.heatmap.len(), width, target.heatmap.concat())?;
    let map = map.resized(GRID, GRID, Sampling::Bilinear);
    Map::new(GRID, GRID, map.values().to_vec())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::tests::record;
    use super::*;

    #[test]
    fn the_least_correlation_of_two_methods_on_one_target_counts() {
        let mut agreement = Agreement::default();
        let of = |first: [f32; 2], second: [f32; 2]| {
            let mut record = record(Path::new("a.jpg"), "m", &[(1, "cat", 0.5), (2, "dog", 0.5)], 2);
            record.targets[0].heatmap = vec![first.to_vec()];
            record.targets[1].heatmap = vec![second.to_vec()];
            record
        };
        agreement.add(&of([0.0, 1.0], [0.0, 1.0]));
        assert_eq!(agreement.least(), None, "one method");
        agreement.add(&of([0.25, 0.5], [0.0, 1.0]));
        assert_eq!(agreement.least(), Some(1.0));
        agreement.add(&of([0.0, 1.0], [1.0, 0.0]));
        assert_eq!(agreement.least(), Some(-1.0), "of the second target");
        agreement.add(&of([0.0, 0.0], [1.0, 1.0]));
        assert_eq!(agreement.least(), Some(-1.0), "constant maps rank nothing");
    }
}
