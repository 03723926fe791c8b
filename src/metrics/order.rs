//! The pixels of a map by relevance: a fixed order, also among ties, from which exact numbers of pixels are taken.

use crate::map::Map;

/// All pixels of a map, each once, as indices into its rows one after the other.
///
/// Equal values keep the order of their indices. Rectified maps have many zeros, and a threshold among them removes far more or
/// fewer pixels than were asked for; counts from an order are exact.
///
/// ```
/// use burncam_metrics::{Map, Order};
///
/// let map = Map::new(2, 2, vec![0.0, 0.5, 0.0, 1.0]).unwrap();
/// let order = Order::falling(&map);
/// assert_eq!(order.pixels(), [3, 1, 0, 2]);
/// assert_eq!(order.tied_share(), 0.5);
/// assert_eq!((order.cuts_a_tie(2), order.cuts_a_tie(3)), (false, true));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pixels: Vec<usize>,
    /// For each place whether the pixel there has the same value as the one before it.
    is_tied: Vec<bool>,
}

impl Order {
    /// The most relevant pixel first.
    #[must_use]
    pub fn falling(map: &Map) -> Self {
        Self::by(map, |rank| !rank)
    }

    /// The least relevant pixel first. Ties are in the same order as in [`falling`](Self::falling), so that a constant map
    /// removes the same pixels either way.
    #[must_use]
    pub fn rising(map: &Map) -> Self {
        Self::by(map, |rank| rank)
    }

    fn by(map: &Map, key: impl Fn(u32) -> u32) -> Self {
        let ranks = map.values().iter().map(|value| key(rank(*value)));
        // The pixel decides between equal ranks.
        let mut sorted: Vec<(u32, usize)> = ranks.zip(0..).collect();
        sorted.sort_unstable();
        let before = sorted.windows(2).map(|two| two[0].0 == two[1].0);
        let is_tied = std::iter::once(false).chain(before).collect();
        Self { pixels: sorted.into_iter().map(|(_, pixel)| pixel).collect(), is_tied }
    }

    /// The indices, in this order.
    #[must_use]
    pub fn pixels(&self) -> &[usize] {
        &self.pixels
    }

    /// The number of pixels that is nearest to `share` (0 to 1) of them all; halves are rounded up.
    #[must_use]
    pub fn count(&self, share: f64) -> usize {
        ((share * self.pixels.len() as f64).round() as usize).min(self.pixels.len())
    }

    /// Share of pixels that have their value in common with another one, 0 to 1.
    #[must_use]
    pub fn tied_share(&self) -> f64 {
        let is_tied = |place: &usize| self.is_tied[*place] || self.cuts_a_tie(place + 1);
        let tied = (0..self.pixels.len()).filter(is_tied).count();
        tied as f64 / self.pixels.len() as f64
    }

    /// Whether the first `count` pixels and the others have a value in common: relevance alone did not choose them.
    #[must_use]
    pub fn cuts_a_tie(&self, count: usize) -> bool {
        self.is_tied.get(count).is_some_and(|tied| *tied)
    }
}

const SIGN: u32 = 0x8000_0000;

/// A whole number that rises with the value. Zero of either sign is one value.
fn rank(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    // Of negative numbers the bits rise with the size.
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_keep_the_order_of_their_pixels_either_way() {
        let map = Map::new(2, 3, vec![1.0, 0.0, 1.0, -0.0, 1.0, 0.0]).unwrap();
        assert_eq!(Order::falling(&map).pixels(), [0, 2, 4, 1, 3, 5]);
        assert_eq!(Order::rising(&map).pixels(), [1, 3, 5, 0, 2, 4]);
        assert_eq!(Order::falling(&map).tied_share(), 1.0);
    }

    #[test]
    fn negative_values_are_less_relevant_than_zero() {
        let map = Map::new(1, 6, vec![-1.0, 2.0, -3.0, 0.0, -1e-30, 1e-30]).unwrap();
        assert_eq!(Order::falling(&map).pixels(), [1, 5, 3, 4, 0, 2]);
        assert_eq!(Order::rising(&map).pixels(), [2, 0, 4, 3, 5, 1]);
    }

    #[test]
    fn counts_are_exact_where_nearly_all_values_are_equal() {
        let mut values = vec![0.0; 100];
        (values[17], values[60]) = (0.5, 1.0);
        let order = Order::falling(&Map::new(10, 10, values).unwrap());
        assert_eq!(order.count(0.2), 20);
        assert_eq!(order.pixels()[..4], [60, 17, 0, 1]);
        assert_eq!(order.tied_share(), 0.98);
        assert!(order.cuts_a_tie(20) && !order.cuts_a_tie(2) && !order.cuts_a_tie(100));
    }
}
