//! What a problem is about.

use std::fmt;
use std::path::PathBuf;

use super::option::OptionName;
use super::phrase::Wording;

/// What a problem is about. A problem inside of something has several, the outermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// A model, by file name or name.
    Model(String),
    /// A picture or tensor file, as the caller called it; `-` for standard input.
    Image(String),
    /// An archive of another framework's numbers.
    Reference(String),
    /// A file or directory.
    File(PathBuf),
    /// A model's card as a whole.
    Card,
    /// A field of a model's card, as a path: `graph.nodes[3]`.
    Field(String),
    /// A node in a model's card.
    CardNode {
        /// Its place in `graph.nodes`.
        index: usize,
        /// Its name.
        name: String,
    },
    /// An operation of a graph.
    Node {
        /// Its name.
        name: String,
        /// What it does, as the file calls it.
        op: String,
    },
    /// An operation of a graph that has no name of its own.
    UnnamedNode {
        /// Its first output.
        output: String,
        /// What it does, as the file calls it.
        op: String,
    },
    /// A tensor of weights.
    Tensor(String),
    /// A layer that is explained.
    Layer(String),
    /// An option of the caller.
    Option(OptionName),
    /// Anything else that has a name.
    Named {
        /// What it is, for example `device`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
}

impl Subject {
    /// Its beginning of a message, up to what is wrong.
    pub(super) fn introduction(&self, wording: Wording) -> String {
        match self {
            Self::Layer(_) | Self::Option(_) | Self::Named { .. } => format!("{} ", self.say(wording)),
            _ => format!("{}: ", self.say(wording)),
        }
    }

    /// What it is called.
    #[must_use]
    pub fn say(&self, wording: Wording) -> String {
        match self {
            Self::Model(name) => format!("model '{name}'"),
            Self::Image(name) => format!("image '{name}'"),
            Self::Reference(name) => format!("reference '{name}'"),
            Self::File(path) => format!("file '{}'", path.display()),
            Self::Card => "card".to_owned(),
            Self::Field(path) => format!("card field '{path}'"),
            Self::CardNode { index, name } => format!("card field 'graph.nodes[{index}]' ('{name}')"),
            Self::Node { name, op } => format!("node '{name}' ({op})"),
            Self::UnnamedNode { output, op } => format!("the node that gives '{output}' ({op})"),
            Self::Tensor(name) => format!("tensor '{name}'"),
            Self::Layer(name) => format!("layer '{name}'"),
            Self::Option(option) => wording.option(*option).to_owned(),
            Self::Named { kind, name } => format!("{kind} '{name}'"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.say(Wording::LIBRARY))
    }
}
