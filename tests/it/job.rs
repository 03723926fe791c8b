//! One call of the library writes what the command writes, byte for byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use burncam::{ArtifactKind, Explainer, Method, Model, Names, Reading, Request, Subject, Target};

use crate::support::fixture;

/// Without warnings: those that name an option do so in the words of the library or of the command.
fn photos() -> [PathBuf; 2] {
    ["coffee.png", "chelsea.png"].map(|name| fixture("images").join(name))
}

fn command(out: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_burncam"));
    command.args(["explain", "--quiet", "--out"]).arg(out).args(photos()).args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Names and bytes of the files in a directory, the summary of a run left out.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let files = entries.map(|entry| {
        (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap())
    });
    files.filter(|(name, _)| name != "summary.json").collect()
}

#[track_caller]
fn assert_same(one: &Path, other: &Path, count: usize) {
    let (one, other) = (files(one), files(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    assert_eq!(one.len(), count);
    for (name, bytes) in &one {
        assert!(other[name] == *bytes, "{name} differs");
    }
}

fn request() -> Request {
    Request::with(|request| {
        request.methods = vec![Method::GradCam, Method::EigenCam];
        request.targets = vec![Target::Top(2)];
        request.artifacts = vec![ArtifactKind::Overlay, ArtifactKind::Npy, ArtifactKind::Boxes];
        request.grid = true;
    })
}

#[test]
fn a_call_writes_what_the_command_writes() {
    let directory = tempfile::tempdir().unwrap();
    let [by_command, by_library] = ["command", "library"].map(|name| directory.path().join(name));
    command(
        &by_command,
        &["--method", "gradcam,eigencam", "-t", "top2", "--save", "boxes,npy,overlay,record", "--grid"],
    );
    let explainer = Explainer::new(Model::embedded().unwrap(), request()).unwrap();
    for photo in photos() {
        let written = explainer.explain_file(photo, &by_library).unwrap();
        assert_eq!(written.records.len(), 2);
        let last = written.files.last().and_then(|file| file.extension());
        assert!(last.is_some_and(|ending| ending == "json"), "records come last");
    }
    // Of each photo: two methods of two classes and three kinds, two records, a sheet.
    assert_same(&by_command, &by_library, 2 * (2 * 2 * 3 + 2 + 1));
}

#[test]
fn a_shared_scale_is_that_of_the_command() {
    let directory = tempfile::tempdir().unwrap();
    let [by_command, by_library] = ["command", "library"].map(|name| directory.path().join(name));
    command(&by_command, &["--scale", "shared"]);
    let mut request = Request::default();
    // Layers that are each divided by their own maximum cannot be compared with other photos'.
    request.finish.normalize = false;
    let explainer = Explainer::new(Model::embedded().unwrap(), request).unwrap();
    let explainer = explainer
        .share_scale(&photos(), |explainer, photo| explainer.explain(&explainer.read(photo).ok()?).ok());
    for photo in photos() {
        explainer.explain_file(photo, &by_library).unwrap();
    }
    assert_same(&by_command, &by_library, 4);
}

#[test]
fn classes_that_share_a_map_have_files_of_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let mut request = Request::default();
    request.methods = vec![Method::EigenCam];
    request.targets = vec![Target::Top(3)];
    request.artifacts = vec![ArtifactKind::Npy, ArtifactKind::Boxes];
    let explainer = Explainer::new(Model::embedded().unwrap(), request).unwrap();
    let [photo, _] = photos();
    let written = explainer.explain_file(photo, directory.path()).unwrap();
    let targets = &written.records[0].targets;
    assert_eq!((targets.len(), written.files.len()), (3, 7));
    for target in targets {
        assert_eq!(target.boxes, targets[0].boxes);
        for (artifact, first) in target.artifacts.iter().zip(&targets[0].artifacts) {
            assert!(artifact.file.contains(&format!(".{}.", target.target)), "{}", artifact.file);
            assert_eq!((&artifact.kind, &artifact.sha256), (&first.kind, &first.sha256));
            let bytes = std::fs::read(directory.path().join(&artifact.file)).unwrap();
            assert_eq!(artifact.is(&bytes), Some(true));
        }
    }
}

#[test]
fn a_file_in_the_way_stops_a_photo_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let [photo, _] = photos();
    let record = directory.path().join("coffee.gradcam.json");
    std::fs::write(&record, "mine").unwrap();
    let mut request = Request::default();
    let explainer = Explainer::new(Model::embedded().unwrap(), request.clone()).unwrap();
    let error = explainer.explain_file(&photo, directory.path()).unwrap_err().to_string();
    assert!(error.contains("coffee.gradcam.json' already exists"), "{error}");
    // Names that wait for the classes are met when the files are written.
    request.targets = vec![Target::Top(2)];
    let explainer = Explainer::new(Model::embedded().unwrap(), request.clone()).unwrap();
    let subject = explainer.read(&photo).unwrap();
    let explanations = explainer.explain(&subject).unwrap();
    let names = Names::of(&photo, directory.path());
    let files = explainer.files(&subject, &explanations, &names);
    assert_eq!(files.paths().count(), 3);
    assert!(files.commit().is_err());
    assert_eq!(files_in(directory.path()), ["coffee.gradcam.json"]);

    request.overwrite = true;
    let explainer = Explainer::new(Model::embedded().unwrap(), request).unwrap();
    assert_eq!(explainer.explain_file(&photo, directory.path()).unwrap().files.len(), 3);
    assert_ne!(std::fs::read(&record).unwrap(), b"mine");
}

fn files_in(directory: &Path) -> Vec<String> {
    files(directory).into_keys().collect()
}

#[test]
fn another_picture_to_draw_on_goes_with_tensors_only() {
    let model = Model::embedded().unwrap();
    let [photo, other] = photos();
    let mut reading = Reading::default();
    reading.drawn_on = Some(other);
    let error = Subject::open(&photo, &reading, &model).unwrap_err().to_string();
    assert!(error.contains("is a picture, which is drawn on itself"), "{error}");
    let bytes = std::fs::read(&photo).unwrap();
    assert!(Subject::from_bytes(&bytes, "photo", &reading, &model).is_err());
    let subject = Subject::from_bytes(&bytes, "photo", &Reading::default(), &model).unwrap();
    assert_eq!(subject.values, Subject::open(&photo, &Reading::default(), &model).unwrap().values);
}

#[test]
fn records_have_the_hash_of_the_model_file_where_somebody_reads_it() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(fixture("models/efficientnet_lite0.bpk")).unwrap();
    let hash = burncam_picture::input::sha256_hex(&bytes);
    // The built-in model's was computed when the program was built, that of a file in this run.
    let models = || [Model::embedded(), Model::open(&fixture("models/efficientnet_lite0.bpk"), None)];
    for (record, hash_model) in [(true, false), (false, true), (false, false)] {
        let request = Request::with(|request| {
            request.methods = vec![Method::EigenCam];
            request.overwrite = true;
            (request.record, request.hash_model) = (record, hash_model);
        });
        for model in models() {
            let explainer = Explainer::new(model.unwrap(), request.clone()).unwrap();
            let written = explainer.explain_file(&photos()[0], directory.path()).unwrap();
            let wanted = (record || hash_model).then_some(&hash);
            assert_eq!(written.records[0].model.sha256.as_ref(), wanted);
            assert_eq!(explainer.model_sha256().unwrap(), hash);
        }
    }
    let list = directory.path().join("list.jsonl");
    let jsonl = ["--save", "overlay", "--method", "eigencam", "--jsonl", list.to_str().unwrap()];
    command(&directory.path().join("lines"), &jsonl);
    let lines = std::fs::read_to_string(&list).unwrap();
    assert_eq!(lines.matches(&hash).count(), 2);
}
