//! The shape that a window gives as it slides over height and width.

use crate::error::Problem;

/// More values than the windows of any real network read for one picture; computing them would take minutes. The largest feature map
/// that shapes allow, under windows of 16x16, reads as many.
const MAX_READ: usize = 1 << 36;

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
        let output =
            vec![batch, channels, self.side(0, height, top, bottom)?, self.side(1, width, left, right)?];
        let read =
            output.iter().chain(self.kernel).try_fold(1_usize, |product, side| product.checked_mul(*side));
        match read {
            Some(read) if read <= MAX_READ => Ok(output),
            _ => {
                Err(format!("its windows of {:?} on {input:?} read too many values to compute", self.kernel)
                    .into())
            }
        }
    }

    /// Refuses windows that read padding alone, whose maximum no input gives. Only dilated ones step over the whole input.
    pub(crate) fn check_reads(&self, input: &[usize], output: &[usize]) -> Result<(), Problem> {
        for axis in 0..2 {
            let (size, before) = (input[2 + axis], self.padding[2 * axis]);
            let reads = |at: &usize| {
                let start = at * self.stride[axis];
                let skipped = before.saturating_sub(start).div_ceil(self.dilation[axis]);
                skipped < self.kernel[axis] && start + skipped * self.dilation[axis] < before + size
            };
            if let Some(at) = (0..output[2 + axis]).find(|at| !reads(at)) {
                return Err(Problem::new(format!("its window {at} reads padding alone"))
                    .expected("every window to reach the input")
                    .hint("a smaller dilation or less padding"));
            }
        }
        Ok(())
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

    #[test]
    fn windows_that_would_take_minutes_are_refused() {
        let window = |kernel: usize, padding: usize| {
            let (kernel, padding) = ([kernel; 2], [padding; 4]);
            Window { kernel: &kernel, stride: &[1, 1], padding: &padding, dilation: &[1, 1], ceil: false }
                .output(&[1, 3, 64, 64])
        };
        let error = window(4096, 4095).unwrap_err().to_string();
        assert!(error.contains("read too many values"), "{error}");
        assert_eq!(window(64, 0), Ok(vec![1, 3, 1, 1]));
    }

    #[test]
    fn dilated_windows_must_reach_the_input() {
        let check = |dilation: usize, padding: usize| {
            let (dilation, padding) = ([dilation; 2], [padding; 4]);
            let window = Window {
                kernel: &[2, 2],
                stride: &[1, 1],
                padding: &padding,
                dilation: &dilation,
                ceil: false,
            };
            let input = [1, 1, 3, 3];
            window.output(&input).and_then(|output| window.check_reads(&input, &output))
        };
        assert_eq!(check(1, 1), Ok(()));
        assert_eq!(check(3, 1), Ok(()));
        // At 0 it reads padding at 0 and at 6, and the input is at 2 to 4.
        assert!(check(6, 2).unwrap_err().to_string().contains("its window 0 reads padding alone"));
    }
}
