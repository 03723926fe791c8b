//! What an error of a command is: the library's, which says so itself, or the command's own.

use std::io;

use anyhow::Error;
use burncam::ErrorKind;
use burncam::record::{Failure, HintRecord};
use burncam_graph::error::{Hint, OptionName, Piece};

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

/// A failed image as lists and summaries have it.
pub(crate) fn listed(path: &str, error: &Error) -> Failure {
    let found = library(error);
    let kind = found.map(burncam::Error::kind).or_else(|| io_kind(error).map(|_| ErrorKind::Io));
    let hint = found.and_then(burncam::Error::hint).map(hint);
    Failure { path: path.to_owned(), error: message(error), kind, hint }
}

fn hint(hint: &Hint) -> HintRecord {
    let mut record = HintRecord { text: hint.say(WORDS), ..HintRecord::default() };
    let called = |option: OptionName| WORDS.option(option).to_owned();
    match hint {
        Hint::Raise(option) => record.raise.push(called(*option)),
        Hint::Change(option) => record.change.push(called(*option)),
        _ => {}
    }
    for step in hint.steps() {
        match step {
            Piece::Set(option, value) => drop(record.set.insert(called(option), value)),
            Piece::Drop(option) => record.drop.push(called(option)),
            _ => {}
        }
    }
    record
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
    use burncam_graph::error::Problem;

    use super::*;

    #[test]
    fn the_system_s_reason_is_found_whoever_met_it() {
        let pipe = || io::Error::from(io::ErrorKind::BrokenPipe);
        let own = Err::<(), _>(pipe()).context("cannot write to standard output").unwrap_err();
        assert!(is_broken_pipe(&own) && !is_of_model(&own));
        let missing = burncam_picture::input::read_file(Path::new("no such file")).unwrap_err();
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
        let error =
            Error::from(burncam::internal::output::refuse_existing([&path.path().to_owned()]).unwrap_err());
        assert!(
            message(&error).ends_with("already exists (use --force to replace it)"),
            "{}",
            message(&error)
        );
    }
    #[test]
    fn a_failure_has_its_kind_and_its_way_out() {
        let missing = burncam_picture::input::read_file(Path::new("no such file")).unwrap_err();
        let failure = listed("a.png", &Error::from(missing));
        assert_eq!((failure.kind, failure.hint), (Some(ErrorKind::Io), None));
        let options = Hint::Drop(vec![OptionName::Arch, OptionName::Card]);
        let problem = Problem::new("is broken").hint(options);
        let failure = listed("a.png", &Error::from(burncam::Error::image("a.png", problem)).context("photo"));
        assert_eq!(failure.kind, Some(ErrorKind::Image));
        let drop = ["--arch", "--spec"].map(str::to_owned).to_vec();
        let text = "drop --arch and --spec".to_owned();
        assert_eq!(failure.hint, Some(HintRecord { text, drop, ..HintRecord::default() }));
        assert_eq!(hint(&Hint::set(OptionName::Layer, "conv")).set["--layer"], "conv");
        assert_eq!(hint(&Hint::Raise(OptionName::Samples)).raise, ["--samples"]);
        assert_eq!(listed("a.png", &anyhow::anyhow!("stopped")).kind, None);
    }
}
