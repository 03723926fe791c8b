//! Normalisations that exporters spell out for operator sets that lack them.
//!
//! | formula | operation |
//! |---|---|
//! | reshape to `[batch, groups, -1]`, a norm of each group, reshape back, scale and shift | group norm |
//! | `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon)` over the last axis, times gamma, plus beta | layer norm |

use ndarray::{Array1, ArrayD};

use super::super::builder::Weight;
use super::Tidy;
use crate::card::{Node, Op};

impl Tidy<'_> {
    /// Replaces every formula; the node that ends it becomes the norm.
    pub(super) fn join_norms(&mut self) {
        for at in self.positions() {
            self.layer_norm(at);
            self.group_norm(at);
        }
        for at in self.positions() {
            self.scale_group_norm(at);
        }
        self.remove_unread();
    }

    fn giver_of(&self, name: &str) -> Option<&Node> {
        self.place(name).map(|at| self.node(at))
    }

    fn weight(&self, node: &Node, role: &str) -> Option<&ArrayD<f32>> {
        self.builder.weights.get(node.params.get(role)?).map(|weight| &weight.values)
    }

    /// `last` reshapes a norm of groups back to what was reshaped into groups.
    fn group_norm(&mut self, last: usize) {
        let Some((source, channels, groups, epsilon)) = self.grouped(last) else { return };
        let list = |value: f32| Weight {
            values: Array1::from_elem(channels, value).into_dyn(),
            source: String::new(),
        };
        let params = [("gamma", 1.0), ("beta", 0.0)]
            .map(|(role, value)| (role.to_owned(), self.builder.store(list(value))));
        self.change(last, |node| {
            (node.op, node.inputs, node.params) =
                (Op::GroupNorm { groups, epsilon }, vec![source], params.into());
        });
    }

    fn grouped(&self, last: usize) -> Option<(String, usize, usize, f64)> {
        let back = self.node(last);
        let (Op::Reshape { .. }, [normed]) = (&back.op, &back.inputs[..]) else { return None };
        let norm = self.giver_of(normed)?;
        let Op::GroupNorm { groups, epsilon } = norm.op else { return None };
        let open = self.giver_of(&norm.inputs[0])?;
        let Op::Reshape { .. } = open.op else { return None };
        let (whole, split) = (self.builder.shape(&open.inputs[0]), self.builder.shape(&open.name));
        let plain = self.weight(norm, "gamma")?.iter().all(|value| *value == 1.0)
            && self.weight(norm, "beta")?.iter().all(|value| *value == 0.0);
        let fits = whole == self.builder.shape(&back.name) && split.len() == 3 && split[1] == groups;
        (plain && fits && whole.len() > 1).then(|| (open.inputs[0].clone(), whole[1], groups, epsilon))
    }

    /// A scale and shift behind such a norm, which by now is a batch norm of mean 0 and variance 1, is its own. A batch norm
    /// with statistics of its own is not.
    fn scale_group_norm(&mut self, at: usize) {
        let node = self.node(at);
        let all = |node: &Node, role, value| {
            self.weight(node, role).is_some_and(|list| list.iter().all(|found| *found == value))
        };
        let affine = all(node, "running_mean", 0.0) && all(node, "running_var", 1.0);
        if node.op != (Op::BatchNorm { epsilon: 0.0 }) || !affine {
            return;
        }
        let Some(before) = self.only_before(at) else { return };
        let norm = self.node(before);
        let plain = all(norm, "gamma", 1.0) && all(norm, "beta", 0.0);
        if !matches!(norm.op, Op::GroupNorm { .. }) || !plain {
            return;
        }
        let (op, inputs) = (norm.op.clone(), norm.inputs.clone());
        self.change(at, |node| {
            node.params.retain(|role, _| matches!(role.as_str(), "gamma" | "beta"));
            (node.op, node.inputs) = (op, inputs);
        });
    }

    /// `last` adds beta.
    fn layer_norm(&mut self, last: usize) {
        let Some((source, [gamma, beta], epsilon)) = self.spelled_out(last) else { return };
        self.change(last, |node| {
            (node.op, node.inputs) = (Op::LayerNorm { epsilon }, vec![source]);
            node.params = [("gamma".to_owned(), gamma), ("beta".to_owned(), beta)].into();
        });
    }

    fn spelled_out(&self, last: usize) -> Option<(String, [String; 2], f64)> {
        let shifted = self.node(last);
        let (Op::Add { scalar: None }, Some(beta)) = (&shifted.op, shifted.params.get("other")) else {
            return None;
        };
        let scaled = self.giver_of(&shifted.inputs[0])?;
        let (Op::Mul { scalar: None }, Some(gamma)) = (&scaled.op, scaled.params.get("other")) else {
            return None;
        };
        let divided = self.giver_of(&scaled.inputs[0])?;
        let (Op::Div { scalar: None }, [centred, root]) = (&divided.op, &divided.inputs[..]) else {
            return None;
        };
        let (centre, root) = (self.giver_of(centred)?, self.giver_of(root)?);
        let (Op::Sub { scalar: None }, [x, mean]) = (&centre.op, &centre.inputs[..]) else { return None };
        let Op::Sqrt { .. } = root.op else { return None };
        let sum = self.giver_of(&root.inputs[0])?;
        let Op::Add { scalar: Some(epsilon) } = sum.op else { return None };
        let variance = self.giver_of(&sum.inputs[0])?;
        let squares = self.giver_of(&variance.inputs[0])?;
        let last_axis = self.builder.shape(x).len().checked_sub(1)?;
        let over_last = |node: &Node| node.op == Op::ReduceMean { axes: vec![last_axis], keep_dims: true };
        let mean = self.giver_of(mean)?;
        let fits = over_last(mean)
            && over_last(variance)
            && mean.inputs == [x.clone()]
            && squares.op == (Op::Pow { exponent: 2.0 })
            && squares.inputs == [centred.clone()];
        let side = self.builder.shape(x)[last_axis];
        let listed = [gamma, beta].iter().all(|key| self.builder.shape(key) == [side]);
        (fits && listed).then(|| (x.clone(), [gamma.clone(), beta.clone()], epsilon))
    }
}
