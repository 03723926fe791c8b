//! Tests of what an ONNX file says in burncam's own metadata. `src/python` writes it as these tests do: behind the file's end.

use super::*;
use crate::card::{Crop, Filter, Task};

const ENTRIES: [(&str, &str); 3] = [
    ("burncam.classes", r#"["a", "b", "c", "d", "e", "f", "g"]"#),
    (
        "burncam.preprocess",
        r#"{"resize": {"policy": "shortest-side", "size": 70, "filter": "bicubic"},
            "crop": {"policy": "center", "height": 64, "width": 48}, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}"#,
    ),
    ("burncam.task", r#""multi-label""#),
];

/// A field of bytes in a protocol buffer.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut length = bytes.len();
    let mut field = vec![(tag << 3) | 2];
    while length > 127 {
        field.push((length & 127) as u8 | 128);
        length >>= 7;
    }
    [field, vec![length as u8], bytes.to_vec()].concat()
}

/// An import of a fixture as `name`, with entries behind its end; `neighbour` is the text of a `config.json` next to it.
fn stated(
    name: &str,
    entries: &[(&str, &str)],
    neighbour: Option<&str>,
    ask: impl Fn(ImportRequest) -> ImportRequest,
) -> Result<Imported> {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(Path::new(FIXTURES).join("onnx/dynamo_open_sizes.onnx")).unwrap();
    for (key, value) in entries {
        let entry = [field(1, key.as_bytes()), field(2, value.as_bytes())].concat();
        bytes.extend(field(14, &entry));
    }
    let source = folder.path().join(name);
    std::fs::write(&source, bytes).unwrap();
    if let Some(text) = neighbour {
        std::fs::write(folder.path().join("config.json"), text).unwrap();
    }
    import(&ask(ImportRequest { source, ..Default::default() }))
}

#[test]
fn classes_pictures_and_task_of_a_file_are_used() {
    let Imported { card, assumptions, .. } = stated("net.onnx", &ENTRIES, None, |request| request).unwrap();
    assert_eq!(card.classes, ["a", "b", "c", "d", "e", "f", "g"]);
    assert_eq!(card.task, Some(Task::MultiLabel));
    assert_eq!(card.preprocess.resize, Resize::ShortestSide { size: 70, filter: Filter::Bicubic });
    assert_eq!(card.preprocess.crop, Some(Crop::Center { height: 64, width: 48 }));
    assert_eq!(card.preprocess.mean, [0.5; 3]);
    let input = card.graph.unwrap().input;
    assert_eq!([input.height, input.width], [64, 48], "an open size is that of the pictures");
    assert!(assumptions.is_empty(), "nothing is assumed: {assumptions:?}");
}

#[test]
fn the_caller_wins_over_the_file() {
    let ask = |request| ImportRequest {
        classes: ["1", "2", "3", "4", "5", "6", "7"].map(str::to_owned).to_vec(),
        task: Some(Task::Numbers),
        adjust: PreprocessRequest { mean: Some(vec![0.0; 3]), ..Default::default() },
        ..request
    };
    let Imported { card, .. } = stated("net.onnx", &ENTRIES, None, ask).unwrap();
    assert_eq!((card.classes[0].as_str(), card.task), ("1", Some(Task::Numbers)));
    assert_eq!(card.preprocess.mean, [0.0; 3]);
    assert_eq!(card.preprocess.std, [0.25; 3], "the rest is still the file's");
    assert_eq!(card.preprocess.crop, Some(Crop::Center { height: 64, width: 48 }));
    let preset = |request| ImportRequest {
        adjust: PreprocessRequest { preset: Some(Preset::Raw), ..Default::default() },
        ..request
    };
    let Imported { card, .. } = stated("net.onnx", &ENTRIES, None, preset).unwrap();
    assert_eq!((card.preprocess.scale, card.preprocess.mean), (1.0, vec![]));
}

#[test]
fn a_file_wins_over_its_neighbour() {
    let neighbour = r#"{"label_names": ["x0", "x1", "x2", "x3", "x4", "x5", "x6"]}"#;
    let own = stated("model.onnx", &ENTRIES, Some(neighbour), |request| request).unwrap();
    assert_eq!(own.card.classes[0], "a");
    let other = stated("model.onnx", &[], Some(neighbour), |request| request).unwrap();
    assert_eq!(other.card.classes[0], "x0");
}

#[test]
fn metadata_that_cannot_be_read_is_an_error() {
    let wrong = [("burncam.task", r#""sorting""#)];
    let error = stated("net.onnx", &wrong, None, |request| request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model);
    assert!(
        error.to_string().starts_with(
            "model 'net.onnx': metadata 'burncam.task' is not the JSON of a card's 'task': unknown variant"
        ),
        "{error}"
    );
}
