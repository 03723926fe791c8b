//! Figures of an earlier run: those of its `evaluation.json`, and those of a run that was killed.
//!
//! While pictures are measured, the figures of each are added to a file of their own, which goes when all results are written. What is kept is
//! decided by contents and never by file times: the same network, settings and metrics, and for each picture the same input, true classes and
//! objects.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burncam::record::{EvaluatedTarget, Evaluation};

/// The targets of an earlier run by the paths of their pictures.
#[derive(Debug, Default)]
pub(super) struct Kept(HashMap<String, Vec<EvaluatedTarget>>);

impl Kept {
    /// What the files of an earlier run hold, and why nothing is kept of a file that is there.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn read(
        header: &Evaluation,
        finished: &Path,
        unfinished: &Path,
    ) -> Result<(Self, Vec<String>)> {
        let (mut kept, mut refused) = (Self::default(), Vec::new());
        let mut refuse = |path: &Path, why: &str| refused.push(format!("'{}' has {why}", path.display()));
        if let Some(bytes) = bytes_of(finished)? {
            match Evaluation::from_json(&bytes) {
                Ok(earlier) => match header.difference(&earlier) {
                    None => earlier.targets.into_iter().for_each(|target| kept.add(target)),
                    Some(what) => refuse(finished, &format!("other {what}")),
                },
                Err(error) => refuse(finished, &format!("no figures to keep: it {error}")),
            }
        }
        if let Some(bytes) = bytes_of(unfinished)? {
            let mut lines = bytes.split(|byte| *byte == b'\n');
            match lines.next().map(Evaluation::from_json) {
                Some(Ok(earlier)) => match header.difference(&earlier) {
                    None => lines.for_each(|line| kept.add_line(line)),
                    Some(what) => refuse(unfinished, &format!("other {what}")),
                },
                _ => refuse(unfinished, "no figures to keep: its first line is cut off"),
            }
        }
        Ok((kept, refused))
    }

    /// The targets of one picture. A last line that was cut off by a kill is no JSON, and its picture is measured again.
    fn add_line(&mut self, line: &[u8]) {
        let targets: Vec<EvaluatedTarget> = serde_json::from_slice(line).unwrap_or_default();
        if let Some(first) = targets.first() {
            self.0.remove(&first.path);
        }
        targets.into_iter().for_each(|target| self.add(target));
    }

    fn add(&mut self, target: EvaluatedTarget) {
        self.0.entry(target.path.clone()).or_default().push(target);
    }

    /// The targets of a picture, if all that they depend on is the same. `input_sha256` is called where there are any.
    pub(super) fn of(
        &self,
        path: &str,
        input_sha256: impl FnOnce() -> String,
    ) -> Option<Vec<EvaluatedTarget>> {
        let targets = self.0.get(path)?;
        let input_sha256 = input_sha256();
        targets.iter().all(|target| target.input_sha256 == input_sha256).then(|| targets.clone())
    }
}

/// `None` where there is no such file.
fn bytes_of(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read '{}'", path.display())),
    }
}

/// The figures so far, on disk: the header on the first line, then one line per picture.
#[derive(Debug)]
pub(super) struct Unfinished {
    file: File,
    path: PathBuf,
}

impl Unfinished {
    /// Begins the file, with its directory.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(super) fn begin(path: PathBuf, header: &Evaluation) -> Result<Self> {
        let about = || format!("cannot create '{}'", path.display());
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).with_context(about)?;
        }
        let file = File::create(&path).with_context(about)?;
        let mut unfinished = Self { file, path };
        unfinished.line(&serde_json::to_string(header)?)?;
        Ok(unfinished)
    }

    /// Adds the targets of a picture.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn add(&mut self, targets: &[EvaluatedTarget]) -> Result<()> {
        self.line(&serde_json::to_string(targets)?)
    }

    fn line(&mut self, text: &str) -> Result<()> {
        // One call per line, so that a kill cuts off the last one only.
        let written = self.file.write_all(format!("{text}\n").as_bytes());
        written.with_context(|| format!("cannot write '{}'", self.path.display()))
    }

    /// Removes the file, once all results are written.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn end(self) -> Result<()> {
        std::fs::remove_file(&self.path).with_context(|| format!("cannot remove '{}'", self.path.display()))
    }
}
