//! What is wrong with a checkpoint: a [`Problem`] that reading the file gives too.

use std::io;

use crate::error::{Phrase, Problem};

/// What is wrong with a file.
#[derive(Debug)]
pub(in crate::import) struct Damage(Problem);

impl Damage {
    pub(super) fn new(what: impl Into<Phrase>) -> Self {
        Self(Problem::new(what))
    }
}

impl From<io::Error> for Damage {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Self(Problem::new("the file ends too early").hint("is it whole?"))
            }
            _ => Self::new(error.to_string()),
        }
    }
}

impl From<Problem> for Damage {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<Damage> for Problem {
    fn from(damage: Damage) -> Self {
        damage.0
    }
}
