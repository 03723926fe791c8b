//! Settings shared by torchvision's networks.

/// PyTorch's default epsilon of batch norm.
pub(super) const BATCH_NORM_EPSILON: f64 = 1e-5;
