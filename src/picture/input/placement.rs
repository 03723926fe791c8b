//! The position of the network's input on the picture.

/// The rectangle of the picture that the network's input covers.
///
/// Coordinates are in pixels of the upright picture; 0 is the outer edge of the first pixel, so the picture itself is
/// `0.0..width` by `0.0..height`. The rectangle may be inside the picture (a crop) or extend beyond it (letterbox
/// bars, padding).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Right edge, greater than `left`.
    pub right: f64,
    /// Bottom edge, greater than `top`.
    pub bottom: f64,
}

impl Placement {
    /// The input covers exactly a picture of this size.
    #[must_use]
    pub fn whole(width: usize, height: usize) -> Self {
        Self { left: 0.0, top: 0.0, right: width as f64, bottom: height as f64 }
    }
}
