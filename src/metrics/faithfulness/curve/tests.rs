//! Curves that torchcam was run on, and the steps of each library.

use super::*;

const WEIGHTS: [f64; 6] = [0.1, 0.2, 0.3, 0.05, 0.25, 0.1];

fn linear(input: &[f32]) -> f64 {
    WEIGHTS.iter().zip(input).map(|(weight, value)| weight * f64::from(*value)).sum()
}

/// Areas of deletion and insertion of a picture of ones.
fn areas(map: [f32; 6], settings: &CurveSettings, mut scorer: impl Scorer) -> [f64; 2] {
    let picture = Picture::new([1, 2, 3], vec![1.0; 6], vec![0.5], &mut scorer).unwrap();
    let map = Map::new(2, 3, map.to_vec()).unwrap();
    [Direction::Deletion, Direction::Insertion]
        .map(|direction| Curve::new(&picture, &map, direction, settings, &mut scorer).unwrap().area)
}

fn steps(steps: usize) -> CurveSettings {
    CurveSettings { steps: Steps::RoundedUp(steps), ..CurveSettings::of(Convention::Torchcam).unwrap() }
}

#[track_caller]
fn assert_near(found: [f64; 2], expected: [f64; 2]) {
    let is_near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6);
    assert!(is_near, "{found:?}, expected {expected:?}");
}

const FIRST: [f32; 6] = [0.9, 0.1, 0.8, 0.2, 1.0, 0.3];
const TIES: [f32; 6] = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0];

#[test]
fn areas_are_those_of_torchcam() {
    assert_near(areas(FIRST, &steps(6), linear), [0.45, 0.55]);
    assert_near(areas(FIRST, &steps(3), linear), [0.466_666_7, 0.533_333_3]);
    assert_near(areas(FIRST, &steps(4), linear), [0.466_666_7, 0.533_333_3]);
    assert_near(areas(TIES, &steps(6), linear), [0.433_333_3, 0.566_666_7]);
    assert_near(areas(TIES, &steps(3), linear), [0.416_666_7, 0.583_333_3]);
    let best = WEIGHTS.map(|weight| weight as f32);
    assert_near(areas(best, &steps(6), linear), [0.35, 0.65]);
}

#[test]
fn areas_of_another_baseline_are_those_of_torchcam() {
    let black = CurveSettings { deletion: Baseline::Black, insertion: Baseline::Black, ..steps(6) };
    assert_near(areas(FIRST, &black, linear), [0.725, 0.775]);
}

#[test]
fn areas_of_a_softmax_against_a_class_with_a_constant_logit_are_those_of_torchcam() {
    let softmax = |input: &[f32]| 1.0 / (1.0 + (1.0 - linear(input)).exp());
    assert_near(areas(FIRST, &steps(6), softmax), [0.368_252_2, 0.391_608_9]);
}

#[test]
fn the_curve_is_kept_and_says_how_much_of_it_is_ties() {
    let picture = Picture::new([1, 2, 3], vec![1.0; 6], vec![0.0], &mut linear).unwrap();
    let map = Map::new(2, 3, TIES.to_vec()).unwrap();
    let curve = Curve::new(&picture, &map, Direction::Deletion, &steps(3), &mut linear).unwrap();
    assert_eq!(curve.shares, [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0]);
    for (found, expected) in curve.scores.iter().zip([1.0, 0.6, 0.15, 0.0]) {
        assert!((found - expected).abs() < 1e-7, "{found}, expected {expected}");
    }
    assert_eq!(curve.tied_share, 1.0);
}

#[test]
fn steps_end_at_the_pixels_of_each_library() {
    assert_eq!(Steps::OfOneRow.counts(3, 6), [0, 3, 6]);
    assert_eq!(Steps::RoundedUp(4).counts(3, 6), [0, 2, 4, 6]);
    assert_eq!(Steps::RoundedUp(20).counts(3, 6), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(Steps::RoundedUp(4).counts(5, 10), [0, 3, 6, 9, 10]);
    assert_eq!(Steps::RoundedDown(4).counts(3, 6), [0, 1, 3, 4, 6]);
}

#[test]
fn equal_steps_ignore_that_the_last_step_is_shorter() {
    let (shares, scores) = ([0.0, 0.4, 0.8, 1.0], [1.0, 0.5, 0.25, 0.0]);
    assert!((Area::TrueShares.below(&shares, &scores) - 0.475).abs() < 1e-12);
    assert!((Area::EqualSteps.below(&shares, &scores) - 1.25 / 3.0).abs() < 1e-12);
}

#[test]
fn insertion_starts_from_the_blurred_picture_by_default() {
    let mut seen = Vec::new();
    let mut scorer = |input: &[f32]| {
        seen.push(input.to_vec());
        1.0
    };
    let values: Vec<f32> = (0..36).map(|value| value as f32).collect();
    let picture = Picture::new([1, 6, 6], values.clone(), vec![0.0], &mut scorer).unwrap();
    let map = Map::new(6, 6, values.clone()).unwrap();
    let settings = CurveSettings::default();
    let curve = Curve::new(&picture, &map, Direction::Insertion, &settings, &mut scorer).unwrap();
    assert_eq!(curve.scores, [1.0; 7]);
    assert_eq!(seen[1], Baseline::Blurred.of(&picture));
    assert_eq!(seen[2][..30], seen[1][..30]);
    assert_eq!(seen[2][30..], values[30..]);
    // The last step is the picture itself, whose score was asked for before.
    assert_eq!((seen.len(), seen[6][..6] == seen[1][..6], &seen[6][6..]), (7, true, &values[6..]));
}

#[test]
fn a_pixel_changes_in_all_channels() {
    let mut seen = Vec::new();
    let mut scorer = |input: &[f32]| {
        seen.push(input.to_vec());
        0.0
    };
    let picture = Picture::new([2, 1, 2], vec![1.0, 2.0, 3.0, 4.0], vec![-1.0, -2.0], &mut scorer).unwrap();
    let map = Map::new(1, 2, vec![0.0, 1.0]).unwrap();
    let settings =
        CurveSettings { deletion: Baseline::Black, steps: Steps::RoundedUp(2), ..CurveSettings::default() };
    Curve::new(&picture, &map, Direction::Deletion, &settings, &mut scorer).unwrap();
    assert_eq!(seen[1..], [[1.0, -1.0, 3.0, -2.0], [-1.0, -1.0, -2.0, -2.0]]);
}
