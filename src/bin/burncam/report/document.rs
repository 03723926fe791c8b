//! The HTML file: a template with styles, script, data, and a policy that forbids everything else.

use std::io::{self, Write};

use crate::html::hash;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// One module: names declared in a file are visible in the next.
const SCRIPT: &str = concat!(
    include_str!("list.js"),
    include_str!("windowed.js"),
    include_str!("cards.js"),
    include_str!("picked.js"),
    include_str!("large.js"),
    include_str!("controls.js")
);

/// The parts of a page that grow with the number of pictures.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// What holds for the page, and what all cards are filtered and sorted by.
    Data,
    /// The rest of the cards.
    Cards,
}

/// Writes the page with the overview of all pictures, which is HTML, and the parts that `write` writes, which are text without markup.
pub(super) fn write(
    out: &mut dyn Write,
    overview: &str,
    mut write: impl FnMut(Part, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let (before, after) = TEMPLATE.split_once("{{data}}").unwrap_or((TEMPLATE, ""));
    let (between, after) = after.split_once("{{cards}}").unwrap_or((after, ""));
    out.write_all(filled(before, overview).as_bytes())?;
    write(Part::Data, out)?;
    out.write_all(between.as_bytes())?;
    write(Part::Cards, out)?;
    out.write_all(filled(after, overview).as_bytes())
}

/// A part of the template. Pieces are inserted in one pass, so that `{{` in one is not taken for a place.
fn filled(template: &str, overview: &str) -> String {
    let mut filled =
        String::with_capacity(template.len() + STYLE.len() + SCRIPT.len() + overview.len() + 1024);
    let mut pieces = template.split("{{");
    filled.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        match name {
            "policy" => filled.push_str(&policy()),
            "style" => filled.push_str(STYLE),
            "script" => filled.push_str(SCRIPT),
            _ => filled.push_str(overview),
        }
        filled.push_str(rest);
    }
    filled
}

/// Allows only pictures, from the page's origin or embedded, and only this script.
fn policy() -> String {
    format!(
        "default-src 'none'; img-src 'self' file: data:; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_template_is_filled_and_nothing_comes_from_elsewhere() {
        let mut page = Vec::new();
        write(&mut page, "", |part, out| write!(out, "{part:?}")).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert!(page.contains(">Data</script>") && page.contains(">Cards</script>"));
        assert!(!page.contains("{{"), "a place was left empty");
        for outside in ["http:", "https:", "url(", "@import", "innerHTML", "eval("] {
            assert!(!page.contains(outside), "'{outside}'");
        }
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
    }
}
