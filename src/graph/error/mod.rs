//! The one error type of the library: whose fault, about what, what was found, what was expected, and a way out.
//!
//! All of it is data, see [`Problem`]. A message reads *subject: what is wrong, expected this, got that (one way out)*, in lower
//! case and without a full stop; the cause is kept in [`source`](std::error::Error::source) and not repeated. Options are called
//! by the library's fields; a command calls them by its flags with a [`Wording`]. Printing and exit codes are the command's.

mod hint;
mod names;
mod nearest;
mod option;
mod phrase;
mod problem;
mod subject;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use hint::Hint;
pub use names::{by_name, is_name};
pub use nearest::nearest;
pub use option::OptionName;
pub use phrase::{Action, Phrase, Piece, Wording};
pub use problem::Problem;
pub use subject::Subject;

/// What the library returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault an [`Error`] is.
///
/// ```
/// use burncam_graph::{Error, ErrorKind};
///
/// let error = Error::image("a.jpg", "is not a picture");
/// // Another picture may work; another model would not help.
/// assert_eq!(error.kind(), ErrorKind::Image);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The model file, its card, its graph or its weights are not usable.
    Model,
    /// A picture or a tensor file is not usable.
    Image,
    /// The caller asked for something that this model, image or build does not have.
    Request,
    /// The operating system refused a file operation.
    Io,
    /// Something that callers cannot cause: a bug here or in a library below.
    Internal,
}

/// Why something could not be done.
///
/// ```
/// use burncam_graph::card::Task;
/// use burncam_graph::{Error, ErrorKind};
///
/// let error: Error = "binry".parse::<Task>().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Request);
/// assert_eq!(error.nearest(), Some("binary"));
/// ```
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    problem: Problem,
    source: Option<io::Error>,
}

impl Error {
    /// Of a model, by file name or name.
    pub fn model(model: impl Into<String>, problem: impl Into<Problem>) -> Self {
        problem.into().of_model(model)
    }

    /// Of an image, by the path that the caller gave, or `-`.
    pub fn image(image: impl Into<String>, problem: impl Into<Problem>) -> Self {
        problem.into().of_image(image)
    }

    /// Of what the caller asked for.
    pub fn request(problem: impl Into<Problem>) -> Self {
        problem.into().of(ErrorKind::Request)
    }

    /// A bug, here or in a library below.
    pub fn internal(problem: impl Into<Problem>) -> Self {
        problem.into().of(ErrorKind::Internal)
    }

    /// Names the image that a request about its shape failed for.
    pub fn about_image(self, image: &str) -> Self {
        match self.kind {
            ErrorKind::Request => self.problem.of_image(image),
            _ => self,
        }
    }

    /// A name that is none of `names`, with the nearest of them.
    pub fn unknown<'a>(kind: &'static str, wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        Problem::unknown(kind, wanted, names).into()
    }

    /// A file in the way of an output.
    pub fn exists(path: &Path) -> Self {
        let hint = Phrase::from("use ").option(OptionName::Force).text(" to replace it");
        Problem::new("already exists").hint(hint).named("output", path.display()).into()
    }

    /// For `map_err`: wraps the operating system's reason with what was being done to which path.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::refused(action, path, source)
    }

    /// For `map_err` of temporary files, whose own errors name the temporary path, which means nothing to the user.
    pub fn write_into(directory: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = directory.to_path_buf();
        move |error| {
            // Only the system's code: the text of the temporary file's error has its path.
            let plain =
                error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            Self::refused("write into", path, plain)
        }
    }

    fn refused(action: &'static str, path: PathBuf, source: io::Error) -> Self {
        let problem = Problem::new(format!("cannot {action} '{}'", path.display()));
        Self { kind: ErrorKind::Io, problem: problem.about(Subject::File(path)), source: Some(source) }
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What it is about, the outermost first: a model, then a node in it.
    #[must_use]
    pub fn subjects(&self) -> &[Subject] {
        self.problem.subjects()
    }

    /// What is wrong, without subjects and the rest.
    #[must_use]
    pub fn what(&self) -> &Phrase {
        self.problem.what()
    }

    /// What was expected.
    #[must_use]
    pub fn expected(&self) -> Option<&Phrase> {
        self.problem.what_was_expected()
    }

    /// What was found in its place, where [`Error::what`] does not say that.
    #[must_use]
    pub fn found(&self) -> Option<&Phrase> {
        self.problem.what_was_found()
    }

    /// A way out.
    #[must_use]
    pub fn hint(&self) -> Option<&Hint> {
        self.problem.way_out()
    }

    /// The name that was meant, of a name that is not known.
    #[must_use]
    pub fn nearest(&self) -> Option<&str> {
        self.problem.nearest_name()
    }

    /// The operating system's reason, of [`ErrorKind::Io`].
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        self.source.as_ref().map(io::Error::kind)
    }

    /// Whether the reader of a pipe has closed it.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::BrokenPipe)
    }

    /// The message, with options called as `wording` has them. The cause is not in it.
    #[must_use]
    pub fn say(&self, wording: Wording) -> String {
        match self.kind {
            ErrorKind::Internal => format!(
                "internal error: {} (please report this with the command you ran)",
                self.problem.say(wording)
            ),
            // The words name the file.
            ErrorKind::Io => self.problem.what().say(wording),
            _ => self.problem.say(wording),
        }
    }
}

impl Problem {
    /// The error of a model with this problem.
    pub fn of_model(self, model: impl Into<String>) -> Error {
        self.about(Subject::Model(model.into())).of(ErrorKind::Model)
    }

    /// The error of an image with this problem.
    pub fn of_image(self, image: impl Into<String>) -> Error {
        self.about(Subject::Image(image.into())).of(ErrorKind::Image)
    }

    fn of(self, kind: ErrorKind) -> Error {
        Error { kind, problem: self, source: None }
    }
}

/// What was asked for is the problem, where nothing else is known to be.
impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        problem.of(ErrorKind::Request)
    }
}

/// For an error that is part of a larger problem; whose fault it is is known there.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        error.problem
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.say(Wording::LIBRARY))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests;
