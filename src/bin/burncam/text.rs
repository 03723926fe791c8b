//! The two streams: data on standard output, everything said to a person about trouble on standard error.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Error, Result};

/// Prints one line of results.
pub(crate) fn line(text: &str) -> Result<()> {
    data(format!("{text}\n").as_bytes())
}

/// Writes bytes to standard output as they are.
pub(crate) fn data(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).context("cannot write to standard output")
}

/// As [`data`], where files are the product and standard output only tells of them: when its reader has gone away, nothing more is said
/// there.
pub(crate) fn beside_files(bytes: &[u8]) -> io::Result<()> {
    if is_gone() {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            GONE.store(true, Ordering::Relaxed);
            Ok(())
        }
        result => result,
    }
}

/// Whether [`beside_files`] found standard output's reader gone.
pub(crate) fn is_gone() -> bool {
    GONE.load(Ordering::Relaxed)
}

static GONE: AtomicBool = AtomicBool::new(false);

/// Prints an error and its causes on one line.
pub(crate) fn error(error: &Error) {
    // If standard error is gone there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "burncam: {error:#}");
}

/// Says something to a person that is no result.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Rows in columns, two spaces between, the last column ragged.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([header[column].len()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let format = |cells: Vec<&str>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![format(header.to_vec())];
    lines.extend(rows.iter().map(|row| format(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

/// `1 image`, `2 images`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// A probability as people read it.
pub(crate) fn percent(probability: f64) -> String {
    let percent = probability * 100.0;
    match percent {
        _ if percent > 0.0 && percent < 0.05 => "<0.1 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}

/// A probability, or the number of what has none.
pub(crate) fn percent_or_number(probability: Option<f64>, value: f64) -> String {
    probability.map_or_else(|| number(value), percent)
}

/// A number to five digits.
pub(crate) fn number(value: f64) -> String {
    const DIGITS: i32 = 5;
    let size = value.abs();
    match size {
        0.0 => "0".to_owned(),
        1e-4..1e7 => {
            let decimals = (DIGITS - 1 - size.log10().floor() as i32).max(0);
            format!("{value:.*}", decimals as usize)
        }
        _ => format!("{value:.4e}"),
    }
}

/// A number of bytes for people.
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
    fn numbers_have_five_digits_whatever_their_size() {
        let shown = [0.0, -2.05, 1234.56789, 0.000_123_456, 98_765_432.1, -3e-9, 1_234_567.8].map(number);
        assert_eq!(shown, ["0", "-2.0500", "1234.6", "0.00012346", "9.8765e7", "-3.0000e-9", "1234568"]);
        assert_eq!([percent_or_number(Some(0.5), 7.0), percent_or_number(None, 7.0)], ["50.0 %", "7.0000"]);
    }
}
