//! A labelled contact sheet: one row per method or picture, one column per target, an overlay in each cell.
//!
//! Receives drawn pictures and their labels; returns one picture. `plan` says where everything is; here it is drawn. Sheets of
//! any number of cells look alike: rows of many columns go on below, and texts and gaps grow with the cells.

mod contents;
mod plan;

use image::{Rgb, RgbImage};

use self::contents::{
    BAR_HEIGHT, BAR_WIDTH, DETAIL_LINE, ENDS, FOOT_LINE, LABEL_LINE, MARGIN, PAPER, ROW_BAR, TITLE_SIZE,
    Type, scaled,
};
pub use self::contents::{CELL, Cell, Heading, Sheet, SheetRow};
use self::plan::{Band, Plan};
use super::bar::Bar;
use crate::error::Result;

impl Sheet {
    /// Draws the sheet on white.
    ///
    /// # Errors
    /// [`Internal`](crate::error::ErrorKind::Internal) when a picture cannot be scaled.
    pub fn draw(&self) -> Result<RgbImage> {
        let unit = self.cell as f32 / CELL as f32;
        let type_ = Type::new(unit)?;
        let plan = Plan::new(self, &type_, unit)?;
        let mut paper = RgbImage::from_pixel(plan.width, plan.height, PAPER);
        let drawing = Drawing { sheet: self, plan: &plan, type_: &type_, unit };
        drawing.title(&mut paper);
        for band in &plan.bands {
            drawing.headings(&mut paper, band);
            drawing.cells(&mut paper, band);
            drawing.labels(&mut paper, band);
        }
        drawing.foot(&mut paper);
        Ok(paper)
    }
}

/// What is drawn from, by all parts.
struct Drawing<'a> {
    sheet: &'a Sheet,
    plan: &'a Plan,
    type_: &'a Type,
    /// Pixels of this sheet per pixel of one with the usual cells.
    unit: f32,
}

impl Drawing<'_> {
    fn pixels(&self, length: u32) -> u32 {
        scaled(length, self.unit)
    }

    fn title(&self, paper: &mut RgbImage) {
        let margin = self.pixels(MARGIN);
        let left = match &self.plan.corner {
            Some(corner) => {
                put(paper, corner, margin, margin);
                self.plan.first
            }
            None => margin,
        };
        let title = self.type_.title.elided(&self.sheet.title, (self.plan.width - margin - left) as f32);
        // Inter's capitals are 0.73 em high: their tops are on the margin.
        let baseline = margin as f32 + 0.73 * TITLE_SIZE * self.unit;
        self.type_.title.draw(paper, left as f32, baseline, &title);
    }

    fn headings(&self, paper: &mut RgbImage, band: &Band) {
        let room = self.plan.column as f32;
        let above = if self.plan.details { DETAIL_LINE as f32 * self.unit } else { 0.0 };
        let baseline = band.head_end as f32 - 12.0 * self.unit;
        for (at, heading) in self.plan.headings[band.columns.clone()].iter().enumerate() {
            let left = self.plan.left(at, self.unit) as f32;
            let title = self.type_.heading.elided(&heading.title, room);
            let detail = self.type_.detail.elided(&heading.detail, room);
            self.type_.heading.draw(paper, left, baseline - above, &title);
            self.type_.detail.draw(paper, left, baseline, &detail);
        }
    }

    fn cells(&self, paper: &mut RgbImage, band: &Band) {
        for (row, (top, height)) in band.rows.iter().enumerate() {
            let cells = self.plan.cells[row].iter().enumerate();
            for (at, cell) in cells.skip(band.columns.start).take(band.columns.len()) {
                let left = self.plan.left(at - band.columns.start, self.unit);
                put(paper, &cell.picture, left, *top);
                self.note(paper, cell, [left, *top]);
            }
            let rest = self.plan.cells[row].len().clamp(band.columns.start, band.columns.end);
            let text = &self.sheet.rows[row].rest;
            if rest < band.columns.end && !text.is_empty() {
                let left = self.plan.left(rest - band.columns.start, self.unit) as f32;
                let middle = *top as f32 + *height as f32 / 2.0;
                let room = (self.plan.width - self.pixels(MARGIN)) as f32 - left;
                let text = self.type_.detail.elided(text, room);
                self.type_.detail.draw(paper, left, middle, &text);
            }
        }
    }

    /// A note on the lower part of a cell, on ground that lets the picture through.
    fn note(&self, paper: &mut RgbImage, cell: &Cell, [left, top]: [u32; 2]) {
        let (pad, line) = (self.pixels(8), 18.0 * self.unit);
        let (width, height) = cell.picture.dimensions();
        let most = ((height.saturating_sub(2 * pad)) as f32 / line) as usize;
        let lines =
            self.type_.note.wrapped(&cell.note, width.saturating_sub(2 * pad) as f32, most.clamp(1, 6));
        if lines.is_empty() {
            return;
        }
        let ground = ((lines.len() as f32 * line) as u32 + pad).min(height);
        for y in top + height - ground..top + height {
            for x in left..left + width {
                let Rgb(pixel) = paper.get_pixel_mut(x, y);
                *pixel = pixel.map(|level| 255 - (255 - level) / 6);
            }
        }
        for (at, text) in lines.iter().enumerate() {
            let baseline = (top + height - ground) as f32 + (at as f32 + 0.95) * line;
            self.type_.note.draw(paper, (left + pad) as f32, baseline, text);
        }
    }

    fn labels(&self, paper: &mut RgbImage, band: &Band) {
        let (line, left) = (LABEL_LINE * self.unit, self.pixels(MARGIN));
        for ((label, row), (top, height)) in self.plan.labels.iter().zip(&self.sheet.rows).zip(&band.rows) {
            let bar = if row.bar.is_some() { self.pixels(BAR_HEIGHT + ENDS) as f32 } else { 0.0 };
            let mut y = *top as f32 + (*height as f32 - line * label.count() as f32 - bar) / 2.0;
            for (style, lines) in [(&self.type_.label, &label.title), (&self.type_.detail, &label.detail)] {
                for text in lines {
                    style.draw(paper, left as f32, y + 0.75 * line, text);
                    y += line;
                }
            }
            if let Some(bar) = &row.bar {
                self.bar(paper, bar, [left, (y + 4.0 * self.unit) as u32], self.pixels(ROW_BAR));
            }
        }
    }

    fn bar(&self, paper: &mut RgbImage, bar: &Bar, [left, top]: [u32; 2], width: u32) {
        let height = self.pixels(BAR_HEIGHT);
        put(paper, &bar.picture(width, height), left, top);
        for (place, text) in bar.marks() {
            let x = left as f32 + place * (width as f32 - self.type_.foot.width(text));
            self.type_.foot.draw(paper, x, (top + height) as f32 + 15.0 * self.unit, text);
        }
    }

    /// Model and layer at the left, the colour bar at the right.
    fn foot(&self, paper: &mut RgbImage) {
        let (margin, top) = (self.pixels(MARGIN), self.plan.foot);
        if let Some(bar) = &self.sheet.bar {
            let width = self.pixels(BAR_WIDTH);
            self.bar(paper, bar, [self.plan.width - margin - width, top], width);
        }
        for (line, text) in self.plan.foot_lines.iter().enumerate() {
            let baseline = top as f32 + (10.0 + FOOT_LINE * line as f32) * self.unit;
            self.type_.foot.draw(paper, margin as f32, baseline, text);
        }
    }
}

fn put(paper: &mut RgbImage, picture: &RgbImage, left: u32, top: u32) {
    image::imageops::replace(paper, picture, left.into(), top.into());
}

#[cfg(test)]
mod tests;
