//! The way out that a message offers.

use super::option::OptionName;
use super::phrase::{Action, Phrase, Piece, Wording};

/// A way out of a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// Give an option this value.
    Set(OptionName, String),
    /// Give an option a greater value.
    Raise(OptionName),
    /// Give an option another value.
    Change(OptionName),
    /// Leave out these options.
    Drop(Vec<OptionName>),
    /// Anything else, in words. Options that they mention are data too, see [`Phrase::pieces`].
    Say(Phrase),
}

impl Hint {
    /// Gives an option this value.
    #[must_use]
    pub fn set(option: OptionName, value: impl std::fmt::Display) -> Self {
        Self::Set(option, value.to_string())
    }

    /// Leaves out one option.
    #[must_use]
    pub fn drop(option: OptionName) -> Self {
        Self::Drop(vec![option])
    }

    /// An action, followed by words.
    #[must_use]
    pub fn action(action: Action, words: &'static str) -> Self {
        Self::Say(Phrase::default().action(action).text(words))
    }

    /// The hint as a text with options in it.
    #[must_use]
    pub fn phrase(&self) -> Phrase {
        match self {
            Self::Set(option, value) => Phrase::from("use ").set(*option, value),
            Self::Raise(option) => Phrase::from("raise ").option(*option),
            Self::Change(option) => Phrase::from("change ").option(*option),
            Self::Drop(options) => listed(Phrase::from("drop "), options, "and"),
            Self::Say(phrase) => phrase.clone(),
        }
    }

    /// The options that are to be set or left out, as [`Piece::Set`] and [`Piece::Drop`].
    #[must_use]
    pub fn steps(&self) -> Vec<Piece> {
        let pieces = self.phrase().pieces().to_vec();
        pieces.into_iter().filter(|piece| matches!(piece, Piece::Set(..) | Piece::Drop(_))).collect()
    }

    /// The hint in words.
    #[must_use]
    pub fn say(&self, wording: Wording) -> String {
        self.phrase().say(wording)
    }
}

/// `a, b and c` to leave out, behind `phrase`.
fn listed(mut phrase: Phrase, options: &[OptionName], last: &'static str) -> Phrase {
    for (at, option) in options.iter().enumerate() {
        phrase = match at {
            0 => phrase,
            _ if at + 1 == options.len() => phrase.text(format!(" {last} ")),
            _ => phrase.text(", "),
        };
        phrase = phrase.without(*option);
    }
    phrase
}

impl From<&'static str> for Hint {
    fn from(text: &'static str) -> Self {
        Self::Say(text.into())
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self::Say(text.into())
    }
}

impl From<Phrase> for Hint {
    fn from(phrase: Phrase) -> Self {
        Self::Say(phrase)
    }
}
