//! The sheet of several photos: a row per photo, a column per method, each with the photo's first class.

use super::sheet::{cell, columns_of_methods, footer, name_of};
use crate::error::Result;
use crate::explain::{CROP_EDGE, Explainer, Explanation, Subject};
use crate::render::escape::escaped;
use crate::render::{Cell, Heading, RgbImage, Sheet, SheetRow, thumbnail};

impl Explainer {
    /// The row of a photo on a sheet of several: the photo, and the overlay of its first class by each method, as small as they are drawn.
    ///
    /// # Errors
    /// When a picture cannot be scaled.
    pub fn sheet_row(&self, subject: &Subject, explanations: &[Explanation]) -> Result<SheetRow> {
        let photo = thumbnail(&subject.picture, self.request().style.sheet_cell)?;
        let mut cells = Vec::new();
        let mut detail = String::new();
        let mut footnote = String::new();
        for explanation in explanations {
            let Some(target) = explanation.targets.first() else { continue };
            let canvas = explanation.canvas(target, subject, &self.request().style);
            if canvas.shows_crop_edge() {
                CROP_EDGE.clone_into(&mut footnote);
            }
            cells.push(cell(canvas.overlay_on(&photo), target));
            detail = escaped(&format!("{}, {}", target.title(), target.shown())).into_owned();
        }
        cells.insert(0, Cell { picture: photo, note: String::new() });
        Ok(SheetRow { label: name_of(subject), detail, cells, footnote, ..SheetRow::default() })
    }

    /// A sheet of rows that [`Explainer::sheet_row`] made, one below the other.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn sheet_of_rows(&self, title: &str, rows: Vec<SheetRow>) -> Result<RgbImage> {
        let (mut columns, bar) = columns_of_methods(self);
        columns.insert(0, Heading { title: "Photo".to_owned(), ..Heading::default() });
        Sheet {
            title: escaped(title).into_owned(),
            footer: escaped(&footer(self)).into_owned(),
            photo: None,
            columns,
            rows,
            bar,
            cell: self.request().style.sheet_cell,
        }
        .draw()
    }
}
