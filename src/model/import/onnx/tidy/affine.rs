//! Arithmetic with one constant per channel: biases, and batch norms that were taken apart.

use std::collections::{BTreeMap, HashSet};

use ndarray::{Array1, ArrayD, IxDyn};

use super::super::builder::Weight;
use super::Tidy;
use crate::card::Op;

impl Tidy<'_> {
    /// A constant added behind a product or a convolution without bias is its bias.
    pub(super) fn join_biases(&mut self) {
        for at in self.positions().rev() {
            let Op::Add { scalar: None } = self.node(at).op else { continue };
            let Some(key) = self.node(at).params.get("other").cloned() else { continue };
            let Some(before) = self.only_before(at) else { continue };
            let product = self.node(before);
            let (channels, behind) = match (
                &product.op,
                product.params.get("weight").and_then(|key| self.builder.weights.get(key)),
            ) {
                (Op::Conv2d { .. }, Some(weight)) => (weight.values.shape()[0], 3),
                (Op::Linear {}, Some(weight)) => (weight.values.shape()[1], 1),
                _ => continue,
            };
            let Some(bias) =
                self.builder.weights.get(&key).and_then(|weight| per_channel(weight, channels, behind))
            else {
                continue;
            };
            let keeps_shape = self.builder.shape(&product.name) == self.builder.shape(&self.node(at).name);
            if product.params.contains_key("bias") || !keeps_shape {
                continue;
            }
            let name = product.name.clone();
            self.builder.weights.insert(key.clone(), bias);
            self.change(before, |node| _ = node.params.insert("bias".into(), key));
            self.replace(at, &name);
        }
    }

    /// At least two steps of arithmetic with one constant per channel, one of them a product: a batch norm.
    pub(super) fn join_affine(&mut self) {
        // Nodes in a chain without a product: no part of it is a batch norm either.
        let mut sums = HashSet::new();
        for at in self.positions().rev() {
            if self.is_removed(at) || sums.contains(&at) {
                continue;
            }
            let mut steps = Vec::new();
            let mut place = Some(at);
            while let Some(step) = place.and_then(|place| Some((place, self.affine_step(place)?))) {
                place = self.only_before(step.0);
                steps.push(step);
            }
            match Affine::of(&steps) {
                Some(affine) => self.put_affine(&steps, affine),
                None => sums.extend(steps.iter().map(|(at, _)| *at)),
            }
        }
    }

    fn affine_step(&self, at: usize) -> Option<Step> {
        let node = self.node(at);
        let weight = self.builder.weights.get(node.params.get("other")?)?;
        let (&[_, channels, ..], rank) =
            (self.builder.shape(&node.name), self.builder.shape(&node.name).len())
        else {
            return None;
        };
        // A grey picture minus three means has three channels: that is no norm of the picture's own.
        if self.builder.shape(node.inputs.first()?) != self.builder.shape(&node.name) {
            return None;
        }
        let Weight { values, source } = per_channel(weight, channels, rank - 1)?;
        let list: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
        let (scale, shift) = (vec![1.0; channels], vec![0.0; channels]);
        Some(match node.op {
            Op::Add { .. } => Step { scale, shift: list, source, product: false },
            Op::Sub { .. } => {
                Step { scale, shift: list.iter().map(|number| -number).collect(), source, product: false }
            }
            Op::Mul { .. } => Step { scale: list, shift, source, product: true },
            Op::Div { .. } => Step {
                scale: list.iter().map(|number| number.recip()).collect(),
                shift,
                source,
                product: true,
            },
            _ => return None,
        })
    }

    /// Puts one batch norm where the steps were.
    fn put_affine(&mut self, steps: &[(usize, Step)], affine: Affine) {
        let (Some((last, _)), Some((first, _))) = (steps.first(), steps.last()) else { return };
        let (last, first) = (*last, *first);
        let channels = affine.scale.len();
        let inputs = self.node(first).inputs.clone();
        let roles = [
            ("gamma", affine.scale),
            ("beta", affine.shift),
            ("running_mean", vec![0.0; channels]),
            ("running_var", vec![1.0; channels]),
        ];
        let mut params = BTreeMap::new();
        for (role, values) in roles {
            let values = Array1::from_iter(values.into_iter().map(|value| value as f32)).into_dyn();
            params.insert(
                role.to_owned(),
                self.builder.store(Weight { values, source: affine.source.clone() }),
            );
        }
        self.change(last, |node| {
            (node.op, node.inputs, node.params) = (Op::BatchNorm { epsilon: 0.0 }, inputs, params);
        });
        for (at, _) in &steps[1..] {
            self.remove(*at);
        }
    }
}

/// `x scale + shift`, one of each per channel.
struct Step {
    scale: Vec<f64>,
    shift: Vec<f64>,
    source: String,
    product: bool,
}

struct Affine {
    scale: Vec<f64>,
    shift: Vec<f64>,
    source: String,
}

impl Affine {
    /// All steps as one; the last step comes first.
    fn of(steps: &[(usize, Step)]) -> Option<Self> {
        let (_, last) = steps.first()?;
        if steps.len() < 2 || !steps.iter().any(|(_, step)| step.product) {
            return None;
        }
        let (mut scale, mut shift) = (vec![1.0; last.scale.len()], vec![0.0; last.scale.len()]);
        for (_, step) in steps.iter().rev() {
            for channel in 0..scale.len() {
                scale[channel] *= step.scale[channel];
                shift[channel] = shift[channel] * step.scale[channel] + step.shift[channel];
            }
        }
        let source = steps.iter().find(|(_, step)| step.product && step.source.contains('.'));
        Some(Self {
            scale,
            shift,
            source: source.map_or_else(|| last.source.clone(), |(_, step)| step.source.clone()),
        })
    }
}

/// A constant with one number for each of `channels`, whose axis has `after - 1` axes of size 1 behind it.
fn per_channel(weight: &Weight, channels: usize, after: usize) -> Option<Weight> {
    let shape = weight.values.shape();
    let behind = after - 1;
    let at = shape.len().checked_sub(behind + 1)?;
    let fits = shape[at] == channels && shape.iter().enumerate().all(|(axis, side)| axis == at || *side == 1);
    let values = ArrayD::from_shape_vec(IxDyn(&[channels]), weight.values.iter().copied().collect());
    values.ok().filter(|_| fits).map(|values| Weight { values, source: weight.source.clone() })
}
