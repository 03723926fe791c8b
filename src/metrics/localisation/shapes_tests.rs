//! The set of shapes: Grad-CAM's maps of its 46 labels, against the masks. The figures are those of `fixtures/scripts/shape_places.py`, which counts in
//! numpy.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use serde_json::Value;

use super::{
    Bounds, GRAD_CAM_THRESHOLD, Mask, Region, RightBoxes, box_accuracy, box_ious, component_box, energy,
    held_out_box_accuracy, pointing, rank_accuracy, region_iou,
};
use crate::{Map, baselines, summary};

const SIDE: usize = 64;

fn shapes(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/cases/shapes")).join(name)
}

/// The place of each label that a picture has, in the order of the arrays, with the number of its picture.
fn places() -> Vec<(usize, Region)> {
    let mask = |at: usize| {
        let file = BufReader::new(File::open(shapes(&format!("masks/s{at:02}.png"))).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(info.buffer_size(), SIDE * SIDE);
        Mask::new(SIDE, SIDE, bytes.into_iter().map(u16::from).collect()).unwrap()
    };
    let of_picture = |at: usize| {
        let mask = mask(at);
        let view = Bounds::whole(SIDE, SIDE);
        let region = |class| Region::of_mask(&mask, class, &view, SIDE, SIDE).unwrap();
        mask.classes().into_iter().map(|class| (at, region(class))).collect::<Vec<_>>()
    };
    (0..24).flat_map(of_picture).collect()
}

/// Enlarged with straight lines and half-pixel centres, without negative values.
fn enlarged(grid: &[f32], side: usize) -> Map {
    let place = |at: usize| {
        let place = ((at as f64 + 0.5) * side as f64 / SIDE as f64 - 0.5).clamp(0.0, (side - 1) as f64);
        (place as usize, (place as usize + 1).min(side - 1), place.fract())
    };
    let value = |row: usize, column: usize| f64::from(grid[row * side + column].max(0.0));
    let at = |at: usize| {
        let ((top, bottom, down), (left, right, across)) = (place(at / SIDE), place(at % SIDE));
        let line = |row: usize| value(row, left) * (1.0 - across) + value(row, right) * across;
        (line(top) * (1.0 - down) + line(bottom) * down) as f32
    };
    Map::new(SIDE, SIDE, (0..SIDE * SIDE).map(at).collect()).unwrap()
}

fn maps(name: &str) -> Vec<Map> {
    let bytes = std::fs::read(shapes(name)).unwrap();
    let array = npyz::NpyFile::new(&bytes[..]).unwrap();
    let side = array.shape()[1] as usize;
    let values: Vec<f32> = array.into_vec().unwrap();
    values.chunks_exact(side * side).map(|grid| enlarged(grid, side)).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn grad_cams_heat_on_the_shapes_is_where_numpy_counts_it() {
    let places = places();
    let area = mean(places.iter().map(|(_, region)| region.share()));
    assert!((area - 0.0721).abs() < 5e-5, "{area}");
    for (name, expected) in [
        ("maps_l3.npy", [0.249_772, 0.782_609, 0.174_250]),
        ("maps_l2.npy", [0.418_539, 0.934_783, 0.339_674]),
    ] {
        let maps = maps(name);
        assert_eq!((maps.len(), places.len()), (46, 46));
        let pairs = || maps.iter().zip(places.iter().map(|(_, region)| region));
        let found = [
            mean(pairs().map(|(map, region)| energy(map, region).unwrap())),
            mean(pairs().map(|(map, region)| f64::from(u8::from(pointing(map, region, 0.0).unwrap())))),
            mean(pairs().map(|(map, region)| region_iou(map, region, GRAD_CAM_THRESHOLD).unwrap())),
        ];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{name}: {found}, expected {expected}");
        }
    }
}

fn bounds(corners: &Value) -> Bounds {
    let [left, top, right, bottom] = [0, 1, 2, 3].map(|at| corners[at].as_f64().unwrap());
    Bounds { left, top, right, bottom }
}

/// `boxes.json` is of `fixtures/scripts/shape_boxes.py`, which enlarges, labels and boxes with OpenCV.
#[test]
fn boxes_of_every_map_and_their_accuracy_are_those_of_opencv() {
    let text = std::fs::read_to_string(shapes("boxes.json")).unwrap();
    let known: Value = serde_json::from_str(&text).unwrap();
    for name in ["maps_l3", "maps_l2"] {
        let known = &known[name];
        let mut right = Vec::new();
        for (at, map) in maps(&format!("{name}.npy")).iter().enumerate() {
            let target = &known["targets"][at];
            let object = bounds(&target["object"]);
            for (step, expected) in target["boxes"].as_array().unwrap().iter().enumerate() {
                let found = component_box(map, step as f64 / 20.0).unwrap();
                assert_eq!(found, bounds(expected), "{name}, map {at} at {step}/20");
            }
            let ranges = target["right"].as_array().unwrap();
            let is_right = |threshold: usize| {
                let end = |range: &Value, end: usize| range[end].as_u64().unwrap() as usize;
                ranges.iter().any(|range| (end(range, 0)..end(range, 1)).contains(&threshold))
            };
            let ious = box_ious(map, &[object]).unwrap();
            for (threshold, iou) in ious.iter().enumerate() {
                assert_eq!(*iou >= 0.5, is_right(threshold), "{name}, map {at} at {threshold}/100");
            }
            right.push(RightBoxes::new(&ious, 0.5).unwrap());
        }
        let best = box_accuracy(&right).unwrap();
        let found = [best.accuracy, best.threshold, held_out_box_accuracy(&right).unwrap()];
        let expected = ["maxbox", "threshold", "heldbox"].map(|figure| known[figure].as_f64().unwrap());
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn random_maps_are_at_chance_and_grad_cam_is_above() {
    let places = places();
    let random = |at: usize| baselines::random(0, &[at as f32], SIDE, SIDE).unwrap();
    let chance = |figure: fn(&Map, &Region) -> Option<f64>| {
        let excess = |(at, region): &(usize, Region)| figure(&random(*at), region).unwrap() - region.share();
        summary(&places.iter().map(excess).collect::<Vec<_>>(), 0).unwrap()
    };
    for found in [chance(energy), chance(rank_accuracy)] {
        assert!(
            found.mean.abs() < 4.0 * found.standard_error.unwrap() && found.mean.abs() < 0.01,
            "{found:?}"
        );
    }
    let excess = |(map, (_, region)): (&Map, &(usize, Region))| energy(map, region).unwrap() - region.share();
    let of_grad_cam: Vec<f64> = maps("maps_l2.npy").iter().zip(&places).map(excess).collect();
    assert!(summary(&of_grad_cam, 0).unwrap().interval.unwrap()[0] > 0.2);
}
