//! The pictures, records and sheet of one photo: drawn, named, and written together.

use std::path::PathBuf;

use super::names::Names;
use super::sheet::{cell, row, sheet};
use crate::cam::Method;
use crate::error::{Error, Result};
use crate::explain::{
    ArtifactKind, CROP_EDGE, ClassExplanation, Explainer, Explanation, Illustration, Subject,
};
use crate::output::{OutputFile, Placing, Staged, put_in_place, refuse_existing};
use crate::record::{Artifact, BoxRecord, Record};
use crate::render::{Cell, Rows, SheetRow, thumbnail, write_png};

/// All files of one photo, named and not yet drawn.
///
/// ```
/// use burncam::{Explainer, Model, Names, Request};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let out = tempfile::tempdir()?;
/// # #[cfg(feature = "embedded-model")] {
/// let explainer = Explainer::new(Model::embedded()?, Request::default())?;
/// let subject = explainer.read("fixtures/images/coffee.png")?;
/// let explanations = explainer.explain(&subject)?;
/// let names = Names::new(out.path(), "first");
/// let files = explainer.files(&subject, &explanations, &names);
/// assert_eq!(files.paths().count(), 2, "an overlay and a record");
/// let written = files.commit()?;
/// assert!(written.files.iter().all(|path| path.exists()));
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Files<'a> {
    explainer: &'a Explainer,
    subject: &'a Subject,
    explanations: &'a [Explanation],
    names: &'a Names,
    /// Pictures, arrays and the sheet, then the record files; without these when the request has none.
    paths: Vec<PathBuf>,
}

/// The written files of one photo.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let out = tempfile::tempdir()?;
/// # #[cfg(feature = "embedded-model")] {
/// # let explainer = burncam::Explainer::new(burncam::Model::embedded()?, burncam::Request::default())?;
/// let written = explainer.explain_file("fixtures/images/coffee.png", out.path())?;
/// let record = &written.records[0];
/// assert_eq!(record.predictions[0].class_name, "espresso");
/// println!("{}", record.to_json()?);
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Written {
    /// One per method, also when the request writes no record files.
    pub records: Vec<Record>,
    /// The files, records last.
    pub files: Vec<PathBuf>,
}

impl Files<'_> {
    /// Their future paths, records last.
    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.paths.iter()
    }

    /// Draws and writes all files or none, the records last: a record means that its pictures exist.
    ///
    /// Each picture goes to a temporary file while it is drawn, so that memory does not grow with the number of
    /// classes.
    ///
    /// # Errors
    /// When one exists and [`Request::overwrite`](crate::explain::Request::overwrite) is off, or cannot be written; when a picture cannot be drawn, or the
    /// model file could not be hashed.
    pub fn commit(self) -> Result<Written> {
        let (written, put_in_place) = self.stage()?;
        put_in_place()?;
        Ok(written)
    }

    /// [`Files::commit`] in two parts: draws and writes all files under temporary names, and gives what is left to do, which waits for the disk
    /// and needs no pixels. A thread that has other pictures to explain can leave it to another. Without it the files disappear.
    ///
    /// # Errors
    /// As [`Files::commit`]; of the second part when a file cannot be written to disk or renamed.
    pub fn stage(self) -> Result<(Written, impl FnOnce() -> Result<()> + Send + use<>)> {
        let request = self.explainer.request();
        if !request.overwrite {
            refuse_existing(&self.paths)?;
        }
        let mut gathered = Gathered { files: &self, pictures: vec![], records: vec![], rows: vec![] };
        self.explanations.iter().try_for_each(|explanation| gathered.add(explanation))?;
        // After all pictures: the sheet is made of their thumbnails.
        if request.grid {
            gathered.add_sheet()?;
        }
        let Gathered { pictures, records, .. } = gathered;
        let document = |(explanation, record): (&Explanation, &Record)| {
            let bytes = record.to_json().map_err(Error::internal)?.into_bytes();
            OutputFile { path: self.path(self.names.record(explanation.method)), bytes }.stage()
        };
        let documents = if request.record {
            self.explanations.iter().zip(&records).map(document).collect::<Result<_>>()?
        } else {
            vec![]
        };
        let how = Placing { overwrite: request.overwrite, sync: request.sync };
        Ok((Written { records, files: self.paths }, move || put_in_place(pictures, documents, how)))
    }

    fn path(&self, name: String) -> PathBuf {
        self.names.directory().join(name)
    }

    fn artifact(&self, method: Method, target: &ClassExplanation, kind: ArtifactKind) -> String {
        self.names.artifact(self.explainer.request(), method, target.tag(), kind)
    }
}

impl Explainer {
    /// Names all requested files of a photo, given its explanations, one per method.
    #[must_use]
    pub fn files<'a>(
        &'a self,
        subject: &'a Subject,
        explanations: &'a [Explanation],
        names: &'a Names,
    ) -> Files<'a> {
        let mut files = Files { explainer: self, subject, explanations, names, paths: vec![] };
        let request = self.request();
        let mut paths = Vec::new();
        for explanation in explanations {
            for target in &explanation.targets {
                let name = |kind: &ArtifactKind| files.artifact(explanation.method, target, *kind);
                paths.extend(request.artifacts.iter().map(|kind| files.path(name(kind))));
            }
        }
        paths.extend(request.grid.then(|| files.path(names.grid())));
        if request.record {
            paths.extend(explanations.iter().map(|one| files.path(names.record(one.method))));
        }
        files.paths = paths;
        files
    }
}

/// Boxes and cell of one class, and where its files are.
struct Drawn {
    /// Index of its first file.
    first: usize,
    boxes: Vec<BoxRecord>,
    cell: Option<Cell>,
    /// Whether the cell shows the edge of the crop.
    is_cropped: bool,
}

/// The files written so far, under temporary names.
struct Gathered<'a> {
    files: &'a Files<'a>,
    pictures: Vec<Staged>,
    records: Vec<Record>,
    /// The rows of the sheet, one per method.
    rows: Vec<SheetRow>,
}

impl Gathered<'_> {
    fn add(&mut self, explanation: &Explanation) -> Result<()> {
        let Files { explainer, subject, .. } = *self.files;
        let kinds = &explainer.request().artifacts;
        let with_masks = kinds.contains(&ArtifactKind::ClassMask);
        let mut illustrations = Vec::new();
        let mut row = row(explanation);
        let mut last: Option<(&ClassExplanation, Drawn)> = None;
        for target in &explanation.targets {
            // A method that asks no class has one map for all of them, which is drawn, encoded and hashed once.
            let drawn = match last {
                Some((other, drawn)) if other.looks_like(target, with_masks) => {
                    self.copy(explanation.method, target, drawn)?
                }
                _ => self.draw(explanation, target)?,
            };
            let staged = kinds.iter().zip(&self.pictures[drawn.first..]);
            let entry = |(kind, file): (&ArtifactKind, &Staged)| {
                artifact(kind.name(), self.files.artifact(explanation.method, target, *kind), file)
            };
            illustrations
                .push(Illustration { artifacts: staged.map(entry).collect(), boxes: drawn.boxes.clone() });
            // What asks no class is drawn once.
            if row.cells.is_empty() || row.rest.is_empty() {
                row.cells.extend(drawn.cell.clone());
            }
            if drawn.is_cropped {
                CROP_EDGE.clone_into(&mut row.footnote);
            }
            last = Some((target, drawn));
        }
        self.rows.push(row);
        let mut record = explainer.illustrated_record(subject, explanation, illustrations)?;
        let names = self.files.names;
        record.file = explainer.request().record.then(|| names.record(explanation.method));
        record.input.file = names.way_to(&subject.file);
        self.records.push(record);
        Ok(())
    }

    /// Pictures and, on another thread, boxes of one class, from one placed map. The cell on the sheet is reduced
    /// immediately: a large sheet would otherwise hold all pictures in full size.
    fn draw(&mut self, explanation: &Explanation, target: &ClassExplanation) -> Result<Drawn> {
        let Files { explainer, subject, .. } = *self.files;
        let request = explainer.request();
        let canvas = explanation.canvas(target, subject, &request.style);
        // Before the pictures: the overlay in memory then serves both.
        let side = request.style.sheet_cell;
        let small = request.grid.then(|| thumbnail(canvas.overlay(), side)).transpose()?;
        let cell = small.map(|picture| cell(picture, target));
        let is_cropped = request.grid && canvas.shows_crop_edge();
        let stage = |kind: &ArtifactKind| {
            let path = self.files.path(self.files.artifact(explanation.method, target, *kind));
            let drawing = canvas.drawing(*kind)?;
            Staged::new(path, |out| drawing.write(out))
        };
        let stage_all = || request.artifacts.iter().map(stage).collect::<Result<Vec<_>>>();
        let (staged, boxes) = rayon::join(stage_all, || canvas.boxes());
        let first = self.pictures.len();
        self.pictures.extend(staged?);
        Ok(Drawn { first, boxes, cell, is_cropped })
    }

    /// The files of a class that looks like another one.
    fn copy(&mut self, method: Method, target: &ClassExplanation, drawn: Drawn) -> Result<Drawn> {
        let first = self.pictures.len();
        for (at, kind) in self.files.explainer.request().artifacts.iter().enumerate() {
            let path = self.files.path(self.files.artifact(method, target, *kind));
            self.pictures.push(self.pictures[drawn.first + at].again(path)?);
        }
        Ok(Drawn { first, ..drawn })
    }

    fn add_sheet(&mut self) -> Result<()> {
        let Files { explainer, subject, explanations, names, .. } = *self.files;
        let rows = std::mem::take(&mut self.rows);
        let sheet = sheet(explainer, subject, explanations, rows).draw()?;
        let level = explainer.request().style.encoding.png_level;
        let name = names.grid();
        let staged =
            Staged::new(self.files.path(name.clone()), |out| write_png(&Rows::of(&sheet), level, out))?;
        for record in &mut self.records {
            // In every record, because each may be read without the others.
            record.grid = Some(artifact("grid", name.clone(), &staged));
        }
        self.pictures.push(staged);
        Ok(())
    }
}

/// A record's entry of a file that has this name.
fn artifact(kind: &str, name: String, file: &Staged) -> Artifact {
    let (size, sha256) = (Some(file.size), Some(file.sha256.clone()));
    Artifact { kind: kind.to_owned(), file: name, bytes: size, sha256 }
}
