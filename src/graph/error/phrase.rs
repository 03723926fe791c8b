//! Texts that mention options, and how these are called in them.

use std::borrow::Cow;
use std::fmt;

use super::option::OptionName;

/// A text with options in it. `Display` calls them by the library's fields; [`Phrase::say`] takes other names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Phrase(Vec<Piece>);

/// A part of a [`Phrase`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Piece {
    /// Words.
    Text(Cow<'static, str>),
    /// An option, which is neither set nor dropped.
    Option(OptionName),
    /// An option that has, or should have, a value.
    Set(OptionName, String),
    /// An option to leave out.
    Drop(OptionName),
    /// Something else that helps.
    Action(Action),
}

/// What a program can do to help, beyond an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Lists the architectures whose weights can be imported.
    ListArchitectures,
    /// Lists the classes of a model.
    ListClasses,
    /// Lists the layers of a model.
    ListLayers,
    /// Makes a model file from a file of weights.
    Import,
}

impl Action {
    /// What does it in the library.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::ListArchitectures => "model::arch::names",
            Self::ListClasses => "Model::class_name",
            Self::ListLayers => "Model::layers",
            Self::Import => "model::import::import",
        }
    }
}

/// How options and actions are called in a text.
#[derive(Debug, Clone, Copy)]
pub struct Wording {
    option: fn(OptionName) -> &'static str,
    /// Between an option and its value.
    assign: &'static str,
    action: fn(Action) -> &'static str,
}

impl Wording {
    /// The library's own: fields and paths.
    pub const LIBRARY: Self = Self { option: OptionName::field, assign: " = ", action: Action::path };

    /// A program's own names; `assign` stands between an option and its value.
    #[must_use]
    pub const fn new(
        option: fn(OptionName) -> &'static str,
        assign: &'static str,
        action: fn(Action) -> &'static str,
    ) -> Self {
        Self { option, assign, action }
    }

    /// What the option is called.
    #[must_use]
    pub fn option(&self, option: OptionName) -> &'static str {
        (self.option)(option)
    }
}

impl Default for Wording {
    fn default() -> Self {
        Self::LIBRARY
    }
}

impl OptionName {
    /// With the value that it has, or should have.
    #[must_use]
    pub fn set(self, value: impl fmt::Display) -> Piece {
        Piece::Set(self, value.to_string())
    }

    /// To be left out.
    #[must_use]
    pub const fn drop(self) -> Piece {
        Piece::Drop(self)
    }

    /// As it is called.
    #[must_use]
    pub const fn name(self) -> Piece {
        Piece::Option(self)
    }
}

impl Phrase {
    /// A text with each `{}` replaced by the next of `pieces`.
    #[must_use]
    pub fn filled(text: &'static str, pieces: impl IntoIterator<Item = Piece>) -> Self {
        let mut words = text.split("{}");
        let begin = Self::from(words.next().unwrap_or_default());
        words.zip(pieces).fold(begin, |phrase, (text, piece)| phrase.with(piece).text(text))
    }

    /// With more words at the end.
    #[must_use]
    pub fn text(self, text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        if text.is_empty() { self } else { self.with(Piece::Text(text)) }
    }

    /// With an option at the end.
    #[must_use]
    pub fn option(self, option: OptionName) -> Self {
        self.with(Piece::Option(option))
    }

    /// With an option and its value at the end.
    #[must_use]
    pub fn set(self, option: OptionName, value: impl fmt::Display) -> Self {
        self.with(Piece::Set(option, value.to_string()))
    }

    /// With an option to leave out at the end.
    #[must_use]
    pub fn without(self, option: OptionName) -> Self {
        self.with(Piece::Drop(option))
    }

    /// With an action at the end.
    #[must_use]
    pub fn action(self, action: Action) -> Self {
        self.with(Piece::Action(action))
    }

    /// With another phrase at the end.
    #[must_use]
    pub fn phrase(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The parts, in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// True without any words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text, with options called as `wording` has them.
    #[must_use]
    pub fn say(&self, wording: Wording) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(words) => text.push_str(words),
                Piece::Option(option) | Piece::Drop(option) => text.push_str((wording.option)(*option)),
                Piece::Set(option, value) => {
                    text.push_str((wording.option)(*option));
                    text.push_str(wording.assign);
                    text.push_str(value);
                }
                Piece::Action(action) => text.push_str((wording.action)(*action)),
            }
        }
        text
    }

    fn with(mut self, piece: Piece) -> Self {
        self.0.push(piece);
        self
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.say(Wording::LIBRARY))
    }
}

/// Compares the text in the library's words.
impl PartialEq<&str> for Phrase {
    fn eq(&self, other: &&str) -> bool {
        self.say(Wording::LIBRARY) == **other
    }
}

impl From<&'static str> for Phrase {
    fn from(text: &'static str) -> Self {
        Self::default().text(text)
    }
}

impl From<String> for Phrase {
    fn from(text: String) -> Self {
        Self::default().text(text)
    }
}

impl From<OptionName> for Phrase {
    fn from(option: OptionName) -> Self {
        Self::default().option(option)
    }
}
