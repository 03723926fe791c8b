//! Text files up to a size.

use std::path::Path;

use burncam_graph::Result;
use burncam_graph::error::Problem;
use burncam_graph::memory::{Part, read_text};

use super::object::about;

/// The text of a file, without a byte order mark.
pub(super) fn read(path: &Path, part: Part) -> Result<String> {
    let bytes = read_text(path, part)?;
    let mut text = String::from_utf8(bytes)
        .map_err(|_| about(path, Problem::new("is no text in UTF-8").hint("write it in UTF-8")))?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}
