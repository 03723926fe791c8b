//! Figures of maps whose heat is known.

use serde_json::json;

use super::*;

/// A target whose map has these rows.
fn target(class: usize, rows: &[&[f32]]) -> TargetRecord {
    serde_json::from_value(json!({
        "target": class, "class_name": format!("class {class}"), "score": 1.0, "proba": 0.5, "logit": 1.0, "rank": 1,
        "heatmap": rows, "map": { "height": rows.len(), "width": rows[0].len(), "scale": 1.0 }, "raw": [],
        "normalization": "", "boxes": [], "finding": null, "artifacts": []
    }))
    .unwrap()
}

fn label(target: usize) -> LabelRecord {
    LabelRecord { target, class_name: format!("class {target}") }
}

/// The network saw the left half of a picture of 20x10.
const VIEW: CoversRecord = CoversRecord { left: 0.0, top: 0.0, right: 10.0, bottom: 10.0 };

fn bounds(left: f64, right: f64) -> Bounds {
    Bounds { left, top: 0.0, right, bottom: 10.0 }
}

#[test]
fn even_heat_has_the_area_of_the_border_and_its_centre_in_the_middle() {
    for rows in [vec![&[3.0_f32][..]], vec![&[2.0, 2.0, 2.0], &[2.0, 2.0, 2.0]]] {
        let (_, heat) = heat_of(&target(0, &rows)).unwrap();
        assert_eq!((heat.border, heat.centre), (0.36, [0.5, 0.5]));
        assert!((heat.border_area - 0.36).abs() < 1e-12);
        let class = heat.classes.ranked()[0];
        assert_eq!((class.maps, class.mean.len()), (1, 14));
        assert!(class.mean.iter().all(|row| *row == [1.0; 14]));
    }
}

#[test]
fn signed_maps_count_by_their_positive_values_and_blank_ones_not_at_all() {
    assert!(heat_of(&target(0, &[&[0.0, -1.0]])).is_none());
    let (_, signed) = heat_of(&target(0, &[&[-5.0, 1.0]])).unwrap();
    let (_, positive) = heat_of(&target(0, &[&[0.0, 1.0]])).unwrap();
    assert_eq!(signed, positive);
    // Zero up to the centre of the left cell and one from that of the right: five quarters of the width, half of it on each slope.
    let [across, down] = positive.centre;
    assert!((down - 0.5).abs() < 1e-6 && (0.7..0.75).contains(&across), "{across} {down}");
}

#[test]
fn the_mean_map_is_that_of_the_maps_each_by_its_own_maximum() {
    let mut heat = Tally::default();
    for rows in [[[8.0_f32]], [[0.5]]] {
        let (_, mut found) = heat_of(&target(0, &[&rows[0]])).unwrap();
        found.method = "gradcam".to_owned();
        heat.add(found);
    }
    let (_, mut half) = heat_of(&target(0, &[&[0.0, 1.0]])).unwrap();
    half.method = "gradcam".to_owned();
    heat.add(half);
    let class = heat.ranked()[0].classes.ranked()[0];
    // Two maps of ones and one that is 0 on the left and 1 on the right.
    assert_eq!((class.maps, class.mean[7][0], class.mean[7][13]), (3, 0.666666667, 1.0));
}

#[test]
fn a_wrong_reason_names_the_object_with_the_heat() {
    // Heat on the left half of the view.
    let (map, _) = heat_of(&target(0, &[&[1.0, 1.0, 0.0, 0.0]])).unwrap();
    let of = |objects: &[(LabelRecord, Bounds)]| on_objects(&map, 0, objects, &VIEW);
    let (right, on) = of(&[(label(0), bounds(0.0, 5.0)), (label(1), bounds(5.0, 10.0))]).unwrap();
    assert_eq!((right.area, right.missed, on), (0.5, 0, None));
    assert!(right.energy > 0.9, "{}", right.energy);
    let (wrong, on) = of(&[(label(0), bounds(5.0, 10.0)), (label(1), bounds(0.0, 5.0))]).unwrap();
    assert_eq!((wrong.missed, on), (1, Some(label(1))));
    assert!((wrong.energy + right.energy - 1.0).abs() < 1e-5);
    // No other object, and one with less heat than the own.
    let (wrong, on) = of(&[(label(0), bounds(5.0, 10.0)), (label(1), bounds(9.0, 10.0))]).unwrap();
    assert_eq!((wrong.missed, on), (1, None));
    // Its own object is not in view, or there is none.
    assert!(of(&[(label(0), bounds(12.0, 20.0)), (label(1), bounds(0.0, 5.0))]).is_none());
    assert!(of(&[]).is_none());
}
