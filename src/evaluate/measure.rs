//! The figures of one map of one target: what several metrics read is computed once.

use burncam_metrics::{
    Baseline, Convention, Curve, CurveSettings, Direction, Map, Masked, Picture, Removal, Road, RoadSettings,
    Scorer, Sensitivity, SingleDeletion, coherency, gaussian, infidelity, uniform,
};

use super::info::{Family, Rule};
use super::measured::Measured;
use super::metric::Metric;
use super::place::Place;
use super::table::BOXES;
use crate::error::Result;
use crate::record::{CurveRecord, TargetFigures};

/// Parts along a side of single deletion, as in its paper.
const PARTS: usize = 4;

/// Draws and deviation of infidelity's noise, in units of the network's input, whose range is a few units; the deviation is that of the paper's
/// experiments.
const INFIDELITY: (usize, f64) = (32, 0.2);

/// Draws and radius of sensitivity's noise: captum's.
const SENSITIVITY: (usize, f64) = (10, 0.02);

/// The metrics of a request, and their conventions.
#[derive(Debug)]
pub(super) struct Measures {
    pub(super) metrics: Vec<Metric>,
    pub(super) convention: Convention,
    pub(super) seed: u64,
    /// `None` when no metric is a curve.
    pub(super) curves: Option<CurveSettings>,
    /// `None` when no metric removes pixels.
    pub(super) road: Option<RoadSettings>,
}

/// One target in front of the network.
pub(super) struct Sight<'a> {
    pub(super) picture: &'a Picture,
    pub(super) scorer: &'a mut dyn Scorer,
    /// The map of another input by the same rule as the map that is measured; of a blank one its values, too.
    pub(super) explain: &'a mut dyn FnMut(&[f32]) -> Result<Map>,
    /// Where the object is, if that is known.
    pub(super) place: Option<&'a Place>,
}

impl Measures {
    fn reads(&self, family: Family) -> bool {
        self.metrics.iter().any(|metric| metric.reads(family))
    }

    /// Whether any metric's rule is one of these.
    pub(super) fn reads_rule(&self, is_one: impl Fn(Rule) -> bool) -> bool {
        self.metrics.iter().any(|metric| is_one(metric.info().rule))
    }

    /// What `compute` gives, if any metric reads it.
    fn if_read<T>(&self, family: Family, compute: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        self.reads(family).then(compute).transpose()
    }

    /// All metrics of a map with values 0 to 1.
    ///
    /// # Errors
    /// When the network stops, or a score is not finite.
    pub(super) fn of(&self, map: &Map, sight: Sight) -> Result<TargetFigures> {
        let boxes =
            sight.place.filter(|_| self.reads(Family::Boxes)).and_then(|place| place.is_box_right(map));
        let measured = self.measured(map, sight)?;
        let value = |metric: &Metric| match metric.info().rule {
            Rule::Target(value) => value(&measured, self.convention),
            _ => None,
        };
        let values = self.metrics.iter().map(value).collect();
        let curves = [("insertion", measured.insertion), ("deletion", measured.deletion)];
        let curves: Vec<(&str, Curve)> =
            curves.into_iter().filter_map(|(name, curve)| Some((name, curve?))).collect();
        let records = curves.iter().map(|(name, curve)| record(name, curve));
        Ok(TargetFigures {
            blank: None,
            tied_share: curves.first().map(|(_, curve)| curve.tied_share),
            values,
            curves: records.chain(boxes.map(|right| boxes_record(&right))).collect(),
        })
    }

    fn measured<'a>(&self, map: &'a Map, sight: Sight) -> Result<Measured<'a>> {
        let Sight { picture, scorer, explain, place } = sight;
        let curves = self.curves.unwrap_or_default();
        let (draws, deviation) = INFIDELITY;
        let settings = self.road.clone().unwrap_or_default();
        let road = self.if_read(Family::Road, || Road::new(picture, map, &settings, scorer))?;
        let road_of_arcc = self.if_read(Family::RoadOfArcc, || {
            let fewer = self.road_of_arcc(&settings);
            // Its steps are among the usual ones.
            match road.as_ref().and_then(|road| road.with_fewer(&settings, &fewer.removal)) {
                Some(road) => Ok(road),
                None => Road::new(picture, map, &fewer, scorer),
            }
        })?;
        Ok(Measured {
            map,
            masked: self.if_read(Family::Masked, || Masked::new(picture, map, scorer))?,
            deletion: self.if_read(Family::Deletion, || {
                Curve::new(picture, map, Direction::Deletion, &curves, scorer)
            })?,
            insertion: self.if_read(Family::Insertion, || {
                Curve::new(picture, map, Direction::Insertion, &curves, scorer)
            })?,
            road,
            road_of_arcc,
            single: self.if_read(Family::Single, || {
                SingleDeletion::new(picture, map, PARTS, Baseline::Zero, scorer)
            })?,
            coherency: self.if_read(Family::Again, || self.coherency(picture, map, explain))?.flatten(),
            infidelity: self.if_read(Family::Infidelity, || {
                let noise = gaussian(self.seed, deviation);
                infidelity(picture, map.values(), draws, true, noise, scorer)
            })?,
            sensitivity: self.if_read(Family::Sensitivity, || self.sensitivity(picture, explain))?,
            located: place.filter(|_| self.reads(Family::Place)).map(|place| place.of(map)),
        })
    }

    /// The four steps of ARCC's paper, with the noise of the others.
    fn road_of_arcc(&self, settings: &RoadSettings) -> RoadSettings {
        let steps = [20.0_f32, 40.0, 60.0, 80.0];
        let removal = match self.convention {
            Convention::PytorchGradCam => Removal::KeptPercentiles(steps.to_vec()),
            _ => Removal::Shares(steps.map(|step| f64::from(step) / 100.0).to_vec()),
        };
        RoadSettings { removal, ..settings.clone() }
    }

    fn coherency(
        &self,
        picture: &Picture,
        map: &Map,
        explain: &mut dyn FnMut(&[f32]) -> Result<Map>,
    ) -> Result<Option<f64>> {
        let relevances = map.values().iter().cycle();
        let product = picture.values().iter().zip(relevances).map(|(value, relevance)| value * relevance);
        let again = explain(&product.collect::<Vec<f32>>())?;
        Ok(coherency(map, &again, self.convention))
    }

    fn sensitivity(
        &self,
        picture: &Picture,
        explain: &mut dyn FnMut(&[f32]) -> Result<Map>,
    ) -> Result<Sensitivity> {
        let (draws, radius) = SENSITIVITY;
        let values = |input: &[f32]| explain(input).map(|map| map.values().to_vec());
        Sensitivity::new(picture.values(), draws, uniform(self.seed, radius), values)
    }
}

fn record(metric: &str, curve: &Curve) -> CurveRecord {
    // Single precision is that of the network's own output.
    let single = |values: &[f64]| values.iter().map(|value| *value as f32).collect();
    CurveRecord { metric: metric.to_owned(), shares: single(&curve.shares), scores: single(&curve.scores) }
}

fn boxes_record(right: &[bool]) -> CurveRecord {
    CurveRecord {
        metric: BOXES.to_owned(),
        shares: (0..right.len()).map(|at| at as f32 / right.len() as f32).collect(),
        scores: right.iter().map(|right| f32::from(u8::from(*right))).collect(),
    }
}
