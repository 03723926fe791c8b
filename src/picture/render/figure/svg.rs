//! A figure as an SVG file.

use std::fmt::Write as _;

use data_encoding::BASE64;

use super::super::png::{PngLevel, encode_png};
use super::super::rows::Rows;
use super::page::{Item, Page};
use crate::error::{Error, Result};

pub(super) fn write(page: &Page) -> Result<Vec<u8>> {
    let Page { width, height, items } = page;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}pt\" height=\"{height}pt\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for item in items {
        let line = match item {
            Item::Picture { picture, left, top, width, height } => {
                let png = BASE64.encode(&encode_png(&Rows::of(picture), PngLevel::Balanced)?);
                // A small photo keeps its pixels; a bar, of one column, is smooth.
                let is_small = picture.width() > 1 && (picture.height() as f32) < *height;
                let rendering = if is_small { " style=\"image-rendering:pixelated\"" } else { "" };
                format!(
                    "<image x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\"{rendering} \
                     href=\"data:image/png;base64,{png}\"/>"
                )
            }
            Item::Text { text, left, baseline, size, bold, color: [red, green, blue] } => {
                let weight = if *bold { " font-weight=\"bold\"" } else { "" };
                format!(
                    "<text x=\"{left}\" y=\"{baseline}\" font-family=\"Inter, Helvetica, Arial, sans-serif\" font-size=\"{size}\"{weight} \
                     fill=\"#{red:02x}{green:02x}{blue:02x}\">{}</text>",
                    quoted(text)
                )
            }
        };
        writeln!(out, "{line}").map_err(|error| Error::internal(error.to_string()))?;
    }
    out.push_str("</svg>\n");
    Ok(out.into_bytes())
}

/// Text of an XML document; characters that no XML may hold are left out.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for character in text.chars().filter(|character| !character.is_control()) {
        match character {
            '&' => quoted.push_str("&amp;"),
            '<' => quoted.push_str("&lt;"),
            '>' => quoted.push_str("&gt;"),
            '\u{fffe}' | '\u{ffff}' => {}
            other => quoted.push(other),
        }
    }
    quoted
}
