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

/// Writes the page with the overview of all pictures, which is HTML, and its data, which is [`harmless`] JSON.
pub(super) fn write(
    out: &mut dyn Write,
    overview: &str,
    data: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let (before, after) = TEMPLATE.split_once("{{data}}").unwrap_or((TEMPLATE, ""));
    out.write_all(filled(before, overview).as_bytes())?;
    data(out)?;
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

/// JSON that is safe inside a `script` element. These characters only occur in strings.
pub(super) fn harmless(json: &str) -> String {
    // In JSON these are only in strings; `</script>` in a file name would end the element.
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(data: &str) -> String {
        let mut page = Vec::new();
        write(&mut page, "", |out| out.write_all(harmless(data).as_bytes())).unwrap();
        String::from_utf8(page).unwrap()
    }

    #[test]
    fn data_cannot_end_its_element_and_reads_as_before() {
        let value = serde_json::json!({ "x": "</script><!-- & {{style}}" });
        let page = page(&value.to_string());
        let (_, rest) = page.split_once("<script id=\"data\" type=\"application/json\">").unwrap();
        let (data, _) = rest.split_once("</script>").unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(data).unwrap(), value);
        assert!(!data.contains('<'));
    }

    #[test]
    fn every_place_of_the_template_is_filled_and_nothing_comes_from_elsewhere() {
        let page = page("{}");
        assert!(!page.contains("{{"), "a place was left empty");
        for outside in ["http:", "https:", "url(", "@import", "innerHTML", "eval("] {
            assert!(!page.contains(outside), "'{outside}'");
        }
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
    }
}
