//! Records as JSON on one line or indented. Indented, nested arrays stay on one line, so that a heatmap reads as a
//! grid.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::Record;
use crate::error::Problem;

impl Record {
    /// The record as indented JSON with a final newline; heatmap rows on one line each.
    ///
    /// # Errors
    /// When a number is not finite: JSON has no NaN, and such a record is never written.
    pub fn to_json(&self) -> Result<String, Problem> {
        self.check_finite()?;
        to_json(self)
    }

    /// The record on one line, for streams of records.
    ///
    /// # Errors
    /// As [`Record::to_json`].
    pub fn to_json_line(&self) -> Result<String, Problem> {
        self.check_finite()?;
        serde_json::to_string(self).map_err(|error| error.to_string().into())
    }

    fn check_finite(&self) -> Result<(), Problem> {
        let targets =
            self.targets.iter().flat_map(|target| [Some(target.score), target.proba, target.logit]).flatten();
        let predictions =
            self.predictions.iter().flat_map(|class| [class.proba, class.logit, class.number]).flatten();
        // serde_json would write `null` for NaN, which readers take for a missing number.
        let maps = self.targets.iter().flat_map(|target| target.heatmap.iter().flatten());
        let all = targets.chain(predictions).chain(maps.map(|value| f64::from(*value)));
        match all.into_iter().find(|number| !number.is_finite()) {
            Some(number) => {
                Err(Problem::new(format!("the record holds {number}")).expected("finite numbers"))
            }
            None => Ok(()),
        }
    }
}

/// `value` as indented JSON with a final newline.
pub(super) fn to_json(value: &impl Serialize) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    write_json(value, &mut bytes).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string().into())
}

/// The same text, written as it comes.
pub(super) fn write_json(value: &impl Serialize, mut out: &mut dyn Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut out, GridFormatter::default());
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Pretty printing, except inside nested arrays.
#[derive(Default)]
struct GridFormatter {
    pretty: PrettyFormatter<'static>,
    /// Open containers, outermost first: true for an array.
    open: Vec<bool>,
}

impl GridFormatter {
    fn in_row(&self) -> bool {
        // An array directly in an array is a row of the map; arrays of objects are printed one below the other.
        self.open.windows(2).any(|pair| pair == [true, true])
    }
}

impl Formatter for GridFormatter {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open.push(true);
        if self.in_row() { writer.write_all(b"[") } else { self.pretty.begin_array(writer) }
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let in_row = self.in_row();
        self.open.pop();
        if in_row { writer.write_all(b"]") } else { self.pretty.end_array(writer) }
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        match (self.in_row(), first) {
            (true, true) => Ok(()),
            (true, false) => writer.write_all(b", "),
            _ => self.pretty.begin_array_value(writer, first),
        }
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.in_row() { Ok(()) } else { self.pretty.end_array_value(writer) }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open.push(false);
        self.pretty.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open.pop();
        self.pretty.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.pretty.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_its_rows_on_lines() {
        let text = to_json(&serde_json::json!({ "map": [[1, 2], [3, 4]], "list": [1], "none": [] })).unwrap();
        assert!(text.contains("    [1, 2],\n    [3, 4]\n"), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["map"][1][0], 3);
    }
}
