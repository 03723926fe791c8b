//! Classes of every pixel of a picture.

/// Values of a mask, `[height, width]`: 0 is background, any other value is a class plus 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    height: usize,
    width: usize,
    values: Vec<u16>,
}

impl Mask {
    /// A mask of `height` rows of `width` values each, as they are in the file; of a picture with a palette these are its indices.
    ///
    /// `None` when a side is zero, or the count is not `height * width`.
    #[must_use]
    pub fn new(height: usize, width: usize, values: Vec<u16>) -> Option<Self> {
        let sound = height > 0 && width > 0 && Some(values.len()) == height.checked_mul(width);
        sound.then_some(Self { height, width, values })
    }

    /// Number of rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Number of columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The values, row by row.
    #[must_use]
    pub fn values(&self) -> &[u16] {
        &self.values
    }

    /// The classes that have pixels, in rising order.
    #[must_use]
    pub fn classes(&self) -> Vec<usize> {
        let mut is_there = vec![false; usize::from(u16::MAX) + 1];
        for value in &self.values {
            is_there[usize::from(*value)] = true;
        }
        (1..is_there.len()).filter(|value| is_there[*value]).map(|value| value - 1).collect()
    }

    /// Whether the pixel is of the class; of pixels outside of the mask none is.
    #[must_use]
    pub fn is(&self, class: usize, row: usize, column: usize) -> bool {
        row < self.height
            && column < self.width
            && usize::from(self.values[row * self.width + column]) == class + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_class_plus_one() {
        let mask = Mask::new(2, 2, vec![0, 1, 4, 1]).unwrap();
        assert_eq!(mask.classes(), [0, 3]);
        assert!(mask.is(0, 0, 1) && mask.is(3, 1, 0) && !mask.is(0, 0, 0) && !mask.is(0, 2, 1));
        assert!(Mask::new(2, 2, vec![0; 3]).is_none());
        assert!(Mask::new(0, 2, vec![]).is_none());
        assert!(Mask::new(usize::MAX, 2, vec![0; 2]).is_none());
    }
}
