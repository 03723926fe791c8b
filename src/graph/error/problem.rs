//! What is wrong, as data: found, expected, and a way out.

use std::fmt;

use super::hint::Hint;
use super::nearest::nearest;
use super::phrase::{Phrase, Wording};
use super::subject::Subject;

/// What is wrong, without the fault or the kind of an [`Error`](super::Error), which are known further out.
///
/// Reads *what is wrong, expected this, got that (way out)*.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Parts {
    subjects: Vec<Subject>,
    what: Phrase,
    nearest: Option<String>,
    known: Option<Known>,
    remark: Option<Phrase>,
    expected: Option<Phrase>,
    found: Option<Phrase>,
    hint: Option<Hint>,
}

/// The names that there are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    /// Words before them.
    lead: &'static str,
    names: Vec<String>,
}

impl Problem {
    /// What is wrong.
    pub fn new(what: impl Into<Phrase>) -> Self {
        Self::default().with(|parts| parts.what = what.into())
    }

    /// Only what was expected, and what was found in its place.
    pub fn expected_but(expected: impl Into<Phrase>, found: impl Into<Phrase>) -> Self {
        Self::default().expected(expected).found(found)
    }

    /// A name that is none of `names`, with the nearest of them.
    pub fn unknown<'a>(kind: &'static str, wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<&str> = names.into_iter().collect();
        let problem = Self::new("is not known").near(wanted, names.iter().copied());
        problem.known("expected one of", names).named(kind, wanted)
    }

    /// With what was expected.
    #[must_use]
    pub fn expected(self, expected: impl Into<Phrase>) -> Self {
        self.with(|parts| parts.expected = Some(expected.into()))
    }

    /// With what was found, where the first words do not say that.
    #[must_use]
    pub fn found(self, found: impl Into<Phrase>) -> Self {
        self.with(|parts| parts.found = Some(found.into()))
    }

    /// With a way out.
    #[must_use]
    pub fn hint(self, hint: impl Into<Hint>) -> Self {
        self.with(|parts| parts.hint = Some(hint.into()))
    }

    /// With the candidate that is nearest to `wanted`, if one is near enough to be what was meant.
    #[must_use]
    pub fn near<'a>(self, wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        self.with(|parts| parts.nearest = nearest(wanted, candidates).first().map(|&name| name.to_owned()))
    }

    /// With the names that there are, if any, after the words `lead`.
    #[must_use]
    pub fn known<'a>(self, lead: &'static str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        self.with(|parts| parts.known = (!names.is_empty()).then_some(Known { lead, names }))
    }

    /// With a clause after what is wrong.
    #[must_use]
    pub fn remark(self, remark: impl Into<Phrase>) -> Self {
        self.with(|parts| parts.remark = Some(remark.into()))
    }

    /// With words before the first ones.
    #[must_use]
    pub fn after(self, words: impl Into<Phrase>) -> Self {
        self.with(|parts| parts.what = words.into().phrase(std::mem::take(&mut parts.what)))
    }

    /// Inside `subject`.
    #[must_use]
    pub fn about(self, subject: Subject) -> Self {
        self.with(|parts| parts.subjects.insert(0, subject))
    }

    /// Inside a node of a graph.
    #[must_use]
    pub fn about_node(self, name: impl Into<String>, op: impl Into<String>) -> Self {
        self.about(Subject::Node { name: name.into(), op: op.into() })
    }

    /// Inside a tensor of weights.
    #[must_use]
    pub fn about_tensor(self, name: impl Into<String>) -> Self {
        self.about(Subject::Tensor(name.into()))
    }

    /// Inside a field of a card.
    #[must_use]
    pub fn about_field(self, path: impl Into<String>) -> Self {
        self.about(Subject::Field(path.into()))
    }

    /// About the `kind` with this name.
    #[must_use]
    pub fn named(self, kind: &'static str, name: impl fmt::Display) -> Self {
        self.about(Subject::Named { kind, name: name.to_string() })
    }

    /// What it is about, the outermost first.
    #[must_use]
    pub fn subjects(&self) -> &[Subject] {
        &self.0.subjects
    }

    /// The text, with options called as `wording` has them.
    #[must_use]
    pub fn say(&self, wording: Wording) -> String {
        let Parts { subjects, what, nearest, known, remark, expected, found, hint } = &*self.0;
        let mut text: String = subjects.iter().map(|subject| subject.introduction(wording)).collect();
        text.push_str(&what.say(wording));
        if let Some(nearest) = nearest {
            text.push_str(&format!(" (did you mean '{nearest}'?)"));
        }
        if let Some(Known { lead, names }) = known {
            text.push_str(&format!("; {lead} {}", names.join(", ")));
        }
        if let Some(remark) = remark {
            text.push_str("; ");
            text.push_str(&remark.say(wording));
        }
        let expected = expected.iter().map(|expected| format!("expected {}", expected.say(wording)));
        let found = found.iter().map(|found| format!("got {}", found.say(wording)));
        let sides: Vec<String> = expected.chain(found).collect();
        if !sides.is_empty() && !text.is_empty() && !text.ends_with(": ") {
            text.push_str(", ");
        }
        text.push_str(&sides.join(", "));
        if let Some(hint) = hint {
            // A list of tensors has a line for each, and so has its hint.
            text.push_str(if text.contains('\n') { "\n  (" } else { " (" });
            text.push_str(&hint.say(wording));
            text.push(')');
        }
        text
    }

    pub(super) fn what(&self) -> &Phrase {
        &self.0.what
    }

    pub(super) fn what_was_expected(&self) -> Option<&Phrase> {
        self.0.expected.as_ref()
    }

    pub(super) fn what_was_found(&self) -> Option<&Phrase> {
        self.0.found.as_ref()
    }

    pub(super) fn way_out(&self) -> Option<&Hint> {
        self.0.hint.as_ref()
    }

    pub(super) fn nearest_name(&self) -> Option<&str> {
        self.0.nearest.as_deref()
    }

    fn with(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(&mut self.0);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.say(Wording::LIBRARY))
    }
}

impl std::error::Error for Problem {}

impl From<&'static str> for Problem {
    fn from(what: &'static str) -> Self {
        Self::new(what)
    }
}

impl From<String> for Problem {
    fn from(what: String) -> Self {
        Self::new(what)
    }
}

impl From<Phrase> for Problem {
    fn from(what: Phrase) -> Self {
        Self::new(what)
    }
}
