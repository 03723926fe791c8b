//! Tables: our own columns, and ILSVRC's.

use std::collections::HashMap;

use burncam_graph::error::Problem;
use csv::{ReaderBuilder, StringRecord, Trim};

use super::object::{Entry, Format, MAX_OBJECTS, Object, object, required};

/// The columns, in any order. Others are not read.
const COLUMNS: [&str; 6] = ["file", "label", "x", "y", "width", "height"];

/// ILSVRC's: a stem, and `class left top right bottom` for each object.
const ILSVRC: [&str; 2] = ["ImageId", "PredictionString"];

/// The pictures of a table with their objects.
pub(super) fn read(text: &str) -> Result<(Format, Vec<Entry>), Problem> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| unreadable(&error))?.clone();
    let format = if headers.iter().eq(ILSVRC) { Format::Ilsvrc } else { Format::Table };
    let places = if format == Format::Ilsvrc { vec![0, 1] } else { places(&headers)? };
    let (mut entries, mut by_picture) = (Vec::<Entry>::new(), HashMap::<String, usize>::new());
    let mut count = 0;
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(&error))?;
        let line = row.position().map_or(0, csv::Position::line);
        let fields: Vec<&str> = places.iter().map(|place| &row[*place]).collect();
        let (picture, objects) = of_fields(&fields, format).map_err(|problem| problem.named("line", line))?;
        count += objects.len();
        if count > MAX_OBJECTS {
            return Err(Problem::new("has too many objects").expected(format!("at most {MAX_OBJECTS}")));
        }
        let entry = *by_picture.entry(picture.clone()).or_insert(entries.len());
        if entry == entries.len() {
            let is_stem = format == Format::Ilsvrc;
            entries.push(Entry { picture, is_stem, size: None, is_share: false, objects: Vec::new() });
        }
        entries[entry].objects.extend(objects);
    }
    if format == Format::Table {
        refuse_shares(&entries)?;
    }
    Ok((format, entries))
}

/// Where our columns are.
fn places(headers: &StringRecord) -> Result<Vec<usize>, Problem> {
    let place = |name: &&str| {
        let mut places = headers.iter().enumerate().filter(|(_, header)| header == name);
        match (places.next(), places.next()) {
            (Some((place, _)), None) => Ok(place),
            _ => Err(columns(headers)),
        }
    };
    COLUMNS.iter().map(place).collect()
}

/// Picture and objects of a row.
fn of_fields(fields: &[&str], format: Format) -> Result<(String, Vec<Object>), Problem> {
    if fields[0].is_empty() {
        return Err(Problem::new("has no picture").expected("its path"));
    }
    let objects = if format == Format::Ilsvrc { of_ilsvrc(fields[1])? } else { vec![of_row(fields)?] };
    Ok((fields[0].replace('\\', "/"), objects))
}

fn of_row(fields: &[&str]) -> Result<Object, Problem> {
    let number = |at: usize| required(COLUMNS[at], fields[at]);
    let (left, top, width, height) = (number(2)?, number(3)?, number(4)?, number(5)?);
    object(fields[1], [left, top, left + width, top + height], false)
}

fn of_ilsvrc(text: &str) -> Result<Vec<Object>, Problem> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if !words.len().is_multiple_of(5) {
        return Err(Problem::new("has an unfinished list of boxes")
            .expected("class, left, top, right and bottom of each")
            .found(format!("{} words", words.len())));
    }
    let of_five = |words: &[&str]| {
        let corner = |at: usize| required("corner", words[at]);
        object(words[0], [corner(1)?, corner(2)?, corner(3)? + 1.0, corner(4)? + 1.0], false)
    };
    words.chunks_exact(5).map(of_five).collect()
}

/// Boxes that are all within one pixel are shares of the sides, which this table does not have.
fn refuse_shares(entries: &[Entry]) -> Result<(), Problem> {
    let mut bounds = entries.iter().flat_map(|entry| &entry.objects).map(|object| object.bounds);
    if entries.is_empty() || bounds.any(|bounds| bounds.right > 1.0 || bounds.bottom > 1.0) {
        return Ok(());
    }
    Err(Problem::new("has boxes within the first pixel alone")
        .expected("x, y, width and height in pixels")
        .hint("multiply shares by the picture's width and height"))
}

fn columns(headers: &StringRecord) -> Problem {
    let found: String = headers.iter().collect::<Vec<_>>().join(",").chars().take(120).collect();
    Problem::new("has other columns")
        .expected("one each of file,label,x,y,width,height")
        .found(format!("'{found}'"))
        .hint("x and y are the top left corner in pixels, from 0")
}

fn unreadable(error: &csv::Error) -> Problem {
    Problem::new(format!("cannot be read as a table: {error}"))
}
