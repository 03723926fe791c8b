//! Pools: Burn's own, and window by window in the two cases where those are wrong or panic.
//!
//! Receives a tensor and an operation whose shapes were checked; returns the pooled tensor. Burn's devices sum a
//! window's elements sequentially, which is inaccurate for large windows (see `sums`), and `ndarray` panics when
//! there is more padding than output: it takes output rows and columns inside the padding for those at its edges.

use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions, PadMode};
use burn::tensor::{Tensor, TensorData, module};

use super::sums::{self, LONG};
use super::value::Value;
use crate::card::Op;
use crate::error::{Error, Result};

/// Runs a pool with windows.
pub(super) fn apply(op: &Op, x: Tensor<4>) -> Result<Tensor<4>> {
    match op {
        Op::MaxPool2d { padding, .. } => {
            let options = max_options(op).ok_or_else(|| Error::internal("a pool has no window"))?;
            Ok(if overruns(op, &x) { greatest(x, options, *padding) } else { module::max_pool2d(x, options) })
        }
        Op::AvgPool2d { kernel, stride, padding, ceil_mode, count_include_pad } => {
            let [rows, columns] = spans(op, &x);
            if kernel[0] * kernel[1] > LONG || overruns(op, &x) {
                return means(&x, &rows, &columns);
            }
            let options = AvgPoolOptions::new(*kernel)
                .with_stride(*stride)
                .with_padding_pairs(pairs(*padding))
                .with_count_include_pad(*count_include_pad)
                .with_ceil_mode(*ceil_mode);
            Ok(module::avg_pool2d(x, options))
        }
        Op::AdaptiveAvgPool2d { output_size } => {
            let [.., height, width] = x.dims();
            let [rows, columns] =
                [Spans::adaptive(height, output_size[0]), Spans::adaptive(width, output_size[1])];
            match rows.longest() * columns.longest() {
                area if area > LONG => means(&x, &rows, &columns),
                _ => Ok(module::adaptive_avg_pool2d(x, *output_size)),
            }
        }
        other => Err(Error::internal(format!("'{}' is not a pool", other.name()))),
    }
}

/// The window of `max_pool2d`; `None` for any other operation.
pub(super) fn max_options(op: &Op) -> Option<MaxPoolOptions<2>> {
    let Op::MaxPool2d { kernel, stride, padding, dilation, ceil_mode } = op else { return None };
    let options = MaxPoolOptions::new(*kernel).with_stride(*stride).with_padding_pairs(pairs(*padding));
    Some(options.with_dilation(*dilation).with_ceil_mode(*ceil_mode))
}

pub(super) fn pairs([top, bottom, left, right]: [usize; 4]) -> [(usize, usize); 2] {
    [(top, bottom), (left, right)]
}

/// Whether there is more padding along an axis than output.
fn overruns(op: &Op, x: &Tensor<4>) -> bool {
    let (Op::MaxPool2d { padding, .. } | Op::AvgPool2d { padding, .. }) = op else { return false };
    let [rows, columns] = spans(op, x);
    padding[0].max(padding[1]) > rows.0.len() || padding[2].max(padding[3]) > columns.0.len()
}

/// The maximum of each window, with explicit padding.
fn greatest(x: Tensor<4>, options: MaxPoolOptions<2>, padding: [usize; 4]) -> Tensor<4> {
    let op = Op::MaxPool2d {
        kernel: options.kernel_size,
        stride: options.stride,
        padding,
        dilation: options.dilation,
        ceil_mode: options.ceil_mode,
    };
    let [rows, columns] = spans(&op, &x).map(|spans| spans.0.len());
    let padded = x.pad(pairs(padding), PadMode::Constant(f32::NEG_INFINITY));
    let pooled = module::max_pool2d(padded, options.with_padding_pairs(pairs([0; 4])));
    // With explicit padding, one more window may start inside it; it is cut off.
    pooled.narrow(2, 0, rows).narrow(3, 0, columns)
}

/// The windows of a strided pool along both axes.
fn spans(op: &Op, x: &Tensor<4>) -> [Spans; 2] {
    let [.., height, width] = x.dims();
    let (kernel, stride, padding, dilation, ceil, padding_counts) = match op {
        Op::MaxPool2d { kernel, stride, padding, dilation, ceil_mode } => {
            (*kernel, *stride, *padding, *dilation, *ceil_mode, false)
        }
        Op::AvgPool2d { kernel, stride, padding, ceil_mode, count_include_pad } => {
            (*kernel, *stride, *padding, [1, 1], *ceil_mode, *count_include_pad)
        }
        _ => return [Spans(Vec::new()), Spans(Vec::new())],
    };
    [(0, height), (1, width)].map(|(axis, side)| {
        let reach = (kernel[axis] - 1) * dilation[axis] + 1;
        let around = [padding[2 * axis], padding[2 * axis + 1]];
        Spans::moving(side, around, [reach, stride[axis]], ceil, padding_counts)
    })
}

/// The windows of a pool along one axis: the cells of each, and its divisor.
struct Spans(Vec<([usize; 2], usize)>);

impl Spans {
    /// Windows that divide the axis into `cells`.
    fn adaptive(side: usize, cells: usize) -> Self {
        // As in PyTorch: the start rounds down, the end up, and neighbours may share a cell.
        let span = |at: usize| [at * side / cells, ((at + 1) * side).div_ceil(cells)];
        Self((0..cells).map(|at| (span(at), span(at)[1] - span(at)[0])).collect())
    }

    /// Windows of `reach` cells every `stride` cells. Padding counts as zeros or not at all; cells past it never
    /// count.
    fn moving(
        side: usize,
        [before, after]: [usize; 2],
        [reach, stride]: [usize; 2],
        ceil: bool,
        padding_counts: bool,
    ) -> Self {
        let padded = before + side + after;
        let room = padded.saturating_sub(reach);
        let mut cells = if ceil { room.div_ceil(stride) } else { room / stride } + 1;
        // PyTorch drops a last window that would start in the padding after the end.
        if ceil && cells > 1 && (cells - 1) * stride >= before + side {
            cells -= 1;
        }
        let window = |at: usize| {
            let edges = [at * stride, at * stride + reach];
            let [first, end] = edges.map(|edge| edge.clamp(before, before + side) - before);
            let counted = if padding_counts { edges[1].min(padded) - edges[0] } else { end - first };
            ([first, end], counted)
        };
        Self((0..cells).map(window).collect())
    }

    fn longest(&self) -> usize {
        self.0.iter().map(|(_, counted)| *counted).max().unwrap_or(0)
    }

    /// The sums of all windows along `axis`.
    fn sums(&self, x: &Tensor<4>, axis: usize) -> Result<Tensor<4>> {
        let part = |[first, end]: [usize; 2]| match end - first {
            0 => Ok(x.clone().narrow(axis, 0, 1).zeros_like()),
            cells => sums::in_blocks(Value::R4(x.clone().narrow(axis, first, cells)), &[axis])?.into_rank4(),
        };
        let parts = self.0.iter().map(|(span, _)| part(*span)).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(parts, axis))
    }
}

/// The mean of each window: sums over rows, then over columns.
fn means(x: &Tensor<4>, rows: &Spans, columns: &Spans) -> Result<Tensor<4>> {
    // Windows are rectangles, so that sums along one axis serve the other: height plus width and not their product.
    let sums = columns.sums(&rows.sums(x, 2)?, 3)?;
    let area = |row: &([usize; 2], usize), column: &([usize; 2], usize)| (row.1 * column.1).max(1) as f32;
    let areas = rows.0.iter().flat_map(|row| columns.0.iter().map(move |column| area(row, column)));
    let areas = TensorData::new(areas.collect::<Vec<f32>>(), [1, 1, rows.0.len(), columns.0.len()]);
    Ok(sums / Tensor::<4>::from_data(areas, &x.device()).cast(x.dtype()))
}
