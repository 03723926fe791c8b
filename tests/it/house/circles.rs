//! No circle of files: who imports whom is read from `use` declarations and paths, across re-exports.
//!
//! A file that names an item of another depends on it, also when the item comes through a re-export or through an import of the
//! parent module. A pure re-export is no dependency, so a `mod.rs` may be the face of the files below it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{code, relative, sources};

/// A module as a path of names below the root of its crate, which is the first name.
type Module = Vec<String>;

struct File {
    name: String,
    /// What a name in this file stands for: imports and re-exports.
    aliases: BTreeMap<String, Vec<String>>,
    /// Paths that the file names without only passing them on.
    named: BTreeSet<Vec<String>>,
}

/// Root folders of crates, innermost first, so that the first one that contains a file is its crate.
fn roots() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut roots: Vec<PathBuf> = std::fs::read_dir(&top)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Cargo.toml").is_file())
        .collect();
    roots.push(top.join("bin/burncam"));
    roots.push(top);
    roots
}

fn module_of(path: &Path, roots: &[PathBuf]) -> Module {
    let root = roots.iter().find(|root| path.starts_with(root)).unwrap();
    let below = path.strip_prefix(root).unwrap().with_extension("");
    let mut names = vec![root.display().to_string()];
    names.extend(below.iter().map(|name| name.to_string_lossy().into_owned()));
    if matches!(names.last().unwrap().as_str(), "mod" | "lib" | "main") {
        names.pop();
    }
    names
}

/// The leaves of a use tree as `(path, name)`; the name is empty for a glob.
fn leaves(tree: &str, before: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let tree = tree.trim();
    if let Some((head, rest)) = tree.split_once('{') {
        let mut path = before.to_vec();
        path.extend(head.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
        for part in parts(rest.trim_end().trim_end_matches('}')) {
            leaves(&part, &path, found);
        }
        return;
    }
    let (path, renamed) = tree.split_once(" as ").map_or((tree, None), |(path, name)| (path, Some(name)));
    let mut names = before.to_vec();
    names.extend(path.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
    if names.last().is_some_and(|last| last == "self") && names.len() > 1 {
        names.pop();
    }
    let glob = names.last().is_some_and(|last| last == "*");
    if glob {
        names.pop();
    }
    let name =
        renamed.map_or_else(|| names.last().cloned().unwrap_or_default(), |name| name.trim().to_owned());
    found.push((names, if glob { String::new() } else { name }));
}

/// The parts of a list at commas outside of braces.
fn parts(list: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for letter in list.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(letter);
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The code without `use` declarations, and these with whether each is a re-export.
fn declarations(code: &str) -> (String, Vec<(bool, String)>) {
    let (mut rest, mut uses, mut open) = (String::new(), Vec::new(), None::<(bool, String)>);
    for line in code.lines() {
        let text = line.trim_start();
        let public = text.starts_with("pub");
        let tree = text.strip_prefix("pub").map_or(text, |text| {
            let text = text.trim_start();
            text.strip_prefix('(').and_then(|text| text.split_once(')')).map_or(text, |(_, text)| text)
        });
        match (&mut open, tree.trim_start().strip_prefix("use ")) {
            (Some((_, tree)), _) => tree.push_str(text),
            (None, Some(tree)) => open = Some((public, tree.to_owned())),
            // The declaration of a module names it without using it.
            (None, None) if text.ends_with(';') && text.split(' ').rev().nth(1) == Some("mod") => {}
            (None, None) => {
                rest.push_str(line);
                rest.push('\n');
            }
        }
        if open.as_ref().is_some_and(|(_, tree)| tree.trim_end().ends_with(';')) {
            let (public, tree) = open.take().unwrap();
            uses.push((public, tree.trim_end().trim_end_matches(';').to_owned()));
        }
    }
    (rest, uses)
}

fn has_word(code: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(is_part) && !code[at + word.len()..].starts_with(is_part))
}

/// Paths in code, such as `super::scene::Scene` or `child::run`.
fn paths(code: &str) -> BTreeSet<Vec<String>> {
    // `pub(in crate::import)` limits who sees an item; it uses nothing.
    let code = code.replace("pub(in ", "pub(in_");
    let words = code.split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == ':'));
    let paths = words.filter(|word| word.contains("::"));
    paths.map(|word| word.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()).collect()
}

fn files() -> BTreeMap<Module, File> {
    let roots = roots();
    let mut files = BTreeMap::new();
    for (path, text) in sources() {
        let is_test = path.iter().any(|name| name == "tests")
            || path
                .file_stem()
                .is_some_and(|stem| stem == "tests" || stem.to_string_lossy().ends_with("_tests"));
        if is_test {
            continue;
        }
        let (code, uses) = declarations(&code(&text));
        let (mut aliases, mut named) = (BTreeMap::new(), paths(&code));
        for (public, tree) in uses {
            let mut found = Vec::new();
            leaves(&tree, &[], &mut found);
            for (path, name) in found {
                if !public || has_word(&code, &name) {
                    named.insert(path.clone());
                }
                if !name.is_empty() {
                    aliases.insert(name, path);
                }
            }
        }
        files.insert(module_of(&path, &roots), File { name: relative(&path), aliases, named });
    }
    files
}

/// The module whose file defines what `path` names in `module`; nothing for other crates.
fn resolve(files: &BTreeMap<Module, File>, module: &Module, path: &[String], depth: usize) -> Option<Module> {
    if depth > 16 {
        return None;
    }
    let first = path.first()?;
    let (mut at, mut rest) = match first.as_str() {
        "crate" => (module[..1].to_vec(), &path[1..]),
        "self" => (module.clone(), &path[1..]),
        "super" => (module[..module.len() - 1].to_vec(), &path[1..]),
        name => {
            let child = [module.clone(), vec![name.to_owned()]].concat();
            if files.contains_key(&child) {
                (child, &path[1..])
            } else {
                let alias = files.get(module)?.aliases.get(name)?;
                if alias == path {
                    return None;
                }
                return resolve(files, module, &[alias, &path[1..]].concat(), depth + 1);
            }
        }
    };
    while rest.first().is_some_and(|name| name == "super") {
        at.pop();
        rest = &rest[1..];
    }
    while let Some(name) = rest.first() {
        let child = [at.clone(), vec![name.clone()]].concat();
        if files.contains_key(&child) {
            (at, rest) = (child, &rest[1..]);
            continue;
        }
        let alias = files.get(&at).and_then(|file| file.aliases.get(name));
        return match alias {
            Some(alias) => resolve(files, &at, &[alias, &rest[1..]].concat(), depth + 1),
            None => files.contains_key(&at).then_some(at),
        };
    }
    files.contains_key(&at).then_some(at)
}

/// For each file the files that it depends on.
fn imports(files: &BTreeMap<Module, File>) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut imports = BTreeMap::new();
    for (module, file) in files {
        let targets = file.named.iter().filter_map(|path| resolve(files, module, path, 0));
        let names = targets.map(|target| files[&target].name.as_str()).filter(|name| *name != file.name);
        imports.insert(file.name.as_str(), names.collect::<BTreeSet<&str>>());
    }
    imports
}

/// Everything that a file depends on, through others too.
fn reach<'a>(imports: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str) -> BTreeSet<&'a str> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        for next in &imports[file] {
            if seen.insert(*next) {
                open.push(next);
            }
        }
    }
    seen
}

/// A circle as lines, each a file with what it imports of the others.
fn shown(circle: &[&str], imports: &BTreeMap<&str, BTreeSet<&str>>) -> String {
    let line = |from: &&str| {
        let to: Vec<&str> = circle.iter().filter(|to| imports[*from].contains(**to)).copied().collect();
        format!("  {from} imports {}\n", to.join(", "))
    };
    circle.iter().map(line).collect()
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let files = files();
    assert!(files.len() > 150, "the sources were not found");
    let imports = imports(&files);
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|file| (*file, reach(&imports, file))).collect();
    let mut circles: BTreeSet<Vec<&str>> = BTreeSet::new();
    for (file, reached) in &reach {
        let circle: Vec<&str> =
            reached.iter().filter(|other| reach[*other].contains(file)).copied().collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    let circles: Vec<String> = circles.iter().map(|circle| shown(circle, &imports)).collect();
    assert!(circles.is_empty(), "these files import each other:\n{}", circles.join("\n"));
}

#[test]
fn imports_are_read_through_trees_and_renames() {
    let mut found = Vec::new();
    leaves("crate::a::{self, b::{C as D, E}, f::*}", &[], &mut found);
    let found: Vec<(String, String)> =
        found.into_iter().map(|(path, name)| (path.join("::"), name)).collect();
    let expected = [("crate::a", "a"), ("crate::a::b::C", "D"), ("crate::a::b::E", "E"), ("crate::a::f", "")];
    assert_eq!(found, expected.map(|(path, name)| (path.to_owned(), name.to_owned())));
}
