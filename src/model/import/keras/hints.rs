//! Ways out that several messages offer.

/// For models that cannot be read.
pub(super) const EXPORT: &str =
    "in Keras, call the model once, then model.export('model.onnx', format='onnx') writes ONNX to import";
