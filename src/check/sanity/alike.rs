//! Pairs of maps: how alike they are, and how much more complex the second is. Receives maps, gives means.

use burncam_metrics::{Map, spearman, ssim};

use super::report::{RandomClass, SanityStop};
use crate::heatmap::Heatmap;

/// Bins of the histogram: Hedström et al. 2024, section 3.2.
const BINS: usize = 100;

/// A mean that grows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    pub(super) fn add(&mut self, number: f64) {
        self.sum += number;
        self.count += 1;
    }

    /// The mean of numbers.
    pub(super) fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut mean = Self::default();
        numbers.into_iter().for_each(|number| mean.add(number));
        mean
    }

    /// `None` of nothing.
    pub(super) fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// All pairs of one stop.
#[derive(Debug, Clone)]
pub(super) struct Alike {
    spearman: Mean,
    by_seed: Vec<Mean>,
    ssim: Mean,
    constant: usize,
}

impl Alike {
    /// No pairs yet, of this many seeds.
    pub(super) fn new(seeds: usize) -> Self {
        let none = Mean::default();
        Self { spearman: none, by_seed: vec![none; seeds], ssim: none, constant: 0 }
    }

    /// Adds a pair of the seed with this number; gives its Spearman correlation.
    pub(super) fn add(&mut self, before: &Heatmap, after: &Heatmap, seed: usize) -> Option<f64> {
        let (before, after) = (unit(before)?, unit(after)?);
        let Some(found) = spearman(&before, &after) else {
            self.constant += 1;
            return None;
        };
        self.spearman.add(found);
        self.by_seed[seed].add(found);
        // Of the same pairs, so that both means are of one set.
        ssim(&before, &after).into_iter().for_each(|found| self.ssim.add(found));
        Some(found)
    }

    /// The means after `drawn` layers, of which `layer` is the lowest.
    pub(super) fn stop(&self, layer: String, drawn: usize) -> SanityStop {
        SanityStop {
            layer,
            drawn,
            spearman: self.spearman.value(),
            spearman_by_seed: self.by_seed.iter().map(|mean| mean.value()).collect(),
            ssim: self.ssim.value(),
            pairs: self.spearman.count,
            constant: self.constant,
        }
    }

    /// The means of maps of two classes.
    pub(super) fn of_classes(&self) -> RandomClass {
        RandomClass { spearman: self.spearman.value(), pairs: self.spearman.count, constant: self.constant }
    }
}

/// The map divided by its greatest magnitude, so that the scale of random weights does not count.
fn unit(map: &Heatmap) -> Option<Map> {
    let most = map.magnitude();
    let values = map.values().iter().map(|value| if most > 0.0 { value / most } else { 0.0 });
    Map::new(map.height(), map.width(), values.collect())
}

/// By which share of itself the entropy of the values rises from one map to another; `None` when one of them is constant.
pub(super) fn entropy_rise(before: &Heatmap, after: &Heatmap) -> Option<f64> {
    let (before, after) = (entropy(before)?, entropy(after)?);
    Some((after - before) / before)
}

/// Entropy in nats of the histogram from the least to the greatest value; `None` of a constant.
fn entropy(map: &Heatmap) -> Option<f64> {
    let stats = map.stats();
    let (low, range) = (f64::from(stats.min), f64::from(stats.max) - f64::from(stats.min));
    if range <= 0.0 {
        return None;
    }
    let mut counts = [0_usize; BINS];
    for value in map.values() {
        let bin = ((f64::from(*value) - low) / range * BINS as f64) as usize;
        // The greatest value belongs to the last bin.
        counts[bin.min(BINS - 1)] += 1;
    }
    let share = |count: &usize| *count as f64 / map.values().len() as f64;
    Some(counts.iter().filter(|count| **count > 0).map(share).map(|share| -share * share.ln()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: &[f32]) -> Heatmap {
        Heatmap::new(2, values.len() / 2, values.to_vec()).unwrap()
    }

    #[test]
    fn constant_maps_are_counted_and_not_averaged() {
        let (ramp, turned) = (map(&[1.0, 2.0, 3.0, 4.0]), map(&[-10.0, -20.0, -30.0, -40.0]));
        let mut alike = Alike::new(2);
        alike.add(&ramp, &ramp, 0);
        alike.add(&ramp, &turned, 1);
        alike.add(&ramp, &map(&[0.0; 4]), 1);
        let stop = alike.stop("conv".to_owned(), 3);
        assert_eq!((stop.spearman, stop.pairs, stop.constant), (Some(0.0), 2, 1));
        assert_eq!(stop.spearman_by_seed, [Some(1.0), Some(-1.0)]);
        assert_eq!(Alike::new(1).stop(String::new(), 1).spearman, None);
    }

    #[test]
    fn entropy_is_that_of_the_bins_that_values_fall_into() {
        // Two bins of two values each, ln 2; four bins of one, ln 4: a rise by once itself.
        let (simple, spread) = (map(&[0.0, 0.0, 1.0, 1.0]), map(&[0.0, 0.3, 0.6, 1.0]));
        assert!((entropy(&simple).unwrap() - 2.0_f64.ln()).abs() < 1e-12);
        assert!((entropy_rise(&simple, &spread).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(entropy_rise(&map(&[2.0; 4]), &spread), None);
    }
}
