//! The table against difference quotients, known values and PyTorch's slopes.

use super::numbers::erf;
use super::*;

/// With settings for which no kink and no pole is at one of `PLACES`.
fn each() -> impl Iterator<Item = (Op, Function)> {
    all([0.3, 0.6]).map(|op| (op.clone(), op.function().unwrap()))
}

const PLACES: [f64; 8] = [0.05, 0.35, 0.9, 1.7, 2.9, 4.4, 5.7, 7.1];

/// Central differences of the value give the slope, those of the slope the curvature.
#[test]
fn slopes_and_curvatures_are_the_derivatives_of_the_values() {
    let step = 1e-5;
    for (op, function) in each() {
        let has_negatives = function.value(-1.0).is_finite();
        for place in PLACES.into_iter().flat_map(|place| [place, -place]) {
            if place < 0.0 && !has_negatives {
                continue;
            }
            let difference = |of: fn(Function, f64) -> f64| {
                (of(function, place + step) - of(function, place - step)) / (2.0 * step)
            };
            for (what, found, expected) in [
                ("slope", function.slope(place), difference(Function::value)),
                ("curvature", function.curvature(place), difference(Function::slope)),
            ] {
                let off = (found - expected).abs();
                assert!(
                    off < 1e-6 * expected.abs().max(1.0),
                    "{what} of {op:?} at {place}: {found}, {expected}"
                );
            }
        }
    }
}

#[test]
fn values_stay_in_their_range_and_reach_its_finite_ends() {
    for (op, function) in each() {
        let [least, most] = function.range();
        let found: Vec<f64> = (-40_000..=40_000)
            .map(|at| function.value(f64::from(at) / 1_000.0))
            .filter(|value| !value.is_nan())
            .collect();
        let [low, high] = [
            found.iter().copied().fold(f64::INFINITY, f64::min),
            found.iter().copied().fold(f64::MIN, f64::max),
        ];
        assert!(low >= least - 1e-6 && high <= most + 1e-6, "{op:?}: {low} to {high}");
        assert!(least == f64::NEG_INFINITY || low <= least + 1e-4, "{op:?}: {low}, expected {least}");
        assert!(most == f64::INFINITY || high >= most - 1e-4, "{op:?}: {high}, expected {most}");
    }
}

#[test]
fn the_error_function_has_its_known_values() {
    for (x, expected) in [
        (0.0, 0.0),
        (0.5, 0.520_499_877_813_046_5),
        (1.0, 0.842_700_792_949_714_9),
        (-2.0, -0.995_322_265_018_952_7),
        (3.5, 0.999_999_256_901_627_7),
        (7.0, 1.0),
    ] {
        assert!((erf(x) - expected).abs() < 4e-15, "{x}: {}", erf(x));
    }
}

#[test]
fn what_clips_is_a_clip_and_nothing_else_is() {
    let is_clip = |function: Function, [low, high]: [f64; 2]| {
        let places = PLACES.into_iter().flat_map(|place| [place, -place]);
        places.into_iter().all(|x| function.value(x) == x.max(low).min(high))
    };
    let mut clips = Vec::new();
    for (op, function) in each() {
        match op.clip() {
            Some(bounds) => {
                assert!(is_clip(function, bounds), "{op:?}");
                clips.push(op);
            }
            None => assert!(!is_clip(function, function.range()), "{op:?}"),
        }
    }
    assert_eq!(clips, [Op::Relu {}, Op::Clip { min: 0.3, max: 0.6 }]);
    assert_eq!(Op::Relu6 {}.clip(), Some([0.0, 6.0]));
    assert_eq!(Op::Minimum { scalar: Some(2.0) }.clip(), Some([f64::NEG_INFINITY, 2.0]));
    assert_eq!(Op::Maximum { scalar: Some(2.0) }.clip(), Some([2.0, f64::INFINITY]));
    assert_eq!(Op::Maximum { scalar: None }.clip(), None);
}

#[test]
fn a_kernel_has_the_settings_of_its_function() {
    use PointwiseKernel::{HardSigmoid, Leaky, Range};
    let kernel = |op: Op| op.pointwise_kernel();
    assert_eq!(kernel(Op::Clip { min: -0.1, max: 0.3 }), Some(Range([-0.1, 0.3])));
    assert_eq!(kernel(Op::Maximum { scalar: Some(2.0) }), Some(Range([2.0, f32::INFINITY])));
    assert_eq!(kernel(Op::LeakyRelu { slope: 0.2 }), Some(Leaky(0.2)));
    assert_eq!(kernel(Op::HardSigmoid { alpha: 0.2, beta: 0.5 }), Some(HardSigmoid([0.2, 0.5])));
    assert_eq!((kernel(Op::Maximum { scalar: None }), kernel(Op::Tanh {})), (None, None));
}

#[test]
fn a_pool_or_a_reduction_over_height_and_width_is_of_whole_maps() {
    use crate::card::Statistic;
    let mean = |axes: &[usize]| Op::ReduceMean { axes: axes.to_vec(), keep_dims: false }.of_whole_maps();
    assert_eq!((mean(&[2, 3]), mean(&[1, 2, 3]), mean(&[1])), (Some(Statistic::Mean), None, None));
    let pool = |side: usize| Op::AdaptiveAvgPool2d { output_size: [side, side] }.of_whole_maps();
    assert_eq!((pool(1), pool(2)), (Some(Statistic::Mean), None));
    assert_eq!(Op::GlobalMaxPool {}.of_whole_maps(), Some(Statistic::Max));
    assert_eq!(Op::Softmax { axis: 1 }.of_whole_maps(), None);
}

/// PyTorch's slopes where a function has a corner.
#[test]
fn at_a_kink_the_slope_is_that_of_pytorch() {
    let slope = |op: Op, x: f64| op.function().unwrap().slope(x);
    assert_eq!(slope(Op::Relu {}, 0.0), 0.0);
    assert_eq!([slope(Op::Relu6 {}, 0.0), slope(Op::Relu6 {}, 6.0)], [0.0, 0.0]);
    assert_eq!(slope(Op::LeakyRelu { slope: 0.2 }, 0.0), 0.2);
    assert_eq!(slope(Op::Elu { alpha: 0.5 }, 0.0), 0.5);
    let hard = Op::HardSigmoid { alpha: 0.5, beta: 0.5 };
    assert_eq!([slope(hard.clone(), -1.0), slope(hard, 1.0)], [0.0, 0.0]);
    assert_eq!([slope(Op::HardSwish {}, -3.0), slope(Op::HardSwish {}, 3.0)], [0.0, 1.0]);
    assert_eq!(slope(Op::Abs {}, 0.0), 0.0);
    assert_eq!(slope(Op::Sqrt { of_squares: true }, 0.0), 0.0);
}

#[test]
fn onnx_operators_become_operations_with_their_attributes() {
    let of = |name: &str| from_onnx(name, |_, default| Ok::<_, ()>(f64::from(default))).map(Result::unwrap);
    assert_eq!(of("Mish"), Some(Op::Mish {}));
    assert_eq!(of("Elu"), Some(Op::Elu { alpha: 1.0 }));
    let given = from_onnx("HardSigmoid", |name, _| Ok::<_, ()>(if name == "alpha" { 0.25 } else { 0.75 }));
    assert_eq!(given, Some(Ok(Op::HardSigmoid { alpha: 0.25, beta: 0.75 })));
    assert_eq!(of("Conv"), None);
}
