//! What a file says of itself in its metadata.
//!
//! Receives the entries of its metadata and the name of its producer; gives what they say of the network. ultralytics writes the
//! task, the classes' names, the size of the input and the licence, as Python prints them; its YOLOv5, the names and the stride alone.
//! Converters of TensorFlow's models write no entries, but nodes are called by the models and layers that they are in. burncam's own
//! entries are read by `stated`. Those of other tools are left alone.

use super::messages::{GraphProto, StringStringEntryProto};
use super::stated::Stated;
use crate::card::Preprocess;
use crate::error::Problem;

/// Converters of Keras's and TensorFlow's models.
const OF_TENSORFLOW: [&str; 2] = ["tf2onnx", "keras2onnx"];

/// What a file says of the network in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Said {
    /// What burncam's own entries say. They win over all others.
    pub(crate) own: Stated,
    /// The task in ultralytics' words: `classify`, `detect`, `segment`, `pose` or `obb`. `None` if the file is not theirs.
    pub(crate) ultralytics: Option<String>,
    /// Class names by index.
    pub(crate) classes: Vec<String>,
    /// Height and width of the input.
    pub(crate) size: Option<[usize; 2]>,
    /// Licence of the weights.
    pub(crate) license: Option<String>,
    /// Whether it has boxes and classes as outputs of their own.
    pub(crate) has_boxes: bool,
    /// Names of the models and layers in the file, if it was made of a Keras or TensorFlow model.
    pub(crate) keras: Option<Vec<String>>,
}

impl Said {
    /// Reads the entries of a file whose first output has this many axes.
    pub(super) fn read(entries: &[StringStringEntryProto], axes: Option<usize>) -> Result<Self, Problem> {
        let own = Stated::read(entries)?;
        let theirs = Self::of_ultralytics(entries, axes);
        let size = own.preprocess.as_ref().and_then(Preprocess::output_size).or(theirs.size);
        Ok(Self { own, size, ..theirs })
    }

    fn of_ultralytics(entries: &[StringStringEntryProto], axes: Option<usize>) -> Self {
        let entry = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.trim());
        let theirs = ["author", "description"]
            .iter()
            .any(|key| entry(key).is_some_and(|text| text.to_ascii_lowercase().starts_with("ultralytics")));
        let is_yolo = entry("stride").is_some() && entry("names").is_some();
        // YOLOv5 writes no task. Its detectors and segmenters list anchors; its classifiers are prepared in another way.
        let usual = (is_yolo && axes == Some(3)).then_some("detect");
        let Some(task) = entry("task").filter(|_| theirs || is_yolo).or(usual) else {
            return Self::default();
        };
        let numbers = |text: &str| -> Vec<usize> {
            text.trim_matches(['[', ']', '(', ')'])
                .split(',')
                .filter_map(|side| side.trim().parse().ok())
                .collect()
        };
        let size = match entry("imgsz").map(numbers).as_deref() {
            Some([side]) => Some([*side; 2]),
            Some([height, width]) => Some([*height, *width]),
            _ => None,
        };
        Self {
            ultralytics: Some(task.to_owned()),
            classes: entry("names").and_then(dictionary).unwrap_or_default(),
            size,
            license: entry("license").map(spdx),
            ..Self::default()
        }
    }
}

/// The models and layers that nodes are in, by the paths that their names are, if a converter of TensorFlow's models wrote them.
pub(super) fn keras_modules(producer: &str, graph: &GraphProto) -> Option<Vec<String>> {
    if !OF_TENSORFLOW.contains(&producer) {
        return None;
    }
    let mut modules: Vec<String> = Vec::new();
    for node in &graph.node {
        // Names of following nodes begin alike.
        for module in node.name.split('/').rev().skip(1).map(unnumbered) {
            if !modules.iter().rev().take(8).any(|known| known == module) {
                modules.push(module.to_owned());
            }
        }
    }
    Some(modules)
}

/// Without the number that Keras gives to each call: `resnet50v2_1`.
fn unnumbered(name: &str) -> &str {
    let is_number = |end: &&str| !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit());
    name.rsplit_once('_').filter(|(_, end)| is_number(end)).map_or(name, |(name, _)| name)
}

/// `AGPL-3.0 License (https://...)` without what is not its name.
fn spdx(text: &str) -> String {
    let name = text.split(" (").next().unwrap_or(text).trim();
    name.strip_suffix(" License").unwrap_or(name).to_owned()
}

/// The values of a dictionary with the keys 0, 1, 2 and so on, as Python prints it: `{0: 'cat', 1: "dog's"}`.
fn dictionary(text: &str) -> Option<Vec<String>> {
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut values = Vec::new();
    while !rest.is_empty() {
        let (key, after) = rest.split_once(':')?;
        if key.trim().parse() != Ok(values.len()) {
            return None;
        }
        let (value, after) = quoted(after.trim_start())?;
        values.push(value);
        rest = after.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    Some(values)
}

/// A quoted text with Python's escapes, and what comes after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|first| ['\'', '"'].contains(first))?;
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            letter if letter == quote => return Some((value, &text[at + quote.len_utf8()..])),
            letter => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(entries: &[(&str, &str)]) -> Said {
        of_axes(entries, None)
    }

    fn of_axes(entries: &[(&str, &str)], axes: Option<usize>) -> Said {
        let entry = |(key, value): &(&str, &str)| StringStringEntryProto {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        };
        Said::read(&entries.iter().map(entry).collect::<Vec<_>>(), axes).unwrap()
    }

    #[test]
    fn what_ultralytics_writes_is_read() {
        let found = said(&[
            ("description", "Ultralytics YOLO11n-cls model trained on imagenet.yaml"),
            ("author", "Ultralytics"),
            ("license", "AGPL-3.0 License (https://ultralytics.com/license)"),
            ("stride", "1"),
            ("task", "classify"),
            ("batch", "1"),
            ("imgsz", "[224, 320]"),
            ("names", r#"{0: 'tench, Tinca', 1: "bird's nest", 2: 'a \'b\' \\ c'}"#),
        ]);
        assert_eq!(found.ultralytics.as_deref(), Some("classify"));
        assert_eq!(found.classes, ["tench, Tinca", "bird's nest", r"a 'b' \ c"]);
        assert_eq!((found.size, found.license.as_deref()), (Some([224, 320]), Some("AGPL-3.0")));
    }

    #[test]
    fn a_yolov5_that_lists_anchors_is_a_detector() {
        let entries = [("stride", "32"), ("names", "{0: 'person', 1: 'bicycle'}")];
        let found = of_axes(&entries, Some(3));
        assert_eq!(found.ultralytics.as_deref(), Some("detect"));
        assert_eq!(found.classes, ["person", "bicycle"]);
        assert_eq!(of_axes(&entries, Some(2)), Said::default());
        assert_eq!(of_axes(&entries[1..], Some(3)), Said::default());
    }

    #[test]
    fn names_of_keras_are_paths_without_numbers() {
        let node =
            |name: &str| super::super::messages::NodeProto { name: name.to_owned(), ..Default::default() };
        let names = ["outer_1/resnet50v2_1/conv_1/Conv2D", "outer_1/resnet50v2_1/bn/add", "Softmax"];
        let graph = GraphProto { node: names.map(node).to_vec(), ..Default::default() };
        let found = keras_modules("tf2onnx", &graph).unwrap();
        assert_eq!(found, ["conv", "resnet50v2", "outer", "bn"]);
        assert_eq!(keras_modules("pytorch", &graph), None);
    }

    #[test]
    fn metadata_of_others_is_left_alone() {
        assert_eq!(said(&[("task", "classify"), ("names", "{0: 'a'}")]), Said::default());
        assert_eq!(said(&[]), Said::default());
    }

    #[test]
    fn names_that_are_no_list_are_left_alone() {
        for text in ["", "{", "{1: 'a'}", "{0: a}", "{0: 'a', 2: 'b'}", "{0: 'a"] {
            assert_eq!(dictionary(text), None, "{text}");
        }
        assert_eq!(dictionary("{}"), Some(vec![]));
    }
}
