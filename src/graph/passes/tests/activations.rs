//! Activations.

use super::{ADD, MUL, Net, joined};
use crate::builder::Tensor;
use crate::card::Op;

#[test]
fn gated_activations_are_recognised_in_either_order() {
    let gated = |gate: Op, first: bool| {
        joined(move |net, x| {
            let gate = net.op(gate.clone(), &[x]);
            if first { net.op(MUL, &[x, &gate]) } else { net.op(MUL, &[&gate, x]) }
        })
    };
    let sixth = f64::from(1.0_f32 / 6.0);
    for first in [true, false] {
        assert_eq!(gated(Op::Sigmoid {}, first), [Op::Silu {}]);
        assert_eq!(gated(Op::HardSigmoid { alpha: sixth, beta: 0.5 }, first), [Op::HardSwish {}]);
        assert_eq!(gated(Op::HardSigmoid { alpha: 0.2, beta: 0.5 }, first).len(), 2);
    }
}

#[test]
fn a_gate_of_another_tensor_is_no_activation() {
    let found = joined(|net, x| {
        let other = net.plus(x, 1.0);
        let gate = net.op(Op::Sigmoid {}, &[&other]);
        net.op(MUL, &[x, &gate])
    });
    assert_eq!(found, [Op::Add { scalar: Some(1.0) }, Op::Sigmoid {}, MUL]);
}

#[test]
fn a_part_that_is_read_elsewhere_stays() {
    let found = joined(|net, x| {
        let gate = net.op(Op::Sigmoid {}, &[x]);
        let silu = net.op(MUL, &[x, &gate]);
        net.op(ADD, &[&silu, &gate])
    });
    assert_eq!(found, [Op::Sigmoid {}, Op::Silu {}, ADD]);
}

#[test]
fn mish_is_recognised() {
    let found = joined(|net, x| {
        let soft = net.op(Op::Softplus {}, &[x]);
        let tanh = net.op(Op::Tanh {}, &[&soft]);
        net.op(MUL, &[x, &tanh])
    });
    assert_eq!(found, [Op::Mish {}]);
}

/// Both ways in which hard sigmoid is written down, and the hard swish that it gates.
#[test]
fn hard_sigmoid_and_hard_swish_are_recognised_as_clips() {
    let shifted = |net: &mut Net, x: &Tensor| {
        let shifted = net.plus(x, 3.0);
        let clipped = net.op(Op::Clip { min: 0.0, max: 6.0 }, &[&shifted]);
        net.op(Op::Div { scalar: Some(6.0) }, &[&clipped])
    };
    let scaled = |net: &mut Net, x: &Tensor| {
        let scaled = net.times(x, f64::from(1.0_f32 / 6.0));
        let shifted = net.plus(&scaled, 0.5);
        net.op(Op::Clip { min: 0.0, max: 1.0 }, &[&shifted])
    };
    let hard_sigmoid = [Op::HardSigmoid { alpha: 1.0 / 6.0, beta: 0.5 }];
    assert_eq!(joined(shifted), hard_sigmoid);
    assert_eq!(joined(scaled), hard_sigmoid);
    let swish = joined(|net, x| {
        let gate = shifted(net, x);
        net.op(MUL, &[x, &gate])
    });
    assert_eq!(swish, [Op::HardSwish {}]);
    let relu6 = joined(|net, x| {
        let relu = net.op(Op::Relu {}, &[x]);
        net.op(Op::Minimum { scalar: Some(6.0) }, &[&relu])
    });
    assert_eq!(relu6, [Op::Relu6 {}]);
}

/// `x / 2 * (1 + erf(x / sqrt 2))`, the factors in every order, in single precision.
#[test]
fn gelu_is_recognised_in_any_order_of_its_factors() {
    let inner = |net: &mut Net, x: &Tensor| {
        let small = net.op(Op::Div { scalar: Some(f64::from(2.0_f32.sqrt())) }, &[x]);
        let erf = net.op(Op::Erf {}, &[&small]);
        net.plus(&erf, 1.0)
    };
    let orders: [fn(&mut Net, &Tensor, &Tensor) -> Tensor; 3] = [
        |net, x, gate| {
            let half = net.times(x, 0.5);
            net.op(MUL, &[gate, &half])
        },
        |net, x, gate| {
            let product = net.op(MUL, &[x, gate]);
            net.times(&product, 0.5)
        },
        |net, x, gate| {
            let half = net.times(gate, 0.5);
            net.op(MUL, &[x, &half])
        },
    ];
    for order in orders {
        let found = joined(|net, x| {
            let gate = inner(net, x);
            order(net, x, &gate)
        });
        assert_eq!(found, [Op::Gelu { approximate: false }]);
    }
    let wrong = joined(|net, x| {
        let gate = inner(net, x);
        net.op(MUL, &[x, &gate])
    });
    assert_eq!(wrong.len(), 4, "twice GELU is none");
}

#[test]
fn gelu_by_tanh_is_recognised_with_either_cube() {
    for power in [true, false] {
        let found = joined(|net, x| {
            let cube = if power {
                net.op(Op::Pow { exponent: 3.0 }, &[x])
            } else {
                let square = net.op(MUL, &[x, x]);
                net.op(MUL, &[&square, x])
            };
            let small = net.times(&cube, 0.044_715);
            let sum = net.op(ADD, &[x, &small]);
            let inner = net.times(&sum, (2.0 / std::f64::consts::PI).sqrt());
            let tanh = net.op(Op::Tanh {}, &[&inner]);
            let gate = net.plus(&tanh, 1.0);
            let product = net.op(MUL, &[x, &gate]);
            net.times(&product, 0.5)
        });
        assert_eq!(found, [Op::Gelu { approximate: true }]);
    }
}
