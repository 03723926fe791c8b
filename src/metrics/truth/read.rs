//! The format of a file or directory, by its content.

use std::path::Path;

use burncam_graph::error::Problem;
use burncam_graph::memory::Part;
use burncam_graph::{Error, Result};

use super::object::{Entry, Format, Truth, about};
use super::{coco, directory, names, table, text, voc, yolo};

impl Truth {
    /// Reads a file, or all files of a directory and those below it.
    ///
    /// # Errors
    ///
    /// For a file that cannot be read, is none of the formats or contradicts its own, and for boxes without area.
    ///
    /// ```
    /// use std::path::Path;
    /// use burncam_metrics::truth::{Format, Truth};
    ///
    /// # fn main() -> burncam_graph::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("boxes.csv");
    /// # std::fs::write(&path, "file,label,x,y,width,height\ncats/1.jpg,cat,10,20,30,40\n").unwrap();
    /// let truth = Truth::read(&path)?;
    /// assert_eq!(truth.format(), Format::Table);
    /// let found = truth.assign(&[Path::new("photos/cats/1.jpg"), Path::new("photos/dogs/1.jpg")])?;
    /// assert_eq!(found, [Some(0), None]);
    /// let objects = truth.objects(0, 60, 35)?;
    /// assert_eq!((objects.all[0].bounds.right, objects.clipped), (35.0, 1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn read(path: &Path) -> Result<Self> {
        let is_directory = std::fs::metadata(path).map_err(Error::io("read", path))?.is_dir();
        let (format, entries) = if is_directory { directory::read(path)? } else { file(path)? };
        let objects: usize = entries.iter().map(|entry| entry.objects.len()).sum();
        if objects == 0 {
            return Err(about(path, Problem::new("has no boxes").expected("at least one")));
        }
        Ok(Self { source: path.to_path_buf(), format, entries })
    }
}

/// One file, by its content.
fn file(path: &Path) -> Result<(Format, Vec<Entry>)> {
    let text = text::read(path, Part::Text)?;
    let begin = text.trim_start();
    let read = if begin.starts_with(['{', '[']) {
        coco::read(&text).map(|entries| (Format::Coco, entries))
    } else if begin.starts_with('<') {
        voc::read(&text, directory::stem(path)).map(|(format, entry)| (format, vec![entry]))
    } else if yolo::is_line(begin.lines().next().unwrap_or_default()) {
        let names = names::near(path)?;
        yolo::read(&text, directory::stem(path), names.as_deref()).map(|entry| (Format::Yolo, vec![entry]))
    } else {
        table::read(&text)
    };
    read.map_err(|problem| about(path, problem))
}
