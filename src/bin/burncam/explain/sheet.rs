//! The sheet of all images of a run: `--sheet`.
//!
//! Receives rows in the order of the images; writes one picture at the end.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use burncam::Explainer;
use burncam::internal::output::{self, OutputFile};
use burncam_picture::render::{Rows, SheetRow, encode_png};

use crate::text;

/// Rows of a sheet at most: 100 of the usual ones are 33,000 pixels high.
const MOST: usize = 100;

/// The rows so far.
pub(crate) struct ContactSheet {
    path: PathBuf,
    rows: Vec<SheetRow>,
    /// All images, those beyond the last row among them.
    images: usize,
}

impl ContactSheet {
    /// A sheet without rows, to be written to `path`.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, rows: vec![], images: 0 }
    }

    /// Takes the next image. `wants_rows` becomes false when no more rows are taken.
    pub(crate) fn add(&mut self, row: Option<&SheetRow>, wants_rows: &AtomicBool) {
        self.images += 1;
        if self.rows.len() < MOST {
            self.rows.extend(row.cloned());
        } else {
            // Relaxed: a row that is drawn in vain does no harm.
            wants_rows.store(false, Ordering::Relaxed);
        }
    }

    /// Draws and writes the sheet; nothing without rows.
    ///
    /// # Errors
    /// When it cannot be drawn or written.
    pub(crate) fn write(self, explainer: &Explainer, overwrite: bool) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let images = text::counted(self.images, "image");
        let shown = self.rows.len();
        let title = if shown < self.images { format!("{shown} of {images}") } else { images };
        let sheet = explainer.sheet_of_rows(&title, self.rows)?;
        let bytes = encode_png(&Rows::of(&sheet), explainer.request().style.encoding.png_level)?;
        output::write_together(&[OutputFile { path: self.path, bytes }], &[], overwrite)?;
        Ok(())
    }
}
