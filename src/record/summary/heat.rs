//! Where the heat is over all images of a run: on the border, around which centre, on the objects, and its mean map per class.
//!
//! Receives the maps in records, and boxes of objects where the caller knows them. Each figure is rounded once per map and added up in whole
//! units, so that neither the order of images nor a division into shards matters. Memory grows with methods and classes only.

use std::collections::BTreeSet;

use burncam_metrics::localisation::{Bounds, Region, energy};
use burncam_metrics::{Map, block_means, border_share, centre_of_mass};
use serde::{Deserialize, Serialize};

use super::counts::{in_millionths, joined_mean};
use super::tally::{Counted, Tally};
use crate::heatmap::{Heatmap, Sampling};
use crate::record::{CoversRecord, LabelRecord, Record, TargetRecord};

/// Side of the grid over the network's input on which figures are computed, so that maps of all sizes have the same border. A tenth of it,
/// the width of the border, is a whole number, and so is a block of a mean map.
const GRID: usize = 70;

/// Side of a mean map: that of the finest usual layer of a classifier whose input has 224 pixels.
const CELLS: usize = 14;

/// Where the heat of one method is. Maps without positive values are not counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heat {
    /// Name of the method on the command line.
    pub method: String,
    /// Maps with heat: one per image and explained class.
    pub maps: usize,
    /// Mean share of the heat on the border of the network's input, a tenth of each side, 0 to 1.
    pub border: f64,
    /// The border's share of the area: what evenly spread heat would have.
    pub border_area: f64,
    /// Mean centre of mass of the heat, as shares of the input's width and height: `[0.5, 0.5]` is the middle.
    pub centre: [f64; 2],
    /// Heat and objects, where boxes are known; otherwise `null`.
    pub objects: Option<ObjectHeat>,
    /// By explained class, those with most maps first.
    pub classes: Tally<ClassHeat>,
    /// Maps that miss the objects of their class, by where the heat is instead, most frequent first.
    pub wrong_reasons: Tally<WrongReason>,
}

/// How much of the heat is on the objects of the explained class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectHeat {
    /// Maps with objects of their class in the network's view. Others are in none of these figures.
    pub maps: usize,
    /// Mean share of the heat on the objects, 0 to 1.
    pub energy: f64,
    /// Mean share of the view that the objects cover: what evenly spread heat would have.
    pub area: f64,
    /// Maps that miss the objects: these have no more of the heat than their share of the view. A coarse map of a small object has most of its
    /// heat next to it, so that a fixed share would say more about sizes.
    pub missed: usize,
}

/// The maps of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassHeat {
    /// Index of the class.
    pub target: usize,
    /// Its name, or its index as text.
    pub class_name: String,
    /// Maps with heat.
    pub maps: usize,
    /// As [`Heat::border`].
    pub border: f64,
    /// As [`Heat::centre`].
    pub centre: [f64; 2],
    /// The mean map over the network's input, 14 rows of 14 values, each map divided by its maximum before, 0 to 1.
    pub mean: Vec<Vec<f64>>,
}

/// Maps of one class that miss its objects, by where the heat is instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongReason {
    /// The explained class.
    pub explained: LabelRecord,
    /// The class whose objects have most of the heat; `null` when no other class's objects have more than its own.
    pub on: Option<LabelRecord>,
    /// Maps.
    pub count: usize,
    /// Mean share of the heat on the objects of the explained class.
    pub energy: f64,
    /// Mean share of the view that they cover.
    pub area: f64,
}

/// Adds the maps of one record. `objects` are the boxes in its image, in pixels of the upright picture, none where none are known.
pub(super) fn add(heat: &mut Tally<Heat>, record: &Record, objects: &[(LabelRecord, Bounds)]) {
    for target in &record.targets {
        let Some((map, own)) = heat_of(target) else { continue };
        let mut found = Heat { method: record.settings.method.clone(), ..own };
        if let Some((object, on)) = on_objects(&map, target.target, objects, &record.network_input.covers) {
            if object.missed > 0 {
                let explained = LabelRecord { target: target.target, class_name: target.class_name.clone() };
                let ObjectHeat { energy, area, .. } = object;
                found.wrong_reasons.add(WrongReason { explained, on, count: 1, energy, area });
            }
            found.objects = Some(object);
        }
        heat.add(found);
    }
}

/// Share of the heat of the first target's map that is outside of the objects of its class, 0 to 1. `None` when the map is blank, or none of its
/// objects are in the network's view.
#[must_use]
pub fn heat_outside(record: &Record, objects: &[(LabelRecord, Bounds)]) -> Option<f64> {
    let target = record.targets.first().filter(|_| !objects.is_empty())?;
    let (map, _) = heat_of(target)?;
    let (on, _) = on_objects(&map, target.target, objects, &record.network_input.covers)?;
    Some(1.0 - on.energy)
}

/// The map on the common grid, and its figures without those of objects.
fn heat_of(target: &TargetRecord) -> Option<(Map, Heat)> {
    let width = target.heatmap.first()?.len();
    let values: Vec<f32> = target.heatmap.iter().flatten().copied().collect();
    let heatmap = Heatmap::new(target.heatmap.len(), width, values)?.rectified_to_unit();
    if heatmap.is_blank() {
        return None;
    }
    let fine = heatmap.resized(GRID, GRID, Sampling::Bilinear);
    let map = Map::new(GRID, GRID, fine.values().to_vec())?;
    let [border, border_area] = border_share(&map)?;
    let centre = centre_of_mass(&map)?;
    let centre = [centre[1], centre[0]].map(in_millionths);
    let means = block_means(&map, GRID / CELLS)?;
    let row = |row: &[f32]| row.iter().map(|value| in_hundredths(f64::from(*value), 1)).collect();
    let class = ClassHeat {
        target: target.target,
        class_name: target.class_name.clone(),
        maps: 1,
        border: in_millionths(border),
        centre,
        mean: means.values().chunks(CELLS).map(row).collect(),
    };
    let mut heat = Heat {
        method: String::new(),
        maps: 1,
        border: class.border,
        border_area,
        centre,
        objects: None,
        classes: Tally::default(),
        wrong_reasons: Tally::default(),
    };
    heat.classes.add(class);
    Some((map, heat))
}

/// The heat on the objects of the class, and where these are missed the other class with most of it; `None` when none of its objects are in view.
fn on_objects(
    map: &Map,
    class: usize,
    objects: &[(LabelRecord, Bounds)],
    covers: &CoversRecord,
) -> Option<(ObjectHeat, Option<LabelRecord>)> {
    let CoversRecord { left, top, right, bottom } = *covers;
    let view = Bounds { left, top, right, bottom };
    let of_class = |class: usize| {
        let own = objects.iter().filter(|(label, _)| label.target == class).map(|(_, bounds)| *bounds);
        let region = Region::of_boxes(&own.collect::<Vec<_>>(), &view, GRID, GRID)?;
        Some((energy(map, &region)?, region.share()))
    };
    let (own, area) = of_class(class)?;
    let is_missed = own <= area;
    // Each other class once: a crowd has many boxes of one.
    let (mut most, mut seen) = ((own, None), BTreeSet::from([class]));
    for (label, _) in objects.iter().filter(|(label, _)| is_missed && seen.insert(label.target)) {
        match of_class(label.target) {
            Some((share, _)) if share > most.0 => most = (share, Some(label.clone())),
            _ => {}
        }
    }
    let (energy, area) = (in_millionths(own), in_millionths(area));
    Some((ObjectHeat { maps: 1, energy, area, missed: usize::from(is_missed) }, most.1))
}

/// A mean of values that were each rounded to hundredths, rounded to nine digits. The exact sum can be computed from it for up to ten million maps.
fn in_hundredths(mean: f64, count: usize) -> f64 {
    const DIGITS: f64 = 1e9;
    let sum = (mean * count as f64 * 100.0).round();
    (sum / (count as f64 * 100.0) * DIGITS).round() / DIGITS
}

/// The mean over two sets of maps of a figure that was rounded to millionths for each map.
fn joined(a: (f64, usize), b: (f64, usize)) -> f64 {
    joined_mean((Some(a.0), a.1), (Some(b.0), b.1)).unwrap_or_default()
}

fn joined_centre(a: ([f64; 2], usize), b: ([f64; 2], usize)) -> [f64; 2] {
    [0, 1].map(|axis| joined((a.0[axis], a.1), (b.0[axis], b.1)))
}

impl Counted for Heat {
    type Key = String;
    fn key(&self) -> String {
        self.method.clone()
    }
    fn count(&self) -> usize {
        self.maps
    }
    fn join(&mut self, other: Self) {
        self.border = joined((self.border, self.maps), (other.border, other.maps));
        self.centre = joined_centre((self.centre, self.maps), (other.centre, other.maps));
        self.maps += other.maps;
        self.objects = match (self.objects, other.objects) {
            (Some(a), Some(b)) => Some(a.and(&b)),
            (a, b) => a.or(b),
        };
        other.classes.into_counts().for_each(|class| self.classes.add(class));
        other.wrong_reasons.into_counts().for_each(|reason| self.wrong_reasons.add(reason));
    }
}

impl ObjectHeat {
    fn and(&self, other: &Self) -> Self {
        let mean = |of: fn(&Self) -> f64| joined((of(self), self.maps), (of(other), other.maps));
        Self {
            maps: self.maps + other.maps,
            energy: mean(|heat| heat.energy),
            area: mean(|heat| heat.area),
            missed: self.missed + other.missed,
        }
    }
}

impl Counted for ClassHeat {
    type Key = usize;
    fn key(&self) -> usize {
        self.target
    }
    fn count(&self) -> usize {
        self.maps
    }
    fn join(&mut self, other: Self) {
        self.border = joined((self.border, self.maps), (other.border, other.maps));
        self.centre = joined_centre((self.centre, self.maps), (other.centre, other.maps));
        let (own, more) = (self.maps as f64, other.maps as f64);
        self.maps += other.maps;
        for (mean, new) in self.mean.iter_mut().flatten().zip(other.mean.iter().flatten()) {
            let sum = (*mean * own * 100.0).round() + (new * more * 100.0).round();
            *mean = in_hundredths(sum / (self.maps as f64 * 100.0), self.maps);
        }
    }
}

impl Counted for WrongReason {
    /// Explained class, then the one with the heat.
    type Key = (usize, Option<usize>);
    fn key(&self) -> Self::Key {
        (self.explained.target, self.on.as_ref().map(|class| class.target))
    }
    fn count(&self) -> usize {
        self.count
    }
    fn join(&mut self, other: Self) {
        self.energy = joined((self.energy, self.count), (other.energy, other.count));
        self.area = joined((self.area, self.count), (other.area, other.count));
        self.count += other.count;
    }
}

#[cfg(test)]
#[path = "heat_tests.rs"]
mod tests;
