//! What shape an operation gives, so that kernels never rely on a shape that somebody else worked out.

use super::Operation;
use crate::card::Op;

/// Channels, height and width of the result; `None` where the inputs do not fit together.
pub(super) fn after(operation: &Operation<'_>, inputs: &[[usize; 3]]) -> Option<[usize; 3]> {
    let x @ [channels, height, width] = *inputs.first()?;
    match operation.op {
        Op::Conv2d { stride, padding, dilation, groups } => {
            let [out, per_group, rows, columns] = operation.weight?;
            let fits = per_group.checked_mul(*groups)? == channels && out.is_multiple_of(*groups);
            let reach = |taps: usize, axis: usize| Some(taps.checked_sub(1)? * dilation[axis] + 1);
            let reach = [reach(rows, 0)?, reach(columns, 1)?];
            fits.then_some(window([out, height, width], reach, *stride, *padding, false)?)
        }
        Op::MaxPool2d { kernel, stride, padding, ceil_mode, .. }
        | Op::AvgPool2d { kernel, stride, padding, ceil_mode, .. } => {
            window(x, *kernel, *stride, *padding, *ceil_mode)
        }
        Op::GlobalAvgPool {}
        | Op::GlobalMaxPool {}
        | Op::AdaptiveAvgPool2d { .. }
        | Op::ReduceMax { .. }
        | Op::ReduceMean { .. } => Some([channels, 1, 1]),
        Op::Concat { .. } => {
            let same = inputs.iter().all(|input| input[1..] == x[1..]);
            same.then_some([inputs.iter().map(|input| input[0]).sum(), height, width])
        }
        Op::Slice { start, end, .. } => Some([(*end).min(channels).checked_sub(*start)?, height, width]),
        Op::Split { sizes, part, .. } => {
            let fits = sizes.iter().sum::<usize>() == channels;
            fits.then_some([*sizes.get(*part)?, height, width])
        }
        Op::Pad { padding: [top, bottom, left, right], .. } => {
            Some([channels, height + top + bottom, width + left + right])
        }
        // Of two inputs the larger; whether the other is spread over it is the operation's to say.
        _ => inputs.iter().copied().max_by_key(|[channels, height, width]| channels * height * width),
    }
}

fn window(
    [channels, height, width]: [usize; 3],
    reach: [usize; 2],
    stride: [usize; 2],
    [top, bottom, left, right]: [usize; 4],
    ceil: bool,
) -> Option<[usize; 3]> {
    let side = |size: usize, before: usize, after: usize, axis: usize| {
        let room = (size + before + after).checked_sub(reach[axis])?;
        let whole = room.checked_div(stride[axis])?;
        // A window may hang over the end if it begins inside.
        let next = (whole + 1) * stride[axis];
        let hangs = ceil && whole * stride[axis] < room && next < size + before;
        Some(whole + 1 + usize::from(hangs))
    };
    Some([channels, side(height, top, bottom, 0)?, side(width, left, right, 1)?])
}
