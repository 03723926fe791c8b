//! The HTML file: a template with styles, script, data, and a policy that forbids everything else.

use crate::html::hash;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// One module: names declared in a file are visible in the next.
const SCRIPT: &str = concat!(
    include_str!("list.js"),
    include_str!("cards.js"),
    include_str!("large.js"),
    include_str!("controls.js")
);

/// Fills the page with its data, which is JSON, and with the overview of all pictures, which is HTML.
pub(super) fn document(data: &str, overview: &str) -> String {
    let mut document = String::with_capacity(TEMPLATE.len() + STYLE.len() + SCRIPT.len() + data.len() + 1024);
    let mut pieces = TEMPLATE.split("{{");
    document.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        match name {
            "policy" => document.push_str(&policy()),
            "style" => document.push_str(STYLE),
            "script" => document.push_str(SCRIPT),
            "overview" => document.push_str(overview),
            // Pieces are inserted in one pass, so that `{{` in data is not taken for a place.
            _ => document.push_str(&harmless(data)),
        }
        document.push_str(rest);
    }
    document
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
fn harmless(json: &str) -> String {
    // In JSON these are only in strings; `</script>` in a file name would end the element.
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_end_its_element_and_reads_as_before() {
        let value = serde_json::json!({ "x": "</script><!-- & {{style}}" });
        let page = document(&value.to_string(), "");
        let (_, rest) = page.split_once("<script id=\"data\" type=\"application/json\">").unwrap();
        let (data, _) = rest.split_once("</script>").unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(data).unwrap(), value);
        assert!(!data.contains('<'));
    }

    #[test]
    fn every_place_of_the_template_is_filled_and_nothing_comes_from_elsewhere() {
        let page = document("{}", "");
        assert!(!page.contains("{{"), "a place was left empty");
        for outside in ["http:", "https:", "url(", "@import", "innerHTML", "eval("] {
            assert!(!page.contains(outside), "'{outside}'");
        }
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
    }
}
