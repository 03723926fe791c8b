//! Names of YOLO's classes: one per line in `classes.txt` or `obj.names`, or `names:` in `data.yaml`.

use std::path::Path;

use burncam_graph::Result;
use burncam_graph::error::Problem;
use burncam_graph::memory::Part;

use super::object::about;
use super::text;

const LISTS: [&str; 3] = ["classes.txt", "obj.names", "predefined_classes.txt"];
const SETTINGS: [&str; 4] = ["data.yaml", "data.yml", "dataset.yaml", "dataset.yml"];

/// How far above the files the names may be: `set/data.yaml` of `set/train/labels/1.txt`.
const LEVELS: usize = 3;

/// Whether a text file is a list of names and no picture's.
pub(super) fn is_list(path: &Path) -> bool {
    LISTS.iter().any(|list| path.file_name().is_some_and(|name| name == *list))
}

/// The names next to a file, or up to two directories above it; `None` where there are none.
pub(super) fn near(file: &Path) -> Result<Option<Vec<String>>> {
    for directory in file.ancestors().skip(1).take(LEVELS) {
        for name in LISTS {
            let path = directory.join(name);
            if path.is_file() {
                let text = text::read(&path, Part::SmallText)?;
                return Ok(Some(text.trim_end().lines().map(|line| line.trim().to_owned()).collect()));
            }
        }
        for name in SETTINGS {
            let path = directory.join(name);
            if path.is_file() {
                let text = text::read(&path, Part::SmallText)?;
                return of_settings(&text).map(Some).ok_or_else(|| about(&path, unclear()));
            }
        }
    }
    Ok(None)
}

fn unclear() -> Problem {
    Problem::new("has no list of names that can be read")
        .expected("'names:' with a list, or with an index and a name per line")
        .hint("write one name per line into classes.txt next to the labels")
}

/// The value of `names:`. Not all of YAML: the forms that tools write, `[a, b]`, `{0: a}`, and lines of `- a` or `0: a`. Anything else is
/// `None`, and refused.
fn of_settings(text: &str) -> Option<Vec<String>> {
    let mut lines = text.lines().map(without_comment).skip_while(|line| !line.starts_with("names:"));
    let first = lines.next()?["names:".len()..].trim().to_owned();
    if first.is_empty() {
        let lines = lines.filter(|line| !line.trim().is_empty());
        let lines = lines.take_while(|line| line.starts_with([' ', '\t', '-']));
        return numbered(lines.map(|line| line.trim().to_owned()).collect(), true);
    }
    let close = if first.starts_with('[') { ']' } else { '}' };
    let mut flow = first;
    while !flow.ends_with(close) {
        flow.push_str(lines.next()?.trim());
    }
    let inner = flow.strip_prefix(['[', '{'])?.strip_suffix(close)?;
    let parts = inner.trim().trim_end_matches(',').split(',');
    numbered(parts.map(|part| part.trim().to_owned()).collect(), close == '}')
}

/// Names in the order of their indices, which are those of a list or stand before a colon.
fn numbered(parts: Vec<String>, may_have_keys: bool) -> Option<Vec<String>> {
    let mut names = Vec::with_capacity(parts.len());
    for (at, part) in parts.into_iter().enumerate() {
        let value = match (part.strip_prefix("- "), part.split_once(':')) {
            (Some(value), _) if may_have_keys => value.to_owned(),
            (None, Some((key, value))) if may_have_keys => {
                // Only in order, so that no index is missing.
                (key.trim().parse() == Ok(at)).then(|| value.to_owned())?
            }
            (None, None) if !may_have_keys => part,
            _ => return None,
        };
        names.push(unquoted(value.trim())?);
    }
    (!names.is_empty()).then_some(names)
}

fn unquoted(value: &str) -> Option<String> {
    let inner = ['\'', '"'].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let plain = inner.unwrap_or(value);
    // Escapes, quotes within, anchors and aliases are YAML that is not read here.
    (!plain.is_empty() && !plain.contains(['\\', '"', '\'']) && !plain.starts_with(['&', '*', '!', '|', '>']))
        .then(|| plain.to_owned())
}

fn without_comment(line: &str) -> &str {
    let line = if line.starts_with('#') { "" } else { line };
    line.split_once(" #").map_or(line, |(line, _)| line).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_that_tools_write_are_read() {
        let expected = Some(vec!["a b".to_owned(), "c".to_owned()]);
        for text in [
            "train: x\nnames: ['a b', c]\nnc: 2\n",
            "names: [\n  'a b',  # first\n  \"c\",\n]\n",
            "names:\n  0: a b\n  1: c # last\n\nnc: 2",
            "names:\n- a b\n- 'c'\nnc: 2",
            "names: {0: a b, 1: c}",
        ] {
            assert_eq!(of_settings(text), expected, "{text}");
        }
    }

    #[test]
    fn other_yaml_is_refused() {
        for text in [
            "nc: 2",
            "names:\nnc: 2",
            "names: [a",
            "names: *all",
            "names:\n  1: a\n  0: b",
            "names: [a: b]",
            "names: [\"a\\n\"]",
            "names: ['it''s']",
        ] {
            assert_eq!(of_settings(text), None, "{text}");
        }
    }
}
