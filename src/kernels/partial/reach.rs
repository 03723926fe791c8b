//! Which pixels of a node's output a change of its inputs reaches.

use std::collections::HashMap;
use std::ops::Range;

use crate::card::ValueId;
use crate::plan::node::{Node, NodeKind};
use crate::view::Region;

/// What has changed of each tensor; nothing of those that are missing.
pub(super) type Changed = HashMap<ValueId, Region>;

/// The pixels of a node's output, of these sides, that the changes of its inputs reach; `None` where there are none.
pub(super) fn reached(node: &Node, changed: &Changed, sides: [usize; 2]) -> Option<Region> {
    let of = |id: &ValueId| changed.get(id);
    let first = of(&node.inputs[0]);
    let inputs = match &node.kind {
        NodeKind::Convolution { geometry, .. } => {
            let reach = [0, 1].map(|axis| (geometry.kernel[axis] - 1) * geometry.dilation[axis]);
            first.and_then(|region| windows(region, reach, geometry.stride, geometry.padding, sides))
        }
        NodeKind::Pool(_, window) => {
            let [reach, before] =
                [window.kernel.map(|side| side - 1), [window.padding[0], window.padding[2]]];
            first.and_then(|region| windows(region, reach, window.stride, before, sides))
        }
        _ if node.broadcasts && of(&node.inputs[1]).is_some() => Some(sides.map(|side| 0..side)),
        _ => node.inputs.iter().filter_map(of).cloned().reduce(|a, b| joined(&a, &b)),
    };
    let residual = node.residual.as_ref().and_then(of).cloned();
    [inputs, residual].into_iter().flatten().reduce(|a, b| joined(&a, &b))
}

/// The windows that hold any pixel of a region, if there are any. `reach` is from a window's first pixel to its last.
fn windows(
    region: &Region,
    reach: [usize; 2],
    stride: [usize; 2],
    before: [usize; 2],
    sides: [usize; 2],
) -> Option<Region> {
    let windows = [0, 1].map(|axis| {
        let Range { start, end } = region[axis];
        let first = (start + before[axis]).saturating_sub(reach[axis]).div_ceil(stride[axis]);
        first..((end - 1 + before[axis]) / stride[axis] + 1).min(sides[axis])
    });
    windows.iter().all(|axis| axis.start < axis.end).then_some(windows)
}

/// The smallest region that holds both.
fn joined(a: &Region, b: &Region) -> Region {
    [0, 1].map(|axis| a[axis].start.min(b[axis].start)..a[axis].end.max(b[axis].end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_those_that_hold_a_changed_pixel() {
        for (kernel, stride, before, side) in
            [(1, 1, 0, 5), (3, 1, 1, 9), (3, 2, 1, 9), (2, 3, 0, 11), (5, 2, 4, 8)]
        {
            let outputs = (side + 2 * before - kernel) / stride + 1;
            for (start, end) in (0..side).flat_map(|start| (start + 1..=side).map(move |end| (start, end))) {
                let holds = |at: &usize| {
                    (0..kernel).any(|tap| (start + before..end + before).contains(&(at * stride + tap)))
                };
                let right: Vec<usize> = (0..outputs).filter(holds).collect();
                let region = [start..end, start..end];
                let found = windows(&region, [kernel - 1; 2], [stride; 2], [before; 2], [outputs; 2]);
                let found = found.map_or(Vec::new(), |[rows, _]| rows.collect());
                assert_eq!(found, right, "{kernel} {stride} {before} {side} {start}..{end}");
            }
        }
    }
}
