//! Plain English of the field in comments, messages and pages: words that must not come back.
//!
//! Whole lines are read, so names in code follow the same rule.

use std::path::Path;

use super::{relative, rust_below};

/// A word or phrase, and what to write instead.
const WORDS: &[(&str, &str)] = &[
    ("lie", "be"),
    ("lies", "is"),
    ("lying", "being, or nothing"),
    ("lay", "was, or draw"),
    ("hands on", "gives, returns"),
    ("hand on", "give, return"),
    ("handed on", "passed"),
    ("beside", "next to, with, compared with"),
    ("whatever", "any, regardless of"),
    ("whoever", "the caller"),
    ("told", "reported, distinguished"),
    ("tells", "reports, shows"),
    ("tell", "report, distinguish"),
    ("nobody", "no one, or name the reader"),
    ("anybody", "anyone"),
    ("somebody", "someone, or name the reader"),
    ("anew", "again"),
    ("likewise", "also"),
    ("put in order", "packed"),
    ("puts in order", "packs"),
    ("one behind the other", "consecutive"),
    ("so many", "this many, a number"),
    ("homes", "memory plan"),
    ("strangers", "copied inputs"),
    ("thrifty", "low-memory mode"),
    ("tidy", "canonicalise"),
    ("crew", "worker configuration"),
    ("a stretch of", "a segment of, a range of"),
    ("own kernels", "native kernels"),
    ("not a number", "NaN"),
    ("told apart", "distinguished"),
    ("told from", "distinguished from"),
];

/// `bytes a pixel` is `bytes per pixel`: what is counted, and what it is counted by.
const COUNTED: &[&str] = &[
    "bits", "bytes", "values", "numbers", "samples", "images", "pictures", "one", "row", "line", "passes",
    "seconds",
];
const PER: &[&str] = &[
    "axis", "channel", "class", "image", "layer", "line", "method", "node", "output", "picture", "pixel",
    "row", "sample", "second", "step", "tile", "word",
];

/// Texts that stay as they are, because records hold them.
const RECORDED: &[&str] = &["{place}, whatever the {target}"];

/// Files whose English is still to be done.
const NOT_YET: &[&str] = &[];

/// The words of a line in lower case; a phrase ends where punctuation stands, which is a word of its own.
fn words(line: &str) -> Vec<String> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut words = vec![String::new()];
    for letter in line.chars() {
        let last = words.last_mut().unwrap();
        if is_part(letter) {
            last.extend(letter.to_lowercase());
        } else if letter.is_whitespace() || "-/*`".contains(letter) {
            words.push(String::new());
        } else {
            words.extend([letter.to_string(), String::new()]);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The word or phrase in a line that must not be there, and what to write instead.
fn forbidden(line: &str) -> Option<(String, &'static str)> {
    let words = words(line);
    let text = format!(" {} ", words.join(" "));
    if let Some((word, better)) = WORDS.iter().find(|(word, _)| text.contains(&format!(" {word} "))) {
        return Some(((*word).to_owned(), better));
    }
    let rate = words.windows(3).find(|three| {
        COUNTED.contains(&three[0].as_str())
            && (three[1] == "a" || three[1] == "an")
            && PER.contains(&three[2].as_str())
    });
    rate.map(|three| (three.join(" "), "per"))
}

/// The prose of a page: without code, and of the changelog what is not yet released.
fn prose(name: &str, text: &str) -> Vec<(usize, String)> {
    let (mut lines, mut is_code, mut released) = (Vec::new(), false, false);
    for (at, line) in text.lines().enumerate() {
        is_code ^= line.trim_start().starts_with("```");
        released |= name.ends_with("CHANGELOG.md") && line.starts_with("## [0");
        if !is_code && !released {
            // Code in backticks is quoted as it is.
            let outside: Vec<&str> = line.split('`').step_by(2).collect();
            lines.push((at + 1, outside.join(" ` ")));
        }
    }
    lines
}

fn pages() -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![top.join("README.md"), top.join("fixtures/README.md")];
    let docs = std::fs::read_dir(top.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    paths.extend(docs.filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    let read = |path: std::path::PathBuf| (relative(&path), std::fs::read_to_string(&path).unwrap());
    paths.into_iter().map(read).collect()
}

/// Sources, tests and examples. This folder quotes the words that it looks for.
fn files() -> Vec<(String, String)> {
    let folders = ["src", "tests/it", "tests/bench", "docs/examples"];
    let files = folders.iter().flat_map(|folder| rust_below(folder));
    let files = files.map(|(path, text)| (relative(&path), text));
    files.filter(|(name, _)| !name.starts_with("tests/it/house/")).collect()
}

#[test]
fn comments_messages_and_pages_are_in_plain_english() {
    let mut lines: Vec<(String, usize, String)> = Vec::new();
    for (name, text) in files() {
        lines.extend(text.lines().enumerate().map(|(at, line)| (name.clone(), at + 1, line.to_owned())));
    }
    for (name, text) in pages() {
        lines.extend(prose(&name, &text).into_iter().map(|(at, line)| (name.clone(), at, line)));
    }
    let problems = lines.iter().filter(|(name, ..)| !NOT_YET.iter().any(|folder| name.starts_with(folder)));
    let problems = problems.filter(|(.., line)| !RECORDED.iter().any(|text| line.contains(text)));
    let problems: Vec<String> = problems
        .filter_map(|(name, at, line)| {
            let (word, better) = forbidden(line)?;
            Some(format!("{name}:{at}: '{word}' (write: {better}): {}", line.trim()))
        })
        .collect();
    assert!(problems.is_empty(), "{} lines:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn no_room_is_left_out_that_is_done() {
    for folder in NOT_YET {
        let files = files();
        let of_folder = files.iter().filter(|(name, _)| name.starts_with(folder));
        let mut lines = of_folder.flat_map(|(_, text)| text.lines());
        let mut page_lines = pages()
            .into_iter()
            .filter(|(name, _)| name.starts_with(folder))
            .flat_map(|(name, text)| prose(&name, &text));
        let has_words = lines.any(|line| forbidden(line).is_some())
            || page_lines.any(|(_, line)| forbidden(&line).is_some());
        assert!(has_words, "the English of {folder} is done: remove it from the list");
    }
}

#[test]
fn words_are_found_as_words_only() {
    let word = |line| forbidden(line).map(|(word, _)| word);
    assert_eq!(word("// What Lies there."), Some("lies".to_owned()));
    assert_eq!(word("//! Receives bytes, hands on a hash."), Some("hands on".to_owned()));
    assert_eq!(word("/// Two bytes a pixel."), Some("bytes a pixel".to_owned()));
    for line in
        ["// replies, applies and relies", "let is_told = true;", "values: a layer", "Resize::Stretch"]
    {
        assert_eq!(word(line), None);
    }
}
