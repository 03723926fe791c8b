//! Cases that captum was run on: `f(x) = sum(w . x)^2` of a picture of ones.

use super::*;

const WEIGHTS: [f32; 6] = [0.1, 0.2, 0.3, 0.05, 0.25, 0.1];

fn squared(input: &[f32]) -> f64 {
    let sum: f64 =
        WEIGHTS.iter().zip(input).map(|(weight, value)| f64::from(*weight) * f64::from(*value)).sum();
    sum * sum
}

/// A point, two points, and half of everything.
fn changes(index: usize, values: &mut [f32]) {
    let change = [[1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 1.0, 0.0], [0.5; 6]][index];
    values.copy_from_slice(&change);
}

fn picture() -> Picture {
    Picture::new([1, 2, 3], vec![1.0; 6], vec![0.0], &mut squared).unwrap()
}

#[track_caller]
fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
}

#[test]
fn infidelity_is_that_of_captum() {
    let of = |relevances: [f32; 6], normalize| {
        infidelity(&picture(), &relevances, 3, normalize, changes, &mut squared).unwrap()
    };
    let gradient = WEIGHTS.map(|weight| 2.0 * weight);
    assert_near(of(gradient, false), 0.051_368_8);
    assert_near(of(gradient, true), 0.000_712_1);
    assert_near(of([1.0; 6], false), 2.388_202_0);
    assert_near(of([1.0; 6], true), 0.023_887_2);
}

#[test]
fn relevances_of_pixels_are_those_of_all_channels() {
    let mut sum = |input: &[f32]| input.iter().map(|value| f64::from(*value)).sum();
    let picture = Picture::new([2, 1, 2], vec![1.0; 4], vec![0.0; 2], &mut sum).unwrap();
    let of = |relevances: &[f32], sum: &mut dyn Scorer| {
        infidelity(&picture, relevances, 5, false, gaussian(1, 0.1), sum)
    };
    assert!(of(&[1.0; 2], &mut sum).unwrap() < 1e-12);
    assert!(of(&[1.0; 4], &mut sum).unwrap() < 1e-12);
    assert!(of(&[1.0, 0.5], &mut sum).unwrap() > 1e-4);
    assert_eq!(
        of(&[1.0; 3], &mut sum).unwrap_err().to_string(),
        "explanation has another size than the picture, expected 4 or 2 values, got 3"
    );
}

/// `w . x^2`, which moves with the picture.
fn products(values: &[f32]) -> Result<Vec<f32>, Error> {
    Ok(WEIGHTS.iter().zip(values).map(|(weight, value)| weight * value * value).collect())
}

/// Of a point, and of two points.
fn shifts(index: usize, values: &mut [f32]) {
    let shift = [[0.1, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, -0.1, 0.0, 0.1, 0.0]][index];
    values.copy_from_slice(&shift);
}

#[test]
fn sensitivity_is_that_of_captum() {
    let one = Sensitivity::new(&[1.0; 6], 1, shifts, products).unwrap();
    assert_near(one.max, 0.045_289_8);
    let both = Sensitivity::new(&[1.0; 6], 2, shifts, products).unwrap();
    assert_near(both.max, 0.167_126_9);
    assert_near(both.mean, (0.045_289_8 + 0.167_126_9) / 2.0);
    assert!(!both.is_blank);
}

#[test]
fn a_blank_explanation_counts_its_norm_as_one_and_says_so() {
    let explain = |values: &[f32]| Ok(vec![values[0] - 1.0, 0.0]);
    let found = Sensitivity::new(&[1.0; 6], 1, shifts, explain).unwrap();
    assert_near(found.max, 0.1);
    assert!(found.is_blank);
}

#[test]
fn explanations_of_different_sizes_are_refused_and_not_repeated() {
    let mut calls = 0;
    let explain = |_: &[f32]| {
        calls += 1;
        Ok(vec![1.0; calls])
    };
    let error = Sensitivity::new(&[1.0; 6], 1, shifts, explain).unwrap_err();
    assert_eq!(error.to_string(), "explanations of one picture differ in size, expected 1, got 2");
    let none = Sensitivity::new(&[1.0; 6], 0, shifts, products).unwrap_err();
    assert_eq!(none.to_string(), "number of perturbations is 0, expected 1 or more");
}

#[test]
fn perturbations_follow_the_seed_and_stay_in_their_radius() {
    let draw = |perturb: &mut dyn FnMut(usize, &mut [f32])| {
        let mut values = vec![0.0; 1000];
        perturb(0, &mut values);
        values
    };
    let uniformly = draw(&mut uniform(1, 0.02));
    assert_eq!(uniformly, draw(&mut uniform(1, 0.02)));
    assert_ne!(uniformly, draw(&mut uniform(2, 0.02)));
    assert!(uniformly.iter().all(|value| value.abs() <= 0.02));
    let (least, most) = uniformly
        .iter()
        .fold((1.0_f32, -1.0_f32), |(least, most), value| (least.min(*value), most.max(*value)));
    assert!(least < -0.019 && most > 0.019, "{least} {most}");
    assert_eq!(draw(&mut gaussian(1, 0.5)), draw(&mut gaussian(1, 0.5)));
}
