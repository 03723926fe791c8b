//! Names of the result files of a run: `summary.json`, and `summary.2-of-4.json` of a shard, which may share its directory with others.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::discover::Shard;

/// The name of a result of a whole run, or of one shard.
pub(crate) fn name(stem: &str, shard: Option<Shard>) -> String {
    match shard {
        Some(Shard { index, count }) => format!("{stem}.{index}-of-{count}.json"),
        None => format!("{stem}.json"),
    }
}

/// Whether [`name`] gives this name for a shard.
fn is_of_a_shard(stem: &str, file: &str) -> bool {
    let middle = file.strip_prefix(stem).and_then(|rest| rest.strip_prefix('.'));
    let middle = middle.and_then(|rest| rest.strip_suffix(".json"));
    let numbers = middle.and_then(|middle| middle.split_once("-of-"));
    let number = |text: &str| text.parse().ok();
    let numbers = numbers.and_then(|(index, count)| Some((number(index)?, number(count)?)));
    // Written again and compared, because `parse` accepts `+1` and `007`.
    numbers.is_some_and(|(index, count)| name(stem, Some(Shard { index, count })) == file)
}

/// The results in a directory: those of shards, if there are any, for then the one of a whole run next to them comes from an earlier merge.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn found(directory: &Path, stem: &str) -> Result<Vec<PathBuf>> {
    let cannot_read = || format!("cannot read the directory '{}'", directory.display());
    let mut shards = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(cannot_read)? {
        let path = entry.with_context(cannot_read)?.path();
        if is_of_a_shard(stem, &path.file_name().unwrap_or_default().to_string_lossy()) {
            shards.push(path);
        }
    }
    // `read_dir` has no order, and a merged result keeps that of its parts.
    shards.sort();
    let whole = directory.join(name(stem, None));
    if shards.is_empty() && whole.is_file() {
        shards.push(whole);
    }
    Ok(shards)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shards_file_is_known_by_its_name() {
        assert!(is_of_a_shard("summary", &name("summary", Some(Shard { index: 2, count: 16 }))));
        let others = [
            "summary.json",
            "summary.2-of-.json",
            "summary.02-of-4.json",
            "summary.gradcam.json",
            "evaluation.2-of-4.json",
        ];
        for other in others {
            assert!(!is_of_a_shard("summary", other), "{other}");
        }
    }
}
