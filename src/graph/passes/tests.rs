//! Formulas as different sources write them, and their canonical forms.

mod activations;
mod parts;
mod ranks;
mod squeezes;

use super::canonicalise;
use crate::builder::{Builder, Draft, Tensor, Weight};
use crate::card::{InputSpec, Layout, Op};

const ADD: Op = Op::Add { scalar: None };
const SUB: Op = Op::Sub { scalar: None };
const MUL: Op = Op::Mul { scalar: None };
const DIV: Op = Op::Div { scalar: None };
const ROOT: Op = Op::Sqrt { of_squares: false };

/// A network on a picture of six channels.
struct Net {
    builder: Builder,
    input: Tensor,
}

impl Net {
    fn new() -> Self {
        let input =
            InputSpec { name: "x".into(), channels: 6, height: 4, width: 4, layout: Layout::default() };
        let (builder, input) = Builder::new(input, [1]);
        Self { builder, input }
    }

    fn op(&mut self, op: Op, inputs: &[&Tensor]) -> Tensor {
        self.builder.emit(op, inputs, vec![]).unwrap()
    }

    fn plus(&mut self, x: &Tensor, number: f64) -> Tensor {
        self.op(Op::Add { scalar: Some(number) }, &[x])
    }

    fn times(&mut self, x: &Tensor, number: f64) -> Tensor {
        self.op(Op::Mul { scalar: Some(number) }, &[x])
    }

    /// Arithmetic with a constant of this shape.
    fn with(&mut self, op: Op, x: &Tensor, shape: &[usize], values: &[f32]) -> Tensor {
        let weight = Weight { shape: shape.to_vec(), values: values.to_vec(), source: "m.gamma".into() };
        self.builder.emit(op, &[x], vec![("other", weight)]).unwrap()
    }

    fn end(self, output: &Tensor) -> Draft {
        let mut draft = self.builder.end_at(output);
        canonicalise(&mut draft);
        draft
    }
}

fn ops(draft: &Draft) -> Vec<Op> {
    draft.nodes().map(|(_, node)| node.op.clone()).collect()
}

/// The operations left of a formula on the input.
fn joined(formula: impl Fn(&mut Net, &Tensor) -> Tensor) -> Vec<Op> {
    let mut net = Net::new();
    let x = net.input.clone();
    let y = formula(&mut net, &x);
    ops(&net.end(&y))
}

#[test]
fn a_constant_per_channel_after_a_convolution_is_its_bias() {
    let mut net = Net::new();
    let x = net.input.clone();
    let filters = Weight { shape: vec![2, 6, 1, 1], values: vec![1.0; 12], source: "c.weight".into() };
    let conv = Op::Conv2d { stride: [1, 1], padding: [0; 4], dilation: [1, 1], groups: 1 };
    let conv = net.builder.emit(conv, &[&x], vec![("weight", filters)]).unwrap();
    let sum = net.with(ADD, &conv, &[1, 2, 1, 1], &[3.0, 4.0]);
    let relu = net.op(Op::Relu {}, &[&sum]);
    let draft = net.end(&relu);
    let (_, conv) = draft.nodes().next().unwrap();
    assert_eq!(draft.weight_of(conv, "bias").unwrap().values, [3.0, 4.0]);
    assert_eq!(draft.weight_of(conv, "bias").unwrap().shape, [2]);
    assert_eq!(draft.nodes().count(), 2);
}

/// `((x - 1) / 2) * 3 + 5` is `1.5 x + 3.5`; sums alone are no norm.
#[test]
fn steps_with_a_constant_per_channel_are_a_batch_norm() {
    let shape = [1, 6, 1, 1];
    let mut net = Net::new();
    let x = net.input.clone();
    let a = net.with(SUB, &x, &shape, &[1.0; 6]);
    let b = net.with(DIV, &a, &shape, &[2.0; 6]);
    let c = net.with(MUL, &b, &shape, &[3.0; 6]);
    let d = net.with(ADD, &c, &shape, &[5.0; 6]);
    let draft = net.end(&d);
    assert_eq!(ops(&draft), [Op::BatchNorm { epsilon: 0.0 }]);
    let (_, norm) = draft.nodes().next().unwrap();
    let list = |role| draft.weight_of(norm, role).unwrap().values[0];
    assert_eq!(["gamma", "beta", "running_mean", "running_var"].map(list), [1.5, 3.5, 0.0, 1.0]);

    let mut net = Net::new();
    let x = net.input.clone();
    let a = net.with(SUB, &x, &shape, &[1.0; 6]);
    let b = net.with(ADD, &a, &shape, &[5.0; 6]);
    assert_eq!(ops(&net.end(&b)).len(), 2);
}

/// `(x - mean) / sqrt(mean((x - mean)^2) + 1e-3)` along an axis.
fn standardised(net: &mut Net, x: &Tensor, axis: usize, power: bool) -> Tensor {
    let mean = |axis| Op::ReduceMean { axes: vec![axis], keep_dims: true };
    let centre = net.op(mean(axis), &[x]);
    let centred = net.op(SUB, &[x, &centre]);
    let squares = if power {
        net.op(Op::Pow { exponent: 2.0 }, &[&centred])
    } else {
        net.op(MUL, &[&centred, &centred])
    };
    let variance = net.op(mean(axis), &[&squares]);
    let sum = net.plus(&variance, 1e-3);
    let root = net.op(ROOT, &[&sum]);
    net.op(DIV, &[&centred, &root])
}

#[test]
fn a_layer_norm_that_is_spelled_out_is_one() {
    for power in [true, false] {
        let mut net = Net::new();
        let x = net.input.clone();
        let normed = standardised(&mut net, &x, 3, power);
        let scaled = net.with(MUL, &normed, &[4], &[2.0; 4]);
        let shifted = net.with(ADD, &scaled, &[4], &[0.5; 4]);
        let draft = net.end(&shifted);
        assert_eq!(ops(&draft), [Op::LayerNorm { epsilon: 1e-3 }]);
        let (_, norm) = draft.nodes().next().unwrap();
        assert_eq!(draft.weight_of(norm, "beta").unwrap().values, [0.5; 4]);
    }
    let mut net = Net::new();
    let x = net.input.clone();
    let normed = standardised(&mut net, &x, 2, true);
    let scaled = net.with(MUL, &normed, &[4], &[2.0; 4]);
    let shifted = net.with(ADD, &scaled, &[4], &[0.5; 4]);
    assert!(ops(&net.end(&shifted)).len() > 1, "not along the last axis");
}

#[test]
fn a_group_norm_is_recognised_spelled_out_and_as_a_norm_of_groups() {
    let open = Op::Reshape { shape: vec![0, 3, -1] };
    let close = Op::Reshape { shape: vec![0, 6, 4, 4] };
    for spelled_out in [true, false] {
        let mut net = Net::new();
        let x = net.input.clone();
        let opened = net.op(open.clone(), &[&x]);
        let normed = if spelled_out {
            standardised(&mut net, &opened, 2, false)
        } else {
            let list = |value| Weight { shape: vec![3], values: vec![value; 3], source: String::new() };
            let weights = vec![("gamma", list(1.0)), ("beta", list(0.0))];
            net.builder.emit(Op::GroupNorm { groups: 3, epsilon: 1e-3 }, &[&opened], weights).unwrap()
        };
        let closed = net.op(close.clone(), &[&normed]);
        let scaled = net.with(MUL, &closed, &[1, 6, 1, 1], &[2.0; 6]);
        let shifted = net.with(ADD, &scaled, &[1, 6, 1, 1], &[0.5; 6]);
        let draft = net.end(&shifted);
        assert_eq!(ops(&draft), [Op::GroupNorm { groups: 3, epsilon: 1e-3 }]);
        let (_, norm) = draft.nodes().next().unwrap();
        let list = |role| draft.weight_of(norm, role).unwrap().values.clone();
        assert_eq!([list("gamma"), list("beta")], [vec![2.0; 6], vec![0.5; 6]]);
    }
}

#[test]
fn a_reduction_over_one_axis_after_another_is_one() {
    let mean = |axis| Op::ReduceMean { axes: vec![axis], keep_dims: true };
    let found = joined(|net, x| {
        let rows = net.op(mean(3), &[x]);
        net.op(mean(2), &[&rows])
    });
    assert_eq!(found, [Op::ReduceMean { axes: vec![2, 3], keep_dims: true }]);
}

/// Channels last and back around operations on each element; the constant is turned along.
#[test]
fn transposes_that_undo_each_other_are_removed() {
    let (to, back) = (vec![0, 2, 3, 1], vec![0, 3, 1, 2]);
    let mut net = Net::new();
    let x = net.input.clone();
    let turned = net.op(Op::Transpose { perm: to }, &[&x]);
    let values: Vec<f32> = (0..24_u8).map(f32::from).collect();
    let sum = net.with(ADD, &turned, &[4, 6], &values);
    let soft = net.op(Op::LogSigmoid {}, &[&sum]);
    let again = net.op(Op::Transpose { perm: back }, &[&soft]);
    let draft = net.end(&again);
    assert_eq!(ops(&draft), [ADD, Op::LogSigmoid {}]);
    let (_, sum) = draft.nodes().next().unwrap();
    let constant = draft.weight_of(sum, "other").unwrap();
    assert_eq!(constant.shape, [1, 6, 1, 4]);
    assert_eq!(constant.values[..5], [0.0, 6.0, 12.0, 18.0, 1.0]);

    let found = joined(|net, x| {
        let a = net.op(Op::Transpose { perm: vec![0, 2, 3, 1] }, &[x]);
        let b = net.op(Op::Transpose { perm: vec![0, 2, 3, 1] }, &[&a]);
        net.op(Op::Relu {}, &[&b])
    });
    assert_eq!(found, [Op::Transpose { perm: vec![0, 3, 1, 2] }, Op::Relu {}]);
}

/// Quadratic work would take minutes here.
#[test]
fn fifty_thousand_nodes_take_seconds() {
    let start = std::time::Instant::now();
    let mut net = Net::new();
    let mut x = net.input.clone();
    for at in 0..10_000 {
        let gate = net.op(Op::Sigmoid {}, &[&x]);
        x = net.op(MUL, &[&x, &gate]);
        x = net.with(ADD, &x, &[1, 6, 1, 1], &[0.5; 6]);
        x = net.times(&x, 1.5);
        if at % 2 == 0 {
            x = net.op(Op::Transpose { perm: vec![0, 1, 3, 2] }, &[&x]);
        }
    }
    let draft = net.end(&x);
    assert_eq!(draft.nodes().filter(|(_, node)| node.op == Op::Silu {}).count(), 10_000);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn an_axis_that_goes_and_comes_back_was_never_gone() {
    let there_and_back = |x: &mut Net, input: &Tensor| {
        let more = x.op(Op::Unsqueeze { axes: vec![2] }, &[input]);
        let less = x.op(Op::Squeeze { axes: vec![2] }, &[&more]);
        x.op(Op::Relu {}, &[&less])
    };
    assert_eq!(joined(there_and_back), [Op::Relu {}]);
    let elsewhere = |x: &mut Net, input: &Tensor| {
        let more = x.op(Op::Unsqueeze { axes: vec![2] }, &[input]);
        let relu = x.op(Op::Relu {}, &[&more]);
        x.op(Op::Squeeze { axes: vec![2] }, &[&relu])
    };
    assert_eq!(joined(elsewhere).len(), 3);
}
