//! One image to explain: where it is, its true class, and how it is read.

use anyhow::Result;
use burncam::{Explainer, Subject};

use crate::discover::Input;
use crate::labels::Label;
use crate::subjects;

/// An input and its true classes.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) input: Input,
    pub(crate) labels: Vec<usize>,
}

impl Task {
    /// Reads the input as the explainer's request says.
    pub(crate) fn load(&self, explainer: &Explainer) -> Result<Subject> {
        let subject = subjects::load(&self.input, &explainer.request().reading, explainer.model())?;
        Ok(Subject { labels: self.labels.clone(), ..subject })
    }
}

impl From<(Input, Label)> for Task {
    fn from((mut input, label): (Input, Label)) -> Self {
        let labels = match label {
            Label::Missing => vec![],
            Label::Classes(classes) => classes,
            Label::Unknown(problem) => {
                // A file that cannot be read has a problem already, which is the one to report.
                input.problem.get_or_insert(problem);
                vec![]
            }
        };
        Self { input, labels }
    }
}
