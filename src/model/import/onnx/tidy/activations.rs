//! Activations that exporters spell out: their formulas become the one operation that they are.
//!
//! | formula | operation |
//! |---|---|
//! | `x sigmoid(x)` | SiLU |
//! | `x tanh(softplus(x))` | Mish |
//! | `x hard_sigmoid(x)` with 1/6 and 1/2 | hard swish |
//! | `min(relu(x), 6)` | ReLU6 |
//! | `clamp(x + 3, 0, 6) / 6` | hard sigmoid |
//! | `x (1 + erf(x / sqrt 2)) / 2`, in any order of the factors | GELU |

use super::Tidy;
use crate::card::Op;

/// How near a number must be to the one that a formula has; exporters write single precision.
const NEAR: f64 = 1e-5;

impl Tidy<'_> {
    /// Replaces every formula; the node that ends it becomes the activation.
    pub(super) fn join_activations(&mut self) {
        for rule in [Self::relu6, Self::hard_sigmoid, Self::gated, Self::gelu] {
            for at in self.positions() {
                if let Some((op, source)) = rule(self, at) {
                    self.change(at, |node| {
                        (node.op, node.inputs) = (op, vec![source]);
                        node.params.clear();
                    });
                }
            }
            self.remove_unread();
        }
    }

    /// Operation and inputs of the node that gives `name`.
    fn giver(&self, name: &str) -> Option<(&Op, &[String])> {
        let node = self.node(self.place(name)?);
        node.params.is_empty().then_some((&node.op, &node.inputs))
    }

    /// `min(relu(x), 6)`.
    fn relu6(&self, at: usize) -> Option<(Op, String)> {
        let node = self.node(at);
        let Op::Minimum { scalar: Some(6.0) } = node.op else { return None };
        match self.giver(&node.inputs[0])? {
            (Op::Relu {}, [source]) => Some((Op::Relu6 {}, source.clone())),
            _ => None,
        }
    }

    /// `clamp(x + 3, 0, 6) / 6`, or times a sixth.
    fn hard_sigmoid(&self, at: usize) -> Option<(Op, String)> {
        let node = self.node(at);
        let (factor, inputs) = factor(&node.op, &node.inputs)?;
        let clamped = self.giver(&inputs[0])?;
        let (Op::Relu6 {}, (Op::Add { scalar: Some(shift) }, source)) =
            (clamped.0, self.giver(&clamped.1[0])?)
        else {
            return None;
        };
        let [source] = source else { return None };
        let op = Op::HardSigmoid { alpha: 1.0 / 6.0, beta: 0.5 };
        (near(factor, 1.0 / 6.0) && near(*shift, 3.0)).then(|| (op, source.clone()))
    }

    /// `x gate(x)`.
    fn gated(&self, at: usize) -> Option<(Op, String)> {
        let node = self.node(at);
        let (Op::Mul { scalar: None }, [first, second]) = (&node.op, &node.inputs[..]) else { return None };
        let gate = |x: &String, gate: &String| {
            let (op, [input]) = self.giver(gate)? else { return None };
            match op {
                Op::Sigmoid {} if input == x => Some(Op::Silu {}),
                Op::HardSigmoid { alpha, beta }
                    if input == x && near(*alpha, 1.0 / 6.0) && near(*beta, 0.5) =>
                {
                    Some(Op::HardSwish {})
                }
                Op::Tanh {} => match self.giver(input)? {
                    (Op::Softplus {}, [source]) if source == x => Some(Op::Mish {}),
                    _ => None,
                },
                _ => None,
            }
        };
        let op =
            gate(first, second).map(|op| (op, first)).or_else(|| gate(second, first).map(|op| (op, second)));
        op.map(|(op, source)| (op, source.clone()))
    }

    /// The factors of a product, numbers multiplied together and computed values listed.
    fn factors(&self, name: &str, numbers: &mut f64, values: &mut Vec<String>, depth: usize) {
        match self.giver(name) {
            Some((op, inputs)) if depth > 0 => {
                if let Some((number, inputs)) = factor(op, inputs) {
                    *numbers *= number;
                    return self.factors(&inputs[0], numbers, values, depth - 1);
                }
                if let (Op::Mul { scalar: None }, [first, second]) = (op, inputs) {
                    self.factors(first, numbers, values, depth - 1);
                    return self.factors(second, numbers, values, depth - 1);
                }
                values.push(name.to_owned());
            }
            _ => values.push(name.to_owned()),
        }
    }

    /// `x (1 + erf(x / sqrt 2)) / 2`.
    fn gelu(&self, at: usize) -> Option<(Op, String)> {
        let (mut number, mut values) = (1.0, Vec::new());
        self.factors(&self.node(at).name, &mut number, &mut values, 3);
        let [first, second] = &values[..] else { return None };
        let matches = |x: &String, gate: &String| {
            let (Op::Add { scalar: Some(shift) }, [erf]) = self.giver(gate)? else { return None };
            let (Op::Erf {}, [inner]) = self.giver(erf)? else { return None };
            let (op, inputs) = self.giver(inner)?;
            let (scale, [source]) = factor(op, inputs)? else { return None };
            let fits = near(*shift, 1.0) && near(scale, std::f64::consts::FRAC_1_SQRT_2) && source == x;
            fits.then(|| x.clone())
        };
        let source = matches(first, second).or_else(|| matches(second, first))?;
        near(number, 0.5).then_some((Op::Gelu { approximate: false }, source))
    }
}

/// The number that an operation multiplies by.
fn factor<'a>(op: &Op, inputs: &'a [String]) -> Option<(f64, &'a [String])> {
    match op {
        Op::Mul { scalar: Some(number) } => Some((*number, inputs)),
        Op::Div { scalar: Some(number) } => Some((number.recip(), inputs)),
        _ => None,
    }
}

fn near(number: f64, expected: f64) -> bool {
    (number - expected).abs() < NEAR
}
