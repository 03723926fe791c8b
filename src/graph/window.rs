//! The shape that a window gives as it slides over height and width.

use crate::error::Problem;

/// A sliding window in two dimensions.
pub(crate) struct Window<'a> {
    pub(crate) kernel: &'a [usize; 2],
    pub(crate) stride: &'a [usize; 2],
    pub(crate) padding: &'a [usize; 4],
    pub(crate) dilation: &'a [usize; 2],
    pub(crate) ceil: bool,
}

impl Window<'_> {
    pub(crate) fn output(&self, input: &[usize]) -> Result<Vec<usize>, Problem> {
        let [batch, channels, height, width] = image(input)?;
        let [top, bottom, left, right] = *self.padding;
        Ok(vec![batch, channels, self.side(0, height, top, bottom)?, self.side(1, width, left, right)?])
    }

    fn side(&self, axis: usize, size: usize, before: usize, after: usize) -> Result<usize, Problem> {
        // Checked sums and products: kernel and padding come from a file, and a wrong size would pass for a right one.
        let reach = self.dilation[axis]
            .checked_mul(self.kernel[axis] - 1)
            .and_then(|span| span.checked_add(1))
            .ok_or("its kernel is too large to compute")?;
        let room = size
            .checked_add(before)
            .and_then(|sum| sum.checked_add(after))
            .ok_or("its padding is too large to compute")?
            .checked_sub(reach)
            .ok_or_else(|| {
                Problem::new(format!("its input side {size} is smaller than its window {reach}"))
            })?;
        let stride = self.stride[axis];
        if !self.ceil {
            return Ok(room / stride + 1);
        }
        // As in PyTorch: a window may extend past the end, but must start inside the input or its front padding.
        let count = room.div_ceil(stride) + 1;
        Ok(if (count - 1) * stride >= size + before { count - 1 } else { count })
    }
}

pub(crate) fn image(shape: &[usize]) -> Result<[usize; 4], Problem> {
    shape.try_into().map_err(|_| {
        Problem::new(format!("its input has shape {shape:?}")).expected("[batch, channels, height, width]")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_counted_as_torch_counts_them() {
        let side = |size, padding: [usize; 2], kernel, stride, ceil| {
            let (kernel, stride, padding) = ([kernel; 2], [stride; 2], [padding[0], padding[1], 0, 0]);
            let window =
                Window { kernel: &kernel, stride: &stride, padding: &padding, dilation: &[1, 1], ceil };
            window.side(0, size, padding[0], padding[1])
        };
        assert_eq!(side(224, [3, 3], 7, 2, false), Ok(112));
        assert_eq!(side(111, [0, 0], 3, 2, true), Ok(55));
        assert_eq!(side(112, [0, 0], 3, 2, true), Ok(56));
        // The third window would start at 4, in the padding after the input.
        assert_eq!(side(3, [1, 1], 2, 2, true), Ok(2));
        assert!(side(2, [0, 0], 3, 1, false).is_err());
    }
}
