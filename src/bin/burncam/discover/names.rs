//! Names the outputs of each input, so that no two inputs write the same file. Names depend on the list of inputs of
//! all shards, not on the contents of the output directory, so every shard and every later run agree.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::input::{Input, directories};

/// Sets place and name of all inputs.
pub(super) fn assign(inputs: &mut [Input]) {
    part_arguments(inputs);
    join_endings(inputs);
}

/// Arguments with files of the same place and name, such as `cats/1.jpg` and `dogs/1.jpg`, get separate places: the
/// directories of the path as written, as for files of a list.
fn part_arguments(inputs: &mut [Input]) {
    let mut parted = HashSet::new();
    loop {
        let more = clashing(inputs);
        let count = parted.len();
        parted.extend(more);
        if parted.len() == count {
            return;
        }
        for input in inputs.iter_mut().filter(|input| parted.contains(&input.argument)) {
            // Both sides move, also the one that came first: names must not depend on the order of arguments.
            input.place = directories(&input.path);
        }
    }
}

/// Arguments that share a place and name with another.
fn clashing(inputs: &[Input]) -> HashSet<usize> {
    let mut owners: HashMap<(&PathBuf, String), usize> = HashMap::new();
    let mut clashing = HashSet::new();
    for input in inputs {
        let owner = *owners.entry((&input.place, input.file_name())).or_insert(input.argument);
        if owner != input.argument {
            clashing.extend([owner, input.argument]);
        }
    }
    clashing
}

/// Where inputs in one place share a stem, such as `a.jpg` and `a.png`, their names keep the extension.
fn join_endings(inputs: &mut [Input]) {
    loop {
        let mut counts: HashMap<(PathBuf, String), usize> = HashMap::new();
        for input in &*inputs {
            *counts.entry((input.place.clone(), input.name.clone())).or_default() += 1;
        }
        let shares = |input: &Input| counts[&(input.place.clone(), input.name.clone())] > 1;
        let mut changed = false;
        for input in inputs.iter_mut().filter(|input| shares(input)) {
            let whole = input.file_name();
            changed |= input.name != whole;
            input.name = whole;
        }
        // A full name may equal another's stem, `a.jpg` and `a.jpg.png`, so repeat until nothing changes.
        if !changed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Outputs of inputs that were named individually.
    fn outputs(paths: &[&str]) -> Vec<String> {
        let mut inputs: Vec<Input> = paths.iter().map(|path| Input::named(Path::new(path))).collect();
        for (argument, input) in inputs.iter_mut().enumerate() {
            input.argument = argument;
        }
        assign(&mut inputs);
        inputs.iter().map(|input| input.place.join(&input.name).display().to_string()).collect()
    }

    #[test]
    fn equal_stems_keep_their_endings() {
        assert_eq!(outputs(&["a.jpg", "b.jpg"]), ["a", "b"]);
        assert_eq!(outputs(&["a.jpg", "a.png", "b.png"]), ["a.jpg", "a.png", "b"]);
        assert_eq!(outputs(&["x/a.jpg", "y/a.png"]), ["a.jpg", "a.png"], "one place");
        assert_eq!(outputs(&["a.jpg", "a.png", "a.jpg.png"]), ["a.jpg", "a.png", "a.jpg.png"]);
        assert_eq!(outputs(&["-", "stdin.png"]), ["stdin", "stdin.png"]);
    }

    #[test]
    fn equal_names_of_several_arguments_keep_their_directories() {
        assert_eq!(outputs(&["x/a.jpg", "y/a.jpg", "y/b.jpg"]), ["x/a", "y/a", "b"]);
        assert_eq!(outputs(&["../x/a.jpg", "/y/a.jpg"]), ["x/a", "y/a"]);
        assert_eq!(outputs(&["x/a.jpg", "y/a.jpg", "y/a.png"]), ["x/a", "y/a", "a"]);
    }
}
