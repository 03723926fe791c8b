//! What a file says in burncam's own entries of its metadata.
//!
//! Receives the entries of a file's metadata; gives what those whose keys begin with `burncam.` say. docs/onnx.md lists them, and
//! `burncam.export` of the Python package writes them. Entries of other tools are read elsewhere.

use std::path::Path;

use prost::Message as _;
use serde::de::DeserializeOwned;

use super::messages::{MetadataOfModel, StringStringEntryProto};
use crate::card::{OutputKind, Preprocess, Task};
use crate::error::Problem;

/// What every key begins with.
const PREFIX: &str = "burncam.";

/// What comes after the prefix.
const KEYS: [&str; 5] = ["classes", "license", "output", "preprocess", "task"];

/// What such entries say. A value is the JSON of the card's field of the same name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Stated {
    /// Class names by index.
    pub(crate) classes: Vec<String>,
    /// How pictures are prepared.
    pub(crate) preprocess: Option<Preprocess>,
    /// The network's task.
    pub(crate) task: Option<Task>,
    /// The kind of its outputs.
    pub(crate) output: Option<OutputKind>,
    /// Licence of the weights.
    pub(crate) license: Option<String>,
}

impl Stated {
    /// Reads the entries of a file. One that is not known is a problem and not skipped: a newer program wrote it, and the
    /// network would be used in another way than the file says.
    pub(super) fn read(entries: &[StringStringEntryProto]) -> Result<Self, Problem> {
        let mut stated = Self::default();
        let mut seen = Vec::new();
        for entry in entries {
            let Some(key) = entry.key.strip_prefix(PREFIX) else { continue };
            let about = |problem: Problem| problem.named("metadata", &entry.key);
            if seen.contains(&key) {
                return Err(about(Problem::new("stands twice").hint("export the file again")));
            }
            seen.push(key);
            stated.set(key, &entry.value).map_err(about)?;
        }
        Ok(stated)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), Problem> {
        match key {
            "classes" => self.classes = json(value, "a JSON list of text")?,
            "license" => self.license = Some(json(value, "a JSON text")?),
            "output" => self.output = Some(json(value, "the JSON of a card's 'output'")?),
            "preprocess" => self.preprocess = Some(json(value, "the JSON of a card's 'preprocess'")?),
            "task" => self.task = Some(json(value, "the JSON of a card's 'task'")?),
            _ => {
                return Err(Problem::new("is not known to this version")
                    .known("expected one of", KEYS)
                    .hint("use a newer burncam"));
            }
        }
        Ok(())
    }
}

/// Whether a file has such an entry. What cannot be read has none.
pub(crate) fn is_stated_in(path: &Path) -> bool {
    let decoded = std::fs::read(path).ok().and_then(|bytes| MetadataOfModel::decode(bytes.as_slice()).ok());
    decoded.is_some_and(|model| model.metadata_props.iter().any(|entry| entry.key.starts_with(PREFIX)))
}

fn json<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, Problem> {
    serde_json::from_str(text)
        .map_err(|cause| Problem::new(format!("is not {what}: {cause}")).hint("export the file again"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{ColorOrder, Crop, Filter, Resize};

    fn read(entries: &[(&str, &str)]) -> Result<Stated, String> {
        let entry = |(key, value): &(&str, &str)| StringStringEntryProto {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        };
        Stated::read(&entries.iter().map(entry).collect::<Vec<_>>()).map_err(|problem| problem.to_string())
    }

    #[test]
    fn every_entry_is_read() {
        let found = read(&[
            ("producer", "left alone"),
            ("burncam.classes", r#"["daisy", "rose, \"wild\""]"#),
            ("burncam.task", r#""multi-label""#),
            ("burncam.output", r#""sigmoid""#),
            ("burncam.license", r#""CC0-1.0""#),
            (
                "burncam.preprocess",
                r#"{"resize": {"policy": "shortest-side", "size": 36, "filter": "bicubic"},
                    "crop": {"policy": "center", "height": 32, "width": 30}, "mean": [0.5, 0.25, 0.125], "std": [1, 2, 4]}"#,
            ),
        ]);
        let preprocess = Preprocess {
            resize: Resize::ShortestSide { size: 36, filter: Filter::Bicubic },
            crop: Some(Crop::Center { height: 32, width: 30 }),
            color: ColorOrder::Rgb,
            scale: 1.0 / 255.0,
            mean: vec![0.5, 0.25, 0.125],
            std: vec![1.0, 2.0, 4.0],
        };
        let expected = Stated {
            classes: vec!["daisy".to_owned(), "rose, \"wild\"".to_owned()],
            preprocess: Some(preprocess),
            task: Some(Task::MultiLabel),
            output: Some(OutputKind::Sigmoid),
            license: Some("CC0-1.0".to_owned()),
        };
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn files_of_others_say_nothing() {
        assert_eq!(read(&[("task", "classify"), ("names", "{0: 'a'}")]), Ok(Stated::default()));
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_not_skipped() {
        let unknown = read(&[("burncam.colour", "1")]).unwrap_err();
        assert_eq!(
            unknown,
            "metadata 'burncam.colour' is not known to this version; expected one of classes, license, output, preprocess, \
             task (use a newer burncam)"
        );
        let twice = read(&[("burncam.task", r#""binary""#), ("burncam.task", r#""binary""#)]).unwrap_err();
        assert_eq!(twice, "metadata 'burncam.task' stands twice (export the file again)");
        let wrong = read(&[("burncam.classes", r#"{"0": "cat"}"#)]).unwrap_err();
        assert!(
            wrong.starts_with("metadata 'burncam.classes' is not a JSON list of text: invalid type"),
            "{wrong}"
        );
        assert!(wrong.ends_with(" (export the file again)"), "{wrong}");
        let field = read(&[("burncam.preprocess", r#"{"resize": {"policy": "none"}, "colour": "rgb"}"#)]);
        assert!(field.unwrap_err().contains("unknown field `colour`"));
    }
}
