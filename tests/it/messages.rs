//! What the library's messages may hold: no flags of the command, and problems as data instead of text.

use std::path::{Path, PathBuf};

/// Files that name flags of other programs in their way out, with the reason.
const OTHER_PROGRAMS: &[(&str, &str)] = &[("foreign.rs", "commands of other frameworks that write ONNX")];

/// The code of the library and the command, without tests and comments.
fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_test = name == "tests" || name == "tests.rs" || name.ends_with("_tests.rs");
            if is_test {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path, code(&text)));
            }
        }
    }
    assert!(files.len() > 40, "the sources were not found");
    files
}

fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Whether docs/troubleshooting.md has a heading for a message: its words between the dots, in this order. The way out in
/// parentheses does not count, because it names options in the caller's words.
pub(crate) fn has_heading(message: &str) -> bool {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/troubleshooting.md");
    let text = std::fs::read_to_string(page).unwrap();
    let fits = |heading: &str| {
        let words =
            heading.rsplit_once(" (").filter(|_| heading.ends_with(')')).map_or(heading, |(words, _)| words);
        let mut rest = Some(message);
        for part in words.split("...") {
            rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, behind)| behind);
        }
        rest.is_some()
    };
    text.lines().filter_map(|line| line.strip_prefix("### ")).any(fits)
}

#[test]
fn headings_are_found_by_their_words() {
    assert!(has_heading("model 'a': node 'b' (Dropout): is called with training=True (build it otherwise)"));
    assert!(!has_heading("model 'a': is called by no one"));
}

/// A double hyphen and a letter after it, as flags begin.
fn flags(code: &str) -> Vec<&str> {
    let begins = |(at, _): &(usize, &str)| code[at + 2..].starts_with(|c: char| c.is_ascii_lowercase());
    code.match_indices("--").filter(begins).map(|(at, _)| &code[at..code.len().min(at + 20)]).collect()
}

#[test]
fn a_flag_is_found() {
    assert_eq!(flags("a -- b; \"(raise --samples)\""), ["--samples)\""]);
}

#[test]
fn the_library_names_no_flag_of_the_command() {
    let is_library = |path: &Path| path.iter().all(|part| part != "bin");
    for (path, code) in sources().iter().filter(|(path, _)| is_library(path)) {
        let excused = OTHER_PROGRAMS.iter().any(|(name, _)| path.ends_with(name));
        assert!(excused || flags(code).is_empty(), "{}: {:?}", path.display(), flags(code));
    }
}

/// How many results have a text for their error.
fn text_problems(code: &str) -> usize {
    let is_text = |arguments: &&str| {
        let mut depth = 1;
        let end = arguments.find(|c: char| {
            depth += i32::from(c == '<') - i32::from(c == '>');
            depth == 0
        });
        end.is_some_and(|end| arguments[..end].trim_end_matches(',').trim_end().ends_with(", String"))
    };
    code.split("Result<").skip(1).filter(is_text).count() + code.matches("Ok::<_, String>").count()
}

#[test]
fn a_text_problem_is_found() {
    assert_eq!(
        text_problems("fn a() -> Result<Vec<(u8, String)>, String> {} fn b() -> Result<u8, Problem> {}"),
        1
    );
    assert_eq!(
        text_problems("fn a(names: BTreeMap<u8, String>) -> Result<(u8, String)> { Ok::<_, String>(1) }"),
        1
    );
}

#[test]
fn no_function_gives_text_as_its_error() {
    let found: Vec<(PathBuf, usize)> = sources()
        .into_iter()
        .map(|(path, code)| (path, text_problems(&code)))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert!(found.is_empty(), "these give text, expected a `Problem`: {found:?}");
}
