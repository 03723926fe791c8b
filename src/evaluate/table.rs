//! The table of metrics: each has its name, direction, range and rule here and nowhere else.

use burncam_metrics::localisation::{box_accuracy, held_out_box_accuracy};
use burncam_metrics::{Better, adcc, arcc, effective_size, entropy, gini, mean_size};

use super::info::{EITHER_SIGN, Family, Group, MetricInfo, ON_OBJECTS, Rule, USUAL};

/// The curves of boxes, which are 1 where the box is right and 0 elsewhere.
pub(super) const BOXES: &str = "boxes";

fn as_number(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

/// In the order of tables. The first one that says which is better is that of the paired comparison on the terminal.
pub(super) static TABLE: &[MetricInfo] = &[
    MetricInfo {
        name: "energy",
        chance: "the object's share of the area",
        description: "share of the heat that is on the object (arXiv:1910.01279)",
        votes: true,
        rule: Rule::Target(|measured, _| measured.located.as_ref()?.energy),
        ..ON_OBJECTS
    },
    MetricInfo {
        name: "pointing",
        chance: "the object's share of the area",
        description: "1 where the greatest value is on the object (arXiv:1608.00507)",
        votes: true,
        rule: Rule::Target(|measured, _| measured.located.as_ref()?.hit.map(as_number)),
        ..ON_OBJECTS
    },
    MetricInfo {
        name: "pointing15",
        description: "1 where the greatest value is on the object or within 15 pixels of the picture (arXiv:1608.00507)",
        rule: Rule::Target(|measured, _| measured.located.as_ref()?.near.map(as_number)),
        ..ON_OBJECTS
    },
    MetricInfo {
        name: "ranks",
        chance: "the object's share of the area",
        description: "share of the K hottest pixels that are on the object, which has K pixels (arXiv:2003.07258)",
        rule: Rule::Target(|measured, _| measured.located.as_ref()?.ranks),
        ..ON_OBJECTS
    },
    MetricInfo {
        name: "iou",
        description: "overlap of the pixels from 15 % of the greatest value on with the object: intersection over union",
        rule: Rule::Target(|measured, _| measured.located.as_ref()?.region_iou),
        ..ON_OBJECTS
    },
    MetricInfo {
        name: "box",
        description: "1 where the box around the largest part of them has an intersection over union above 0.5 with a box of the object (arXiv:1610.02391)",
        rule: Rule::Target(|measured, _| measured.located.as_ref()?.box_iou.map(|iou| as_number(iou > 0.5))),
        ..ON_OBJECTS
    },
    MetricInfo {
        name: "maxbox",
        families: &[Family::Boxes],
        description: "share of targets whose box has an intersection over union of at least 0.5 with one of the object, at the threshold for which that share is greatest: MaxBoxAcc (arXiv:2001.07437)",
        rule: Rule::Boxes { figure: |boxes| Some(box_accuracy(boxes)?.accuracy), resampled: true },
        ..ON_OBJECTS
    },
    MetricInfo {
        name: "heldbox",
        families: &[Family::Boxes],
        description: "the same at a threshold that every second target chooses for the others (arXiv:2001.07437)",
        rule: Rule::Boxes { figure: held_out_box_accuracy, resampled: false },
        ..ON_OBJECTS
    },
    MetricInfo {
        name: "gridpg",
        families: &[],
        chance: "the cell's share of the area",
        description: "grid pointing game: share of the heat for the class of one cell of a mosaic of 2 x 2 pictures of different classes that is in that cell (arXiv:2205.10435)",
        votes: true,
        rule: Rule::Cell,
        ..ON_OBJECTS
    },
    MetricInfo {
        name: "difull",
        families: &[],
        better: Some(Better::Lower),
        chance: "that of a map that does not know which cell is read",
        description: "share of the map, with its signs, outside of the one cell of a mosaic that the score reads, whose cells go through the network apart: only 0 is right (arXiv:2205.10435)",
        rule: Rule::Leak,
        ..ON_OBJECTS
    },
    MetricInfo {
        name: "road",
        families: &[Family::Road],
        range: EITHER_SIGN,
        chance: "0",
        description: "half of what the score falls further without the most relevant pixels, filled in, than without the least relevant (arXiv:2202.00449)",
        usual: true,
        votes: true,
        rule: Rule::Target(|measured, _| Some(measured.road.as_ref()?.combined())),
        ..USUAL
    },
    MetricInfo {
        name: "morf",
        families: &[Family::Road],
        better: Some(Better::Lower),
        range: EITHER_SIGN,
        description: "change of the score without the most relevant pixels, filled in: the first half of road",
        rule: Rule::Target(|measured, _| Some(measured.road.as_ref()?.morf())),
        ..USUAL
    },
    MetricInfo {
        name: "lerf",
        families: &[Family::Road],
        range: EITHER_SIGN,
        description: "change of the score without the least relevant pixels, filled in: the other half of road",
        rule: Rule::Target(|measured, _| Some(measured.road.as_ref()?.lerf())),
        ..USUAL
    },
    MetricInfo {
        name: "insertion",
        families: &[Family::Insertion],
        description: "area below the score while pixels are inserted into a baseline, most relevant first (arXiv:1806.07421)",
        usual: true,
        votes: true,
        rule: Rule::Target(|measured, _| Some(measured.insertion.as_ref()?.area)),
        ..USUAL
    },
    MetricInfo {
        name: "deletion",
        families: &[Family::Deletion],
        better: Some(Better::Lower),
        description: "area below the score while pixels are deleted, most relevant first (arXiv:1806.07421)",
        usual: true,
        votes: true,
        rule: Rule::Target(|measured, _| Some(measured.deletion.as_ref()?.area)),
        ..USUAL
    },
    MetricInfo {
        name: "drop",
        families: &[Family::Masked],
        better: Some(Better::Lower),
        description: "share of the score that is lost when the input is multiplied by the map; its mean is the average drop (arXiv:1710.11063)",
        usual: true,
        votes: true,
        rule: Rule::Target(|measured, convention| measured.masked?.drop(convention)),
        ..USUAL
    },
    MetricInfo {
        name: "increase",
        families: &[Family::Masked],
        description: "1 where the score rises when the input is multiplied by the map; its mean is the increase in confidence (arXiv:1710.11063)",
        usual: true,
        votes: true,
        rule: Rule::Target(|measured, _| measured.masked?.increase().map(as_number)),
        ..USUAL
    },
    MetricInfo {
        name: "gain",
        families: &[Family::Masked],
        description: "share of what the score lacks to 1 that is gained when the input is multiplied by the map (arXiv:2301.07002)",
        rule: Rule::Target(|measured, convention| measured.masked?.gain(convention)),
        ..USUAL
    },
    MetricInfo {
        name: "single",
        families: &[Family::Single],
        range: EITHER_SIGN,
        chance: "0",
        description: "rank correlation of the map's sum in each of 4 x 4 parts with what the score loses without it (arXiv:2407.11910, without fine-tuning)",
        votes: true,
        rule: Rule::Target(|measured, _| measured.single.as_ref()?.correlation),
        ..USUAL
    },
    MetricInfo {
        name: "infidelity",
        families: &[Family::Infidelity],
        better: Some(Better::Lower),
        range: [Some(0.0), None],
        description: "squared error of the map as a linear model of the score under noise of deviation 0.2 on the input, 32 draws, the map scaled to fit best (arXiv:1901.09392)",
        votes: true,
        rule: Rule::Target(|measured, _| measured.infidelity),
        ..USUAL
    },
    MetricInfo {
        name: "adcc",
        families: &[Family::Masked, Family::Again],
        description: "harmonic mean of coherency, 1 - complexity and 1 - drop (arXiv:2104.10252)",
        votes: true,
        rule: Rule::Target(|measured, convention| {
            let drop = measured.masked?.drop(convention)?;
            adcc(measured.coherency?, mean_size(measured.map), drop)
        }),
        ..USUAL
    },
    MetricInfo {
        name: "arcc",
        families: &[Family::RoadOfArcc, Family::Again],
        description: "harmonic mean of coherency, 1 - complexity and twice road at 20, 40, 60 and 80 %, the latter limited to 0 to 1 (arXiv:2605.14641)",
        votes: true,
        rule: Rule::Target(|measured, convention| {
            let road = measured.road_of_arcc.as_ref()?.combined();
            arcc(measured.coherency?, mean_size(measured.map), road, convention)
        }),
        ..USUAL
    },
    MetricInfo {
        name: "coherency",
        group: Group::Stability,
        families: &[Family::Again],
        chance: "1 for a map that does not change",
        description: "(r + 1)/2 of the correlation r of the map and the map of the input multiplied by it (arXiv:2104.10252)",
        rule: Rule::Target(|measured, _| measured.coherency),
        ..USUAL
    },
    MetricInfo {
        name: "sensitivity",
        group: Group::Stability,
        families: &[Family::Sensitivity],
        better: Some(Better::Lower),
        range: [Some(0.0), None],
        chance: "0 for a map that does not change",
        description: "greatest relative change of the map under uniform noise of at most 0.02 on the input, 10 draws (arXiv:1901.09392)",
        rule: Rule::Target(|measured, _| Some(measured.sensitivity?.max)),
        ..USUAL
    },
    MetricInfo {
        name: "sparseness",
        group: Group::Complexity,
        families: &[Family::Map],
        better: None,
        chance: "1/3 for uniform random values",
        description: "Gini's index of the map: 0 if all values are equal, nearly 1 for a single peak (arXiv:1810.06583)",
        usual: true,
        rule: Rule::Target(|measured, _| gini(measured.map)),
        ..USUAL
    },
    MetricInfo {
        name: "complexity",
        group: Group::Complexity,
        families: &[Family::Map],
        better: None,
        chance: "1/2 for uniform random values",
        description: "mean of the map (arXiv:2104.10252)",
        rule: Rule::Target(|measured, _| Some(mean_size(measured.map))),
        ..USUAL
    },
    MetricInfo {
        name: "entropy",
        group: Group::Complexity,
        families: &[Family::Map],
        better: None,
        range: [Some(0.0), None],
        chance: "nearly the logarithm of the number of pixels",
        description: "entropy of the map as shares of its sum, in nats (arXiv:2005.00631)",
        rule: Rule::Target(|measured, _| entropy(measured.map)),
        ..USUAL
    },
    MetricInfo {
        name: "size",
        group: Group::Complexity,
        families: &[Family::Map],
        better: None,
        chance: "about .82 for uniform random values",
        description: "effective size: the share of the pixels that an even map of the same entropy covers (the exponential of entropy, over the number of pixels)",
        rule: Rule::Target(|measured, _| effective_size(measured.map)),
        ..USUAL
    },
    MetricInfo {
        name: "sanity",
        group: Group::Sanity,
        families: &[],
        better: Some(Better::Lower),
        range: EITHER_SIGN,
        chance: "1 for a map that does not know the weights",
        description: "mean rank correlation of the maps, with their signs, before and after layers are randomised from the scores down (arXiv:1810.03292)",
        rule: Rule::Weights,
        ..USUAL
    },
];
