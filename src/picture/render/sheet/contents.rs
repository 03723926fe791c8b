//! What a sheet shows, and the lengths and letters of its layout.

use image::{Rgb, RgbImage};

use super::super::bar::Bar;
use super::super::text::Style;
use crate::error::Result;

/// The usual side of the square that every cell fits into, in pixels. All lengths here are for this one.
pub const CELL: u32 = 320;

pub(super) const MARGIN: u32 = 36;
/// Between cells, and between labels and cells.
pub(super) const GAP: u32 = 14;
/// Between the sections of the sheet.
pub(super) const SPACE: u32 = 24;
pub(super) const TITLE_SIZE: f32 = 24.0;
pub(super) const LABEL_LINE: f32 = 21.0;
/// Includes the space below it.
pub(super) const HEADING_LINE: u32 = 30;
pub(super) const DETAIL_LINE: u32 = 20;
pub(super) const FOOT_LINE: f32 = 19.0;
pub(super) const BAR_WIDTH: u32 = 180;
pub(super) const BAR_HEIGHT: u32 = 10;
/// Below a bar, for its ends.
pub(super) const ENDS: u32 = 18;
/// A bar below the label of a row.
pub(super) const ROW_BAR: u32 = 110;

pub(super) const PAPER: Rgb<u8> = Rgb([255; 3]);
pub(super) const INK: Rgb<u8> = Rgb([24, 27, 32]);
pub(super) const FAINT_INK: Rgb<u8> = Rgb([100, 106, 116]);

/// The contents of a sheet.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Above everything, for example the picture's name.
    pub title: String,
    /// Below everything, for example model and layer.
    pub footer: String,
    /// The plain photo: left of a single row, in the corner when there are several.
    pub photo: Option<RgbImage>,
    /// One heading per column.
    pub columns: Vec<Heading>,
    /// From top to bottom.
    pub rows: Vec<SheetRow>,
    /// The colours of all maps; none where rows have bars of their own, or none has one.
    pub bar: Option<Bar>,
    /// Side of the square that every cell fits into, in pixels: [`CELL`] for screens, more for print.
    pub cell: u32,
}

impl Sheet {
    /// The text at the bottom: the footer, and each footnote once.
    pub(super) fn foot(&self) -> String {
        let mut all = vec![self.footer.as_str()];
        for row in &self.rows {
            if !row.footnote.is_empty() && !all.contains(&row.footnote.as_str()) {
                all.push(&row.footnote);
            }
        }
        all.join(". ")
    }
}

/// The text above a column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heading {
    /// For example the class. Truncated with an ellipsis when the column is narrower.
    pub title: String,
    /// Smaller, below the title; for example the probability. May be empty.
    pub detail: String,
}

/// A row: its label and cells.
#[derive(Debug, Clone, Default)]
pub struct SheetRow {
    /// The method, for example.
    pub label: String,
    /// Smaller, below the label; for example the class of a photo. May be empty.
    pub detail: String,
    /// One per column, of any size; missing cells stay blank.
    pub cells: Vec<Cell>,
    /// Said below the sheet, once for all rows that say it; may be empty.
    pub footnote: String,
    /// In place of the cells that are missing; may be empty.
    pub rest: String,
    /// The colours of this row's maps, where rows differ.
    pub bar: Option<Bar>,
}

/// A picture of a sheet.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The picture, of any size.
    pub picture: RgbImage,
    /// Written on it, for example why there is no heat; may be empty.
    pub note: String,
}

/// The text styles.
pub(super) struct Type {
    pub(super) title: Style,
    pub(super) heading: Style,
    pub(super) detail: Style,
    pub(super) label: Style,
    pub(super) foot: Style,
    pub(super) note: Style,
}

impl Type {
    pub(super) fn new(unit: f32) -> Result<Self> {
        Ok(Self {
            title: Style::semi_bold(TITLE_SIZE * unit, INK)?,
            heading: Style::semi_bold(17.0 * unit, INK)?,
            detail: Style::regular(15.0 * unit, FAINT_INK)?,
            label: Style::semi_bold(16.0 * unit, INK)?,
            foot: Style::regular(13.0 * unit, FAINT_INK)?,
            note: Style::regular(14.0 * unit, INK)?,
        })
    }
}

/// A length of a sheet with the usual cells on one whose cells are `unit` times as large.
pub(super) fn scaled(length: u32, unit: f32) -> u32 {
    (length as f32 * unit).round() as u32
}
