//! What the native kernels compute of each element. Plain data: the loops are in the crate of the kernels.

/// The native kernel of a function, with its settings in single precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PointwiseKernel {
    /// `min(max(x, low), high)`: ReLU, ReLU6 and clipping; the identity without bounds.
    Range([f32; 2]),
    /// `x` above zero, `slope x` below.
    Leaky(f32),
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// `x / (1 + e^-x)`.
    Silu,
    /// `x` times the share of the normal distribution below it.
    Gelu,
    /// Its approximation by a hyperbolic tangent.
    GeluByTanh,
    /// `min(max(alpha x + beta, 0), 1)`.
    HardSigmoid([f32; 2]),
    /// `x min(max(x / 6 + 1/2, 0), 1)`.
    HardSwish,
}
