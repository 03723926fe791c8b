//! The true classes of inputs, from a file or from their directories.
//!
//! Receives the inputs and the model; gives an optional class for each input. `read.rs` reads the files.

mod read;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burncam::{Model, Target};
use burncam_graph::card::Task;

use self::read::Row;
use crate::discover::Input;
use crate::flags::WORDS;

/// The source of labels, `--labels`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LabelSource {
    /// The first directory below the searched one is named like the class, as in torchvision's `ImageFolder`.
    FromDirectory,
    /// Paths and classes.
    File(PathBuf),
}

impl From<OsString> for LabelSource {
    fn from(text: OsString) -> Self {
        if text == "from-directory" { Self::FromDirectory } else { Self::File(text.into()) }
    }
}

/// The label of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Label {
    /// It has no label.
    Missing,
    /// Classes of the model, at least one; several only where they do not exclude each other.
    Classes(Vec<usize>),
    /// Not a class of the model; the reason as a sentence.
    Unknown(String),
}

/// The label of each input. `whole`: the inputs are all inputs and not a shard.
///
/// # Errors
/// For a file that cannot be read or has contradictory labels for a path, for a class that the model does not have,
/// and if no input has a valid label. (A shard may have none.)
pub(crate) fn labels(
    source: &LabelSource,
    inputs: &[Input],
    whole: bool,
    model: &Model,
) -> Result<Vec<Label>> {
    if model.output().is_regression() {
        bail!("--labels names true classes, but the model gives numbers (leave out --labels)");
    }
    if model.num_classes() < 2 {
        bail!(
            "--labels needs classes to choose between, but the model has one output (import it with --classes and the names of no and yes)"
        );
    }
    let labels = match source {
        LabelSource::FromDirectory => from_directories(inputs, whole, model)?,
        LabelSource::File(file) => {
            let classes = from_file(file, inputs, model)?.into_iter();
            classes.map(|classes| classes.map_or(Label::Missing, Label::Classes)).collect()
        }
    };
    if whole && labels.iter().all(|label| *label == Label::Missing) {
        match source {
            LabelSource::FromDirectory => bail!(
                "--labels from-directory: no input is in a directory below one that is searched (name the directory above those of the classes)"
            ),
            LabelSource::File(file) => bail!(
                "labels '{}': none of its paths is that of an input, such as '{}' (write paths as they are from here, from the file, or from the directory that is searched)",
                file.display(),
                inputs[0].relative().display()
            ),
        }
    }
    Ok(labels)
}

/// A directory that is not a class fails only its own images. If no directory is a class, a wrong one was given.
fn from_directories(inputs: &[Input], whole: bool, model: &Model) -> Result<Vec<Label>> {
    const WAY_OUT: &str = "write a file instead, --labels FILE with lines path,class";
    let mut known: HashMap<&OsStr, Result<usize, burncam::Error>> = HashMap::new();
    let mut unknown: Vec<&OsStr> = Vec::new();
    let mut labels = Vec::with_capacity(inputs.len());
    for input in inputs {
        let Some(directory) = class_directory(input) else {
            labels.push(Label::Missing);
            continue;
        };
        let class = known
            .entry(directory)
            .or_insert_with(|| class_of_directory(directory, model).inspect_err(|_| unknown.push(directory)));
        labels.push(match class {
            Ok(class) => Label::Classes(vec![*class]),
            Err(reason) => Label::Unknown(format!(
                "image '{}': {}: {} ({WAY_OUT})",
                input.path.display(),
                no_classes(&[directory]),
                reason.say(WORDS)
            )),
        });
    }
    match unknown.first().and_then(|first| known.get(first)) {
        Some(Err(reason)) if whole && unknown.len() == known.len() => {
            bail!("{}: {} ({WAY_OUT})", no_classes(&unknown), reason.say(WORDS))
        }
        _ => Ok(labels),
    }
}

/// The first directory below the searched one.
fn class_directory(input: &Input) -> Option<&OsStr> {
    // A picture that was named itself may be anywhere: its directory says nothing.
    if input.searched { input.below.iter().next() } else { None }
}

fn no_classes(unknown: &[&OsStr]) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> =
        unknown.iter().take(SHOWN).map(|name| format!("'{}'", name.to_string_lossy())).collect();
    match unknown.len() {
        1 => format!("directory {} is no class of the model", names.join("")),
        0..=SHOWN => format!("directories {} are no classes of the model", names.join(", ")),
        more => {
            format!("directories {} and {} more are no classes of the model", names.join(", "), more - SHOWN)
        }
    }
}

/// Names take precedence over indices: directories called `1` to `102` are the names that the model was trained with.
/// Directory names often have underscores for spaces.
fn class_of_directory(directory: &OsStr, model: &Model) -> burncam::Result<usize> {
    class_called(&directory.to_string_lossy(), model)
}

/// The class that a file or a directory calls so: a name in full, an index, or a name as the command line takes it.
///
/// # Errors
/// When the model has none.
pub(crate) fn class_called(text: &str, model: &Model) -> burncam::Result<usize> {
    if let Some(class) = exactly(text, model) {
        return Ok(class);
    }
    let class = target(text).class(model);
    class.or_else(|error| Target::Name(text.replace('_', " ")).class(model).map_err(|_| error))
}

fn exactly(name: &str, model: &Model) -> Option<usize> {
    model.card().classes.iter().position(|class| class == name)
}

/// An index or a name; `top` and `label` have no special meaning here.
fn target(text: &str) -> Target {
    text.parse().map_or_else(|_| Target::Name(text.to_owned()), Target::Index)
}

fn from_file(file: &Path, inputs: &[Input], model: &Model) -> Result<Vec<Option<Vec<usize>>>> {
    let labels = Labels::new(file, read::rows(file)?, model)?;
    let here = std::env::current_dir().context("cannot determine the current directory")?;
    let folder = normal(&here.join(file.parent().unwrap_or(Path::new(""))));
    let found: Vec<Option<Vec<usize>>> =
        inputs.iter().map(|input| labels.by_path(input, &here, &folder)).collect();
    // File names are only compared where whole paths have left inputs without a label.
    if found.iter().all(Option::is_some) {
        return Ok(found);
    }
    let names = labels.by_name();
    let by_name = |input: &Input| {
        // Of two inputs with one name it would not be known which is meant.
        let name = input.path.file_name().filter(|_| input.sole_of_its_name)?;
        names.get(name).cloned().flatten()
    };
    Ok(found.into_iter().zip(inputs).map(|(label, input)| label.or_else(|| by_name(input))).collect())
}

/// The rows of a label file.
struct Labels {
    /// Normalised paths, with classes and the line of the first.
    classes: HashMap<PathBuf, (Vec<usize>, u64)>,
}

impl Labels {
    fn new(file: &Path, rows: Vec<Row>, model: &Model) -> Result<Self> {
        let unit = read::unit(file);
        let place = |at: u64| format!("labels '{}', {unit} {at}", file.display());
        let mut lookup = Lookup { model, known: HashMap::new() };
        let mut classes = HashMap::with_capacity(rows.len());
        for Row { path, class: text, at } in rows {
            for class in lookup.classes(text).with_context(|| place(at))? {
                match classes.entry(normal(&path)) {
                    Entry::Vacant(free) => {
                        free.insert((vec![class], at));
                    }
                    // The same row twice is no contradiction.
                    Entry::Occupied(other) if other.get().0.contains(&class) => {}
                    Entry::Occupied(mut other) if have_several(model) => other.get_mut().0.push(class),
                    Entry::Occupied(other) => bail!(
                        "{}: '{}' is of class {class}, but of class {} in {unit} {} (keep one)",
                        place(at),
                        path.display(),
                        other.get().0[0],
                        other.get().1
                    ),
                }
            }
        }
        Ok(Self { classes })
    }

    /// Looks a path up as given, relative to the current directory, the root, the label file's directory, and the
    /// searched directory.
    fn by_path(&self, input: &Input, here: &Path, folder: &Path) -> Option<Vec<usize>> {
        let path = normal(&here.join(&input.path));
        let found = self.classes.get(&path);
        let found = found.or_else(|| self.classes.get(&from(&path, here)));
        let found = found.or_else(|| self.classes.get(&from(&path, folder)));
        let found = found.or_else(|| self.classes.get(&normal(&input.relative())));
        found.map(|(classes, _)| classes.clone())
    }

    /// Classes by file name; `None` when several paths share it.
    fn by_name(&self) -> HashMap<&OsStr, Option<Vec<usize>>> {
        let mut names = HashMap::new();
        for (path, (classes, _)) in &self.classes {
            let Some(name) = path.file_name() else { continue };
            names.entry(name).and_modify(|classes| *classes = None).or_insert(Some(classes.clone()));
        }
        names
    }
}

/// Resolved class names, each looked up once.
struct Lookup<'a> {
    model: &'a Model,
    known: HashMap<String, usize>,
}

/// Whether a picture can have several true classes.
pub(crate) fn have_several(model: &Model) -> bool {
    matches!(model.output().task, Task::MultiLabel | Task::Segmentation)
}

impl Lookup<'_> {
    /// The classes of a cell: `a;b` is two where a picture can have several, unless a class has that name.
    fn classes(&mut self, text: String) -> burncam::Result<Vec<usize>> {
        if !have_several(self.model) || !text.contains(';') || exactly(&text, self.model).is_some() {
            return Ok(vec![self.class(text)?]);
        }
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| self.class(part.to_owned())).collect()
    }

    fn class(&mut self, text: String) -> burncam::Result<usize> {
        if let Some(class) = self.known.get(&text) {
            return Ok(*class);
        }
        let class = target(&text).class(self.model)?;
        if let Some(named) = exactly(&text, self.model).filter(|named| *named != class) {
            log::warn!("label '{text}' is taken for the index of a class, but class {named} is called so");
        }
        self.known.insert(text, class);
        Ok(class)
    }
}

/// The path without `.`, and without `..` where a component precedes it.
fn normal(path: &Path) -> PathBuf {
    let mut short = PathBuf::new();
    for part in path.components() {
        match (part, short.components().next_back()) {
            (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                short.pop();
            }
            _ => short.push(part),
        }
    }
    short
}

/// The relative path from a directory; both are absolute.
fn from(path: &Path, directory: &Path) -> PathBuf {
    let shared = path.components().zip(directory.components()).take_while(|(a, b)| a == b).count();
    let up = directory.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}
