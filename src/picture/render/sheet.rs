//! A labelled contact sheet: one row per method, one column per target, an overlay in each cell.
//!
//! Receives drawn pictures and their labels; returns one picture. Cells are scaled to thumbnails.

use image::{Rgb, RgbImage};

use super::colormap::Colormap;
use super::text::Style;
use super::thumbnail::thumbnail;
use crate::error::Result;

/// The side of the square that every cell fits into, in pixels.
pub const CELL: u32 = 320;

const MARGIN: u32 = 36;
/// Between cells, and between labels and cells.
const GAP: u32 = 14;
/// Between the sections of the sheet.
const SPACE: u32 = 24;
/// Wide enough for the class name above a portrait.
const LEAST_COLUMN: u32 = 200;
/// Longer row labels wrap to two lines.
const WIDEST_LABEL: f32 = 150.0;
/// Longer side of the photo in the corner: landscape, portrait.
const CORNER: [u32; 2] = [150, 120];

const PAPER: Rgb<u8> = Rgb([255; 3]);
const INK: Rgb<u8> = Rgb([24, 27, 32]);
const FAINT_INK: Rgb<u8> = Rgb([100, 106, 116]);

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
    /// The colour map that the scale shows.
    pub colormap: Colormap,
    /// Whether the scale goes from -1 to 1 instead of 0 to 1.
    pub signed: bool,
}

/// The text above a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// For example the class. Truncated with an ellipsis when the column is narrower.
    pub title: String,
    /// Smaller, below the title; for example the probability. May be empty.
    pub detail: String,
}

/// A row: its label and cells.
#[derive(Debug, Clone)]
pub struct SheetRow {
    /// The method, for example.
    pub label: String,
    /// One per column, of any size; missing cells stay blank.
    pub cells: Vec<RgbImage>,
}

impl Sheet {
    /// Draws the sheet on white.
    ///
    /// # Errors
    /// [`Internal`](crate::error::ErrorKind::Internal) when a picture cannot be scaled.
    pub fn draw(&self) -> Result<RgbImage> {
        let type_ = Type::new()?;
        let plan = Plan::new(self, &type_)?;
        let mut paper = RgbImage::from_pixel(plan.width, plan.height, PAPER);
        self.draw_head(&mut paper, &plan, &type_);
        for (row, cells) in plan.cells.iter().enumerate() {
            let (top, height) = plan.rows[row];
            for (cell, column) in cells.iter().zip(&plan.columns) {
                put(&mut paper, cell, column.left, top);
            }
            let lines = &plan.labels[row];
            let first = top as f32 + (height as f32 - LABEL_LINE * lines.len() as f32) / 2.0;
            for (line, text) in lines.iter().enumerate() {
                let baseline = first + LABEL_LINE * line as f32 + LABEL_LINE * 0.75;
                type_.label.draw(&mut paper, MARGIN as f32, baseline, text);
            }
        }
        self.draw_foot(&mut paper, &plan, &type_);
        Ok(paper)
    }

    fn draw_head(&self, paper: &mut RgbImage, plan: &Plan, type_: &Type) {
        let left = match &plan.corner {
            Some(corner) => {
                put(paper, corner, MARGIN, MARGIN);
                plan.columns.first().map_or(MARGIN, |column| column.left)
            }
            None => MARGIN,
        };
        let room = (plan.width - MARGIN - left) as f32;
        let title = type_.title.elided(&self.title, room);
        // Inter's capitals are 0.73 em high: their tops are on the margin.
        type_.title.draw(paper, left as f32, MARGIN as f32 + 0.73 * TITLE_SIZE, &title);
        for column in &plan.columns {
            let room = column.width as f32;
            let [title, detail] = [
                type_.heading.elided(&column.heading.title, room),
                type_.detail.elided(&column.heading.detail, room),
            ];
            let above = if plan.details { DETAIL_LINE } else { 0.0 };
            let baseline = plan.head_end as f32 - 12.0;
            type_.heading.draw(paper, column.left as f32, baseline - above, &title);
            type_.detail.draw(paper, column.left as f32, baseline, &detail);
        }
    }

    /// Model and layer at the left, the colour scale at the right.
    fn draw_foot(&self, paper: &mut RgbImage, plan: &Plan, type_: &Type) {
        let (left, top) = (plan.width - MARGIN - BAR_WIDTH, plan.foot);
        for x in 0..BAR_WIDTH {
            let color = Rgb(self.colormap.color(x as f32 / (BAR_WIDTH - 1) as f32));
            for y in 0..BAR_HEIGHT {
                paper.put_pixel(left + x, top + y, color);
            }
        }
        let ends: &[&str] = if self.signed { &["−1", "0", "1"] } else { &["0", "1"] };
        for (place, text) in ends.iter().enumerate() {
            let share = place as f32 / (ends.len() - 1) as f32;
            let x = left as f32 + share * (BAR_WIDTH as f32 - type_.foot.width(text));
            type_.foot.draw(paper, x, (top + BAR_HEIGHT) as f32 + 15.0, text);
        }
        for (line, text) in plan.foot_lines.iter().enumerate() {
            let baseline = top as f32 + 10.0 + FOOT_LINE * line as f32;
            type_.foot.draw(paper, MARGIN as f32, baseline, text);
        }
    }
}

const TITLE_SIZE: f32 = 24.0;
const LABEL_LINE: f32 = 21.0;
/// Includes the space below it.
const HEADING_LINE: u32 = 30;
const DETAIL_LINE: f32 = 20.0;
const FOOT_LINE: f32 = 19.0;
const BAR_WIDTH: u32 = 180;
const BAR_HEIGHT: u32 = 10;

/// The text styles.
struct Type {
    title: Style,
    heading: Style,
    detail: Style,
    label: Style,
    foot: Style,
}

impl Type {
    fn new() -> Result<Self> {
        Ok(Self {
            title: Style::semi_bold(TITLE_SIZE, INK)?,
            heading: Style::semi_bold(17.0, INK)?,
            detail: Style::regular(15.0, FAINT_INK)?,
            label: Style::semi_bold(16.0, INK)?,
            foot: Style::regular(13.0, FAINT_INK)?,
        })
    }
}

struct Column {
    left: u32,
    width: u32,
    heading: Heading,
}

/// The position of every part, in pixels, and the scaled pictures.
struct Plan {
    corner: Option<RgbImage>,
    cells: Vec<Vec<RgbImage>>,
    columns: Vec<Column>,
    /// Top and height of each row.
    rows: Vec<(u32, u32)>,
    /// The lines of each row's label.
    labels: Vec<Vec<String>>,
    /// Whether any heading has a second line.
    details: bool,
    /// Where the cells start.
    head_end: u32,
    foot: u32,
    foot_lines: Vec<String>,
    width: u32,
    height: u32,
}

impl Plan {
    fn new(sheet: &Sheet, type_: &Type) -> Result<Self> {
        let fit = |picture: &RgbImage| thumbnail(picture, CELL);
        let mut headings = sheet.columns.clone();
        let mut cells = Vec::new();
        for row in &sheet.rows {
            cells.push(row.cells.iter().map(fit).collect::<Result<Vec<_>>>()?);
        }
        let corner = match (&sheet.photo, &mut cells[..]) {
            // With one row there is room for the photo as its first cell; in the corner it would be tiny.
            (Some(photo), [only]) => {
                only.insert(0, fit(photo)?);
                headings.insert(0, Heading { title: "Photo".to_owned(), detail: String::new() });
                None
            }
            (Some(photo), _) => Some(thumbnail(photo, CORNER[usize::from(photo.width() < photo.height())])?),
            (None, _) => None,
        };
        let labels: Vec<Vec<String>> =
            sheet.rows.iter().map(|row| type_.label.wrapped(&row.label, WIDEST_LABEL, 2)).collect();
        let widest = labels.iter().flatten().map(|line| type_.label.width(line).ceil() as u32).max();
        let label_width = widest.unwrap_or(0).max(corner.as_ref().map_or(0, RgbImage::width));
        let first = MARGIN + if label_width > 0 { label_width + SPACE } else { 0 };
        let columns = columns(headings, &cells, first);
        let right = columns.last().map_or(first, |column| column.left + column.width);
        // A single narrow column still needs room for the bar and some text below.
        let width = right.max(MARGIN + 2 * BAR_WIDTH) + MARGIN;

        let details = sheet.columns.iter().any(|heading| !heading.detail.is_empty());
        let head_end = MARGIN
            + head_height(sheet, details).max(corner.as_ref().map_or(0, |corner| corner.height() + GAP));
        let rows = rows(&cells, head_end);
        let foot = rows.last().map_or(head_end, |(top, height)| top + height) + SPACE;
        let foot_room = (width - 2 * MARGIN - BAR_WIDTH - SPACE) as f32;
        let foot_lines = type_.foot.wrapped(&sheet.footer, foot_room, 3);
        let foot_height = (FOOT_LINE as u32 * foot_lines.len() as u32).max(BAR_HEIGHT + 18);
        let height = foot + foot_height + MARGIN - 8;
        Ok(Self { corner, cells, columns, rows, labels, details, head_end, foot, foot_lines, width, height })
    }
}

/// Height of the title and the headings.
fn head_height(sheet: &Sheet, details: bool) -> u32 {
    let title = if sheet.title.is_empty() { 0 } else { TITLE_SIZE as u32 + SPACE };
    title + HEADING_LINE + if details { DETAIL_LINE as u32 } else { 0 }
}

/// Columns as wide as their widest cell, starting at `left`.
fn columns(headings: Vec<Heading>, cells: &[Vec<RgbImage>], mut left: u32) -> Vec<Column> {
    let column = |(at, heading)| {
        let widths = cells.iter().filter_map(|row| row.get(at)).map(RgbImage::width);
        let column = Column { left, width: widths.max().unwrap_or(0).max(LEAST_COLUMN), heading };
        left += column.width + GAP;
        column
    };
    headings.into_iter().enumerate().map(column).collect()
}

/// Rows as high as their highest cell, starting at `top`.
fn rows(cells: &[Vec<RgbImage>], mut top: u32) -> Vec<(u32, u32)> {
    let row = |cells: &Vec<RgbImage>| {
        // At least two lines of text: the label of a flat picture may have two.
        let place = (top, cells.iter().map(RgbImage::height).max().unwrap_or(0).max(2 * LABEL_LINE as u32));
        top += place.1 + GAP;
        place
    };
    cells.iter().map(row).collect()
}

fn put(paper: &mut RgbImage, picture: &RgbImage, left: u32, top: u32) {
    image::imageops::replace(paper, picture, left.into(), top.into());
}

#[cfg(test)]
#[path = "sheet_tests.rs"]
mod tests;
