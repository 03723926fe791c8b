//! Files that appear together, over each other, and not at all.

use super::*;

fn file(directory: &Path, name: &str) -> OutputFile {
    OutputFile { path: directory.join(name), bytes: name.as_bytes().to_vec() }
}

#[test]
fn nothing_is_overwritten_without_leave() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (file(directory.path(), "a"), file(directory.path(), "b"));
    write_together(&[], std::slice::from_ref(&second), false).unwrap();
    let error =
        write_together(std::slice::from_ref(&first), std::slice::from_ref(&second), false).unwrap_err();
    assert!(error.to_string().contains("already exists"), "{error}");
    assert!(!first.path.exists(), "a file of a failed image was left behind");
    write_together(&[first], &[second], true).unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2, "temporary files were left behind");
}

#[cfg(unix)]
#[test]
fn a_record_that_is_the_same_is_never_gone() {
    use std::os::unix::fs::MetadataExt as _;
    let directory = tempfile::tempdir().unwrap();
    let record = file(directory.path(), "a");
    write_together(&[], std::slice::from_ref(&record), false).unwrap();
    record.stage().unwrap().make_way().unwrap();
    assert!(record.path.exists());
    let other = OutputFile { bytes: b"b".to_vec(), ..record.clone() };
    other.stage().unwrap().make_way().unwrap();
    assert!(!record.path.exists());
    // Nor is a file taken away that another process has put there since.
    write_together(&[], std::slice::from_ref(&record), false).unwrap();
    let own = identity(&record.path);
    assert_eq!(own.map(|(_, number)| number), record.path.metadata().ok().map(|data| data.ino()));
    write_together(std::slice::from_ref(&other), &[], true).unwrap();
    take_away(&record.path, own);
    assert_eq!(std::fs::read(&record.path).unwrap(), b"b");
    take_away(&record.path, identity(&record.path));
    assert!(!record.path.exists());
}

#[test]
fn a_place_taken_by_a_directory_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (file(directory.path(), "a"), file(directory.path(), "b"));
    std::fs::create_dir(&second.path).unwrap();
    assert!(write_together(std::slice::from_ref(&first), &[second], true).is_err());
    assert!(!first.path.exists());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
