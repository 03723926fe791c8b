//! Names of the result files of a run: `summary.json`, and `summary.2-of-4.json` of a shard, which may share its directory with others.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

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

/// The results called `stem` in all directories; `None` where no directory has any.
///
/// # Errors
/// When some directories have them and others do not.
pub(crate) fn of_all(directories: &[PathBuf], stem: &str) -> Result<Option<Vec<PathBuf>>> {
    let found = directories.iter().map(|directory| found(directory, stem));
    let found = found.collect::<Result<Vec<_>>>()?;
    match found.iter().position(Vec::is_empty) {
        None => Ok(Some(found.concat())),
        Some(_) if found.iter().all(Vec::is_empty) => Ok(None),
        Some(at) => bail!(
            "directory '{}' holds no {}, expected one, as the others have",
            directories[at].display(),
            name(stem, None)
        ),
    }
}

/// The directories of several runs, each of which may be named once.
///
/// # Errors
/// When one is named twice, or cannot be read.
pub(crate) fn each_once(directories: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for directory in directories {
        // Two spellings of one directory would count its images twice.
        let real = directory
            .canonicalize()
            .with_context(|| format!("cannot read the directory '{}'", directory.display()))?;
        if seen.contains(&real) {
            bail!("directory '{}' is named twice, expected each once", directory.display());
        }
        seen.push(real);
    }
    Ok(directories.to_vec())
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
