//! Quotes table cells that a spreadsheet would take for formulas, by the usual prefix `'`.
//!
//! A file name or class name may be `=HYPERLINK(...)`. [`plain`] removes exactly the quotes added here, so that a
//! table written by burncam reads back unchanged.

use std::borrow::Cow;

/// Characters that start a formula, in both widths.
const BEGINNINGS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// The cell, prefixed with `'` if it would be a formula.
pub(crate) fn quoted(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// Inverts [`quoted`]; other cells stay unchanged.
pub(crate) fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Whether a spreadsheet may take a cell for a formula, by OWASP's convention, also after it strips spaces or quotes.
/// Numbers of either sign are not formulas.
fn is_formula(cell: &str) -> bool {
    let rest = cell.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || "'\"".contains(c));
    let before = &cell[..cell.len() - rest.len()];
    let is_number =
        || rest.is_ascii() && rest.ends_with(|c: char| c.is_ascii_digit()) && rest.parse::<f64>().is_ok();
    before.contains(['\t', '\r', '\n']) || (rest.starts_with(BEGINNINGS) && !is_number())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_quoted() {
        let formulas = [
            "=1+1",
            "+1+1",
            "-1+1",
            "@SUM(A1)",
            "\t=1",
            "\rx",
            "\nx",
            " =1",
            "\u{a0}=1",
            "\"=1",
            "'=1",
            "''=1",
            "＝1",
            "＋1",
            "－1",
            "＠x",
            "-",
            "-1 000",
            "+inf",
            "-nan",
            "=",
            "-2e",
            "\u{feff}=1",
            "--1",
        ];
        for cell in formulas {
            assert_eq!(quoted(cell), format!("'{cell}"));
            assert_eq!(plain(&quoted(cell)), cell);
        }
    }

    #[test]
    fn numbers_and_names_stay() {
        let others = [
            "-1.5",
            "+3",
            "-1.5e-7",
            "1e300",
            "a=b",
            "tabby, tabby cat",
            "",
            " ",
            "'tis",
            "'-1.5",
            "O'Brien",
            "é",
        ];
        for cell in others {
            assert_eq!(quoted(cell), cell);
            assert_eq!(plain(cell), cell);
        }
    }
}
