//! `--jsonl` and `--csv`: lists of lines and rows, in the order of the inputs, written immediately.
//!
//! Receives lines of JSON, and cells of text; what is in them is left to `explain` and `predict`.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burncam::record::LabelRecord;
use burncam_picture::render::escape::{escaped, escaped_json};

use crate::{formula, line_file, text};

/// Records as JSON, one per line.
pub(crate) struct JsonLines {
    sink: Sink,
}

/// A table.
pub(crate) struct Csv {
    writer: csv::Writer<Sink>,
    path: PathBuf,
    /// Whether cells stay unchanged, including formulas.
    raw: bool,
}

/// A file or standard output, flushed after each line.
struct Sink {
    to: Box<dyn Write + Send>,
    path: PathBuf,
    /// Whether it is a pipe that its reader closed; the other files are still written.
    gone: bool,
    /// It is a terminal.
    is_seen: bool,
}

/// Standard output, shared with messages.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        text::data_while_open(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn open(path: &Path, overwrite: bool) -> Result<Self> {
        let is_stdout = path == Path::new("-");
        let to: Box<dyn Write + Send> =
            if is_stdout { Box::new(Stdout) } else { Box::new(line_file::create(path, overwrite)?) };
        let is_seen = is_stdout && text::is_seen();
        Ok(Self { to, path: path.to_path_buf(), gone: false, is_seen })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gone {
            return Ok(bytes.len());
        }
        match self.to.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                text::note(&format!(
                    "the reader of '{}' is gone; files are written as before",
                    self.path.display()
                ));
                Ok(bytes.len())
            }
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl JsonLines {
    /// Opens a list; `-` is standard output.
    pub(crate) fn open(path: &Path, overwrite: bool) -> Result<Self> {
        Ok(Self { sink: Sink::open(path, overwrite)? })
    }

    /// Adds a record that is JSON without a line break.
    pub(crate) fn line(&mut self, json: &str) -> Result<()> {
        let line = format!("{json}\n");
        let line = escaped_json(&line);
        let written = self.sink.write_all(line.as_bytes()).and_then(|()| self.sink.flush());
        written.with_context(|| format!("cannot write '{}'", self.sink.path.display()))
    }
}

impl Csv {
    /// Opens a table with these columns; `-` is standard output. `raw` keeps cells that a spreadsheet would take for formulas.
    pub(crate) fn open(path: &Path, columns: &[&str], overwrite: bool, raw: bool) -> Result<Self> {
        let writer = csv::Writer::from_writer(Sink::open(path, overwrite)?);
        let mut csv = Self { writer, path: path.into(), raw };
        csv.row(&columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
        Ok(csv)
    }

    /// Adds a row, with a cell for each column.
    pub(crate) fn row(&mut self, cells: &[String]) -> Result<()> {
        let (path, raw) = (&self.path, self.raw);
        let is_seen = self.writer.get_ref().is_seen;
        let cells = cells.iter().map(|cell| {
            let cell = if raw { Cow::Borrowed(cell.as_str()) } else { formula::quoted(cell) };
            if is_seen { escaped(&cell).into_owned() } else { cell.into_owned() }
        });
        self.writer
            .write_record(cells.map(String::into_bytes))
            .map_err(anyhow::Error::from)
            .and_then(|()| Ok(self.writer.flush()?))
            .with_context(|| format!("cannot write '{}'", path.display()))
    }
}

/// An empty cell for `None`.
pub(crate) fn cell(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// The directory of a list, to which its paths are relative; that of standard output is the current one.
pub(crate) fn folder_of(list: &Path) -> &Path {
    list.parent().unwrap_or(Path::new(""))
}

/// Indices and names of the true classes, separated by semicolons.
pub(crate) fn label_cells(labels: &[LabelRecord]) -> [String; 2] {
    let indices: Vec<String> = labels.iter().map(|label| label.target.to_string()).collect();
    let names: Vec<&str> = labels.iter().map(|label| label.class_name.as_str()).collect();
    [indices.join(";"), names.join(";")]
}
