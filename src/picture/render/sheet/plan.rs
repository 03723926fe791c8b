//! Where everything on a sheet is.

use std::ops::Range;

use image::RgbImage;

use super::super::thumbnail::thumbnail;
use super::contents::{
    BAR_HEIGHT, BAR_WIDTH, Cell, DETAIL_LINE, ENDS, FOOT_LINE, GAP, HEADING_LINE, Heading, LABEL_LINE,
    MARGIN, ROW_BAR, SPACE, Sheet, SheetRow, TITLE_SIZE, Type, scaled,
};
use crate::error::Result;

/// Wide enough for the class name above a portrait.
const LEAST_COLUMN: u32 = 200;
/// Longer row labels wrap to two lines.
const WIDEST_LABEL: u32 = 150;
/// Longer side of the photo in the corner: landscape, portrait.
const CORNER: [u32; 2] = [150, 120];
/// Columns next to each other; more go on below. At the usual size they are as wide as two screens.
const MOST_COLUMNS: usize = 8;

/// The position of every part, in pixels, and the scaled pictures.
pub(super) struct Plan {
    pub(super) corner: Option<RgbImage>,
    pub(super) cells: Vec<Vec<Cell>>,
    /// Of all columns, that of the photo among them.
    pub(super) headings: Vec<Heading>,
    /// Parts of the columns, one below the other, with all rows in each.
    pub(super) bands: Vec<Band>,
    /// The label of each row.
    pub(super) labels: Vec<Label>,
    /// Whether any heading has a second line.
    pub(super) details: bool,
    /// Where the columns begin.
    pub(super) first: u32,
    /// Width of a column.
    pub(super) column: u32,
    pub(super) foot: u32,
    pub(super) foot_lines: Vec<String>,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// The lines of a row's label and of its detail.
pub(super) struct Label {
    pub(super) title: Vec<String>,
    pub(super) detail: Vec<String>,
}

impl Label {
    /// Number of lines.
    pub(super) fn count(&self) -> usize {
        self.title.len() + self.detail.len()
    }

    fn of(row: &SheetRow, type_: &Type, room: f32) -> Self {
        Self {
            title: type_.label.wrapped(&row.label, room, 2),
            detail: type_.detail.wrapped(&row.detail, room, 3),
        }
    }

    fn width(&self, type_: &Type) -> u32 {
        let titles = self.title.iter().map(|line| type_.label.width(line));
        let details = self.detail.iter().map(|line| type_.detail.width(line));
        titles.chain(details).fold(0.0, f32::max).ceil() as u32
    }
}

/// Some of the columns.
pub(super) struct Band {
    pub(super) columns: Range<usize>,
    /// Where its cells start.
    pub(super) head_end: u32,
    /// Top and height of each row.
    pub(super) rows: Vec<(u32, u32)>,
}

impl Plan {
    pub(super) fn new(sheet: &Sheet, type_: &Type, unit: f32) -> Result<Self> {
        let px = |length| scaled(length, unit);
        let (cells, headings, corner) = contents(sheet, px(CORNER[0]), px(CORNER[1]))?;
        let label = |row: &SheetRow| Label::of(row, type_, px(WIDEST_LABEL) as f32);
        let labels: Vec<Label> = sheet.rows.iter().map(label).collect();
        let widest = labels.iter().map(|label| label.width(type_)).max();
        let bar = if sheet.rows.iter().any(|row| row.bar.is_some()) { px(ROW_BAR) } else { 0 };
        let label_width = widest.unwrap_or(0).max(corner.as_ref().map_or(0, RgbImage::width)).max(bar);
        let first = px(MARGIN) + if label_width > 0 { label_width + px(SPACE) } else { 0 };
        let widths = cells.iter().flatten().map(|cell| cell.picture.width());
        let column = widths.max().unwrap_or(0).max(px(LEAST_COLUMN));
        let details = headings.iter().any(|heading| !heading.detail.is_empty());
        let tops = tops(sheet, details, corner.as_ref(), unit);
        let heights = heights(&cells, &labels, sheet, unit);
        let (bands, end) = bands(parts(headings.len()), &heights, tops, unit);

        let across = bands.first().map_or(0, |band| band.columns.len() as u32);
        let right = first + across * column + across.saturating_sub(1) * px(GAP);
        // A single narrow column still needs room for the bar and some text below.
        let width = right.max(px(MARGIN) + 2 * px(BAR_WIDTH)) + px(MARGIN);
        let foot = end + px(SPACE);
        let taken = if sheet.bar.is_some() { px(BAR_WIDTH) + px(SPACE) } else { 0 };
        let foot_lines = type_.foot.wrapped(&sheet.foot(), (width - 2 * px(MARGIN) - taken) as f32, 3);
        let text = (FOOT_LINE * unit * foot_lines.len() as f32) as u32;
        let height = foot + text.max(px(BAR_HEIGHT + ENDS)) + px(MARGIN - 8);
        Ok(Self {
            corner,
            cells,
            headings,
            bands,
            labels,
            details,
            first,
            column,
            foot,
            foot_lines,
            width,
            height,
        })
    }

    /// Where a column of a band begins.
    pub(super) fn left(&self, at: usize, unit: f32) -> u32 {
        self.first + at as u32 * (self.column + scaled(GAP, unit))
    }
}

/// Cells and headings with the plain photo as the first of them, or the photo for the corner.
#[allow(clippy::type_complexity)] // three parts of a plan that one decision determines
fn contents(
    sheet: &Sheet,
    landscape: u32,
    portrait: u32,
) -> Result<(Vec<Vec<Cell>>, Vec<Heading>, Option<RgbImage>)> {
    let fit = |cell: &Cell| -> Result<Cell> {
        Ok(Cell { picture: thumbnail(&cell.picture, sheet.cell)?, note: cell.note.clone() })
    };
    let mut cells = Vec::new();
    for row in &sheet.rows {
        cells.push(row.cells.iter().map(fit).collect::<Result<Vec<_>>>()?);
    }
    let mut headings = sheet.columns.clone();
    let corner = match (&sheet.photo, &mut cells[..]) {
        // With one row there is room for the photo as its first cell; in the corner it would be tiny.
        (Some(photo), [only]) => {
            only.insert(0, Cell { picture: thumbnail(photo, sheet.cell)?, note: String::new() });
            headings.insert(0, Heading { title: "Photo".to_owned(), detail: String::new() });
            None
        }
        (Some(photo), _) => {
            let side = if photo.width() < photo.height() { portrait } else { landscape };
            Some(thumbnail(photo, side)?)
        }
        (None, _) => None,
    };
    Ok((cells, headings, corner))
}

/// Columns in parts of at most [`MOST_COLUMNS`], nearly equally many in each; one part for none.
fn parts(columns: usize) -> Vec<Range<usize>> {
    let count = columns.div_ceil(MOST_COLUMNS).max(1);
    let each = columns.div_ceil(count);
    (0..count).map(|at| at * each..((at + 1) * each).min(columns)).collect()
}

/// Where the first cells start, and the height of headings.
fn tops(sheet: &Sheet, details: bool, corner: Option<&RgbImage>, unit: f32) -> [u32; 2] {
    let px = |length| scaled(length, unit);
    let head = px(HEADING_LINE) + if details { px(DETAIL_LINE) } else { 0 };
    let title = if sheet.title.is_empty() { 0 } else { px(TITLE_SIZE as u32 + SPACE) };
    let corner = corner.map_or(0, |corner| corner.height() + px(GAP));
    [px(MARGIN) + (title + head).max(corner), head]
}

/// The parts one below the other, each with all rows, from `top` on with `head` between two of them; and where the last ends.
fn bands(parts: Vec<Range<usize>>, heights: &[u32], [top, head]: [u32; 2], unit: f32) -> (Vec<Band>, u32) {
    let mut end = top;
    let mut bands = Vec::new();
    for columns in parts {
        if !bands.is_empty() {
            end += scaled(SPACE, unit) + head;
        }
        let head_end = end;
        let mut rows = Vec::new();
        for (at, height) in heights.iter().enumerate() {
            end += if at > 0 { scaled(GAP, unit) } else { 0 };
            rows.push((end, *height));
            end += height;
        }
        bands.push(Band { columns, head_end, rows });
    }
    (bands, end)
}

/// Rows as high as their highest cell and their label.
fn heights(cells: &[Vec<Cell>], labels: &[Label], sheet: &Sheet, unit: f32) -> Vec<u32> {
    let height = |((cells, label), row): ((&Vec<Cell>, &Label), &SheetRow)| {
        let bar = if row.bar.is_some() { scaled(BAR_HEIGHT + ENDS, unit) } else { 0 };
        // At least two lines of text: the label of a flat picture may have two.
        let least = (LABEL_LINE * unit * label.count().max(2) as f32) as u32 + bar;
        cells.iter().map(|cell| cell.picture.height()).max().unwrap_or(0).max(least)
    };
    cells.iter().zip(labels).zip(&sheet.rows).map(height).collect()
}
