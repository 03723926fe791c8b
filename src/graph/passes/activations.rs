//! Activations that a source decomposes: each formula becomes one operation.

use super::formula::{clip, cube, erf, function, least, sigmoid, tanh, x};
use super::pattern::Pattern;
use crate::card::Op;
use crate::draft::Draft;

/// Each formula and its operation, in the order in which they depend on one another.
fn formulas() -> [(Pattern, Op); 8] {
    let [half, sixth] = [0.5, 1.0 / 6.0];
    let hard_sigmoid = Op::HardSigmoid { alpha: sixth, beta: half };
    let gelu_by_tanh = {
        let root = (2.0 / std::f64::consts::PI).sqrt();
        x() * (tanh((x() + cube(x()) * 0.044_715) * root) + 1.0) * half
    };
    [
        (least(function(Op::Relu {}, x()), 6.0), Op::Relu6 {}),
        (clip(x() + 3.0, 0.0, 6.0) * sixth, hard_sigmoid.clone()),
        (clip(x() * sixth + half, 0.0, 1.0), hard_sigmoid.clone()),
        (x() * sigmoid(x()), Op::Silu {}),
        (x() * function(hard_sigmoid, x()), Op::HardSwish {}),
        (x() * tanh(function(Op::Softplus {}, x())), Op::Mish {}),
        (x() * (erf(x() / std::f64::consts::SQRT_2) + 1.0) * half, Op::Gelu { approximate: false }),
        (gelu_by_tanh, Op::Gelu { approximate: true }),
    ]
}

/// Replaces every formula; the node that ends it becomes the activation.
pub(super) fn join(draft: &mut Draft) {
    let formulas = formulas();
    for id in draft.ids() {
        // In order of position, so that a hard sigmoid is joined before the hard swish that reads it.
        let found = formulas.iter().find_map(|(pattern, op)| {
            let source = pattern.find(draft, id)?.tensors[0]?;
            // A formula does not broadcast: the result has its input's shape.
            (draft.shape(source) == draft.shape(id)).then(|| (op.clone(), source))
        });
        if let Some((op, source)) = found {
            draft.replace(id, op, vec![source], Default::default());
        }
    }
}
