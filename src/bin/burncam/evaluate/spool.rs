//! Figures of pictures on disk while pictures are measured: memory does not grow with what is known of each.
//!
//! Receives the targets of one picture at a time; gives them back by their place in the file. A named file stays after a kill, for `--resume`: its
//! first line is the evaluation of no picture, each other line has the targets of a picture.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use burncam::record::{EvaluatedTarget, Evaluation};
use burncam_model::temporary;
use serde::de::DeserializeOwned;

/// The targets of a picture in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    start: u64,
    length: usize,
}

/// The file. Workers read what they keep of an earlier run, while new lines are added.
#[derive(Debug)]
pub(crate) struct Spool {
    file: Mutex<File>,
    /// Whether it has the targets of any picture.
    has_targets: AtomicBool,
    /// Where it is, and the name that it has once it holds what is kept of an earlier run; `None` for a file without a name.
    paths: Option<Paths>,
}

#[derive(Debug)]
struct Paths {
    now: PathBuf,
    wanted: PathBuf,
}

impl Spool {
    /// A file without a name, which is gone when the program ends.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(crate) fn unnamed() -> Result<Self> {
        let file = tempfile::tempfile().context("cannot create a temporary file")?;
        Ok(Self { file: Mutex::new(file), has_targets: AtomicBool::new(false), paths: None })
    }

    /// Begins a file with the evaluation of no picture. It gets its name, which an earlier run's may have, by [`Spool::publish`].
    ///
    /// # Errors
    /// When it cannot be created.
    pub(super) fn begin(wanted: PathBuf, header: &Evaluation) -> Result<Self> {
        let about = || format!("cannot create '{}'", wanted.display());
        std::fs::create_dir_all(temporary::directory(&wanted)).with_context(about)?;
        let (file, now) = temporary::create(&wanted)?.keep().with_context(about)?;
        let file = Mutex::new(file);
        let (has_targets, paths) = (AtomicBool::new(false), Some(Paths { now, wanted }));
        let spool = Self { file, has_targets, paths };
        spool.add_line(&serde_json::to_vec(header)?)?;
        Ok(spool)
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub(super) fn publish(&mut self) -> Result<()> {
        let Some(Paths { now, wanted }) = &mut self.paths else { return Ok(()) };
        std::fs::rename(&*now, &*wanted).with_context(|| format!("cannot write '{}'", wanted.display()))?;
        now.clone_from(wanted);
        Ok(())
    }

    /// Adds the targets of a picture.
    ///
    /// # Errors
    /// When a figure is not finite, and when they cannot be written.
    pub(crate) fn add(&self, targets: &[EvaluatedTarget]) -> Result<Line> {
        // JSON would have null in its place.
        targets.iter().try_for_each(EvaluatedTarget::check_finite).map_err(burncam::Error::from)?;
        let line = self.add_line(&serde_json::to_vec(targets)?)?;
        self.has_targets.store(true, Ordering::Relaxed);
        Ok(line)
    }

    fn add_line(&self, text: &[u8]) -> Result<Line> {
        // One call per line, so that a kill cuts off the last one only.
        let line = [text, b"\n"].concat();
        let mut file = self.lock();
        let start = file.seek(SeekFrom::End(0));
        let start = start.and_then(|start| file.write_all(&line).map(|()| start));
        Ok(Line { start: start.with_context(|| self.about("write"))?, length: text.len() })
    }

    /// The targets of a picture, or what `T` needs of them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn read<T: DeserializeOwned>(&self, line: Line) -> Result<Vec<T>> {
        let mut text = vec![0; line.length];
        let mut file = self.lock();
        let found = file.seek(SeekFrom::Start(line.start)).and_then(|_| file.read_exact(&mut text));
        drop(file);
        found.with_context(|| self.about("read"))?;
        serde_json::from_slice(&text).with_context(|| self.about("read"))
    }

    /// Removes the file, once all results are written.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn end(self) -> Result<()> {
        let Some(Paths { now, .. }) = &self.paths else { return Ok(()) };
        match std::fs::remove_file(now) {
            // Another process that measures into the same directory was faster.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result.with_context(|| format!("cannot remove '{}'", now.display())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, File> {
        // A worker that panicked left the file whole: a line is written by one call.
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn about(&self, what: &str) -> String {
        match &self.paths {
            Some(Paths { wanted, .. }) => format!("cannot {what} '{}'", wanted.display()),
            None => format!("cannot {what} a temporary file"),
        }
    }
}

impl Drop for Spool {
    /// After an error the file stays for `--resume`, unless there is nothing in it to keep.
    fn drop(&mut self) {
        let Some(Paths { now, wanted }) = &self.paths else { return };
        if now != wanted || !self.has_targets.load(Ordering::Relaxed) {
            // The error is the one to report.
            let _ = std::fs::remove_file(now);
        }
    }
}

/// The name of the file while a run goes on, next to its `evaluation.json`.
pub(super) fn unfinished(evaluation: &Path) -> PathBuf {
    evaluation.with_extension("part.jsonl")
}

/// Compares paths as evaluations have them, as text.
pub(crate) fn by_text(one: &Path, other: &Path) -> std::cmp::Ordering {
    Path::new(&*one.to_string_lossy()).cmp(Path::new(&*other.to_string_lossy()))
}
