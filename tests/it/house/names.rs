//! How widely one thing is known: the files that name one operation, one method or one option, and the public names of the face.
//!
//! A change to a name concerns all files that use it. The bounds may only fall; lower them with every change that allows it.

use std::collections::{BTreeMap, BTreeSet};

use super::{code, relative, sources};

/// Most files that name one operation.
const FILES_PER_OPERATION: usize = 23;
/// Files that name operations, added up over all operations. 62 are those of Keras's layers, a source of its own.
const FILES_OF_OPERATIONS: usize = 621;
/// Most files that name one method.
const FILES_PER_METHOD: usize = 1;
/// Files that name methods, added up over all methods.
const FILES_OF_METHODS: usize = 1;
/// Most files that name one option of a method or of drawing.
const FILES_PER_OPTION: usize = 15;
/// Names that `src/lib.rs` gives to users.
const NAMES_OF_THE_FACE: usize = 38;
/// Modules with further ones: the record, the checks, the evaluation, the capture.
const MODULES_OF_THE_FACE: usize = 4;
/// Names in the module that is not for users, but for the command, tests and benchmarks.
const INTERNAL_NAMES: usize = 12;
/// Public items in all crates.
const PUBLIC_ITEMS: usize = 1125;

/// Options of methods and drawing, as fields are named.
const OPTIONS: &[&str] = &[
    "aggregate",
    "alpha_limit",
    "components",
    "counterfactual",
    "interpolation",
    "patch",
    "png_level",
    "samples",
    "signed",
    "smooth",
    "strict_pictures",
    "top_k",
];

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The files whose code without tests has one of these paths or words as a whole.
fn naming(files: &BTreeMap<String, String>, wanted: &[String]) -> BTreeSet<String> {
    let has = |text: &str, word: &str| {
        text.match_indices(word)
            .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
    };
    let named = files.iter().filter(|(_, text)| wanted.iter().any(|word| has(text, word)));
    named.map(|(name, _)| name.clone()).collect()
}

/// Code without tests, by path.
fn files() -> BTreeMap<String, String> {
    let files = sources().into_iter().map(|(path, text)| (relative(&path), code(&text)));
    files.filter(|(name, _)| !name.contains("/tests") && !name.contains("_tests.rs")).collect()
}

/// Checks the most and the sum of these sets of files against their bounds.
fn check(kind: &str, sets: &BTreeMap<String, BTreeSet<String>>, most: usize, sum: usize) {
    assert!(sets.len() > 5, "no {kind} was found");
    let (name, widest) = sets.iter().max_by_key(|(_, files)| files.len()).unwrap();
    assert!(
        widest.len() <= most,
        "{} files name the {kind} '{name}', expected at most {most}: {widest:?}",
        widest.len()
    );
    let all: usize = sets.values().map(BTreeSet::len).sum();
    assert!(all <= sum, "files name {kind}s {all} times, expected at most {sum}");
}

#[test]
fn few_files_name_one_operation() {
    let files = files();
    let (_, text) = files.iter().find(|(_, text)| text.contains("pub enum Op {")).expect("the operations");
    let body = text.split("pub enum Op {").nth(1).unwrap().split("\n}").next().unwrap();
    let variant = |line: &str| {
        let name: String =
            line.strip_prefix("    ")?.chars().take_while(|letter| letter.is_alphanumeric()).collect();
        name.starts_with(char::is_uppercase).then_some(name)
    };
    let sets = body.lines().filter_map(variant);
    let sets =
        sets.map(|name| (name.clone(), naming(&files, &[format!("Op::{name}"), format!("Self::{name}")])));
    // `Self::Add` of other types is no operation.
    let sets = sets.map(|(name, found)| {
        let of_ops =
            |file: &String| files[file].contains(&format!("Op::{name}")) || files[file].contains("for Op ");
        (name.clone(), found.into_iter().filter(of_ops).collect())
    });
    check("operation", &sets.collect(), FILES_PER_OPERATION, FILES_OF_OPERATIONS);
}

/// `grad_cam` as `GradCam`.
fn camel(snake: &str) -> String {
    let part = |part: &str| part[..1].to_uppercase() + &part[1..];
    snake.split('_').map(part).collect()
}

#[test]
fn few_files_name_one_method() {
    let files = files();
    let stem = |name: &String| {
        let stem = name.strip_prefix("src/cam/methods/")?.strip_suffix(".rs")?;
        (stem != "mod").then(|| stem.to_owned())
    };
    let sets = files.keys().filter_map(stem).map(|stem| {
        let names = [
            format!("{stem}::"),
            format!("Method::{}", camel(&stem)),
            format!("Method::{}", stem.to_uppercase()),
        ];
        let bare = [&names[0][..stem.len()]].map(|stem| format!("methods::{stem}"));
        (stem, naming(&files, &[&names[1..], &bare].concat()))
    });
    check("method", &sets.collect(), FILES_PER_METHOD, FILES_OF_METHODS);
}

#[test]
fn few_files_name_one_option() {
    let mut files = files();
    files.retain(|name, _| {
        ["src/bin/", "src/cam/", "src/explain/", "src/job", "src/record/"]
            .iter()
            .any(|room| name.starts_with(room))
    });
    let sets = OPTIONS.iter().map(|option| ((*option).to_owned(), naming(&files, &[(*option).to_owned()])));
    check("option", &sets.collect(), FILES_PER_OPTION, usize::MAX);
}

#[test]
fn few_names_are_public() {
    let files = files();
    let face: String =
        files["src/lib.rs"].lines().filter(|line| !line.trim_start().starts_with("#")).collect();
    let count = |text: &str| -> usize {
        let trees = text.split("pub use ").skip(1).map(|tree| tree.split(';').next().unwrap());
        let names = trees.flat_map(|tree| tree.rsplit("::").next().unwrap().split(','));
        let names = names.filter(|name| !name.trim_matches([' ', '{', '}']).is_empty()).count();
        names + text.matches("pub const ").count()
    };
    let (face, internal) = face.split_once("pub mod internal").expect("the module that is not for users");
    let modules = face.matches("pub mod ").count();
    assert!(modules <= MODULES_OF_THE_FACE, "{modules} modules, expected at most {MODULES_OF_THE_FACE}");
    let names = count(face);
    assert!(names <= NAMES_OF_THE_FACE, "the face has {names} names, expected at most {NAMES_OF_THE_FACE}");
    assert!(names > 25, "the face was not found");
    let names = count(internal);
    assert!(names <= INTERNAL_NAMES, "{names} names are internal, expected at most {INTERNAL_NAMES}");
    let is_item = |line: &&str| {
        let rest = line.trim_start().strip_prefix("pub ");
        rest.is_some_and(|rest| {
            ["fn ", "const fn ", "struct ", "enum ", "trait ", "const ", "static ", "type ", "unsafe fn "]
                .iter()
                .any(|kind| rest.starts_with(kind))
        })
    };
    let items: usize = files.values().map(|text| text.lines().filter(is_item).count()).sum();
    assert!(items <= PUBLIC_ITEMS, "{items} items are public, expected at most {PUBLIC_ITEMS}");
}
