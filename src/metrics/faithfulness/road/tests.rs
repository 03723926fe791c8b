//! Masks and changes that pytorch-grad-cam was run on, and exact counts.

use super::*;

const WEIGHTS: [f64; 16] = [1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 3.0, 1.0, 0.0, 0.0, 1.0, 4.0];
const PICTURE: [f32; 16] = [1.0, 2.0, 0.0, 1.0, 0.0, 1.0, 2.0, 1.0, 1.0, 0.0, 2.0, 3.0, 1.0, 1.0, 0.0, 2.0];
const MAP: [f32; 16] = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.8, 0.7, 0.55, 0.6, 0.9, 1.0];

fn linear(input: &[f32]) -> f64 {
    WEIGHTS.iter().zip(input).map(|(weight, value)| weight * f64::from(*value)).sum()
}

fn picture() -> Picture {
    Picture::new([1, 4, 4], PICTURE.to_vec(), vec![0.0], &mut linear).unwrap()
}

fn map(values: &[f32]) -> Map {
    Map::new(4, 4, values.to_vec()).unwrap()
}

fn without_noise(removal: Removal) -> RoadSettings {
    RoadSettings { removal, noise: 0.0, seed: 0 }
}

#[track_caller]
fn assert_changes(found: &[Removed], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found.change - expected).abs() < 1e-6, "{found:?}, expected {expected}");
    }
}

#[track_caller]
fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
}

#[test]
fn kept_percentiles_give_the_changes_of_pytorch_grad_cam() {
    let settings = without_noise(Removal::KeptPercentiles(vec![20.0, 40.0, 60.0, 80.0]));
    let road = Road::new(&picture(), &map(&MAP), &settings, &mut linear).unwrap();
    assert_near(picture().score(), 20.0);
    assert_changes(&road.most_relevant, &[-9.767_659_2, -10.564_987_2, -5.471_965_8, -8.0]);
    assert_changes(&road.least_relevant, &[0.261_056_9, 2.139_144_9, -0.223_609_9, -0.408_027_6]);
    assert_near(road.morf(), -8.451_152_8);
    assert_near(road.lerf(), 0.442_141_1);
    assert_near(road.combined(), 4.446_646_7);
    let settings = RoadSettings { noise: 0.0, ..RoadSettings::of(Convention::PytorchGradCam) };
    let road = Road::new(&picture(), &map(&MAP), &settings, &mut linear).unwrap();
    assert_near(road.combined(), 3.044_518_2);
}

#[test]
fn shares_that_remove_the_same_pixels_as_percentiles_give_the_same_changes() {
    // Of sixteen values without ties, percentile 20 leaves 3, 40 leaves 6, 60 leaves 9, 80 leaves 12.
    let removed = [13.0, 10.0, 7.0, 4.0].map(|count| count / 16.0).to_vec();
    let road =
        Road::new(&picture(), &map(&MAP), &without_noise(Removal::Shares(removed)), &mut linear).unwrap();
    assert_changes(&road.most_relevant, &[-9.767_659_2, -10.564_987_2, -5.471_965_8, -8.0]);
    assert_changes(&road.least_relevant, &[0.261_056_9, 2.139_144_9, -0.223_609_9, -0.408_027_6]);
    assert_eq!(road.most_relevant[3].share, 0.25);
    assert_eq!(road.most_relevant[3].tied, 0.0);
}

#[test]
fn the_network_sees_the_filled_picture() {
    let mut seen = Vec::new();
    let mut scorer = |input: &[f32]| {
        seen.push(input.to_vec());
        0.0
    };
    let settings = without_noise(Removal::KeptPercentiles(vec![80.0]));
    Road::new(&picture(), &map(&MAP), &settings, &mut scorer).unwrap();
    let expected =
        [1.0, 2.0, 0.0, 1.0, 0.0, 1.0, 2.0, 1.0, 1.0, 0.0, 1.0, 10.0 / 9.0, 1.0, 1.0, 8.0 / 9.0, 1.0];
    for (found, expected) in seen[0].iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
    }
}

/// A rectified map: most of its values are 0.
const RECTIFIED: [f32; 16] = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.0, 0.2, 0.5, 0.3, 0.0, 0.4, 1.0, 0.7];

#[test]
fn percentiles_among_ties_remove_the_whole_picture_and_are_those_of_pytorch_grad_cam() {
    let percents = vec![10.0, 20.0, 50.0, 60.0, 70.0, 80.0, 90.0];
    let sets = Removal::KeptPercentiles(percents).sets(&map(&RECTIFIED));
    let kept: Vec<usize> = sets.iter().map(|set| 16 - set.pixels.len()).collect();
    assert_eq!(kept, [0, 0, 0, 9, 11, 12, 14, 2, 3, 7, 7, 7, 7, 7]);
    let mut sorted = RECTIFIED.to_vec();
    sorted.sort_by(f32::total_cmp);
    let thresholds = [50.0, 60.0, 70.0, 80.0, 90.0].map(|percent| percentile(&sorted, percent));
    for (found, expected) in thresholds.iter().zip([0.0, 0.1, 0.25, 0.4, 0.6]) {
        assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
    }
}

#[test]
fn shares_among_ties_are_exact_and_say_what_the_order_of_rows_chose() {
    let sets = Removal::Shares(vec![0.25, 0.5, 0.75]).sets(&map(&RECTIFIED));
    let counts: Vec<usize> = sets.iter().map(|set| set.pixels.len()).collect();
    assert_eq!(counts, [4, 8, 12, 4, 8, 12]);
    // Seven pixels are not 0: of eight removed one is chosen among nine zeros, of twelve five.
    let tied: Vec<f64> = sets.iter().map(|set| set.tied).collect();
    assert_eq!(tied, [0.0, 1.0 / 8.0, 5.0 / 12.0, 1.0, 1.0, 0.0]);
}

#[test]
fn a_constant_map_is_worth_exactly_nothing() {
    let settings = RoadSettings::default();
    let road = Road::new(&picture(), &map(&[0.5; 16]), &settings, &mut linear).unwrap();
    assert_eq!(road.combined(), 0.0);
}

#[test]
fn noise_follows_the_seed_and_touches_removed_pixels_alone() {
    let mut seen: Vec<Vec<f32>> = Vec::new();
    for seed in [1, 1, 2] {
        let settings = RoadSettings { removal: Removal::Shares(vec![0.25]), noise: 0.01, seed };
        let mut scorer = |input: &[f32]| {
            seen.push(input.to_vec());
            0.0
        };
        Road::new(&picture(), &map(&MAP), &settings, &mut scorer).unwrap();
    }
    assert_eq!(seen[0], seen[2]);
    assert_ne!(seen[0], seen[4]);
    for (pixel, (first, second)) in seen[0].iter().zip(&seen[4]).enumerate() {
        assert_eq!(first != second, [10, 11, 14, 15].contains(&pixel), "pixel {pixel}");
        assert!((first - second).abs() < 0.1);
    }
}

#[test]
fn steps_out_of_their_range_are_refused() {
    let message = |removal| {
        let road = Road::new(&picture(), &map(&MAP), &without_noise(removal), &mut linear);
        road.unwrap_err().to_string()
    };
    assert_eq!(
        message(Removal::Shares(vec![0.2, 20.0])),
        "share of pixels to remove is out of its range, expected 0 to 1, got 20"
    );
    assert_eq!(message(Removal::KeptPercentiles(vec![])), "there is no share of pixels to remove");
}

#[test]
fn fewer_steps_are_those_of_a_run_of_their_own() {
    let all = RoadSettings { seed: 3, ..RoadSettings::default() };
    let fewer = Removal::Shares([20.0, 40.0, 60.0, 80.0].map(|share| share / 100.0).to_vec());
    let road = Road::new(&picture(), &map(&MAP), &all, &mut linear).unwrap();
    let alone = RoadSettings { removal: fewer.clone(), ..all };
    let alone = Road::new(&picture(), &map(&MAP), &alone, &mut linear).unwrap();
    assert_eq!(road.with_fewer(&all, &fewer), Some(alone));
    assert_eq!(road.with_fewer(&all, &Removal::Shares(vec![0.2, 0.25])), None);
    assert_eq!(road.with_fewer(&all, &Removal::KeptPercentiles(vec![20.0])), None);
}
