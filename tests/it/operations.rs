//! Operations against plain loops: convolution and pooling over random settings, the rest by hand.

use burncam::Model;
use burncam_engine::Network;
use burncam_model::StoredTensor;
use proptest::prelude::*;

mod norms;
mod refusals;
mod resize;
mod slopes;
mod stored;

use crate::support::{Made, card, device, distance, made, magnitude, seeded, tensor};

/// Runs nodes whose last value is flattened into the logits.
fn run(made: &Made, input: &[f32], on: &str) -> Vec<f32> {
    Network::load(&made.model, &[0], &device(on)).unwrap().logits(input.to_vec()).unwrap()
}

/// Numbers that are half apart, in no order, and none near zero.
const INPUT: [f32; 12] = [-2.6, 0.9, -1.6, 1.9, -0.6, 2.9, 0.4, -2.1, 1.4, -1.1, 2.4, -0.1];

/// The one value of `node` (reading `x`, made of `channels` channels from the grey input) on both devices.
fn values(node: &str, channels: usize, height: usize, width: usize, input: &[f32]) -> [Vec<f32>; 2] {
    let shape = [channels, height, width];
    values_with(node, vec![], shape, input)
}

/// The value of an operation that reads `INPUT` as two channels of 2x3 and has these tensors, on both devices.
fn with_tensors(fields: &str, tensors: Vec<StoredTensor>) -> [Vec<f32>; 2] {
    values_with(&format!(r#"{{ "name": "y", "inputs": ["x"], {fields} }}"#), tensors, [2, 2, 3], &INPUT)
}

/// Both devices gave these numbers.
#[track_caller]
fn agrees(what: &str, found: &[Vec<f32>; 2], expected: &[f32]) {
    for found in found {
        assert!(found.iter().all(|value| value.is_finite()), "{what}: {found:?}");
        let limit = 1e-5 * magnitude(expected).max(1.0);
        assert!(distance(found, expected) < limit, "{what}: {found:?}, expected {expected:?}");
    }
}

fn values_with(
    node: &str,
    tensors: Vec<StoredTensor>,
    [channels, height, width]: [usize; 3],
    input: &[f32],
) -> [Vec<f32>; 2] {
    let nodes = format!(
        r#"{{ "name": "x", "op": "reshape", "inputs": ["input"], "shape": [0, {channels}, {height}, {width}] }},
           {node}, {{ "name": "flat", "op": "flatten", "inputs": ["y"] }}"#
    );
    let network = made(&card(channels * height, width, &nodes, "flat"), tensors);
    ["flex", "ndarray"].map(|on| run(&network, input, on))
}

#[derive(Debug, Clone)]
struct Window {
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 4],
    dilation: [usize; 2],
    ceil: bool,
}

fn windows(dilated: bool) -> impl Strategy<Value = Window> {
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    let most = if dilated { 3 } else { 2 };
    (pair(5..9), pair(1..4), pair(1..4), pair(1..most), any::<bool>(), any::<u32>()).prop_map(
        |(size, kernel, stride, dilation, ceil, noise)| {
            // Padding must be smaller than the kernel; half of it is PyTorch's limit.
            let side = |bit: u32, kernel: usize| if noise >> bit & 1 == 1 { kernel / 2 } else { 0 };
            let padding = [side(0, kernel[0]), side(1, kernel[0]), side(2, kernel[1]), side(3, kernel[1])];
            Window { size, kernel, stride, padding, dilation, ceil }
        },
    )
}

impl Window {
    /// How many windows there are along an axis, by trying each start.
    fn count(&self, axis: usize) -> usize {
        let (before, after) = (self.padding[2 * axis], self.padding[2 * axis + 1]);
        let reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
        let padded = self.size[axis] + before + after;
        (0..)
            .map(|index| index * self.stride[axis])
            .take_while(|start| {
                let fits = start + reach <= padded;
                // A window that hangs over must begin in the input or the padding before it.
                let hangs = self.ceil
                    && *start < self.size[axis] + before
                    && start + reach < padded + self.stride[axis];
                fits || hangs
            })
            .count()
    }

    /// Input positions along an axis that window `index` reads; `None` is padding or beyond.
    fn positions(&self, axis: usize, index: usize) -> Vec<Option<usize>> {
        let start = (index * self.stride[axis]) as isize - self.padding[2 * axis] as isize;
        (0..self.kernel[axis])
            .map(|tap| start + (tap * self.dilation[axis]) as isize)
            .map(|at| usize::try_from(at).ok().filter(|at| *at < self.size[axis]))
            .collect()
    }

    /// Height of the window inside input or padding, for averages that count padding.
    fn extent(&self, axis: usize, index: usize) -> usize {
        let padded = self.size[axis] + self.padding[2 * axis] + self.padding[2 * axis + 1];
        self.kernel[axis].min(padded - index * self.stride[axis])
    }

    fn json(&self) -> String {
        format!(r#""stride": {:?}, "padding": {:?}"#, self.stride, self.padding)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolution_is_the_sum_that_its_name_says(window in windows(true), grouped in any::<bool>()) {
        let [height, width] = window.size;
        let (groups, per_group) = if grouped { (2, 1) } else { (1, 2) };
        let shape = [4, per_group, window.kernel[0], window.kernel[1]];
        let (kernels, bias) = (seeded("k.weight", &shape), seeded("k.bias", &[4]));
        let window = Window { ceil: false, ..window };
        prop_assume!(window.count(0) > 0 && window.count(1) > 0);
        let node = format!(
            r#"{{ "name": "x", "op": "reshape", "inputs": ["input"], "shape": [0, 2, {height}, {width}] }},
               {{ "name": "y", "op": "conv2d", "inputs": ["x"], "params": {{ "weight": "w", "bias": "b" }}, {}, "dilation": {:?}, "groups": {groups} }},
               {{ "name": "flat", "op": "flatten", "inputs": ["y"] }}"#,
            window.json(), window.dilation
        );
        let network = made(&card(2 * height, width, &node, "flat"), vec![tensor("w", &shape, &kernels), tensor("b", &[4], &bias)]);
        let input = seeded("input", &[2, height, width]);
        let mut expected = Vec::new();
        for (out, bias) in bias.iter().enumerate() {
            for y in 0..window.count(0) {
                for x in 0..window.count(1) {
                    let mut sum = f64::from(*bias);
                    for inner in 0..per_group {
                        let channel = if grouped { out / 2 } else { inner };
                        for (i, row) in window.positions(0, y).into_iter().enumerate() {
                            for (j, column) in window.positions(1, x).into_iter().enumerate() {
                                let (Some(row), Some(column)) = (row, column) else { continue };
                                let weight = ((out * per_group + inner) * window.kernel[0] + i) * window.kernel[1] + j;
                                sum += f64::from(kernels[weight]) * f64::from(input[(channel * height + row) * width + column]);
                            }
                        }
                    }
                    expected.push(sum as f32);
                }
            }
        }
        for on in ["flex", "ndarray"] {
            let found = run(&network, &input, on);
            prop_assert!(distance(&found, &expected) <= 1e-5 * magnitude(&expected).max(1.0), "{on}");
        }
    }

    #[test]
    fn pooling_is_pytorchs(window in windows(false), include in any::<bool>()) {
        let [height, width] = window.size;
        let input = seeded("input", &[2, height, width]);
        let (mut greatest, mut means) = (Vec::new(), Vec::new());
        for channel in input.chunks(height * width) {
            for y in 0..window.count(0) {
                for x in 0..window.count(1) {
                    let rows: Vec<usize> = window.positions(0, y).into_iter().flatten().collect();
                    let columns: Vec<usize> = window.positions(1, x).into_iter().flatten().collect();
                    let seen: Vec<f32> = rows.iter().flat_map(|row| columns.iter().map(move |column| channel[row * width + column])).collect();
                    greatest.push(seen.iter().copied().fold(f32::NEG_INFINITY, f32::max));
                    let count = if include { window.extent(0, y) * window.extent(1, x) } else { seen.len() };
                    means.push(seen.iter().sum::<f32>() / count as f32);
                }
            }
        }
        let settings = format!(r#""inputs": ["x"], "kernel": {:?}, {}, "ceil_mode": {}"#, window.kernel, window.json(), window.ceil);
        let max = format!(r#"{{ "name": "y", "op": "max_pool2d", {settings} }}"#);
        for found in values(&max, 2, height, width, &input) {
            prop_assert_eq!(&found, &greatest);
        }
        let mean = format!(r#"{{ "name": "y", "op": "avg_pool2d", {settings}, "count_include_pad": {include} }}"#);
        for found in values(&mean, 2, height, width, &input) {
            prop_assert!(distance(&found, &means) < 1e-5, "{found:?} {means:?}");
        }
    }
}

/// `node` reads `x`, the numbers 0 to 11 as two channels of 2x3.
#[track_caller]
fn gives(node: &str, expected: &[f32]) {
    let input: Vec<f32> = (0..12_u8).map(f32::from).collect();
    for found in values(&format!(r#"{{ "name": "y", "inputs": ["x"], {node} }}"#), 2, 2, 3, &input) {
        assert!(distance(&found, expected) < 1e-5, "{node}: {found:?}");
    }
}

#[test]
fn shapes_are_changed_as_the_names_say() {
    gives(r#""op": "transpose", "perm": [0, 2, 3, 1]"#, &[0., 6., 1., 7., 2., 8., 3., 9., 4., 10., 5., 11.]);
    gives(
        r#""op": "slice", "axis": 3, "start": 0, "end": 99, "step": 2"#,
        &[0., 2., 3., 5., 6., 8., 9., 11.],
    );
    gives(r#""op": "split", "axis": 1, "sizes": [1, 1], "part": 1"#, &[6., 7., 8., 9., 10., 11.]);
    gives(r#""op": "split", "axis": 3, "sizes": [1, 2], "part": 0"#, &[0., 3., 6., 9.]);
    gives(r#""op": "reshape", "shape": [0, -1, 2]"#, &[0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11.]);
    gives(r#""op": "unsqueeze", "axes": [1, 3]"#, &[0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11.]);
    gives(
        r#""op": "pad", "padding": [0, 1, 1, 0], "value": 9"#,
        &[9., 0., 1., 2., 9., 3., 4., 5., 9., 9., 9., 9., 9., 6., 7., 8., 9., 9., 10., 11., 9., 9., 9., 9.],
    );
    gives(
        r#""op": "pad", "padding": [0, 0, 0, 1], "mode": "edge""#,
        &[0., 1., 2., 2., 3., 4., 5., 5., 6., 7., 8., 8., 9., 10., 11., 11.],
    );
    gives(
        r#""op": "pad", "padding": [0, 0, 1, 0], "mode": "reflect""#,
        &[1., 0., 1., 2., 4., 3., 4., 5., 7., 6., 7., 8., 10., 9., 10., 11.],
    );
}

#[test]
fn reductions_and_global_pools_agree() {
    gives(r#""op": "reduce_mean", "axes": [2, 3]"#, &[2.5, 8.5]);
    gives(r#""op": "global_avg_pool""#, &[2.5, 8.5]);
    gives(r#""op": "reduce_sum", "axes": [1], "keep_dims": true"#, &[6., 8., 10., 12., 14., 16.]);
    gives(r#""op": "reduce_max", "axes": [2]"#, &[3., 4., 5., 9., 10., 11.]);
    gives(r#""op": "global_max_pool""#, &[5., 11.]);
    gives(r#""op": "adaptive_avg_pool2d", "output_size": [1, 2]"#, &[2., 3., 8., 9.]);
}

#[test]
fn arithmetic_takes_numbers_parameters_and_values_that_broadcast() {
    gives(r#""op": "mul", "scalar": 0.5"#, &[0., 0.5, 1., 1.5, 2., 2.5, 3., 3.5, 4., 4.5, 5., 5.5]);
    gives(r#""op": "sub", "scalar": 1.0"#, &[-1., 0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10.]);
    let nodes = r#"
        { "name": "mean", "op": "global_avg_pool", "inputs": ["input"] },
        { "name": "centred", "op": "sub", "inputs": ["input", "mean"] },
        { "name": "scaled", "op": "div", "inputs": ["centred"], "params": { "other": "columns" } },
        { "name": "square", "op": "matmul", "inputs": ["scaled", "scaled"] },
        { "name": "flat", "op": "flatten", "inputs": ["square"] }"#;
    let network = made(&card(2, 2, nodes, "flat"), vec![tensor("columns", &[2], &[1.0, 2.0])]);
    // [[1, 3], [5, 7]] - 4 = [[-3, -1], [1, 3]]; columns by 1 and 2: [[-3, -0.5], [1, 1.5]]; squared as a matrix.
    for on in ["flex", "ndarray"] {
        let found = run(&network, &[1.0, 3.0, 5.0, 7.0], on);
        assert!(distance(&found, &[8.5, 0.75, -1.5, 1.75]) < 1e-5, "{found:?}");
    }
}

#[test]
fn activations_are_their_formulas() {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let softplus = |x: f64| x.exp().ln_1p();
    type Formula<'a> = &'a dyn Fn(f64) -> f64;
    let cases: &[(&str, Formula)] = &[
        (r#""op": "relu""#, &|x| x.max(0.0)),
        (r#""op": "relu6""#, &|x| x.clamp(0.0, 6.0)),
        (r#""op": "leaky_relu", "slope": 0.2"#, &|x| if x > 0.0 { x } else { 0.2 * x }),
        (r#""op": "elu""#, &|x| if x > 0.0 { x } else { x.exp_m1() }),
        (r#""op": "selu""#, &|x| 1.050_700_987 * if x > 0.0 { x } else { 1.673_263_242 * x.exp_m1() }),
        (r#""op": "silu""#, &|x| x * sigmoid(x)),
        (r#""op": "mish""#, &|x| x * softplus(x).tanh()),
        (r#""op": "sigmoid""#, &sigmoid),
        (r#""op": "hard_sigmoid""#, &|x| (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        (r#""op": "hard_swish""#, &|x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        (r#""op": "tanh""#, &f64::tanh),
        (r#""op": "softplus""#, &softplus),
        (r#""op": "clip", "min": -1.0, "max": 2.0"#, &|x| x.clamp(-1.0, 2.0)),
        (r#""op": "exp""#, &f64::exp),
        (r#""op": "gelu", "approximate": true"#, &|x| {
            0.5 * x * (1.0 + (0.797_884_560_8 * (x + 0.044_715 * x.powi(3))).tanh())
        }),
        (r#""op": "dropout""#, &|x| x),
        (r#""op": "identity""#, &|x| x),
    ];
    let input: Vec<f32> = (0..12_u8).map(|at| f32::from(at) - 5.5).collect();
    for (node, formula) in cases {
        let expected: Vec<f32> = input.iter().map(|x| formula(f64::from(*x)) as f32).collect();
        for found in values(&format!(r#"{{ "name": "y", "inputs": ["x"], {node} }}"#), 2, 2, 3, &input) {
            assert!(distance(&found, &expected) < 1e-4 * magnitude(&expected).max(1.0), "{node}: {found:?}");
        }
    }
}

#[test]
fn functions_are_their_formulas() {
    // The error function as the integral that it is, by Simpson's rule.
    let bell = |t: f64| (-t * t).exp() * std::f64::consts::FRAC_2_SQRT_PI;
    let erf = |x: f64| {
        let step = x / 1000.0;
        let inner: f64 =
            (1..1000_u32).map(|at| f64::from(2 + 2 * (at % 2)) * bell(f64::from(at) * step)).sum();
        (bell(0.0) + inner + bell(x)) * step / 3.0
    };
    type Formula<'a> = &'a dyn Fn(f64) -> f64;
    let of_any: &[(&str, Formula)] = &[
        (r#""op": "erf""#, &erf),
        (r#""op": "sin""#, &f64::sin),
        (r#""op": "cos""#, &f64::cos),
        (r#""op": "abs""#, &f64::abs),
        (r#""op": "log_sigmoid""#, &|x| -(-x).exp().ln_1p()),
        (r#""op": "pow", "exponent": 0"#, &|_| 1.0),
        (r#""op": "pow", "exponent": 1"#, &|x| x),
        (r#""op": "pow", "exponent": 2.0"#, &|x| x * x),
        (r#""op": "pow", "exponent": 3"#, &|x| x * x * x),
        (r#""op": "pow", "exponent": 4.0"#, &|x| x * x * x * x),
        (r#""op": "pow", "exponent": -1"#, &|x| 1.0 / x),
        (r#""op": "pow", "exponent": -2.0"#, &|x| 1.0 / (x * x)),
        (r#""op": "pow", "exponent": -3"#, &|x| 1.0 / (x * x * x)),
    ];
    let of_positive: &[(&str, Formula)] = &[
        (r#""op": "log""#, &f64::ln),
        (r#""op": "pow", "exponent": 0.5"#, &f64::sqrt),
        (r#""op": "pow", "exponent": -1.75"#, &|x| (-1.75 * x.ln()).exp()),
    ];
    let positive = INPUT.map(|x| x + 3.0);
    for (input, cases) in [(INPUT, of_any), (positive, of_positive)] {
        for (fields, formula) in cases {
            let node = format!(r#"{{ "name": "y", "inputs": ["x"], {fields} }}"#);
            let expected: Vec<f32> = input.iter().map(|x| formula(f64::from(*x)) as f32).collect();
            agrees(fields, &values(&node, 2, 2, 3, &input), &expected);
        }
    }
}

#[test]
fn shapes_known_before_running_are_those_that_come_out() {
    let squeezenet = Model::open(&crate::support::fixture("models/squeezenet1_1.bpk"), None).unwrap();
    let input = crate::support::array("squeezenet1_1.coffee.input.npy");
    for layer in squeezenet.layers().into_iter().filter(|layer| layer.explainable).step_by(5) {
        let evidence = crate::support::evidence(&squeezenet, &layer.name, 0, &input, "flex");
        let found = [evidence.activations.channels, evidence.activations.height, evidence.activations.width];
        assert_eq!(layer.shape[1..], found, "{}", layer.name);
    }
}
