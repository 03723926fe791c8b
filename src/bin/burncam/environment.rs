//! The environment variables that the command reads: defaults for the model and for the number of threads.
//!
//! They are not clap's, because an empty one is as good as none, and a model that is named on the command line replaces that of the environment without
//! contradicting it.

use std::path::PathBuf;

use anyhow::{Result, bail};

/// Names the model file of commands without `-m`.
pub(crate) const MODEL: &str = "BURNCAM_MODEL";

/// The number of threads of commands without `--threads`.
const THREADS: &str = "BURNCAM_THREADS";

/// The most threads that `--threads` takes, too.
pub(crate) const MOST_THREADS: u16 = 256;

/// The model file that the environment names.
pub(crate) fn model() -> Option<PathBuf> {
    std::env::var_os(MODEL).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The number of threads that the environment names.
///
/// # Errors
/// When it is no number from 1 to [`MOST_THREADS`].
pub(crate) fn threads() -> Result<Option<u16>> {
    let Some(text) = std::env::var_os(THREADS).filter(|text| !text.is_empty()) else { return Ok(None) };
    match text.to_str().and_then(|text| text.parse().ok()) {
        Some(threads @ 1..=MOST_THREADS) => Ok(Some(threads)),
        _ => bail!(
            "environment variable {THREADS}: expected a number from 1 to {MOST_THREADS}, got '{}' (unset it, or use --threads)",
            text.to_string_lossy()
        ),
    }
}
