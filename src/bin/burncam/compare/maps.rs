//! Two maps of one picture: how alike they are, and how much of their hottest regions overlaps.
//!
//! Receives targets of two records; gives figures, or why there are none. Maps on different grids, or of networks that see different parts
//! of the picture, are compared on a grid over the part that both see.

use std::path::Path;

use burncam::record::{ComparedMap, CoversRecord, DetectionRecord, LabelRecord, Record, TargetRecord};
use burncam_graph::error::Problem;
use burncam_metrics::localisation::Bounds;
use burncam_metrics::{Map, pearson, spearman};
use burncam_picture::input::read_array;

use crate::flags::WORDS;

/// Rows and columns of the common grid: as many as a record's map has at most.
const GRID: usize = 56;

/// Intersection over union from which on two networks' boxes are of one object: the usual limit of detection.
const SAME_BOX: f64 = 0.5;

/// A record and the directory of its files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) record: &'a Record,
    pub(super) directory: &'a Path,
}

/// The maps of two records of a picture that belong together.
pub(super) fn compared(first: Source, second: Source) -> Vec<ComparedMap> {
    let (ones, others) = (&first.record.targets, &second.record.targets);
    let maps = partners(first.record, second.record).into_iter();
    maps.map(|(one, other, same)| pair((first, &ones[one]), (second, &others[other]), same)).collect()
}

/// The places of targets that belong together: of each class that both records explain, with `true`; or, if there is none, the first of each.
pub(super) fn partners(first: &Record, second: &Record) -> Vec<(usize, usize, bool)> {
    let (mut left, mut common): (Vec<usize>, _) = ((0..second.targets.len()).collect(), Vec::new());
    for (at, one) in first.targets.iter().enumerate() {
        if let Some(other) = counterpart((first, one), second, &left) {
            left.retain(|place| *place != other);
            common.push((at, other, true));
        }
    }
    if common.is_empty() && !first.targets.is_empty() && !second.targets.is_empty() {
        common.push((0, 0, false));
    }
    common
}

/// Which of the targets `left` of the other record shows the same: the same class, and of boxes the one that overlaps most, by half at least. Boxes are
/// numbered by how sure each network is, so that their numbers say nothing about another network's.
fn counterpart((first, one): (&Record, &TargetRecord), second: &Record, left: &[usize]) -> Option<usize> {
    let alike = |other: &TargetRecord| match (one.box_number, other.box_number) {
        (None, None) => Some(1.0),
        (Some(number), Some(other)) => {
            let overlap = bounds(first, number)?.iou(&bounds(second, other)?);
            (overlap >= SAME_BOX).then_some(overlap)
        }
        _ => None,
    };
    let is_class =
        |other: &TargetRecord| is_same((one.target, &one.class_name), (other.target, &other.class_name));
    let same = left.iter().map(|at| (*at, &second.targets[*at])).filter(|(_, other)| is_class(other));
    let same = same.filter_map(|(at, other)| Some((at, alike(other)?)));
    same.reduce(|best, new| if new.1 > best.1 { new } else { best }).map(|(at, _)| at)
}

/// A box of a record by its number.
fn bounds(record: &Record, number: usize) -> Option<Bounds> {
    let found = record.detections.iter().find(|found| found.number == number)?;
    let DetectionRecord { left, top, right, bottom, .. } = *found;
    Some(Bounds { left, top, right, bottom })
}

/// Whether two classes are one: by name where both have one, else by index. A class without a name is called by its index.
pub(super) fn is_same((one, name): (usize, &str), (other, other_name): (usize, &str)) -> bool {
    let named = |index: usize, name: &str| name != index.to_string();
    if named(one, name) && named(other, other_name) { name == other_name } else { one == other }
}

fn pair(
    (first, one): (Source, &TargetRecord),
    (second, other): (Source, &TargetRecord),
    same_class: bool,
) -> ComparedMap {
    let class =
        |target: &TargetRecord| LabelRecord { target: target.target, class_name: target.class_name.clone() };
    let (source, maps) = values((first, one), (second, other));
    let mut found = ComparedMap {
        first_method: first.record.settings.method.clone(),
        second_method: second.record.settings.method.clone(),
        first_class: class(one),
        second_class: class(other),
        same_class,
        source: source.to_owned(),
        grid: None,
        spearman: None,
        pearson: None,
        iou: None,
        problem: None,
    };
    let covers = [first, second].map(|source| source.record.network_input.covers);
    let size = (first.record.input.width as f64, first.record.input.height as f64);
    match maps.and_then(|[one, other]| on_one_grid([&one, &other], covers, size)) {
        Err(problem) => found.problem = Some(problem.say(WORDS)),
        Ok([one, other]) => {
            found.grid = Some([one.height(), one.width()]);
            found.spearman = spearman(&one, &other);
            found.pearson = pearson(&one, &other);
            found.iou = overlap(&one, &other);
            if found.spearman.is_none() {
                found.problem = Some(constant(&one, &other).to_owned());
            }
        }
    }
    found
}

fn constant(first: &Map, second: &Map) -> &'static str {
    match (first.is_constant(), second.is_constant()) {
        (true, true) => "both maps are constant, which ranks nothing",
        (true, false) => "the first run's map is constant, which ranks nothing",
        _ => "the second run's map is constant, which ranks nothing",
    }
}

/// The maps' values and where they come from: arrays where both runs have them, so that both are at one resolution, else the records.
fn values(
    first: (Source, &TargetRecord),
    second: (Source, &TargetRecord),
) -> (&'static str, Result<[Map; 2], Problem>) {
    if let (Some(one), Some(other)) = (array(first), array(second)) {
        return ("npy", Ok([one, other]));
    }
    let of_record = |(_, target): (Source, &TargetRecord)| {
        let width = target.heatmap.first().map_or(0, Vec::len);
        Map::new(target.heatmap.len(), width, target.heatmap.concat())
            .ok_or_else(|| Problem::new("a record's map has rows of different lengths"))
    };
    ("record", of_record(first).and_then(|one| Ok([one, of_record(second)?])))
}

/// The array of a target, if the run wrote one that is still there.
fn array((source, target): (Source, &TargetRecord)) -> Option<Map> {
    let file = target.artifacts.iter().find(|artifact| artifact.kind == "npy")?;
    let path = source.directory.join(&file.file);
    let array =
        read_array(&path).map_err(|error| log::warn!("{error}; the record's map is compared")).ok()?;
    let [height, width] = array.shape[..] else {
        log::warn!("'{}': expected rows and columns; the record's map is compared", path.display());
        return None;
    };
    Map::new(height, width, array.values)
}

/// Both maps cell by cell where they have one size and cover the same part of the picture, else on a grid over the part that both cover.
fn on_one_grid(
    maps: [&Map; 2],
    covers: [CoversRecord; 2],
    (width, height): (f64, f64),
) -> Result<[Map; 2], Problem> {
    let size = |map: &Map| (map.height(), map.width());
    if size(maps[0]) == size(maps[1]) && covers[0] == covers[1] {
        return Ok(maps.map(Clone::clone));
    }
    let [one, other] = covers;
    let left = one.left.max(other.left).max(0.0);
    let top = one.top.max(other.top).max(0.0);
    let right = one.right.min(other.right).min(width);
    let bottom = one.bottom.min(other.bottom).min(height);
    if left >= right || top >= bottom {
        return Err(Problem::new("the networks see no common part of the picture"));
    }
    let point = |at: usize, from: f64, to: f64| from + (to - from) * (at as f64 + 0.5) / GRID as f64;
    let sampled = |map: &Map, covers: &CoversRecord| {
        let value = |at: usize| {
            let (x, y) = (point(at % GRID, left, right), point(at / GRID, top, bottom));
            let across = (x - covers.left) / (covers.right - covers.left);
            let down = (y - covers.top) / (covers.bottom - covers.top);
            at_point(map, down, across)
        };
        Map::new(GRID, GRID, (0..GRID * GRID).map(value).collect())
            .ok_or_else(|| Problem::new("a map is not finite"))
    };
    Ok([sampled(maps[0], &one)?, sampled(maps[1], &other)?])
}

/// The value at a point, both coordinates 0 to 1: linear between the centres of cells, the edge cells extended.
fn at_point(map: &Map, down: f64, across: f64) -> f32 {
    let place = |share: f64, cells: usize| {
        let position = (share * cells as f64 - 0.5).clamp(0.0, (cells - 1) as f64);
        let first = position.floor() as usize;
        (first, (first + 1).min(cells - 1), position - first as f64)
    };
    let (top, bottom, down) = place(down, map.height());
    let (left, right, across) = place(across, map.width());
    let cell = |row: usize, column: usize| f64::from(map.values()[row * map.width() + column]);
    let row = |row: usize| cell(row, left) * (1.0 - across) + cell(row, right) * across;
    (row(top) * (1.0 - down) + row(bottom) * down) as f32
}

/// Cells in both hottest regions as a share of those in either; `None` when a map is nowhere above zero.
fn overlap(first: &Map, second: &Map) -> Option<f64> {
    let hot = |map: &Map| {
        let most = map.values().iter().copied().fold(0.0, f32::max);
        (most > 0.0).then(|| map.values().iter().map(|value| *value >= most / 2.0).collect::<Vec<_>>())
    };
    let (first, second) = (hot(first)?, hot(second)?);
    let count = |inside: &dyn Fn(bool, bool) -> bool| {
        first.iter().zip(&second).filter(|(one, other)| inside(**one, **other)).count() as f64
    };
    Some(count(&|one, other| one && other) / count(&|one, other| one || other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(height: usize, values: &[f32]) -> Map {
        Map::new(height, values.len() / height, values.to_vec()).unwrap()
    }

    fn covers(left: f64, right: f64) -> CoversRecord {
        CoversRecord { left, top: 0.0, right, bottom: 8.0 }
    }

    #[test]
    fn the_hottest_regions_are_the_cells_from_half_of_the_maximum_on() {
        let (one, other) = (map(1, &[4.0, 2.0, 1.9, 0.0]), map(1, &[0.1, 1.0, 0.6, 0.0]));
        assert_eq!(overlap(&one, &one), Some(1.0));
        assert_eq!(overlap(&one, &other), Some(1.0 / 3.0));
        assert_eq!(overlap(&one, &map(1, &[0.0, -1.0, 0.0, 0.0])), None);
    }

    #[test]
    fn maps_of_one_size_and_place_are_compared_as_they_are() {
        let one = map(2, &[1.0, 2.0, 3.0, 4.0]);
        let found = on_one_grid([&one, &one], [covers(0.0, 8.0); 2], (8.0, 8.0)).unwrap();
        assert_eq!(found, [one.clone(), one]);
    }

    #[test]
    fn other_grids_and_places_are_compared_where_both_networks_look() {
        // The second network sees the right half only; there the first map is the second one.
        let (whole, half) = (map(1, &[9.0, 9.0, 1.0, 5.0]), map(1, &[1.0, 5.0]));
        let [one, other] =
            on_one_grid([&whole, &half], [covers(0.0, 8.0), covers(4.0, 8.0)], (8.0, 8.0)).unwrap();
        assert_eq!((one.height(), one.width()), (GRID, GRID));
        // From the centre of its first cell on they are equal; before it, the first map still comes down from 9.
        let quarter = GRID / 4;
        for at in quarter..GRID {
            assert!((one.values()[at] - other.values()[at]).abs() < 1e-5, "{at}");
        }
        assert!(one.values()[0] > other.values()[0]);
        let error = on_one_grid([&whole, &half], [covers(0.0, 4.0), covers(4.0, 8.0)], (8.0, 8.0));
        assert_eq!(error.unwrap_err().say(WORDS), "the networks see no common part of the picture");
    }

    #[test]
    fn classes_are_the_same_by_name_and_without_names_by_index() {
        assert!(is_same((3, "cat"), (7, "cat")) && !is_same((3, "cat"), (3, "dog")));
        assert!(is_same((3, "3"), (3, "cat")) && !is_same((3, "3"), (4, "cat")));
    }

    /// A record in which boxes of one class are explained, from these left to these right edges.
    fn with_boxes(boxes: &[(f64, f64)]) -> Record {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/records/photo.gradcam.json");
        let mut record = Record::from_json(&std::fs::read(path).unwrap()).unwrap();
        let target = record.targets[0].clone();
        let (class, name) = (target.target, target.class_name.clone());
        let detection = |(at, (left, right)): (usize, &(f64, f64))| DetectionRecord {
            number: at + 1,
            target: class,
            class_name: name.clone(),
            proba: 0.5,
            left: *left,
            top: 0.0,
            right: *right,
            bottom: 8.0,
        };
        record.detections = boxes.iter().enumerate().map(detection).collect();
        let of_box = |number| TargetRecord { box_number: Some(number), ..target.clone() };
        record.targets = (1..=boxes.len()).map(of_box).collect();
        record
    }

    #[test]
    fn boxes_of_two_networks_belong_together_by_their_overlap_and_not_by_their_numbers() {
        let (first, second) = (
            with_boxes(&[(0.0, 8.0), (20.0, 30.0), (50.0, 60.0)]),
            with_boxes(&[(21.0, 30.0), (1.0, 8.0), (40.0, 52.0)]),
        );
        let found = first.targets.iter().map(|one| counterpart((&first, one), &second, &[0, 1, 2]));
        // The third overlaps by a fraction only.
        assert_eq!(found.collect::<Vec<_>>(), [Some(1), Some(0), None]);
        let whole = TargetRecord { box_number: None, ..first.targets[0].clone() };
        assert_eq!(counterpart((&first, &whole), &second, &[0, 1, 2]), None, "a class is no box");
    }
}
