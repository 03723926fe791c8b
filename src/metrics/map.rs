//! A map of relevances: what every metric receives. It has no picture, no colour and no scale.

/// Relevances on a grid over the picture, `[height, width]`, row by row. Every value is finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    height: usize,
    width: usize,
    values: Vec<f32>,
}

impl Map {
    /// A map of `height` rows of `width` values each.
    ///
    /// `None` when a value is not finite, a side is zero, or the count is not `height * width`.
    #[must_use]
    pub fn new(height: usize, width: usize, values: Vec<f32>) -> Option<Self> {
        let sound = height > 0 && width > 0 && values.len() == height * width;
        (sound && values.iter().all(|value| value.is_finite())).then_some(Self { height, width, values })
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
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Whether all values are equal. Such a map ranks nothing; metrics of order are undefined for it.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.values.iter().all(|value| *value == self.values[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_finite_and_has_the_values_of_its_sides() {
        assert!(Map::new(2, 2, vec![0.0, 1.0, f32::NAN, 0.5]).is_none());
        assert!(Map::new(2, 2, vec![0.0; 3]).is_none());
        assert!(Map::new(0, 2, vec![]).is_none());
        assert!(Map::new(1, 2, vec![0.5, 0.5]).unwrap().is_constant());
    }
}
