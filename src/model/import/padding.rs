//! The padding of windows by which an output has one cell per step.

/// Padding of one axis for an output of `ceil(side / stride)`, with the smaller part first; `None` for a window or a step that
/// makes no sense.
pub(super) fn same(side: usize, kernel: usize, stride: usize, dilation: usize) -> Option<[usize; 2]> {
    let reach = kernel.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)?;
    let cells = side.checked_add(stride)?.saturating_sub(1).checked_div(stride)?;
    let span = cells.saturating_sub(1).checked_mul(stride)?.checked_add(reach)?;
    let total = span.saturating_sub(side);
    Some([total / 2, total - total / 2])
}
