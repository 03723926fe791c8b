//! What files say of a picture.

use std::path::{Path, PathBuf};

use burncam_graph::Error;
use burncam_graph::error::{Problem, Subject};

use crate::localisation::Bounds;

/// Most objects of one file or directory: far above any data set, and less than what fills a memory.
pub(super) const MAX_OBJECTS: usize = 20_000_000;

/// Longest label in bytes; class names are shorter, and messages show them.
const MAX_LABEL: usize = 1000;

/// What a file of boxes is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// COCO's JSON: `images`, `annotations`, `categories`.
    Coco,
    /// Pascal VOC's XML, one file per picture. Corners count from 1 and belong to the box.
    Voc,
    /// ILSVRC's XML or CSV (`ImageId,PredictionString`). Corners count from 0 and belong to the box.
    Ilsvrc,
    /// YOLO's text, one file per picture: class, centre and size as shares of the picture.
    Yolo,
    /// A table with the columns `file,label,x,y,width,height`, in pixels from the top left corner.
    Table,
}

/// Objects of many pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    pub(super) source: PathBuf,
    pub(super) format: Format,
    pub(super) entries: Vec<Entry>,
}

impl Truth {
    /// What it was written in.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The labels that occur, each once, sorted: class names, or indices where the format has no names.
    #[must_use]
    pub fn labels(&self) -> Vec<&str> {
        let objects = self.entries.iter().flat_map(|entry| &entry.objects);
        let mut labels: Vec<&str> = objects.map(|object| object.label.as_str()).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }
}

/// An object in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The class as the file has it: a name, or an index where the format has no names.
    pub label: String,
    /// Where it is, in pixels of the picture.
    pub bounds: Bounds,
    /// Whether the file sets it apart: a crowd of COCO, or *difficult* of Pascal VOC. Their own evaluations leave these out.
    pub is_set_apart: bool,
}

/// Objects of one picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The picture's path as the file has it, with `/`; without ending where files are matched by their stems.
    pub(super) picture: String,
    /// Whether the file has one picture, and its own name is the picture's.
    pub(super) is_stem: bool,
    /// Height and width, where the file says.
    pub(super) size: Option<[f64; 2]>,
    /// Whether bounds are shares of the picture's sides.
    pub(super) is_share: bool,
    pub(super) objects: Vec<Object>,
}

/// The error of a file.
pub(super) fn about(path: &Path, problem: Problem) -> Error {
    problem.about(Subject::File(path.to_path_buf())).into()
}

/// A checked object from its edges.
pub(super) fn object(label: &str, edges: [f64; 4], is_set_apart: bool) -> Result<Object, Problem> {
    let label = label.trim();
    if label.is_empty() || label.len() > MAX_LABEL {
        let found = format!("{} bytes", label.len());
        return Err(Problem::new("has a label of no use").expected("1 to 1000 bytes").found(found));
    }
    let [left, top, right, bottom] = edges;
    let bounds = Bounds { left, top, right, bottom };
    if !bounds.is_sound() {
        return Err(Problem::new("has a box without area")
            .expected("a finite width and height above 0")
            .found(format!("left {left:?}, top {top:?}, right {right:?}, bottom {bottom:?}"))
            .hint("correct or remove it"));
    }
    Ok(Object { label: label.to_owned(), bounds, is_set_apart })
}

/// A finite number.
pub(super) fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// A number that must be there.
pub(super) fn required(what: &'static str, text: &str) -> Result<f64, Problem> {
    number(text).ok_or_else(|| {
        let shown: String = text.trim().chars().take(40).collect();
        Problem::new(format!("has no {what}")).expected("a number").found(format!("'{shown}'"))
    })
}
