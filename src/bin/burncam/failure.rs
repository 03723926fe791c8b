//! What an error of a command is: the library's, which says so itself, or the command's own.

use std::io;

use anyhow::Error;
use burncam::ErrorKind;

use crate::flags::WORDS;

/// The message with its causes, on one line, in the command's words.
pub(crate) fn message(error: &Error) -> String {
    let causes = error.chain().map(|cause| match cause.downcast_ref::<burncam::Error>() {
        Some(error) => said(error),
        None => cause.to_string(),
    });
    causes.collect::<Vec<_>>().join(": ")
}

/// The message of one error of the library in the command's words.
pub(crate) fn said(error: &burncam::Error) -> String {
    error.say(WORDS)
}

/// The model is at fault. Weights that cannot be used are found out by the first image, where it is the only one.
pub(crate) fn is_of_model(error: &Error) -> bool {
    library(error).is_some_and(|error| error.kind() == ErrorKind::Model)
}

/// The reader closed the pipe.
pub(crate) fn is_broken_pipe(error: &Error) -> bool {
    io_kind(error) == Some(io::ErrorKind::BrokenPipe)
}

/// The operating system's reason, if it is one.
pub(crate) fn io_kind(error: &Error) -> Option<io::ErrorKind> {
    let own = || error.chain().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    library(error).map_or_else(own, burncam::Error::io_kind)
}

fn library(error: &Error) -> Option<&burncam::Error> {
    error.downcast_ref()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use anyhow::Context as _;

    use super::*;

    #[test]
    fn the_system_s_reason_is_found_whoever_met_it() {
        let pipe = || io::Error::from(io::ErrorKind::BrokenPipe);
        let own = Err::<(), _>(pipe()).context("cannot write to standard output").unwrap_err();
        assert!(is_broken_pipe(&own) && !is_of_model(&own));
        let missing = burncam::input::read_file(Path::new("no such file")).unwrap_err();
        let error = Error::from(missing).context("the picture");
        assert_eq!(io_kind(&error), Some(io::ErrorKind::NotFound));
        assert!(
            message(&error).starts_with("the picture: cannot read 'no such file': "),
            "{}",
            message(&error)
        );
        assert_eq!(message(&error), format!("{error:#}"), "nothing in it has another name here");
    }

    #[test]
    fn options_are_called_by_their_flags() {
        let path = tempfile::NamedTempFile::new().unwrap();
        let error = Error::from(burncam::output::refuse_existing([&path.path().to_owned()]).unwrap_err());
        assert!(
            message(&error).ends_with("already exists (use --force to replace it)"),
            "{}",
            message(&error)
        );
    }
}
