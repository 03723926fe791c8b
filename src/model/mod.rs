//! Models: the built-in architectures and the import of weights from other frameworks.

pub mod arch;
pub(crate) mod builder;
pub mod import;
