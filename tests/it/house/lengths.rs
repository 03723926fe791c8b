//! Files of at most 300 lines and functions of at most 40, which a reader can hold in mind.

use super::{relative, sources};

const FILE: usize = 300;
const FUNCTION: usize = 40;

/// Longer files, with the length they may have and the reason. The numbers may only fall.
const LONG_FILES: &[(&str, usize, &str)] =
    &[("src/kernels/tests/operations.rs", 312, "one case per operation")];

/// Longer functions as `file: name`, with the length they may have and the reason. The numbers may only fall.
const LONG_FUNCTIONS: &[(&str, usize, &str)] = &[
    ("src/kernels/tests/reference.rs: compute", 47, "one match over operations"),
    ("src/kernels/tests/grown.rs: grow", 57, "one match over operations"),
    ("src/engine/tangent/slope.rs: pointwise", 47, "a table of functions and slopes"),
];

fn allowed(exceptions: &[(&str, usize, &str)], name: &str, usual: usize) -> usize {
    exceptions.iter().find(|(known, ..)| *known == name).map_or(usual, |(_, most, _)| *most)
}

/// Name, first line and number of lines of every function, as `rustfmt` lays them out.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut functions = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        let Some((before, after)) = code.split_once("fn ") else { continue };
        let is_declaration = before.split_whitespace().all(|word| {
            matches!(word, "const" | "async" | "unsafe" | "extern")
                || word.starts_with("pub")
                || word.starts_with('"')
                || word.ends_with(')')
        });
        if !is_declaration {
            continue;
        }
        let name = after.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
        let end = format!("{}}}", &line[..line.len() - code.len()]);
        let body = lines[at..]
            .iter()
            .position(|line| *line == end || line.ends_with(';') && !line.contains("    let"));
        let length = match lines[at..].iter().position(|line| *line == end) {
            Some(length) if !(code.ends_with('}') || code.ends_with(';') || body == Some(0)) => length + 1,
            _ => 1,
        };
        functions.push((name, at + 1, length));
    }
    functions
}

#[test]
fn files_and_functions_stay_short() {
    let mut problems = Vec::new();
    for (path, text) in sources() {
        let file = relative(&path);
        let lines = text.lines().count();
        if lines > allowed(LONG_FILES, &file, FILE) {
            problems.push(format!(
                "{file}: {lines} lines, expected at most {}",
                allowed(LONG_FILES, &file, FILE)
            ));
        }
        for (name, line, length) in functions(&text) {
            let most = allowed(LONG_FUNCTIONS, &format!("{file}: {name}"), FUNCTION);
            if length > most {
                problems.push(format!(
                    "{file}:{line}: function '{name}' has {length} lines, expected at most {most}"
                ));
            }
        }
    }
    assert!(problems.is_empty(), "divide these, or list them with a reason:\n{}", problems.join("\n"));
}

#[test]
fn no_exception_is_left_for_what_is_short() {
    let sources = sources();
    let file = |name: &str| sources.iter().find(|(path, _)| relative(path) == name);
    for (name, _, _) in LONG_FILES {
        let lines = file(name).map_or(0, |(_, text)| text.lines().count());
        assert!(lines > FILE, "{name} has {lines} lines: remove it from the list of long files");
    }
    for (name, _, _) in LONG_FUNCTIONS {
        let (path, function) = name.split_once(": ").unwrap();
        let found = file(path).map(|(_, text)| functions(text)).unwrap_or_default();
        let length = found.iter().filter(|(name, ..)| name == function).map(|(_, _, length)| *length).max();
        assert!(
            length > Some(FUNCTION),
            "{name} has {length:?} lines: remove it from the list of long functions"
        );
    }
}

#[test]
fn a_function_is_measured_from_its_name_to_its_brace() {
    let text = "fn short() {}\npub(crate) fn long(\n    a: u8,\n) {\n    call(a);\n}\nimpl X {\n    const fn y();\n}\n";
    let expected = [("short", 1, 1), ("long", 2, 5), ("y", 8, 1)];
    assert_eq!(functions(text), expected.map(|(name, line, length)| (name.to_owned(), line, length)));
}
