//! Constants that several structures of the format share.

/// First bytes of every file.
pub(super) const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";
/// An address that leads nowhere.
pub(super) const UNDEFINED: u64 = u64::MAX;
/// The way out for files in other versions of the format.
pub(super) const RESAVE: &str = "load it with Keras and save it as .keras";
