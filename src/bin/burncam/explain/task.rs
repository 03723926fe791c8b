//! One image to explain: where it is, its true class, and how it is read.

use anyhow::Result;
use burncam::{Explainer, Subject};

use crate::discover::Input;
use crate::labels::Label;
use crate::subjects;

/// An input and its true class.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) input: Input,
    pub(crate) label: Option<usize>,
}

impl Task {
    /// Reads the input as the explainer's request says.
    pub(crate) fn load(&self, explainer: &Explainer) -> Result<Subject> {
        let subject = subjects::load(&self.input, &explainer.request().reading, explainer.model())?;
        Ok(Subject { label: self.label, ..subject })
    }
}

impl From<(Input, Label)> for Task {
    fn from((mut input, label): (Input, Label)) -> Self {
        let label = match label {
            Label::Missing => None,
            Label::Class(class) => Some(class),
            Label::Unknown(problem) => {
                // A file that cannot be read has a problem already, which is the one to report.
                input.problem.get_or_insert(problem);
                None
            }
        };
        Self { input, label }
    }
}
