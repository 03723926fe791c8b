//! Activations and gradients of a layer as plain numbers.

/// A layer's values for one picture, `[channels, height, width]`, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// Number of channels.
    pub channels: usize,
    /// Rows of the grid.
    pub height: usize,
    /// Columns of the grid.
    pub width: usize,
    /// The values.
    pub values: Vec<f32>,
}

/// A tapped layer's activations, and the gradients of one class score with respect to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// `A`.
    pub activations: Features,
    /// `dy / dA`, of the same shape.
    pub gradients: Features,
}
