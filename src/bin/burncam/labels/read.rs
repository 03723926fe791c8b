//! Reads label files: CSV, TSV and JSON. `mod.rs` interprets paths and classes.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burncam_graph::memory::{self, Part, read_text};
use csv::{ByteRecord, ReaderBuilder};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::decode;
use crate::discover::list;
use crate::formula;

/// A row of a label file.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    pub(super) path: PathBuf,
    /// Index or name.
    pub(super) class: String,
    /// Line number, or number of the entry, from 1.
    pub(super) at: u64,
}

/// Accepted column names.
const PATH: &[&str] = &["path", "filename", "file_name", "filepath", "file", "image"];
const CLASS: &[&str] = &["class", "label", "class_name", "target"];

/// What `at` counts.
pub(super) fn unit(file: &Path) -> &'static str {
    if has_ending(file, "json") { "entry" } else { "line" }
}

pub(super) fn rows(file: &Path) -> Result<Vec<Row>> {
    let bytes = read_text(file, Part::Text)?;
    // A table may begin as JSON does.
    memory::allow(memory::of_lines(&bytes)).map_err(burncam::Error::from)?;
    let bytes = decode::text(bytes).with_context(|| format!("labels '{}'", file.display()))?;
    let rows = match () {
        () if has_ending(file, "csv") => table(&bytes, separator(&bytes)),
        () if has_ending(file, "tsv") => table(&bytes, b'\t'),
        () if has_ending(file, "json") => json(&bytes),
        () => bail!("labels '{}': expected a file that ends in .csv, .tsv or .json", file.display()),
    };
    rows.with_context(|| format!("labels '{}'", file.display()))
}

fn has_ending(file: &Path, wanted: &str) -> bool {
    file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(wanted))
}

/// The separator with which the first row names the columns. Spreadsheets write semicolons where numbers have commas.
fn separator(bytes: &[u8]) -> u8 {
    let names_both = |separator: &u8| {
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).delimiter(*separator).from_reader(bytes);
        let mut first = ByteRecord::new();
        reader.read_byte_record(&mut first).is_ok() && header(&first).is_some()
    };
    [b',', b';', b'\t'].into_iter().find(names_both).unwrap_or(b',')
}

/// Two columns, path and class; with a header that names them, other columns are allowed.
fn table(bytes: &[u8], delimiter: u8) -> Result<Vec<Row>> {
    let mut reader =
        // Without headers, because the first row of a file that has none is data; flexible, because a short row
        // gets a message with its line below.
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let mut columns = None;
    let mut rows = Vec::new();
    // Bytes, because a path need not be UTF-8.
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        let at = record.position().map_or(0, |start| line(bytes, start));
        if rows.is_empty()
            && columns.is_none()
            && let Some(named) = header(&record)
        {
            columns = Some(named);
            continue;
        }
        let (path, class) = match columns {
            Some((path, class)) => (record.get(path), record.get(class)),
            None if record.len() == 2 => (record.get(0), record.get(1)),
            None if record.len() == 1 => {
                bail!("line {at}: expected path and class, got one column (put a comma between them)")
            }
            None => bail!(
                "line {at}: expected path and class, got {} columns (name them in a header)",
                record.len()
            ),
        };
        let (Some(path), Some(class)) = (path, class) else { bail!("line {at}: it ends before its class") };
        let (path, class) = (plain(path), plain(class));
        let class = String::from_utf8_lossy(class).trim().to_owned();
        rows.push(Row { path: list::path(path).with_context(|| format!("line {at}"))?, class, at });
    }
    Ok(rows)
}

/// The cell without a quote against formulas, which burncam's own tables have.
fn plain(cell: &[u8]) -> &[u8] {
    std::str::from_utf8(cell).map_or(cell, |text| formula::plain(text).as_bytes())
}

/// The line of a row. The reader's position is before any empty lines that precede it.
fn line(bytes: &[u8], start: &csv::Position) -> u64 {
    let ends = bytes.iter().skip(start.byte() as usize).take_while(|byte| matches!(byte, b'\r' | b'\n'));
    start.line() + ends.filter(|byte| **byte == b'\n').count() as u64
}

/// Columns of path and class, if this row names both.
fn header(record: &ByteRecord) -> Option<(usize, usize)> {
    let called = |names: &[&str]| {
        record.iter().position(|word| {
            let word = String::from_utf8_lossy(word).trim().to_lowercase();
            names.contains(&word.as_str())
        })
    };
    Some((called(PATH)?, called(CLASS)?))
}

/// An object of paths and classes, or an array of objects with both.
fn json(bytes: &[u8]) -> Result<Vec<Row>> {
    let Pairs(pairs) = serde_json::from_slice(bytes)?;
    let row = |(at, (path, class)): (usize, (String, Word))| {
        let class = match class {
            Word::Index(index) => index.to_string(),
            Word::Name(name) => name,
        };
        Row { path: PathBuf::from(path), class, at: at as u64 + 1 }
    };
    Ok(pairs.into_iter().enumerate().map(row).collect())
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a class, an index or a name")]
enum Word {
    Index(u64),
    Name(String),
}

#[derive(Deserialize)]
struct Entry {
    #[serde(alias = "filename", alias = "file_name", alias = "file", alias = "image")]
    path: String,
    #[serde(alias = "label", alias = "class_name", alias = "target")]
    class: Word,
}

/// A map would silently keep only the last of two equal paths.
struct Pairs(Vec<(String, Word)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object of paths and classes, or an array of objects with 'path' and 'class'")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(Entry { path, class }) = entries.next_element()? {
            pairs.push((path, class));
        }
        Ok(Pairs(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &[u8]) -> Result<Vec<(String, String, u64)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let rows = rows(&file).map_err(|error| crate::failure::message(&error))?;
        Ok(rows.into_iter().map(|row| (row.path.to_str().unwrap().to_owned(), row.class, row.at)).collect())
    }

    fn row(path: &str, class: &str, at: u64) -> (String, String, u64) {
        (path.to_owned(), class.to_owned(), at)
    }

    #[test]
    fn a_table_needs_no_header_and_may_have_other_columns_with_one() {
        let cats = vec![row("a, b.jpg", "cat", 1), row("c.jpg", "7", 3)];
        assert_eq!(read("l.csv", b"\"a, b.jpg\",cat\n\nc.jpg, 7\n"), Ok(cats));
        let dogs = vec![row("a.jpg", "dog, hound", 2)];
        assert_eq!(read("l.CSV", b"\xEF\xBB\xBFpath,class\r\na.jpg,\"dog, hound\"\r\n"), Ok(dogs.clone()));
        assert_eq!(read("l.tsv", b"filename\tlabel\na.jpg\tdog, hound\n"), Ok(dogs.clone()));
        assert_eq!(read("l.csv", b"Label,width,Filename\n\"dog, hound\",3,a.jpg\n"), Ok(dogs.clone()));
        assert_eq!(read("l.csv", b"path;class\na.jpg;dog, hound\n"), Ok(dogs.clone()));
        assert_eq!(read("l.csv", b"path\tsize\tclass\na.jpg\t3\tdog, hound\n"), Ok(dogs));
        let error = read("l.csv", b"a.jpg;cat\n").unwrap_err();
        assert!(error.contains("line 1: expected path and class, got one column (put a comma"), "{error}");
        assert!(
            read("l.csv", b"a.jpg,cat,3\n").unwrap_err().contains("line 1: expected path and class, got 3")
        );
        assert!(
            read("l.csv", b"path,class\na.jpg\n").unwrap_err().contains("line 2: it ends before its class")
        );
    }

    #[test]
    fn a_quote_against_formulas_is_taken_off() {
        let rows = vec![row("=a.jpg", "@cat", 2), row("'b.jpg", "-3", 3)];
        assert_eq!(read("l.csv", b"path,class\n'=a.jpg,'@cat\n'b.jpg,-3\n"), Ok(rows));
    }

    #[test]
    fn json_is_an_object_or_an_array() {
        let rows = vec![row("a.jpg", "cat", 1), row("b.jpg", "7", 2), row("a.jpg", "dog", 3)];
        assert_eq!(read("l.json", br#"{"a.jpg": "cat", "b.jpg": 7, "a.jpg": "dog"}"#), Ok(rows.clone()));
        let array = br#"[{"path": "a.jpg", "class": "cat"}, {"filename": "b.jpg", "label": 7, "size": 3},
            {"image": "a.jpg", "target": "dog"}]"#;
        assert_eq!(read("l.json", array), Ok(rows));
        assert!(read("l.json", br#"{"a.jpg": [1]}"#).unwrap_err().contains("an index or a name"));
        assert!(read("l.json", br#""a.jpg""#).unwrap_err().contains("an object of paths and classes"));
        assert!(read("l.json", br#"{"a.jpg": "#).unwrap_err().contains("line 1"));
    }

    #[test]
    fn the_ending_says_what_a_file_is() {
        assert!(read("l.txt", b"a.jpg,cat").unwrap_err().contains("ends in .csv, .tsv or .json"));
        assert!(
            rows(Path::new("missing.csv")).unwrap_err().to_string().starts_with("cannot read 'missing.csv'")
        );
    }
}
