//! A convolution's weights, packed in the order in which tiles read them.

use super::Packed;
use crate::threads;

/// What is known of a convolution's weights before they are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filters {
    /// `[out, in / groups, height, width]`.
    pub(crate) shape: [usize; 4],
    pub(crate) groups: usize,
}

/// The weights as the model has them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConvWeights<'a> {
    /// `[out, in / groups, height, width]`, row-major.
    pub(crate) weight: &'a [f32],
    /// They are `[in, out]` instead, of one pixel and one group.
    pub(crate) by_input: bool,
    /// `[out]`, if there is one.
    pub(crate) bias: Option<&'a [f32]>,
}

/// Output blocks that one tile computes at once.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    pub(super) first: usize,
    pub(super) registers: usize,
    /// First input block of its group, and how many blocks and channels the group has.
    pub(super) input: usize,
    pub(super) blocks: usize,
    pub(super) channels: usize,
    /// Where its packed weights begin.
    pub(super) weights: usize,
}

/// How many groups share registers so that they fill whole ones, the weights between them being zeros; `None` where none fit.
pub(crate) fn merged_groups(
    [out, per_group, ..]: [usize; 4],
    groups: usize,
    input_lanes: usize,
    lanes: usize,
) -> Option<usize> {
    if groups == 1 {
        return Some(1);
    }
    let out = out / groups;
    let whole = |merged: &usize| {
        groups.is_multiple_of(*merged)
            && (merged * per_group).is_multiple_of(input_lanes)
            && (merged * out).is_multiple_of(lanes)
    };
    // With more groups than that the multiplications by zero cost more than another engine does.
    (1..=8).find(whole)
}

/// Cuts the output channels of each group into panels of at most `registers` registers.
pub(super) fn panels(
    filters: Filters,
    merged: usize,
    input_lanes: usize,
    lanes: usize,
    registers: usize,
) -> Vec<Panel> {
    let [out, per_group, ..] = filters.shape;
    let area = filters.shape[2] * filters.shape[3];
    let groups = filters.groups / merged;
    let channels = per_group * merged;
    let blocks = channels.div_ceil(input_lanes);
    let out_blocks = (out / groups).div_ceil(lanes);
    let mut panels = Vec::new();
    let mut weights = 0;
    for group in 0..groups {
        for first in (0..out_blocks).step_by(registers) {
            let registers = registers.min(out_blocks - first);
            let first = group * out_blocks + first;
            panels.push(Panel { first, registers, input: group * blocks, blocks, channels, weights });
            weights += channels * area * registers * lanes;
        }
    }
    panels
}

impl Panel {
    /// Elements of its weights.
    pub(super) fn len(&self, filters: Filters, lanes: usize) -> usize {
        self.channels * filters.shape[2] * filters.shape[3] * self.registers * lanes
    }
}

/// Weights by panel, then `[block][kernel row][kernel column][lane][register]`, and one bias per channel.
pub(super) fn pack(
    filters: Filters,
    weights: &ConvWeights<'_>,
    panels: &[Panel],
    merged: usize,
    [input_lanes, lanes]: [usize; 2],
    packed: &mut Packed,
) {
    pack_bias(filters, weights, lanes, packed);
    each_panel(filters, panels, lanes, packed, |panel, to| {
        pack_panel(filters, weights, panel, merged, [input_lanes, lanes], to);
    });
}

/// Fills every panel's weights, on all threads.
pub(super) fn each_panel(
    filters: Filters,
    panels: &[Panel],
    lanes: usize,
    packed: &mut Packed,
    fill: impl Fn(&Panel, &mut [f32]) + Sync,
) {
    let len = |panel: &Panel| panel.len(filters, lanes);
    // Panels are cut off the memory one by one, so that threads get disjoint parts without `unsafe`.
    let mut rest = packed.weights.grow(panels.iter().map(len).sum());
    let mut parts = Vec::new();
    for panel in panels {
        let (part, others) = rest.split_at_mut(len(panel));
        parts.push((panel, part));
        rest = others;
    }
    threads::share(parts, |(panel, to)| fill(panel, to));
}

/// One bias per channel, and zeros for the lanes after the last. Without a bias it is zeros: kernels always start from one.
pub(super) fn pack_bias(filters: Filters, weights: &ConvWeights<'_>, lanes: usize, packed: &mut Packed) {
    packed.bias.grow_with(weights.bias.unwrap_or_default(), filters.shape[0].next_multiple_of(lanes));
}

/// Output channels that are transposed at once: eight rows of eight are one cache line's worth of each, and the compiler makes
/// shuffles of it.
const EIGHT: usize = 8;

/// One panel's weights, a block of input channels at a time, so that what is written stays in the first-level cache.
fn pack_panel(
    filters: Filters,
    weights: &ConvWeights<'_>,
    panel: &Panel,
    merged: usize,
    [input_lanes, lanes]: [usize; 2],
    to: &mut [f32],
) {
    let step = panel.registers * lanes;
    let area = filters.shape[2] * filters.shape[3];
    for (block, to) in to.chunks_mut(input_lanes * area * step).enumerate() {
        if weights.by_input {
            pack_rows(filters, weights, panel.first * lanes, block * input_lanes, to, step);
        } else if merged > 1 {
            pack_merged(filters, weights, panel, merged, (block * input_lanes, step), to);
        } else {
            pack_block(filters, weights, panel.first * lanes, block * input_lanes, to, step);
        }
    }
}

/// `step` filters from output channel `first` on, the input channels from `inside` on as far as `to` reaches:
/// `[kernel row][kernel column][lane][register]`.
pub(super) fn pack_block(
    filters: Filters,
    weights: &ConvWeights<'_>,
    first: usize,
    inside: usize,
    to: &mut [f32],
    step: usize,
) {
    for eight in (0..step).step_by(EIGHT) {
        pack_eight(filters, weights, first + eight, inside, &mut to[eight..], step);
    }
}

/// As [`pack_block`], of weights by input channel: a copy, without a transposition.
fn pack_rows(
    filters: Filters,
    weights: &ConvWeights<'_>,
    first: usize,
    inside: usize,
    to: &mut [f32],
    step: usize,
) {
    let out = filters.shape[0];
    let rows = weights.weight[inside * out..].chunks_exact(out);
    for (row, to) in rows.zip(to.chunks_exact_mut(step)) {
        let row = &row[first..out.min(first + step)];
        to[..row.len()].copy_from_slice(row);
        to[row.len()..].fill(0.0);
    }
}

/// Eight filters from output channel `first` on, the input channels from `inside` on, every `step` elements.
fn pack_eight(
    filters: Filters,
    weights: &ConvWeights<'_>,
    first: usize,
    inside: usize,
    to: &mut [f32],
    step: usize,
) {
    let [out, per_group, height, width] = filters.shape;
    let area = height * width;
    let rows: [&[f32]; EIGHT] = std::array::from_fn(|at| match first + at {
        // Filters after the last are empty rows, which are read as zeros below.
        channel if channel < out => &weights.weight[(channel * per_group + inside) * area..],
        _ => &[],
    });
    let in_block = to.len().div_ceil(area * step);
    let (mut channel, mut tap) = (0, 0);
    for at in (0..in_block * area).step_by(EIGHT) {
        let values = rows.map(|row| match row.get(at..).and_then(|rest| rest.first_chunk()) {
            Some(eight) => *eight,
            None => std::array::from_fn(|next| row.get(at + next).copied().unwrap_or(0.0)),
        });
        for column in transposed(values).iter().take(in_block * area - at) {
            to[(tap * in_block + channel) * step..][..EIGHT].copy_from_slice(column);
            tap += 1;
            if tap == area {
                (channel, tap) = (channel + 1, 0);
            }
        }
    }
}

fn transposed(rows: [[f32; EIGHT]; EIGHT]) -> [[f32; EIGHT]; EIGHT] {
    std::array::from_fn(|at| rows.map(|row| row[at]))
}

/// Filters of groups that share registers: each reads the channels of its own group; its weights for the others are zeros.
fn pack_merged(
    filters: Filters,
    weights: &ConvWeights<'_>,
    panel: &Panel,
    merged: usize,
    (inside, step): (usize, usize),
    to: &mut [f32],
) {
    let [out, per_group, height, width] = filters.shape;
    let area = height * width;
    let in_block = to.len() / (area * step);
    let first = panel.first * step / panel.registers;
    to.fill(0.0);
    for (o, channel) in (first..out.min(first + step)).enumerate() {
        let group = channel / (out / filters.groups) % merged * per_group;
        for c in inside.max(group)..(inside + in_block).min(group + per_group) {
            let from = &weights.weight[(channel * per_group + c - group) * area..][..area];
            for (at, value) in from.iter().enumerate() {
                to[(at * in_block + c - inside) * step + o] = *value;
            }
        }
    }
}
