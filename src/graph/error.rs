//! The one error type of the library, split by whose fault it is.
//!
//! Every room hands its failures out as [`Error`]. A message reads *subject: what is wrong, what was
//! expected, what was got (one way out)*, in lower case and without a full stop; the cause is kept in
//! [`source`](std::error::Error::source) and not repeated. Printing and exit codes are the binary's.

use std::io;
use std::path::{Path, PathBuf};

/// What the library returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model file, its card, its graph or its weights are not usable.
    #[error("model '{model}': {problem}")]
    Model {
        /// File name or model name.
        model: String,
        /// What is wrong, what was expected, and a way out.
        problem: String,
    },

    /// A picture or a tensor file is not usable.
    #[error("image '{image}': {problem}")]
    Image {
        /// The path as the caller gave it, or `-`.
        image: String,
        /// What is wrong, what was expected, and a way out.
        problem: String,
    },

    /// The caller asked for something that this model, image or build does not have.
    #[error("{0}")]
    Request(String),

    /// The operating system refused a file operation.
    #[error("cannot {action} '{}'", path.display())]
    Io {
        /// The verb, for example `read`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's own reason.
        source: io::Error,
    },

    /// Something that callers cannot cause: a bug here or in a library below.
    #[error("internal error: {0} (please report this with the command you ran)")]
    Internal(String),
}

impl Error {
    /// The model is at fault.
    pub fn model(model: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Model { model: model.into(), problem: problem.into() }
    }

    /// The picture or tensor file is at fault.
    pub fn image(image: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Image { image: image.into(), problem: problem.into() }
    }

    /// The caller's request is at fault.
    pub fn request(problem: impl Into<String>) -> Self {
        Self::Request(problem.into())
    }

    /// A bug.
    pub fn internal(problem: impl Into<String>) -> Self {
        Self::Internal(problem.into())
    }

    /// Names the image that a request about its shape failed for.
    pub fn about_image(self, image: &str) -> Self {
        match self {
            Self::Request(problem) => Self::image(image, problem),
            other => other,
        }
    }

    /// A name that is none of `names`, with the nearest of them.
    pub fn unknown<'a>(kind: &str, wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<&str> = names.into_iter().collect();
        let hint = did_you_mean(wanted, names.iter().copied());
        Self::request(format!("{kind} '{wanted}' is not known{hint}; expected one of {}", names.join(", ")))
    }

    /// A file in the way of an output.
    pub fn exists(path: &Path) -> Self {
        Self::request(format!("output '{}' already exists (use --force to replace it)", path.display()))
    }

    /// For `map_err`: wraps the operating system's reason with what was being done to which path.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    /// For `map_err` of temporary files, whose own errors name the temporary path, which means nothing to the user.
    pub fn write_into(directory: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = directory.to_path_buf();
        move |error| {
            let plain =
                error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            Self::Io { action: "write into", path, source: plain }
        }
    }
}

/// The candidate nearest to `wanted`, if one is near enough to be what was meant.
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR_ENOUGH: f64 = 0.75;
    let wanted = wanted.to_lowercase();
    candidates
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= NEAR_ENOUGH)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// ` (did you mean 'x'?)`, or nothing when no candidate is near.
pub fn did_you_mean<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wanted, candidates).map_or_else(String::new, |name| format!(" (did you mean '{name}'?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        let names = ["layer1", "layer4", "conv1"];
        assert_eq!(did_you_mean("layr4", names), " (did you mean 'layer4'?)");
        assert_eq!(did_you_mean("zebra", names), "");
    }

    #[test]
    fn the_cause_is_in_the_source_and_not_in_the_text() {
        let error = Error::io("read", Path::new("a.png"))(io::Error::other("disk on fire"));
        assert_eq!(error.to_string(), "cannot read 'a.png'");
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(cause.as_deref(), Some("disk on fire"));
    }
}
