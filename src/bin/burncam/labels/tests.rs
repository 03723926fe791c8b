//! Labels from files in a folder, for the classes of a fixture model.

use clap::Parser as _;

use super::*;
use crate::args::{Cli, Command};
use crate::discover::discover;

fn model() -> Model {
    Model::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/models/squeezenet1_1.bpk"), None)
        .unwrap()
}

/// A folder with empty pictures and, if `text` is not empty, a label file.
fn folder(pictures: &[&str], file: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in [pictures, &[file]].concat() {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn inputs(folder: &Path, arguments: &str) -> Vec<Input> {
    let words = arguments.split(' ').map(|word| word.replace('~', folder.to_str().unwrap()));
    let words = ["burncam", "predict"].map(str::to_owned).into_iter().chain(words);
    let Command::Predict(args) = Cli::try_parse_from(words).unwrap().command else { unreachable!() };
    discover(&args.inputs).unwrap().inputs
}

fn labelled(
    pictures: &[&str],
    file: &str,
    text: &str,
    arguments: &str,
) -> Result<Vec<Option<usize>>, String> {
    let folder = folder(pictures, file, &text.replace('~', "FOLDER"));
    let path = folder.path().join(file);
    let root = folder.path().to_str().unwrap();
    std::fs::write(&path, text.replace('~', root)).unwrap();
    let found = labels(&LabelSource::File(path), &inputs(folder.path(), arguments), true, &model());
    let found = found.map(|labels| labels.into_iter().map(class).collect());
    found.map_err(|error| format!("{error:#}").replace(root, "~"))
}

/// The class of a label that must be known or missing.
fn class(label: Label) -> Option<usize> {
    match label {
        Label::Missing => None,
        Label::Classes(classes) => classes.first().copied(),
        Label::Unknown(problem) => panic!("{problem}"),
    }
}

#[test]
fn a_path_may_be_written_as_it_is_from_several_places() {
    let text = "~/photos/a.jpg,espresso\nphotos/b.jpg,7\n./sub/../c.jpg,tiger cat\nelsewhere/d.jpg,9\n";
    let pictures = ["photos/a.jpg", "photos/b.jpg", "photos/c.jpg", "photos/d.jpg", "photos/e.jpg"];
    let expected = vec![Some(967), Some(7), Some(282), Some(9), None];
    assert_eq!(labelled(&pictures, "labels.csv", text, "~/photos"), Ok(expected));
    let moved = "../photos/a.jpg,1\n../photos/b.jpg,2\n";
    assert_eq!(labelled(&pictures[..2], "meta/l.csv", moved, "~/photos"), Ok(vec![Some(1), Some(2)]));
}

#[test]
fn a_file_name_is_enough_only_where_it_is_alone() {
    let pictures = ["p/a/x.jpg", "p/b/x.jpg", "p/b/y.jpg"];
    let text = "old/x.jpg,1\nold/y.jpg,2\n";
    assert_eq!(labelled(&pictures, "l.csv", text, "~/p"), Ok(vec![None, None, Some(2)]));
    let text = "old/y.jpg,2\nolder/y.jpg,2\nb/x.jpg,5\n";
    assert_eq!(labelled(&pictures, "l.csv", text, "~/p"), Ok(vec![None, Some(5), None]));
}

#[test]
fn what_is_wrong_with_labels_is_told_with_its_line() {
    let wrong = |text: &str| labelled(&["a.jpg"], "l.csv", text, "~/a.jpg").unwrap_err();
    let error = wrong("path,class\na.jpg,967\nb.jpg,expresso\n");
    assert!(error.starts_with("labels '~/l.csv', line 3: class 'expresso' is not one of"), "{error}");
    assert!(error.contains("did you mean 'espresso'?"), "{error}");
    let error = wrong("a.jpg,1\nb.jpg,2\n./a.jpg,3\n");
    assert_eq!(
        error,
        "labels '~/l.csv', line 3: './a.jpg' is of class 3, but of class 1 in line 1 (keep one)"
    );
    assert!(wrong("a.jpg,1000\n").contains("out of range"));
    assert!(wrong("b.jpg,1\n").starts_with("labels '~/l.csv': none of its paths is that of an input"));
    assert_eq!(labelled(&["a.jpg"], "l.csv", "a.jpg,1\na.jpg,1\n", "~/a.jpg"), Ok(vec![Some(1)]));
}

#[test]
fn a_shard_needs_no_labels() {
    let folder = folder(&["a.jpg"], "l.csv", "b.jpg,1\n");
    let file = LabelSource::File(folder.path().join("l.csv"));
    let found = inputs(folder.path(), "~");
    for source in [file, LabelSource::FromDirectory] {
        assert_eq!(labels(&source, &[], false, &model()).unwrap(), []);
        assert_eq!(labels(&source, &found, false, &model()).unwrap(), [Label::Missing]);
        assert!(labels(&source, &found, true, &model()).is_err());
    }
}

#[test]
fn a_directory_is_a_class_by_name_or_index() {
    let pictures = ["espresso/deep/a.jpg", "tiger_cat/b.jpg", "7/c.jpg", "d.jpg"];
    let folder = folder(&pictures, "x/y.txt", "");
    let source = LabelSource::from(OsString::from("from-directory"));
    let found = labels(&source, &inputs(folder.path(), "~"), true, &model()).unwrap();
    let expected =
        [Label::Classes(vec![7]), Label::Missing, Label::Classes(vec![967]), Label::Classes(vec![282])];
    assert_eq!(found, expected, "in order of path");
    let named = inputs(folder.path(), "~/espresso ~/7/c.jpg");
    let error = labels(&source, &named, true, &model()).unwrap_err().to_string();
    assert!(error.starts_with("directory 'deep' is no class of the model"), "{error}");
    let error = labels(&source, &named[1..], true, &model()).unwrap_err().to_string();
    assert!(error.ends_with("(name the directory above those of the classes)"), "{error}");
}

#[test]
fn directories_that_are_no_classes_are_listed() {
    let folder = folder(&["k1/a.jpg", "k2/a.jpg", "k3/a.jpg", "k4/a.jpg", "k5/b.jpg"], "x/y.txt", "");
    let error = labels(&LabelSource::FromDirectory, &inputs(folder.path(), "~"), true, &model()).unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("directories 'k1', 'k2', 'k3' and 2 more are no classes of the model: "),
        "{error}"
    );
    assert!(error.ends_with("(write a file instead, --labels FILE with lines path,class)"), "{error}");
}

#[test]
fn a_directory_that_is_no_class_makes_its_own_images_fail() {
    let folder = folder(&["espresso/a.jpg", "quagga/b.jpg", "quagga/c.jpg"], "x/y.txt", "");
    let source = LabelSource::FromDirectory;
    let found = labels(&source, &inputs(folder.path(), "~"), true, &model()).unwrap();
    assert_eq!(found[0], Label::Classes(vec![967]));
    for (label, name) in found[1..].iter().zip(["b", "c"]) {
        let Label::Unknown(problem) = label else { panic!("{label:?}") };
        let path = folder.path().join(format!("quagga/{name}.jpg"));
        let begins = format!("image '{}': directory 'quagga' is no class of the model: ", path.display());
        assert!(problem.starts_with(&begins), "{problem}");
    }
}

#[test]
fn files_of_windows_are_read() {
    let folder = folder(&["a.jpg", "b.jpg"], "l.csv", "");
    for (name, text) in [
        ("l.csv", "path,class\r\na.jpg,espresso\r\nb.jpg,7\r\n"),
        ("l.json", r#"{"a.jpg":"espresso","b.jpg":7}"#),
    ] {
        for text in [text.to_owned(), format!("\u{feff}{text}")] {
            let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            for bytes in [text.into_bytes(), utf16] {
                let file = folder.path().join(name);
                std::fs::write(&file, bytes).unwrap();
                let found = labels(&LabelSource::File(file), &inputs(folder.path(), "~"), true, &model());
                assert_eq!(found.unwrap(), [Label::Classes(vec![967]), Label::Classes(vec![7])], "{name}");
            }
        }
    }
}

#[test]
fn paths_are_compared_without_detours() {
    for (long, short) in
        [("./a//b/.", "a/b"), ("a/../b", "b"), ("../a", "../a"), ("a/../../b", "../b"), ("/..", "/")]
    {
        assert_eq!(normal(Path::new(long)), Path::new(short), "{long}");
    }
    assert_eq!(from(Path::new("/a/b/c"), Path::new("/a/d")), Path::new("../b/c"));
    assert_eq!(from(Path::new("/a/b"), Path::new("/a")), Path::new("b"));
}

#[test]
fn a_picture_of_a_multi_label_network_may_have_several_classes() {
    let folder =
        folder(&["a.jpg", "b.jpg", "c.jpg"], "l.csv", "a.jpg,0;2\nb.jpg,1\nb.jpg,2\nb.jpg,1\nc.jpg,2\n");
    let file = LabelSource::File(folder.path().join("l.csv"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases/heads/multi_label_logits.onnx");
    let opened = |task| {
        let request =
            burncam_model::import::ImportRequest { source: source.clone(), task, ..Default::default() };
        let imported = burncam_model::import::import(&request).unwrap();
        let path = folder.path().join("model.bpk");
        Model::create(&path, &imported.card, imported.tensors, true).unwrap()
    };
    let inputs = inputs(folder.path(), "~/a.jpg ~/b.jpg ~/c.jpg");
    let found = labels(&file, &inputs, true, &opened(Some(Task::MultiLabel))).unwrap();
    assert_eq!(found, [vec![0, 2], vec![1, 2], vec![2]].map(Label::Classes));
    // Classes that exclude each other cannot both be true.
    let error = labels(&file, &inputs, true, &opened(None)).unwrap_err();
    assert!(format!("{error:#}").contains("class '0;2'"), "{error:#}");
}
