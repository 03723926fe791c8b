//! Remove and debias: how the score changes when the most or the least relevant pixels are removed and filled in.

use burncam_graph::error::{Error, Problem};

use super::copies::{Key, Replaced};
use super::impute::Imputation;
use super::picture::Picture;
use crate::convention::Convention;
use crate::map::Map;
use crate::noise::Noise;
use crate::order::Order;
use crate::scorer::Scorer;

/// Which pixels are removed at each step.
#[derive(Debug, Clone, PartialEq)]
pub enum Removal {
    /// These shares of all pixels, 0 to 1, to the nearest whole number; ties in the order of their rows.
    Shares(Vec<f64>),
    /// All pixels that are not below this percentile of the map, 0 to 100; of the least relevant first, of 1 - map. The percentile
    /// is the share that is *kept*. Where many values are equal it removes far more than that: among zeros, the whole picture.
    KeptPercentiles(Vec<f32>),
}

/// Steps and noise of [`Road`].
#[derive(Debug, Clone, PartialEq)]
pub struct RoadSettings {
    /// Which pixels are removed.
    pub removal: Removal,
    /// Standard deviation of the noise on filled pixels, in units of the network's input; the paper's is 0.01.
    pub noise: f64,
    /// The same seed gives a picture the same noise on every machine. All steps use the same noise.
    pub seed: u64,
}

impl RoadSettings {
    /// Those of pytorch-grad-cam's `ROADCombined`; the paper's for the other libraries, which have no ROAD.
    #[must_use]
    pub fn of(convention: Convention) -> Self {
        let removal = match convention {
            Convention::PytorchGradCam => {
                Removal::KeptPercentiles((1..10).map(|step| 10.0 * step as f32).collect())
            }
            _ => Removal::Shares((1..10).map(|step| f64::from(step) / 10.0).collect()),
        };
        Self { removal, noise: 0.01, seed: 0 }
    }
}

impl Default for RoadSettings {
    /// A tenth to nine tenths of the pixels, as in the paper.
    fn default() -> Self {
        Self::of(Convention::Paper)
    }
}

/// One picture with some pixels removed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Removed {
    /// Share of pixels that were removed, 0 to 1.
    pub share: f64,
    /// The score without them minus the score of the whole picture.
    pub change: f64,
    /// Share of the removed pixels that the order of rows chose and not their relevance, because pixels with the same value stayed.
    pub tied: f64,
}

/// Changes of the score (Rong et al. 2022, arXiv:2202.00449).
#[derive(Debug, Clone, PartialEq)]
pub struct Road {
    /// The most relevant pixels removed, step by step. Lower is better.
    pub most_relevant: Vec<Removed>,
    /// The least relevant ones. Higher, towards 0, is better.
    pub least_relevant: Vec<Removed>,
}

impl Road {
    /// Removes, fills in, and asks for the scores.
    ///
    /// # Errors
    ///
    /// When the map has another size, there is no step or one out of its range, and what the scorer reports.
    pub fn new(
        picture: &Picture,
        map: &Map,
        settings: &RoadSettings,
        scorer: &mut dyn Scorer,
    ) -> Result<Self, Error> {
        picture.check(map)?;
        settings.removal.check()?;
        let sets = settings.removal.sets(map);
        let noise = noise(picture, settings);
        let [_, height, width] = picture.shape();
        let mut imputation = Imputation::new([height, width]);
        let filling = format!("imputed, noise {} of seed {}", settings.noise, settings.seed);
        let key = |set: &Set| {
            let mut replaced = Replaced::none(&filling, height * width);
            replaced.flip(&set.pixels);
            replaced.key()
        };
        let keys: Vec<Key> = sets.iter().map(key).collect();
        let scores = picture.scores_once(scorer, &keys, |index, values| {
            let mut missing = vec![false; height * width];
            sets[index].pixels.iter().for_each(|pixel| missing[*pixel] = true);
            imputation.fill(values, &missing);
            let noisy = values.iter_mut().zip(&noise).enumerate();
            let removed = noisy.filter(|(at, _)| missing[at % missing.len()]);
            removed.for_each(|(_, (value, noise))| *value += noise);
        })?;
        let removed = |(set, score): (&Set, &f64)| Removed {
            share: set.pixels.len() as f64 / (height * width) as f64,
            change: score - picture.score(),
            tied: set.tied,
        };
        let mut steps: Vec<Removed> = sets.iter().zip(&scores).map(removed).collect();
        let least_relevant = steps.split_off(steps.len() / 2);
        Ok(Self { most_relevant: steps, least_relevant })
    }

    /// The same with fewer steps, without asking the scorer again; `None` when one of `fewer` is not among those of `settings`, by which this was
    /// computed. Steps do not depend on each other, so that the figures are those of [`Road::new`] with `fewer`.
    #[must_use]
    pub fn with_fewer(&self, settings: &RoadSettings, fewer: &Removal) -> Option<Self> {
        let places = settings.removal.places(fewer)?;
        let chosen =
            |steps: &[Removed]| places.iter().map(|at| steps.get(*at).copied()).collect::<Option<_>>();
        Some(Self {
            most_relevant: chosen(&self.most_relevant)?,
            least_relevant: chosen(&self.least_relevant)?,
        })
    }

    /// Mean change with the most relevant pixels removed (MoRF). Lower is better.
    #[must_use]
    pub fn morf(&self) -> f64 {
        mean(&self.most_relevant)
    }

    /// Mean change with the least relevant pixels removed (LeRF). Higher is better.
    #[must_use]
    pub fn lerf(&self) -> f64 {
        mean(&self.least_relevant)
    }

    /// Half the difference, `(LeRF - MoRF) / 2`. Higher is better; about 0 for maps that say nothing, and exactly 0 for constant ones.
    #[must_use]
    pub fn combined(&self) -> f64 {
        (self.lerf() - self.morf()) / 2.0
    }
}

fn mean(steps: &[Removed]) -> f64 {
    steps.iter().map(|step| step.change).sum::<f64>() / steps.len() as f64
}

/// Stream of the noise, apart from that of other metrics with the same seed.
const PURPOSE: u64 = 8 << 32;

/// Noise for every value. Steps share it, so that they differ by what was removed and by nothing else.
fn noise(picture: &Picture, settings: &RoadSettings) -> Vec<f32> {
    let mut noise = Noise::of_picture(settings.seed, picture.values(), PURPOSE);
    picture.values().iter().map(|_| (settings.noise * noise.normal()) as f32).collect()
}

/// Pixels to remove at once.
struct Set {
    pixels: Vec<usize>,
    tied: f64,
}

impl Removal {
    /// # Errors
    ///
    /// Without a step, and with one out of its range.
    fn check(&self) -> Result<(), Error> {
        let (steps, most): (Vec<f64>, f64) = match self {
            Self::Shares(shares) => (shares.clone(), 1.0),
            Self::KeptPercentiles(kept) => (kept.iter().map(|kept| f64::from(*kept)).collect(), 100.0),
        };
        if steps.is_empty() {
            return Err(Problem::new("there is no share of pixels to remove").into());
        }
        match steps.iter().find(|step| !(0.0..=most).contains(*step)) {
            None => Ok(()),
            Some(step) => {
                let problem = Problem::new("share of pixels to remove is out of its range");
                Err(problem.expected(format!("0 to {most}")).found(step.to_string()).into())
            }
        }
    }

    /// Where each step of `fewer` is among the steps; `None` where one is missing, and for the other kind of steps.
    fn places(&self, fewer: &Self) -> Option<Vec<usize>> {
        match (self, fewer) {
            (Self::Shares(all), Self::Shares(fewer)) => {
                fewer.iter().map(|step| all.iter().position(|own| own == step)).collect()
            }
            (Self::KeptPercentiles(all), Self::KeptPercentiles(fewer)) => {
                fewer.iter().map(|step| all.iter().position(|own| own == step)).collect()
            }
            _ => None,
        }
    }

    /// For each step the most relevant pixels, and then for each the least relevant.
    fn sets(&self, map: &Map) -> Vec<Set> {
        match self {
            Self::Shares(shares) => {
                let orders = [Order::falling(map), Order::rising(map)];
                let all = orders.iter().flat_map(|order| shares.iter().map(move |share| (order, share)));
                all.map(|(order, share)| first(order, map, order.count(*share))).collect()
            }
            Self::KeptPercentiles(kept) => {
                let most = map.values().to_vec();
                let least: Vec<f32> = most.iter().map(|value| 1.0 - value).collect();
                let all = [most, least].into_iter().flat_map(|values| {
                    let mut sorted = values.clone();
                    sorted.sort_by(f32::total_cmp);
                    let steps = kept.iter().map(|kept| percentile(&sorted, *kept));
                    steps.map(|bound| not_below(&values, bound)).collect::<Vec<_>>()
                });
                all.collect()
            }
        }
    }
}

/// The first pixels of an order.
fn first(order: &Order, map: &Map, count: usize) -> Set {
    let pixels = order.pixels()[..count].to_vec();
    let value = |pixel: &usize| map.values()[*pixel];
    let last = pixels.last().map(value).filter(|_| order.cuts_a_tie(count));
    let tied = pixels.iter().filter(|pixel| Some(value(pixel)) == last).count();
    Set { tied: tied as f64 / count.max(1) as f64, pixels }
}

/// The pixels that a threshold does not keep.
fn not_below(values: &[f32], bound: f32) -> Set {
    let pixels = (0..values.len()).filter(|pixel| values[*pixel] >= bound).collect();
    Set { pixels, tied: 0.0 }
}

/// NumPy's `percentile` of sorted 32-bit values, computed in 32 bits as NumPy 2 does, so that thresholds fall on the same pixels.
fn percentile(sorted: &[f32], percent: f32) -> f32 {
    let place = (sorted.len() - 1) as f32 * (percent / 100.0);
    let below = (place.floor() as usize).min(sorted.len() - 1);
    let (low, high) = (sorted[below], sorted[(below + 1).min(sorted.len() - 1)]);
    let share = place - place.floor();
    if share < 0.5 { low + (high - low) * share } else { high - (high - low) * (1.0 - share) }
}

#[cfg(test)]
mod tests;
