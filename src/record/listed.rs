//! Records in lists, whose paths are relative to the list.

use super::Record;

impl Record {
    /// The record as a line of a list: its paths, relative to `directory`, become relative to the directory of the list. `directory` is
    /// relative to that, too, with `/` between its parts.
    #[must_use]
    pub fn listed(&self, directory: &str) -> Self {
        let mut listed = self.clone();
        let artifacts = listed.targets.iter_mut().flat_map(|target| &mut target.artifacts);
        let files = artifacts.chain(&mut listed.grid).map(|artifact| &mut artifact.file);
        for file in files.chain(&mut listed.file).chain(&mut listed.input.file) {
            *file = below(directory, file);
        }
        listed
    }
}

/// A relative path seen from the directory that `directory` is relative to. `..` undoes a part that is known.
fn below(directory: &str, file: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(file.split('/')).filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last()) {
            ("..", Some(last)) if *last != ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_the_list() {
        let found = [
            ("", "a.png"),
            ("out/x", "a.png"),
            ("../out", "a.png"),
            ("out", "../../p/a.jpg"),
            ("out", "../out/a.png"),
        ];
        let found = found.map(|(directory, file)| below(directory, file));
        assert_eq!(found, ["a.png", "out/x/a.png", "../out/a.png", "../p/a.jpg", "out/a.png"]);
    }
}
