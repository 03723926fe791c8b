//! The file names of one photo, and their directory.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use crate::cam::Method;
use crate::explain::{ArtifactKind, Request, Style};
use crate::output::relative_text;
use crate::record::InputRecord;

/// Directory and file names of one photo's files.
///
/// ```
/// use std::path::Path;
/// use burncam::{ArtifactKind, Method, Names, Request};
///
/// let names = Names::of(Path::new("photos/cat.jpg"), "out");
/// let overlay = names.artifact(&Request::default(), Method::LayerCam, 281, ArtifactKind::Overlay);
/// assert_eq!((overlay.as_str(), names.record(Method::LayerCam).as_str()), ("cat.layercam.png", "cat.layercam.json"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    directory: PathBuf,
    stem: String,
    /// Files with an explicit path have no method in their names.
    file: Option<Named>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    name: String,
    kind: Option<ArtifactKind>,
}

impl Names {
    /// Names in `directory` that start with `stem`: `STEM.METHOD[.CLASS][.KIND].png` and `STEM.METHOD.json`; pictures in another format have its extension. The
    /// class is in a name if the request may have several; the overlay has no kind.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, stem: impl Into<String>) -> Self {
        Self { directory: directory.into(), stem: stem.into(), file: None }
    }

    /// As [`Names::new`], with a photo's name without its extension as the stem.
    #[must_use]
    pub fn of(photo: &Path, directory: impl Into<PathBuf>) -> Self {
        Self::new(directory, lossy(photo.file_stem()))
    }

    /// The picture of one kind is `path` itself; the record and the sheet use its stem: `STEM.json`, `STEM.grid.png`.
    /// Other pictures are named as by [`Names::new`].
    #[must_use]
    pub fn file(path: &Path, kind: Option<ArtifactKind>) -> Self {
        let directory = path.parent().unwrap_or(Path::new(""));
        let file = Some(Named { name: lossy(path.file_name()), kind });
        Self { directory: directory.to_path_buf(), stem: lossy(path.file_stem()), file }
    }

    /// The directory of all files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// File name of a picture or array of a class, or of a box of a detector (`box1`).
    #[must_use]
    pub fn artifact(
        &self,
        request: &Request,
        method: Method,
        class: impl Display,
        kind: ArtifactKind,
    ) -> String {
        if let Some(file) = self.file.as_ref().filter(|file| file.kind == Some(kind)) {
            return file.name.clone();
        }
        let (stem, method) = (&self.stem, method.info().name);
        // By the request and not by what was found, so that a name is known before the network runs.
        let class = if request.has_several_classes() { format!(".{class}") } else { String::new() };
        format!("{stem}.{method}{class}{}.{}", kind.infix(), kind.extension(&request.style))
    }

    /// File name of a method's record.
    #[must_use]
    pub fn record(&self, method: Method) -> String {
        match self.file {
            Some(_) => format!("{}.json", self.stem),
            None => format!("{}.{}.json", self.stem, method.info().name),
        }
    }

    /// The way from the directory to the photo; `None` where there is no file to go to.
    #[must_use]
    pub fn way_to(&self, photo: &InputRecord) -> Option<String> {
        let is_file = photo.path != "-" && photo.format != "rgb";
        is_file.then(|| relative_text(&self.directory, Path::new(&photo.path))).flatten()
    }

    /// File name of the sheet.
    #[must_use]
    pub fn grid(&self) -> String {
        format!("{}.grid.png", self.stem)
    }

    /// The files of a photo whose names do not depend on its classes.
    #[must_use]
    pub fn known(&self, request: &Request) -> Vec<PathBuf> {
        let mut names = Vec::new();
        for method in &request.methods {
            // Which classes there are in names is only known after the network has run.
            if !request.has_several_classes() {
                names.extend(request.artifacts.iter().map(|kind| self.artifact(request, *method, 0, *kind)));
            }
            if request.record {
                names.push(self.record(*method));
            }
        }
        if request.grid {
            names.push(self.grid());
        }
        names.into_iter().map(|name| self.directory.join(name)).collect()
    }
}

impl ArtifactKind {
    /// What stands before the extension in a file name of this kind.
    fn infix(self) -> &'static str {
        match self {
            Self::Overlay | Self::Npy => "",
            Self::Heatmap => ".heatmap",
            Self::Grey => ".grey",
            Self::Grey16 => ".grey16",
            Self::NpyFull => ".full",
            Self::Mask => ".mask",
            Self::Boxes => ".boxes",
            Self::CutOut => ".cut-out",
            Self::SideBySide => ".side-by-side",
            Self::ClassMask => ".mask-of-class",
            Self::Detections => ".detections",
            Self::Figure | Self::Svg | Self::Pdf => ".figure",
        }
    }

    /// The extension of a file of this kind, without a dot.
    #[must_use]
    pub fn extension(self, style: &Style) -> &'static str {
        match self {
            Self::Npy | Self::NpyFull => "npy",
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            _ => self.encoding(style).format.extension(),
        }
    }
}

fn lossy(part: Option<&std::ffi::OsStr>) -> String {
    // Names stand in records, which are UTF-8.
    part.unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Target;

    #[test]
    fn names_have_method_class_and_kind() {
        let (names, one) = (Names::new("out", "a.b"), Request::default());
        let several = Request { targets: vec![Target::Top(2)], ..Request::default() };
        let name = |request, kind| names.artifact(request, Method::GradCam, 281, kind);
        assert_eq!(name(&one, ArtifactKind::Overlay), "a.b.gradcam.png");
        assert_eq!(name(&several, ArtifactKind::Mask), "a.b.gradcam.281.mask.png");
        assert_eq!(names.record(Method::GradCam), "a.b.gradcam.json");
        assert_eq!(names.grid(), "a.b.grid.png");
        let known = [Path::new("out/a.b.gradcam.png"), Path::new("out/a.b.gradcam.json")];
        assert_eq!(names.known(&one), known);
        assert_eq!(names.known(&several), known[1..], "of several classes only the records are known");
    }

    #[test]
    fn a_named_file_is_the_picture_of_its_kind() {
        let names = Names::file(Path::new("here/mine.png"), Some(ArtifactKind::Mask));
        let name = |kind| names.artifact(&Request::default(), Method::GradCam, 1, kind);
        assert_eq!(name(ArtifactKind::Mask), "mine.png");
        assert_eq!(name(ArtifactKind::Overlay), "mine.gradcam.png");
        assert_eq!(names.record(Method::GradCam), "mine.json");
        assert_eq!(names.directory(), Path::new("here"));
    }
}
