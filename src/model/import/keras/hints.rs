//! Ways out that several messages offer.

/// For models that cannot be read.
pub(super) const EXPORT: &str =
    "model.export('model.onnx', format='onnx') in Keras writes ONNX, which may be imported";
