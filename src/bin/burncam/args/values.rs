//! Parsers of single values: a fraction, a tolerance, a colour, a window, a glob.

use std::path::PathBuf;

use burncam_graph::card::{ColorOrder, Filter};
use burncam_graph::error::{Phrase, Problem};
use burncam_model::import::ResizeRequest;

pub(super) fn parse_unit(text: &str) -> Result<f32, Problem> {
    match text.parse() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err(expected("a number from 0 to 1", text)),
    }
}

pub(super) fn parse_deviation(text: &str) -> Result<f32, Problem> {
    match text.parse() {
        Ok(number) if (0.0..=100.0).contains(&number) => Ok(number),
        _ => Err(expected("a number from 0 to 100 such as 0.15", text)),
    }
}

pub(super) fn parse_tolerance(text: &str) -> Result<f64, Problem> {
    match text.parse() {
        Ok(number) if number > 0.0 && number < 1.0 => Ok(number),
        _ => Err(expected("a number between 0 and 1, such as 1e-4", text)),
    }
}

pub(super) fn parse_colour(text: &str) -> Result<[u8; 3], Problem> {
    let digits = text.trim_start_matches('#');
    let channel = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    match (digits.len(), channel(0), channel(2), channel(4)) {
        (6, Some(red), Some(green), Some(blue)) => Ok([red, green, blue]),
        _ => Err(expected("six hexadecimal digits such as ffffff", text)),
    }
}

/// Two numbers, the first the smaller one.
pub(super) fn parse_window(text: &str) -> Result<[f64; 2], Problem> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let window = text.split_once(',').and_then(|(black, white)| Some([number(black)?, number(white)?]));
    window
        .filter(|[black, white]| black < white && (white - black).is_finite())
        .ok_or_else(|| expected("two numbers, the smaller one first, such as 0,4095", text))
}

/// A number, or a fraction such as 1/255.
pub(super) fn parse_number(text: &str) -> Result<f64, Problem> {
    let number = match text.split_once('/') {
        Some((above, below)) => {
            above.trim().parse::<f64>().ok().zip(below.trim().parse::<f64>().ok()).map(|(a, b)| a / b)
        }
        None => text.trim().parse().ok(),
    };
    number
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| expected("a number such as 0.485 or 1/255", text))
}

/// One side for both, or HEIGHTxWIDTH.
pub(super) fn parse_size(text: &str) -> Result<[usize; 2], Problem> {
    let (height, width) = text.split_once('x').unwrap_or((text, text));
    match (height.parse(), width.parse()) {
        (Ok(height @ 1..), Ok(width @ 1..)) => Ok([height, width]),
        _ => Err(expected("a side such as 224, or HEIGHTxWIDTH such as 224x320", text)),
    }
}

/// A part of names and what replaces it, which may be nothing.
pub(super) fn parse_rename(text: &str) -> Result<(String, String), Problem> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() => Ok((from.to_owned(), to.to_owned())),
        _ => Err(expected("two parts of names such as head=fc", text)),
    }
}

pub(super) fn parse_resize(text: &str) -> Result<ResizeRequest, Problem> {
    match text {
        "letterbox" => Ok(ResizeRequest::Letterbox),
        "none" => Ok(ResizeRequest::None),
        _ if text.contains('x') => parse_size(text).map(ResizeRequest::Stretch),
        _ => text
            .parse()
            .ok()
            .filter(|side| *side > 0)
            .map(ResizeRequest::ShortestSide)
            .ok_or_else(|| expected("a side such as 256, HEIGHTxWIDTH, letterbox or none", text)),
    }
}

/// `NAME=FILE`.
pub(super) fn parse_named(text: &str) -> Result<(String, PathBuf), Problem> {
    match text.rsplit_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(path)))
        }
        _ => Err(expected("NAME=FILE.npy", text)),
    }
}

pub(super) fn parse_filter(text: &str) -> Result<Filter, Problem> {
    by_name(text, "nearest, bilinear, bicubic or lanczos")
}

pub(super) fn parse_color(text: &str) -> Result<ColorOrder, Problem> {
    by_name(text, "rgb, bgr or gray")
}

/// A value by its name in cards.
fn by_name<T: serde::de::DeserializeOwned>(text: &str, names: &'static str) -> Result<T, Problem> {
    serde_json::from_value(text.into()).map_err(|_| expected(names, text))
}

/// Bytes, with a unit of 1024, 1024^2 or 1024^3 or without one.
pub(super) fn parse_bytes(text: &str) -> Result<u64, Problem> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => Some(1),
        "K" | "KB" | "KIB" => Some(1 << 10),
        "M" | "MB" | "MIB" => Some(1 << 20),
        "G" | "GB" | "GIB" => Some(1 << 30),
        "T" | "TB" | "TIB" => Some(1 << 40),
        _ => None,
    };
    let bytes = unit.and_then(|unit: u64| digits.parse::<u64>().ok()?.checked_mul(unit));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| expected("a size such as 2G or 500M", text))
}

pub(super) fn parse_glob(text: &str) -> Result<glob::Pattern, Problem> {
    glob::Pattern::new(text)
        .map_err(|error| Problem::expected_but("a glob such as '*.jpg'", format!("'{text}': {}", error.msg)))
}

/// A problem of the value `text` of an argument, for which `expected` was expected.
pub(super) fn expected(expected: impl Into<Phrase>, text: &str) -> Problem {
    Problem::expected_but(expected, format!("'{text}'"))
}
