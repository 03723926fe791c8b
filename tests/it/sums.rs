//! Long sums stay near the true ones at any size, and pools whose windows are far outside are computed and do not panic.

use burncam::internal::{MapRequest, Scene};
use burncam::{Engine, Finish, Method, Model, Options, Picture, Runtime, Score, Smoothing, Subject};
use burncam_engine::Network;

use crate::support::{Made, card, device, distance, fixture, made, magnitude, seeded, tensor};

/// Of the greatest number that was summed.
const ERROR: f64 = 1e-6;

/// Burn on both devices, and the native kernels.
fn runtimes() -> [(&'static str, Runtime); 3] {
    let of = |on, engine| Runtime { engine, ..Runtime::from(&device(on)) };
    [
        ("flex", of("flex", Engine::Burn)),
        ("ndarray", of("ndarray", Engine::Burn)),
        ("native", of("flex", Engine::Native(None))),
    ]
}

/// What `nodes` make of the grey input, whose last value `y` has `[1, n, 1, 1]` or more places.
fn network(side: usize, nodes: &str) -> Made {
    let nodes = format!(
        r#"{{ "name": "x", "op": "conv2d", "inputs": ["input"], "params": {{ "weight": "one" }} }}, {nodes},
           {{ "name": "flat", "op": "flatten", "inputs": ["y"] }}"#
    );
    made(&card(side, side, &nodes, "flat"), vec![tensor("one", &[1, 1, 1, 1], &[1.0])])
}

fn constant_and_random(side: usize) -> [Vec<f32>; 2] {
    let random = seeded("long.input", &[side * side]);
    // All above zero, which is what makes a sum drift.
    [vec![0.101_960_79; side * side], random.iter().map(|value| value.abs()).collect()]
}

#[track_caller]
fn agrees(what: &str, side: usize, nodes: &str, exact: &dyn Fn(&[f32]) -> Vec<f64>) {
    let made = network(side, nodes);
    for input in constant_and_random(side) {
        let expected = exact(&input);
        let allowed = ERROR * f64::from(magnitude(&input));
        for (name, runtime) in runtimes() {
            let found = Network::load(&made.model, &[], &runtime).unwrap().logits(input.clone()).unwrap();
            assert_eq!(found.len(), expected.len(), "{what}, {name}");
            for (found, expected) in found.iter().zip(&expected) {
                let off = (f64::from(*found) - expected).abs();
                assert!(off < allowed, "{what} at {side}, {name}: {found}, expected {expected}, {off:e} off");
            }
        }
    }
}

fn mean(values: impl Iterator<Item = f32>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + f64::from(value), count + 1.0));
    sum / count
}

#[test]
fn means_of_whole_maps_are_right_at_any_size() {
    let nodes = [
        (r#""op": "global_avg_pool""#, &[33, 224, 1024, 2048][..]),
        (r#""op": "adaptive_avg_pool2d", "output_size": [1, 1]"#, &[33, 1024]),
        (r#""op": "reduce_mean", "axes": [2, 3], "keep_dims": true"#, &[33, 1024]),
    ];
    for (node, sides) in nodes {
        for &side in sides {
            let nodes = format!(r#"{{ "name": "y", "inputs": ["x"], {node} }}"#);
            agrees(node, side, &nodes, &|input| vec![mean(input.iter().copied())]);
        }
    }
}

/// Means over windows `[top, bottom, left, right]` of the input, divided by a given count.
fn windows(input: &[f32], side: usize, windows: &[([usize; 4], usize)]) -> Vec<f64> {
    let sum = |[top, bottom, left, right]: [usize; 4]| {
        let rows = (top..bottom).flat_map(|row| &input[row * side + left..row * side + right]);
        rows.map(|value| f64::from(*value)).sum::<f64>()
    };
    windows.iter().map(|(window, count)| sum(*window) / *count as f64).collect()
}

#[test]
fn means_of_long_windows_are_right() {
    let side = 1000;
    let span = |at: usize| [at * side / 3, ((at + 1) * side).div_ceil(3)];
    let cells: Vec<([usize; 4], usize)> = (0..9)
        .map(|at| {
            let ([top, bottom], [left, right]) = (span(at / 3), span(at % 3));
            ([top, bottom, left, right], (bottom - top) * (right - left))
        })
        .collect();
    let nodes = r#"{ "name": "y", "inputs": ["x"], "op": "adaptive_avg_pool2d", "output_size": [3, 3] }"#;
    agrees("adaptive", side, nodes, &|input| windows(input, side, &cells));
    // Windows begin 100 before the input, every 400: -100..300, 300..700, 700..1100.
    let span = |at: usize| [(400 * at).saturating_sub(100), (400 * at + 300).min(side)];
    for padding_counts in [true, false] {
        let cells: Vec<([usize; 4], usize)> = (0..9)
            .map(|at| {
                let ([top, bottom], [left, right]) = (span(at / 3), span(at % 3));
                let inside = (bottom - top) * (right - left);
                ([top, bottom, left, right], if padding_counts { 160_000 } else { inside })
            })
            .collect();
        let nodes = format!(
            r#"{{ "name": "y", "inputs": ["x"], "op": "avg_pool2d", "kernel": [400, 400], "stride": [400, 400],
                  "padding": [100, 100, 100, 100], "count_include_pad": {padding_counts} }}"#
        );
        agrees("average", side, &nodes, &|input| windows(input, side, &cells));
    }
}

/// A linear layer whose weights are all the same: a mean, times the number of its features.
#[test]
fn linear_layers_over_many_features_are_right() {
    for side in [64, 91, 224] {
        let nodes = r#"
            { "name": "x", "op": "relu", "inputs": ["input"] },
            { "name": "flat", "op": "flatten", "inputs": ["x"] },
            { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "weight", "bias": "bias" } }"#;
        let count = side * side;
        let weight = tensor("weight", &[count, 2], &vec![1.0 / 4096.0; count * 2]);
        let made = made(&card(side, side, nodes, "fc"), vec![weight, tensor("bias", &[2], &[0.5, -0.5])]);
        for input in constant_and_random(side) {
            let sum = mean(input.iter().copied()) * count as f64 / 4096.0;
            for (name, runtime) in runtimes() {
                let network = Network::load(&made.model, &[0], &runtime).unwrap();
                let found = network.logits(input.clone()).unwrap();
                for (found, expected) in found.iter().zip([sum + 0.5, sum - 0.5]) {
                    let off = (f64::from(*found) - expected).abs() / sum;
                    assert!(off < 3e-6, "{side}, {name}: {found}, expected {expected}");
                }
                let trunk = network.trunk(input.clone()).unwrap();
                let evidence = network.record(&trunk).unwrap().evidence(&Score::Logit, 1).unwrap().remove(0);
                assert!(evidence.gradients.values.iter().all(|value| *value == 1.0 / 4096.0), "{name}");
            }
        }
    }
}

#[test]
fn norms_over_large_maps_are_right() {
    let side = 1024;
    let nodes = r#"
        { "name": "norm", "op": "group_norm", "groups": 1, "inputs": ["x"] },
        { "name": "y", "op": "slice", "axis": 3, "start": 0, "end": 1, "inputs": ["norm"] }"#;
    let made = network(side, nodes);
    let [_, random] = constant_and_random(side);
    let input: Vec<f32> = random.iter().map(|value| value + 4.0).collect();
    let middle = mean(input.iter().copied());
    let variance = input.iter().map(|value| (f64::from(*value) - middle).powi(2)).sum::<f64>();
    let deviation = (variance / input.len() as f64 + 1e-5).sqrt();
    let expected: Vec<f32> =
        input.iter().step_by(side).map(|value| ((f64::from(*value) - middle) / deviation) as f32).collect();
    for (name, runtime) in runtimes() {
        let found = Network::load(&made.model, &[], &runtime).unwrap().logits(input.clone()).unwrap();
        let off = distance(&found, &expected);
        assert!(off < 3e-6 * magnitude(&expected), "{name}: {off:e} off");
    }
}

/// The gradient of a mean over a given number of values is the same everywhere.
#[test]
fn gradients_of_long_means_are_one_over_their_number() {
    let side = 96;
    let made = network(side, r#"{ "name": "y", "op": "global_avg_pool", "inputs": ["x"] }"#);
    for (name, runtime) in runtimes() {
        let network = Network::load(&made.model, &[0], &runtime).unwrap();
        let trunk = network.trunk(seeded("input", &[side * side])).unwrap();
        let evidence = network.record(&trunk).unwrap().evidence(&Score::Logit, 0).unwrap().remove(0);
        let one = 1.0 / (side * side) as f32;
        let off = evidence.gradients.values.iter().map(|value| (value - one).abs()).fold(0.0, f32::max);
        assert!(off < 1e-6 * one, "{name}: {off:e} off");
    }
}

fn case(name: &str) -> Model {
    Model::open(&fixture(&format!("cases/numbers/{name}.bpk")), None).unwrap()
}

fn subject(model: &Model, picture: &str) -> Subject {
    let path = fixture(&format!("cases/numbers/{picture}.png"));
    Subject::from_picture(Picture::open(&path, [255, 255, 255]).unwrap(), picture, model).unwrap()
}

#[test]
fn a_grey_picture_has_its_grey_as_mean() {
    for name in ["mean_of_224x224", "mean_of_1024x1024"] {
        let model = case(name);
        let input = subject(&model, "grey26").values;
        for (on, runtime) in runtimes() {
            let logits = Network::load(&model, &[], &runtime).unwrap().logits(input.clone()).unwrap();
            let off = (f64::from(logits[0]) - 26.0 / 255.0).abs();
            assert!(off < ERROR * 26.0 / 255.0, "{name}, {on}: {} is {off:e} off", logits[0]);
        }
    }
}

/// There are more rows of padding than of output. Burn's `ndarray` took the former for places of the latter.
#[test]
fn more_padding_than_output_is_no_panic() {
    let model = case("more_padding_than_output");
    let input = subject(&model, "noise").values;
    let [flex, ndarray, native] = runtimes()
        .map(|(_, runtime)| Network::load(&model, &[], &runtime).unwrap().logits(input.clone()).unwrap());
    assert!(distance(&ndarray, &flex) < 1e-5 * magnitude(&flex), "{ndarray:?} and {flex:?}");
    assert!(distance(&native, &flex) < 1e-5 * magnitude(&flex), "{native:?} and {flex:?}");
}

/// All columns of the layer are the same but for rounding, which each engine does in its own way.
#[test]
fn engines_agree_on_what_is_only_rounding() {
    let model = case("equal_columns");
    let values = subject(&model, "noise").values;
    let layer = model.graph().position("n4").unwrap();
    let blank = |method: Method, signed: bool, runtime: &Runtime| {
        let network = Network::load(&model, &[layer], runtime).unwrap();
        let mut scene = Scene::new(&network, &values).unwrap();
        let mut options = Options::default();
        options.signed = signed;
        let options = &options;
        let (finish, smoothing) = (Finish::default(), Smoothing::default());
        let (methods, classes, score) = (&[method], &[0], Score::Logit);
        let request = MapRequest { methods, classes, score, finish, smoothing, options };
        scene.class_maps(&request).unwrap()[0][0].finding
    };
    let on_layers = Method::ALL.iter().filter(|method| method.info().uses_layer);
    let several = [Method::RefineCam, Method::GuidedGradCam];
    for method in on_layers.filter(|method| !several.contains(method)) {
        for signed in [false, true] {
            let [flex, ndarray, native] = runtimes().map(|(_, runtime)| blank(*method, signed, &runtime));
            assert_eq!((ndarray, native), (flex, flex), "{}", method.info().name);
        }
    }
}
