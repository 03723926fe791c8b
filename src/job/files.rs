//! The pictures, records and sheet of one photo: drawn, named, and written together.

use std::path::{Path, PathBuf};

use image::RgbImage;

use super::names::Names;
use super::sheet::sheet;
use crate::cam::Method;
use crate::error::{Error, Result};
use crate::explain::{
    ArtifactKind, ClassExplanation, Drawing, Explainer, Explanation, Illustration, Subject,
};
use crate::output::{OutputFile, write_together};
use crate::record::{Artifact, BoxRecord, Record};
use crate::render::{CELL, SheetRow, encode_png, thumbnail};

/// All files of one photo, not yet on disk.
#[derive(Debug, Clone)]
pub struct Files {
    /// Pictures, arrays and the sheet.
    pictures: Vec<OutputFile>,
    /// The record files; empty when the request has none.
    documents: Vec<OutputFile>,
    records: Vec<Record>,
    overwrite: bool,
}

/// The written files of one photo.
#[derive(Debug, Clone)]
pub struct Written {
    /// One per method, also when the request writes no record files.
    pub records: Vec<Record>,
    /// The files, records last.
    pub files: Vec<PathBuf>,
}

impl Files {
    /// Their future paths, records last.
    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.pictures.iter().chain(&self.documents).map(|file| &file.path)
    }

    /// Writes all files or none, the records last: a record means that its pictures exist.
    ///
    /// # Errors
    /// When one exists and [`Request::overwrite`](crate::explain::Request::overwrite) is off, or cannot be written.
    pub fn commit(self) -> Result<Written> {
        write_together(&self.pictures, &self.documents, self.overwrite)?;
        let files = self.pictures.into_iter().chain(self.documents).map(|file| file.path).collect();
        Ok(Written { records: self.records, files })
    }
}

impl Explainer {
    /// Draws and names all requested files of a photo, given its explanations, one per method.
    ///
    /// # Errors
    /// When a picture cannot be encoded, or the model file could not be hashed.
    pub fn files(&self, subject: &Subject, explanations: &[Explanation], names: &Names) -> Result<Files> {
        let mut gathered =
            Gathered { explainer: self, subject, names, pictures: vec![], records: vec![], rows: vec![] };
        explanations.iter().try_for_each(|explanation| gathered.add(explanation))?;
        // After all pictures: the sheet is made of their thumbnails.
        if self.request().grid {
            gathered.add_sheet(explanations)?;
        }
        let Gathered { pictures, records, .. } = gathered;
        let document = |record: (&Explanation, &Record)| {
            let json = record.1.to_json().map_err(Error::internal)?;
            Ok(file(names.directory(), names.record(record.0.method), json.into_bytes()))
        };
        let documents = if self.request().record {
            explanations.iter().zip(&records).map(document).collect::<Result<_>>()?
        } else {
            vec![]
        };
        Ok(Files { pictures, documents, records, overwrite: self.request().overwrite })
    }
}

/// Pictures, boxes and cell of one class, before they have names.
struct Drawn {
    drawings: Vec<Drawing>,
    /// Kind, size and hash of each drawing.
    artifacts: Vec<Artifact>,
    boxes: Vec<BoxRecord>,
    cell: Option<RgbImage>,
}

/// The files drawn so far.
struct Gathered<'a> {
    explainer: &'a Explainer,
    subject: &'a Subject,
    names: &'a Names,
    pictures: Vec<OutputFile>,
    records: Vec<Record>,
    /// The rows of the sheet, one per method.
    rows: Vec<SheetRow>,
}

impl Gathered<'_> {
    fn add(&mut self, explanation: &Explanation) -> Result<()> {
        let with_masks = self.explainer.request().artifacts.contains(&ArtifactKind::ClassMask);
        let mut illustrations = Vec::new();
        let mut row = SheetRow { label: explanation.method.info().title.to_owned(), cells: vec![] };
        let mut last: Option<(&ClassExplanation, Drawn)> = None;
        for target in &explanation.targets {
            // A method that asks no class has one map for all of them, which is drawn, encoded and hashed once.
            let drawn = match last {
                Some((other, drawn)) if other.looks_like(target, with_masks) => drawn,
                _ => self.draw(explanation, target)?,
            };
            illustrations.push(self.name(explanation.method, target, &drawn));
            row.cells.extend(drawn.cell.clone());
            last = Some((target, drawn));
        }
        self.rows.push(row);
        self.records.push(self.explainer.illustrated_record(self.subject, explanation, illustrations)?);
        Ok(())
    }

    /// Pictures and boxes of one class, from one enlarged map, and its cell on the sheet, reduced immediately: a
    /// large sheet would otherwise hold all pictures in full size.
    fn draw(&self, explanation: &Explanation, target: &ClassExplanation) -> Result<Drawn> {
        let request = self.explainer.request();
        let canvas = explanation.canvas(target, self.subject, &request.style);
        let (drawings, boxes) = canvas.draw_with_boxes(&request.artifacts)?;
        let cell = request.grid.then(|| thumbnail(canvas.overlay(), CELL)).transpose()?;
        let nameless = |drawing: &Drawing| Artifact::new(drawing.kind.name(), String::new(), &drawing.bytes);
        let artifacts = drawings.iter().map(nameless).collect();
        Ok(Drawn { drawings, artifacts, boxes, cell })
    }

    /// Adds the pictures of a class under its names.
    fn name(&mut self, method: Method, target: &ClassExplanation, drawn: &Drawn) -> Illustration {
        let mut artifacts = Vec::new();
        for (drawing, artifact) in drawn.drawings.iter().zip(&drawn.artifacts) {
            let request = self.explainer.request();
            let name = self.names.artifact(request, method, target.tag(), drawing.kind);
            artifacts.push(Artifact { file: name.clone(), ..artifact.clone() });
            self.pictures.push(file(self.names.directory(), name, drawing.bytes.clone()));
        }
        Illustration { artifacts, boxes: drawn.boxes.clone() }
    }

    fn add_sheet(&mut self, explanations: &[Explanation]) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let sheet = sheet(self.explainer, self.subject, explanations, rows);
        let bytes = encode_png(&sheet.draw()?, self.explainer.request().style.png_level)?;
        let name = self.names.grid();
        for record in &mut self.records {
            // In every record, because each may be read without the others.
            record.grid = Some(Artifact::new("grid", name.clone(), &bytes));
        }
        self.pictures.push(file(self.names.directory(), name, bytes));
        Ok(())
    }
}

fn file(directory: &Path, name: String, bytes: Vec<u8>) -> OutputFile {
    OutputFile { path: directory.join(name), bytes }
}
