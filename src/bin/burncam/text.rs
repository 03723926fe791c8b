//! The two output streams: results on standard output, messages on standard error.
//!
//! No other file writes to them. Every line passes through `escape`, so that text from files can neither control the
//! terminal nor start new lines.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Error, Result};
use env_logger::fmt::Formatter;

use burncam_picture::render::escape::{escaped, escaped_json};

use crate::failure;

/// Prints one line of results.
pub(crate) fn line(text: &str) -> Result<()> {
    data(format!("{}\n", escaped(text)).as_bytes())
}

/// Prints lines of results.
pub(crate) fn lines(lines: &[String]) -> Result<()> {
    lines.iter().try_for_each(|text| line(text))
}

/// Prints formatted JSON, escaped without changing its values.
pub(crate) fn json(json: &str) -> Result<()> {
    data(escaped_json(json).as_bytes())
}

/// Prints JSON on one line.
pub(crate) fn json_line(line: &str) -> Result<()> {
    json(&format!("{line}\n"))
}

/// Writes bytes to standard output unchanged: pictures, and text of our own.
pub(crate) fn data(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).context("cannot write to standard output")
}

/// As [`data`], for runs whose results are files: when the reader of standard output closes the pipe, later output is
/// dropped and the run continues.
pub(crate) fn data_while_open(bytes: &[u8]) -> io::Result<()> {
    if is_gone() {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // Remembered: files are still written, and the end of the run says so once.
            GONE.store(true, Ordering::Relaxed);
            Ok(())
        }
        result => result,
    }
}

/// Whether [`data_while_open`] found the pipe closed.
pub(crate) fn is_gone() -> bool {
    GONE.load(Ordering::Relaxed)
}

static GONE: AtomicBool = AtomicBool::new(false);

/// Whether standard output is a terminal.
pub(crate) fn is_seen() -> bool {
    io::stdout().is_terminal()
}

/// Prints an error and its causes on one line; a diagnosis of weights takes further lines, one per tensor.
pub(crate) fn error(error: &Error) {
    let message = format!("burncam: {}", failure::message(error));
    lines_of(&message).into_iter().for_each(note);
}

/// The lines of a message. Only a diagnosis of weights has several, and it escapes the names it contains.
fn lines_of(message: &str) -> Vec<&str> {
    // Only these line breaks of a message are ours: any other may come from the name of a tensor.
    const BEGINNINGS: [&str; 4] = ["\n  missing: ", "\n  wrong shape: ", "\n  unused: ", "\n  ("];
    let mut lines = Vec::new();
    let mut rest = message;
    if message.lines().next().is_some_and(|first| first.contains(" tensors fit")) {
        while let Some(end) = BEGINNINGS.iter().filter_map(|beginning| rest.find(beginning)).min() {
            lines.push(&rest[..end]);
            rest = &rest[end + 1..];
        }
    }
    lines.push(rest);
    lines
}

/// Prints a message, not a result, on one line.
pub(crate) fn note(text: &str) {
    // When standard error is closed there is nowhere left to report it.
    let _ = writeln!(io::stderr().lock(), "{}", escaped(text));
}

/// Writes a log message.
pub(crate) fn log_line(to: &mut Formatter, message: &log::Record) -> io::Result<()> {
    let (level, style) = (message.level(), to.default_level_style(message.level()));
    writeln!(to, "[{style}{level:<5}{style:#}] {}", escaped(&message.args().to_string()))
}

/// Aligned columns, separated by two spaces; the last one is not padded.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| escaped(cell).into_owned()).collect()).collect();
    let width = |column: usize| {
        // In characters, which is what the formatter below pads by.
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([header[column].chars().count()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let format = |cells: Vec<&str>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![format(header.to_vec())];
    lines.extend(rows.iter().map(|row| format(row.iter().map(String::as_str).collect())));
    lines
}

/// Columns of these widths, separated by two spaces, with cells broken into lines between words.
pub(crate) fn wrapped_table<const N: usize>(
    columns: [(&str, usize); N],
    rows: &[[&'static str; N]],
) -> Vec<String> {
    let row = |cells: [&str; N]| {
        let broken = |(cell, (_, width)): (&&str, &(&str, usize))| wrapped(cell, *width);
        let cells: Vec<Vec<String>> = cells.iter().zip(&columns).map(broken).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or_default();
        let line = |number: usize| {
            let cell = |(cell, (_, width)): (&Vec<String>, &(&str, usize))| {
                format!("{:<width$}", cell.get(number).map_or("", String::as_str))
            };
            cells.iter().zip(&columns).map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        (0..height).map(line).collect::<Vec<_>>()
    };
    let header = row(columns.map(|(name, _)| name));
    header.into_iter().chain(rows.iter().flat_map(|cells| row(*cells))).collect()
}

/// The words of a text on lines of at most this many characters; a longer word has a line of its own.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// `1 image`, `2 images`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// `0.8 s`, `64 s`, `12 min 5 s`, `3 h 20 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        // From here on one decimal would be rounded to `10.0 s`.
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        0..120 => format!("{whole} s"),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A byte count for people.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..100_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_the_digits_that_matter() {
        assert_eq!(
            [0.04, 9.96, 119.4, 7200.0, 12_000.0].map(duration),
            ["0.0 s", "10 s", "119 s", "2 h 0 min", "3 h 20 min"]
        );
    }

    #[test]
    fn cells_are_broken_between_words() {
        let table = wrapped_table(
            [("name", 5), ("shows", 9)],
            &[["a", "one two three"], ["b", "longer-than-that x"]],
        );
        let expected =
            ["name   shows", "a      one two", "       three", "b      longer-than-that", "       x"];
        assert_eq!(table, expected);
    }

    #[test]
    fn only_a_diagnosis_of_weights_has_several_lines() {
        let diagnosis = "model 'a': 1 of 2 tensors fit, 1 missing\n  missing: 'x' [1]\n  (hint)";
        assert_eq!(
            lines_of(diagnosis),
            ["model 'a': 1 of 2 tensors fit, 1 missing", "  missing: 'x' [1]", "  (hint)"]
        );
        for one in ["cannot read 'a\n  missing: b'", "1 of 2 tensors fit\nburncam: done", ""] {
            assert_eq!(lines_of(one), [one]);
        }
    }
}
