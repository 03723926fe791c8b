//! Figures of an earlier run: those of its `evaluation.json`, and those of a run that was killed.
//!
//! Receives the files of the earlier run; copies what may be kept into the file of this one (`spool.rs`), and finds it there. What is kept is
//! decided by contents and never by file times: the same network, settings and metrics, and for each picture the same input, true classes and
//! objects.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result};
use burncam::record::{EvaluatedTarget, Evaluation};
use serde::Deserialize;

use super::spool::{Line, Spool};

/// What an earlier run found of each picture, by the hash of its path: about 40 bytes per picture.
#[derive(Debug, Default)]
pub(super) struct Kept(HashMap<u64, Line>);

/// The part of a target that says what it is of.
#[derive(Deserialize)]
struct Named {
    path: String,
    input_sha256: String,
}

impl Kept {
    /// What the files of an earlier run hold, now in `spool`, and why nothing is kept of a file that is there.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub(super) fn read(
        header: &Evaluation,
        finished: &Path,
        unfinished: &Path,
        spool: &Spool,
    ) -> Result<(Self, Vec<String>)> {
        let (mut kept, mut refused) = (Self::default(), Vec::new());
        for (path, refusal) in [
            (finished, kept.add_finished(header, finished, spool)?),
            (unfinished, kept.add_unfinished(header, unfinished, spool)?),
        ] {
            refused.extend(refusal.map(|why| format!("'{}' has {why}", path.display())));
        }
        Ok((kept, refused))
    }

    /// Keeps what an `evaluation.json` has; gives the reason where it keeps nothing.
    fn add_finished(&mut self, header: &Evaluation, path: &Path, spool: &Spool) -> Result<Option<String>> {
        let Some(file) = open(path)? else { return Ok(None) };
        match Evaluation::read_head(&file) {
            Ok(earlier) => {
                if let Some(what) = header.difference(&earlier) {
                    return Ok(Some(format!("other {what}")));
                }
            }
            Err(error) => return Ok(Some(format!("no figures to keep: it {error}"))),
        }
        // The targets of one picture follow each other.
        let mut of_one: Vec<EvaluatedTarget> = Vec::new();
        let mut failed = None;
        let mut keep = |targets: &mut Vec<EvaluatedTarget>| {
            let added = self.add(targets, spool);
            targets.clear();
            failed = failed.take().or(added.err());
        };
        let read = Evaluation::read(&file, &mut |target| {
            if of_one.first().is_some_and(|first| first.path != target.path) {
                keep(&mut of_one);
            }
            of_one.push(target);
            Ok(())
        });
        keep(&mut of_one);
        read.with_context(|| format!("evaluation '{}'", path.display()))?;
        failed.map_or(Ok(None), Err)
    }

    /// Keeps what a run that was killed left; gives the reason where it keeps nothing.
    fn add_unfinished(&mut self, header: &Evaluation, path: &Path, spool: &Spool) -> Result<Option<String>> {
        let Some(file) = open(path)? else { return Ok(None) };
        let mut lines = BufReader::new(file).split(b'\n');
        let first = lines.next().transpose().with_context(|| format!("cannot read '{}'", path.display()))?;
        match first.as_deref().map(Evaluation::from_json) {
            Some(Ok(earlier)) => {
                if let Some(what) = header.difference(&earlier) {
                    return Ok(Some(format!("other {what}")));
                }
            }
            _ => return Ok(Some("no figures to keep: its first line is cut off".to_owned())),
        }
        for line in lines {
            let line = line.with_context(|| format!("cannot read '{}'", path.display()))?;
            // A last line that was cut off by a kill is no JSON, and its picture is measured again.
            let targets: Vec<EvaluatedTarget> = serde_json::from_slice(&line).unwrap_or_default();
            self.add(&targets, spool)?;
        }
        Ok(None)
    }

    /// The targets of one picture; those that came before are forgotten.
    fn add(&mut self, targets: &[EvaluatedTarget], spool: &Spool) -> Result<()> {
        if let Some(first) = targets.first() {
            self.0.insert(hash(&first.path), spool.add(targets)?);
        }
        Ok(())
    }

    /// Where the targets of a picture are, if all that they depend on is the same. `input_sha256` is called where there are any.
    pub(super) fn of(
        &self,
        path: &str,
        spool: &Spool,
        input_sha256: impl FnOnce() -> String,
    ) -> Result<Option<Line>> {
        let Some(line) = self.0.get(&hash(path)) else { return Ok(None) };
        let targets: Vec<Named> = spool.read(*line)?;
        let input_sha256 = input_sha256();
        // Two paths may have one hash.
        let is_same = |target: &Named| target.path == path && target.input_sha256 == input_sha256;
        Ok(targets.iter().all(is_same).then_some(*line))
    }
}

fn hash(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// `None` where there is no such file.
fn open(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read '{}'", path.display())),
    }
}
