//! Settings of convolutions and pools.

/// Settings of a convolution. Defaults: stride 1, no padding, one group, no bias.
#[derive(Debug, Clone, Copy)]
pub struct Conv {
    pub(super) out: usize,
    /// Height and width.
    pub(super) kernel: [usize; 2],
    pub(super) stride: usize,
    padding: Padding,
    pub(super) groups: usize,
    pub(super) bias: bool,
}

#[derive(Debug, Clone, Copy)]
enum Padding {
    /// This many rows above and below, and this many columns left and right.
    Each([usize; 2]),
    /// TensorFlow's `SAME`: the output is the input divided by the stride, rounded up; an odd pixel of padding is
    /// added below and right.
    Same,
}

impl Conv {
    /// `out` square filters without bias, stride 1, no padding.
    pub fn new(out: usize, kernel: usize) -> Self {
        Self::of(out, [kernel; 2])
    }

    /// `out` filters of a height and a width, padded so that the output has the input's size; without bias, stride 1.
    pub fn centred(out: usize, [height, width]: [usize; 2]) -> Self {
        Self { padding: Padding::Each([height / 2, width / 2]), ..Self::of(out, [height, width]) }
    }

    fn of(out: usize, kernel: [usize; 2]) -> Self {
        Self { out, kernel, stride: 1, padding: Padding::Each([0; 2]), groups: 1, bias: false }
    }

    /// Sets the stride in both directions.
    pub fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// Sets the same padding on all four sides.
    pub fn padding(self, padding: usize) -> Self {
        Self { padding: Padding::Each([padding; 2]), ..self }
    }

    /// Pads as TensorFlow's `SAME`: the output has `ceil(size / stride)` cells.
    pub fn same(self) -> Self {
        Self { padding: Padding::Same, ..self }
    }

    /// Splits the channels into independent convolutions.
    pub fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// Adds a bias.
    pub fn biased(self) -> Self {
        Self { bias: true, ..self }
    }

    /// `[top, bottom, left, right]` for an input of `size`.
    pub(super) fn pads(&self, size: [usize; 2]) -> [usize; 4] {
        match self.padding {
            Padding::Each([rows, columns]) => [rows, rows, columns, columns],
            Padding::Same => {
                let missing = |size: usize, kernel: usize| {
                    let reach = (size.div_ceil(self.stride).max(1) - 1) * self.stride + kernel;
                    reach.saturating_sub(size)
                };
                let [height, width] = [missing(size[0], self.kernel[0]), missing(size[1], self.kernel[1])];
                [height / 2, height - height / 2, width / 2, width - width / 2]
            }
        }
    }
}

/// Settings of a square pool. Defaults: no padding, output size rounded down.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) ceil_mode: bool,
}

impl Pool {
    /// A square window without padding.
    pub fn new(kernel: usize, stride: usize) -> Self {
        Self { kernel, stride, padding: 0, ceil_mode: false }
    }

    /// Sets the same padding on all four sides.
    pub fn padding(self, padding: usize) -> Self {
        Self { padding, ..self }
    }

    /// Lets windows hang over the end if they begin inside.
    pub fn ceil(self) -> Self {
        Self { ceil_mode: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_depends_on_the_input() {
        let conv = Conv::new(8, 3).stride(2).same();
        assert_eq!(conv.pads([224, 65]), [0, 1, 1, 1]);
        assert_eq!(Conv::new(8, 5).stride(2).same().pads([56, 57]), [1, 2, 2, 2]);
        assert_eq!(Conv::new(8, 1).same().pads([7, 7]), [0; 4]);
        assert_eq!(Conv::centred(8, [1, 7]).pads([9, 9]), [0, 0, 3, 3]);
    }
}
