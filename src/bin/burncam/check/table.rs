//! Rows of the tables that `burncam check` prints.

use burncam::check::Status;

/// Check, result, difference, limit, remark.
pub(super) fn row(
    name: &str,
    status: Status,
    difference: Option<f64>,
    limit: f64,
    remark: String,
) -> Vec<String> {
    let difference = difference.map_or_else(|| "-".to_owned(), figure);
    vec![name.to_owned(), word(status), difference, figure(limit), remark]
}

pub(super) fn word(status: Status) -> String {
    let word = match status {
        Status::Ok => "ok",
        Status::Failed => "FAILED",
        Status::NotAvailable => "not available",
    };
    word.to_owned()
}

/// Two significant digits, without trailing zeros.
pub(super) fn figure(number: f64) -> String {
    match number {
        0.0 => "0".to_owned(),
        _ if !number.is_finite() => "not finite".to_owned(),
        _ if (0.01..1000.0).contains(&number) => {
            let text = format!("{number:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => format!("{number:.1e}").replace(".0e", "e"),
    }
}
