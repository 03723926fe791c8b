//! `--csv`: one row per image, class and method, with one column per metric.

use std::io::{BufWriter, Error, Write};

use anyhow::Result;
use burncam::evaluate::Totals;
use burncam::record::{EvaluatedTarget, Evaluation};

use crate::formula;

/// Columns before those of the metrics.
const COLUMNS: [&str; 5] = ["path", "target", "class_name", "row", "blank"];

/// Writes the table.
pub(super) fn write(
    evaluation: &Evaluation<Totals>,
    targets: impl Iterator<Item = Result<EvaluatedTarget>>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(BufWriter::new(out));
    // Those of mosaics and of all targets together have no value of a target.
    let metrics = evaluation.metrics.iter().enumerate().filter(|(_, metric)| metric.of == "target");
    let names = metrics.clone().map(|(_, metric)| metric.name.as_str());
    writer.write_record(COLUMNS.into_iter().chain(names))?;
    for target in targets {
        let target = target.map_err(Error::other)?;
        for (row, figures) in evaluation.rows.iter().zip(&target.rows) {
            // A blank map has no values; its cells are empty.
            let value = |at: usize| figures.values.get(at).copied().flatten();
            let values = metrics.clone().map(|(at, _)| value(at));
            let cells = [
                formula::quoted(&target.path).into_owned(),
                target.target.to_string(),
                formula::quoted(&target.class_name).into_owned(),
                row.name.clone(),
                formula::quoted(figures.blank.as_deref().unwrap_or_default()).into_owned(),
            ];
            let values = values.map(|value| value.map_or_else(String::new, |value| value.to_string()));
            writer.write_record(cells.into_iter().chain(values))?;
        }
    }
    writer.flush()
}
