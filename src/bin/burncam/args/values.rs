//! How single words of the command line are read: a layer, a kind of file, a fraction, a colour.

use burncam::model::LayerRequest;

use super::Save;

pub(super) fn parse_layer(text: &str) -> Result<LayerRequest, String> {
    if text.is_empty() { Err("expected a layer, got nothing".into()) } else { Ok(LayerRequest::parse(text)) }
}

pub(super) fn parse_save(text: &str) -> Result<Save, burncam::Error> {
    if text == "record" { Ok(Save::Record) } else { text.parse().map(Save::Artifact) }
}

pub(super) fn parse_unit(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err(format!("expected a number from 0 to 1, got '{text}'")),
    }
}

pub(super) fn parse_colour(text: &str) -> Result<[u8; 3], String> {
    let digits = text.trim_start_matches('#');
    let channel = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    match (digits.len(), channel(0), channel(2), channel(4)) {
        (6, Some(red), Some(green), Some(blue)) => Ok([red, green, blue]),
        _ => Err(format!("expected six hexadecimal digits such as ffffff, got '{text}'")),
    }
}
