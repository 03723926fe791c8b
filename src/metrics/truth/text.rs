//! Text files up to a size.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use burncam_graph::error::Problem;
use burncam_graph::{Error, Result};

use super::object::about;

/// Most bytes of a file of many pictures. COCO's training set has 448 MB.
pub(super) const LARGE: u64 = 1 << 30;

/// Most bytes of a file of one picture.
pub(super) const SMALL: u64 = 1 << 24;

/// The text of a file, without a byte order mark.
pub(super) fn read(path: &Path, most: u64) -> Result<String> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let mut bytes = Vec::new();
    // One more than is allowed: a pipe has no length to ask for.
    file.take(most + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    let found = bytes.len() as u64;
    if found > most {
        let problem = Problem::new("is too large").expected(format!("at most {} MiB", most >> 20));
        return Err(about(path, problem.hint("split it")));
    }
    let mut text = String::from_utf8(bytes)
        .map_err(|_| about(path, Problem::new("is no text in UTF-8").hint("write it in UTF-8")))?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}
