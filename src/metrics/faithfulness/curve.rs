//! Deletion and insertion: the score while pixels are replaced, the most relevant first, and the area below it.

use burncam_graph::error::Error;

use super::baseline::Baseline;
use super::copies::{Key, Replaced};
use super::picture::Picture;
use crate::convention::Convention;
use crate::map::Map;
use crate::order::Order;
use crate::scorer::Scorer;

/// What happens to the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the picture to the baseline. A small area is better.
    Deletion,
    /// From the baseline to the picture. A large area is better.
    Insertion,
}

/// How many pixels have changed at each point of a curve. The first is always 0 and the last all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Steps {
    /// As many pixels per step as the picture is wide.
    OfOneRow,
    /// This number of steps or fewer: each has the same whole number of pixels, rounded up, but the last.
    RoundedUp(usize),
    /// This number of steps: step `i` of `n` ends at `i / n` of the pixels, rounded down.
    RoundedDown(usize),
}

/// How the area below a curve is computed; always by trapezoids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Area {
    /// Over the shares of pixels that have changed.
    TrueShares,
    /// As if all steps had the same number of pixels.
    EqualSteps,
}

/// Steps, baselines and area of a [`Curve`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CurveSettings {
    /// The number of pixels per step.
    pub steps: Steps,
    /// What deleted pixels become.
    pub deletion: Baseline,
    /// What pixels are before they are inserted.
    pub insertion: Baseline,
    /// How the area is computed.
    pub area: Area,
}

impl CurveSettings {
    /// Those of a paper or library; `None` for pytorch-grad-cam, which has no such curves.
    #[must_use]
    pub fn of(convention: Convention) -> Option<Self> {
        let same = |steps, baseline, area| Self { steps, deletion: baseline, insertion: baseline, area };
        match convention {
            Convention::Paper => Some(Self::default()),
            Convention::PytorchGradCam => None,
            Convention::Torchcam => Some(same(Steps::RoundedUp(20), Baseline::Zero, Area::TrueShares)),
            Convention::Xplique => Some(same(Steps::RoundedDown(10), Baseline::Zero, Area::EqualSteps)),
            Convention::OpenvinoXai => Some(same(Steps::RoundedDown(30), Baseline::Black, Area::EqualSteps)),
        }
    }
}

impl Default for CurveSettings {
    /// Those of RISE (Petsiuk et al. 2018, arXiv:1806.07421) and its code. Insertion starts from a blurred picture, so that sharp
    /// edges of inserted pixels are not evidence.
    fn default() -> Self {
        Self {
            steps: Steps::OfOneRow,
            deletion: Baseline::Zero,
            insertion: Baseline::Blurred,
            area: Area::EqualSteps,
        }
    }
}

/// The score at each step, and the area below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Shares of pixels that have changed, from 0 to 1.
    pub shares: Vec<f64>,
    /// The score at each of them.
    pub scores: Vec<f64>,
    /// Area below the curve, in units of the score: of a probability it is from 0 to 1.
    pub area: f64,
    /// Share of pixels whose place in the order is not by relevance alone, because others have the same value.
    pub tied_share: f64,
}

impl Curve {
    /// Deletion or insertion of a picture's pixels in the falling order of its map; ties in the order of their rows.
    ///
    /// # Errors
    ///
    /// When the map has another size, and what the scorer reports.
    pub fn new(
        picture: &Picture,
        map: &Map,
        direction: Direction,
        settings: &CurveSettings,
        scorer: &mut dyn Scorer,
    ) -> Result<Self, Error> {
        picture.check(map)?;
        let order = Order::falling(map);
        let counts = settings.steps.counts(picture.shape()[2], picture.pixels());
        let (mut current, target) = match direction {
            Direction::Deletion => (picture.values().to_vec(), settings.deletion.of(picture)),
            Direction::Insertion => (settings.insertion.of(picture), picture.values().to_vec()),
        };
        // One end of each curve is the picture itself, whose score is known.
        let skipped = match direction {
            Direction::Deletion => 0,
            Direction::Insertion => counts.len() - 1,
        };
        let mut passed = counts.clone();
        passed.remove(skipped);
        let keys = keys(direction, settings, &order, &passed);
        let mut done = 0;
        let mut scores = picture.scores_once(scorer, &keys, |step, values| {
            for channel in 0..picture.shape()[0] {
                let first = channel * picture.pixels();
                let changed = &order.pixels()[done..passed[step]];
                changed.iter().for_each(|pixel| current[first + pixel] = target[first + pixel]);
            }
            done = passed[step];
            values.copy_from_slice(&current);
        })?;
        scores.insert(skipped, picture.score());
        let shares: Vec<f64> = counts.iter().map(|count| *count as f64 / picture.pixels() as f64).collect();
        let area = settings.area.below(&shares, &scores);
        Ok(Self { shares, scores, area, tied_share: order.tied_share() })
    }
}

/// The keys of the copies at each of these numbers of changed pixels.
fn keys(direction: Direction, settings: &CurveSettings, order: &Order, passed: &[usize]) -> Vec<Key> {
    let baseline = match direction {
        Direction::Deletion => settings.deletion,
        Direction::Insertion => settings.insertion,
    };
    let filling = format!("{baseline:?}");
    let mut replaced = Replaced::none(&filling, order.pixels().len());
    if direction == Direction::Insertion {
        replaced.flip(order.pixels());
    }
    let mut done = 0;
    let key = |count: &usize| {
        replaced.flip(&order.pixels()[done..*count]);
        done = *count;
        replaced.key()
    };
    passed.iter().map(key).collect()
}

impl Steps {
    /// Numbers of changed pixels, from 0 to all of them.
    fn counts(self, width: usize, pixels: usize) -> Vec<usize> {
        let by = |size: usize| (0..pixels).step_by(size).chain([pixels]).collect();
        match self {
            Self::OfOneRow => by(width),
            Self::RoundedUp(steps) => by(pixels.div_ceil(steps.max(1))),
            Self::RoundedDown(steps) => {
                let steps = steps.max(1);
                (0..=steps).map(|step| step * pixels / steps).collect()
            }
        }
    }
}

impl Area {
    fn below(self, shares: &[f64], scores: &[f64]) -> f64 {
        let heights = scores.windows(2).map(|two| (two[0] + two[1]) / 2.0);
        match self {
            Self::TrueShares => {
                heights.zip(shares.windows(2)).map(|(height, two)| height * (two[1] - two[0])).sum()
            }
            Self::EqualSteps => heights.sum::<f64>() / (scores.len() - 1) as f64,
        }
    }
}

#[cfg(test)]
mod tests;
