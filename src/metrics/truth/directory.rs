//! Directories with a file per picture.

use std::path::{Path, PathBuf};

use burncam_graph::error::Problem;
use burncam_graph::memory::Part;
use burncam_graph::{Error, Result};
use walkdir::WalkDir;

use super::object::{Entry, Format, MAX_OBJECTS, about};
use super::{names, text, voc, yolo};

/// Deeper directories are not read; data sets have two or three levels.
const MAX_DEPTH: usize = 16;

/// Most files; ImageNet's training boxes are half a million.
const MAX_FILES: usize = 5_000_000;

/// All XML files of Pascal VOC or ILSVRC, or all text files of YOLO.
pub(super) fn read(path: &Path) -> Result<(Format, Vec<Entry>)> {
    let (xml, txt) = files(path)?;
    let (mut format, mut entries, mut objects) = (None, Vec::new(), 0);
    let names = if txt.is_empty() { None } else { names::near(&txt[0])? };
    match (xml.is_empty(), txt.is_empty()) {
        (false, false) => {
            let found = format!("'{}' and '{}'", xml[0].display(), txt[0].display());
            let problem = Problem::new("has files of two formats").expected("XML or text files of boxes");
            return Err(about(path, problem.found(found).hint("give the directory of one of them")));
        }
        (true, true) => {
            let problem = Problem::new("has no files of boxes")
                .expected("XML files of Pascal VOC or text files of YOLO");
            return Err(about(path, problem.hint("give a COCO or CSV file by its own path")));
        }
        _ => {}
    }
    for file in xml.iter().chain(&txt) {
        let text = text::read(file, Part::SmallText)?;
        // The directories stay, to distinguish pictures of one name.
        let below = file.strip_prefix(path).unwrap_or(file).with_extension("");
        let stem = below.to_string_lossy().replace('\\', "/");
        let read = if txt.is_empty() {
            voc::read(&text, stem)
        } else {
            yolo::read(&text, stem, names.as_deref()).map(|entry| (Format::Yolo, entry))
        };
        let (of_file, entry) = read.map_err(|problem| about(file, problem))?;
        objects += entry.objects.len();
        if *format.get_or_insert(of_file) != of_file || objects > MAX_OBJECTS {
            let problem =
                Problem::new("is of another format than the files before it, or has one object too many");
            return Err(about(file, problem.hint("give a directory of one data set")));
        }
        entries.push(entry);
    }
    Ok((format.unwrap_or(Format::Voc), entries))
}

/// XML and text files in order of their names. Links to directories are not followed, so that there are no circles.
fn files(path: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut xml, mut txt) = (Vec::new(), Vec::new());
    for entry in WalkDir::new(path).max_depth(MAX_DEPTH).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let place = error.path().unwrap_or(path).to_path_buf();
            Error::io("read", &place)(error.into())
        })?;
        if entry.file_type().is_dir() || names::is_list(entry.path()) {
            continue;
        }
        match entry.path().extension().map(|ending| ending.to_ascii_lowercase()) {
            Some(ending) if ending == "xml" => xml.push(entry.into_path()),
            Some(ending) if ending == "txt" => txt.push(entry.into_path()),
            _ => {}
        }
        if xml.len() + txt.len() > MAX_FILES {
            return Err(about(
                path,
                Problem::new("has too many files").expected(format!("at most {MAX_FILES}")),
            ));
        }
    }
    Ok((xml, txt))
}

/// A file's name without ending.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
