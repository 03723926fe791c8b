//! Arithmetic with one constant per channel: biases, and decomposed batch norms.

use std::collections::HashSet;

use super::constant::per_channel;
use crate::card::{Op, ValueId};
use crate::draft::{Draft, DraftNode, Weight};

/// A constant added to a convolution or a product without bias becomes its bias.
pub(super) fn join_biases(draft: &mut Draft) {
    for id in draft.ids() {
        let _ = join_bias(draft, id);
    }
}

fn join_bias(draft: &mut Draft, at: ValueId) -> Option<()> {
    let node = draft.node(at).filter(|node| node.op == Op::Add { scalar: None })?;
    let constant = draft.weight_of(node, "other")?;
    let before = draft.only_before(at)?;
    let product = draft.node(before)?;
    let filters = &draft.weight_of(product, "weight")?.shape;
    // A convolution's channels have two axes after them, those of a linear layer are last; the axes of filters differ
    // too.
    let (channels, behind) = match product.op {
        Op::Conv2d { .. } => (*filters.first()?, 2),
        Op::Linear {} => (*filters.get(1)?, 0),
        _ => return None,
    };
    let bias = per_channel(constant, channels, behind)?;
    // A second bias could be added to the first, but no source writes one; and a constant that broadcasts changes
    // the shape.
    if product.params.contains_key("bias") || draft.shape(before) != draft.shape(at) {
        return None;
    }
    let bias = draft.store(bias);
    draft.edit(before, |_, params| _ = params.insert("bias", bias));
    draft.redirect(at, before);
    Some(())
}

/// At least two steps of arithmetic with one constant per channel, one of them a product: a batch norm.
pub(super) fn join_batch_norms(draft: &mut Draft) {
    // Nodes of a chain without a product: no part of the chain is a batch norm either.
    let mut sums = HashSet::new();
    // From the end, so that a chain is found whole, and not from its middle.
    for id in draft.ids().into_iter().rev() {
        if sums.contains(&id) {
            continue;
        }
        let mut steps = Vec::new();
        let mut place = Some(id);
        while let Some(step) = place.and_then(|id| Some((id, step(draft, id)?))) {
            // Another reader of a step needs its result, which one batch norm would not give.
            place = draft.only_before(step.0);
            steps.push(step);
        }
        match Affine::of(&steps) {
            Some(affine) => put(draft, &steps, affine),
            None => sums.extend(steps.iter().map(|(id, _)| *id)),
        }
    }
}

/// `x scale + shift`, one of each per channel.
struct Step {
    scale: Vec<f64>,
    shift: Vec<f64>,
    source: String,
    is_product: bool,
}

fn step(draft: &Draft, at: ValueId) -> Option<Step> {
    let node = draft.node(at)?;
    let constant = draft.weight_of(node, "other")?;
    let shape = draft.shape(at);
    let (&[_, channels, ..], rank) = (shape, shape.len()) else { return None };
    // A grey picture minus three means has three channels: that is not a norm of the picture's own channels.
    if draft.shape(*node.inputs.first()?) != shape {
        return None;
    }
    let Weight { values, source, .. } = per_channel(constant, channels, rank - 2)?;
    let list: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
    let (scale, shift) = (vec![1.0; channels], vec![0.0; channels]);
    Some(match node.op {
        Op::Add { .. } => Step { scale, shift: list, source, is_product: false },
        Op::Sub { .. } => {
            let shift = list.iter().map(|number| -number).collect();
            Step { scale, shift, source, is_product: false }
        }
        Op::Mul { .. } => Step { scale: list, shift, source, is_product: true },
        Op::Div { .. } => {
            let scale = list.iter().map(|number| number.recip()).collect();
            Step { scale, shift, source, is_product: true }
        }
        _ => return None,
    })
}

/// Replaces the steps by one batch norm.
fn put(draft: &mut Draft, steps: &[(ValueId, Step)], affine: Affine) {
    let (Some((last, _)), Some((first, _))) = (steps.first(), steps.last()) else { return };
    let Some(DraftNode { inputs, .. }) = draft.node(*first).cloned() else { return };
    let channels = affine.scale.len();
    let [scale_source, shift_source] = affine.sources;
    let roles = [
        ("gamma", affine.scale, scale_source),
        ("beta", affine.shift, shift_source),
        // Mean zero and variance one: scale and shift are in gamma and beta, exactly.
        ("running_mean", vec![0.0; channels], String::new()),
        ("running_var", vec![1.0; channels], String::new()),
    ];
    let params = roles.map(|(role, values, source)| {
        let values = values.into_iter().map(|value| value as f32).collect();
        (role, draft.store(Weight { shape: vec![channels], values, source }))
    });
    draft.replace(*last, Op::BatchNorm { epsilon: 0.0 }, inputs, params.into());
}

/// Several steps combined.
struct Affine {
    scale: Vec<f64>,
    shift: Vec<f64>,
    /// The names of the constants after which scale and shift are named.
    sources: [String; 2],
}

impl Affine {
    /// The last step comes first.
    fn of(steps: &[(ValueId, Step)]) -> Option<Self> {
        let (_, last) = steps.first()?;
        if steps.len() < 2 || !steps.iter().any(|(_, step)| step.is_product) {
            return None;
        }
        let (mut scale, mut shift) = (vec![1.0; last.scale.len()], vec![0.0; last.scale.len()]);
        // In double precision: several constants are multiplied before the result is rounded once.
        for (_, step) in steps.iter().rev() {
            for channel in 0..scale.len() {
                scale[channel] *= step.scale[channel];
                shift[channel] = shift[channel] * step.scale[channel] + step.shift[channel];
            }
        }
        let own = |is_product: bool| {
            let mut steps = steps.iter().map(|(_, step)| step);
            // Names with a dot are those of a module; others were made by an exporter.
            steps.find(|step| step.is_product == is_product && step.source.contains('.'))
        };
        let sources = [own(true).unwrap_or(last), own(false).unwrap_or(last)].map(|step| step.source.clone());
        Some(Self { scale, shift, sources })
    }
}
