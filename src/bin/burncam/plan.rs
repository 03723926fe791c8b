//! Where everything goes, settled before any work: names, collisions, files in the way.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burncam::cam::Method;
use burncam::explain::{ArtifactKind, Target};
use burncam::output;

use crate::args::{ExplainArgs, Save};
use crate::discover::{Input, Shard};
use crate::summary;

/// What is written, and where.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) destination: Destination,
    /// Output directory of several inputs, which has to stay while they are explained.
    pub(crate) root: Option<PathBuf>,
    pub(crate) record: bool,
    /// Each once, in the order in which they are documented.
    pub(crate) artifacts: Vec<ArtifactKind>,
    /// The one that a file of `--out` is.
    first: Option<ArtifactKind>,
    /// File names carry the class, because there may be several.
    pub(crate) several_targets: bool,
    /// Each once.
    pub(crate) methods: Vec<Method>,
    /// One sheet an input of all methods and classes.
    pub(crate) grid: bool,
    /// Where the inputs of all shards are, which no output may replace.
    sources: HashSet<PathBuf>,
}

/// What `--out` means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Files named after their inputs, below this directory.
    Directory(PathBuf),
    /// One file, `.png` or `.json`, and what belongs to it beside it under the same stem.
    File(PathBuf),
    /// Standard output: the overlay, or with `--json` the record.
    Stdout,
}

impl Plan {
    /// Reads the arguments and refuses what cannot work. `sources` are the places of the inputs of all shards.
    pub(crate) fn new(args: &ExplainArgs, inputs: &[Input], sources: HashSet<PathBuf>) -> Result<Self> {
        let out = &args.output.out;
        if let Some(ending) = picture_ending(out) {
            bail!(
                "--out '{}' ends in .{ending}, but pictures are written as PNG (name a .png file)",
                out.display()
            );
        }
        let destination = destination(out);
        if !matches!(destination, Destination::Directory(_)) && inputs.len() != 1 {
            let what = if out == Path::new("-") { "standard output" } else { "a file" };
            bail!("--out names {what}, but there are {} inputs (name a directory)", inputs.len());
        }
        let mut record = args.output.save.contains(&Save::Record);
        let mut artifacts: Vec<ArtifactKind> = Vec::new();
        for save in &args.output.save {
            match save {
                Save::Artifact(kind) if !artifacts.contains(kind) => artifacts.push(*kind),
                _ => {}
            }
        }
        if let Destination::File(path) = &destination
            && path.extension().is_some_and(|ending| ending == "json")
        {
            record = true;
            artifacts.clear();
        }
        if destination == Destination::Stdout {
            record = false;
            artifacts = if args.output.json { vec![] } else { vec![ArtifactKind::Overlay] };
        }
        let first = artifacts.first().copied();
        artifacts.sort_by_key(|kind| ArtifactKind::ALL.iter().position(|other| other == kind));
        let several_targets =
            args.targets.len() > 1 || matches!(args.targets[..], [Target::Top(2..) | Target::Both]);
        let methods = each_once(&args.methods);
        let grid = args.output.grid;
        if !matches!(destination, Destination::Directory(_)) {
            if several_targets && !artifacts.is_empty() {
                bail!("--out names one place, but several classes give several pictures (name a directory)");
            }
            if methods.len() > 1 && (!artifacts.is_empty() || record) {
                bail!("--out names one place, but several methods give several files (name a directory)");
            }
        }
        if grid && destination == Destination::Stdout {
            bail!("--grid writes a file, but --out names standard output (name a directory)");
        }
        let root = match &destination {
            Destination::Directory(directory) if inputs.len() > 1 && directory != Path::new(".") => {
                Some(directory.clone())
            }
            _ => None,
        };
        Ok(Self { destination, root, record, artifacts, first, several_targets, methods, grid, sources })
    }

    /// Refuses collisions, files in the way and an output directory that takes no files.
    pub(crate) fn check(&self, inputs: &[Input], force: bool) -> Result<()> {
        let mut owners: HashMap<PathBuf, &Input> = HashMap::new();
        for input in inputs {
            // What is known to fail writes nothing.
            if input.problem.is_some() || self.refuse_sources(input).is_err() {
                continue;
            }
            for path in self.known_paths(input) {
                if let Some(other) = owners.insert(path.clone(), input) {
                    bail!(
                        "output '{}' would be written twice, for '{}' and '{}' (explain them into two directories)",
                        path.display(),
                        other.path.display(),
                        input.path.display()
                    );
                }
                if !force {
                    output::refuse_existing([&path])?;
                }
            }
        }
        match self.directory(Path::new("")) {
            Some(directory) => Ok(output::check_directory(&directory)?),
            None => Ok(()),
        }
    }

    /// Refuses an input whose outputs would replace an input: a photograph may be called as an output is.
    ///
    /// # Errors
    /// For the first output that is an input.
    pub(crate) fn refuse_sources(&self, input: &Input) -> Result<()> {
        self.refuse_to_replace(&self.known_paths(input))
    }

    /// As [`Plan::refuse_sources`], for all files of an input, which lie in one directory.
    pub(crate) fn refuse_to_replace<'a>(&self, outputs: impl IntoIterator<Item = &'a PathBuf>) -> Result<()> {
        let mut outputs = outputs.into_iter().peekable();
        let directory = outputs.peek().and_then(|path| path.parent()).unwrap_or(Path::new(""));
        let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let Ok(real) = here.canonicalize() else { return Ok(()) };
        let mut names = outputs.filter_map(|path| Some((path, path.file_name()?)));
        match names.find(|(_, name)| self.sources.contains(&real.join(name))) {
            Some((path, _)) => bail!(
                "output '{}' would replace the input of that name (choose another directory with -o)",
                path.display()
            ),
            None => Ok(()),
        }
    }

    /// Makes the output directory of several inputs.
    ///
    /// # Errors
    /// When the system does not let it.
    pub(crate) fn make_root(&self) -> Result<()> {
        match &self.root {
            Some(root) => std::fs::create_dir_all(root)
                .with_context(|| format!("cannot create the directory '{}'", root.display())),
            None => Ok(()),
        }
    }

    /// Whether somebody took the output directory of several inputs away.
    pub(crate) fn is_gone(&self) -> bool {
        self.root.as_ref().is_some_and(|root| !root.is_dir())
    }

    /// Refuses to make an output directory anew that somebody took away.
    ///
    /// # Errors
    /// When it is gone.
    pub(crate) fn expect_root(&self) -> Result<()> {
        match &self.root {
            Some(root) if self.is_gone() => {
                bail!("output directory '{}' is gone (was it removed while burncam ran?)", root.display())
            }
            _ => Ok(()),
        }
    }

    /// Where the summary of several inputs goes; shards may share a directory.
    pub(crate) fn summary_path(&self, shard: Option<Shard>) -> Option<PathBuf> {
        let of_shard = |shard: Shard| summary::file_of_shard(shard.index, shard.count);
        let name = shard.map_or_else(|| summary::FILE.to_owned(), of_shard);
        match (&self.destination, shard) {
            (Destination::Directory(directory), Some(_)) => Some(directory.join(name)),
            _ => self.root.as_ref().map(|root| root.join(name)),
        }
    }

    /// The directory of the outputs of an input whose place is `below`; `None` for standard output.
    pub(crate) fn directory(&self, below: &Path) -> Option<PathBuf> {
        match &self.destination {
            Destination::Directory(directory) if directory == Path::new(".") => Some(below.to_path_buf()),
            // Joining nothing would add a slash, and `file/` is not `file`.
            Destination::Directory(directory) if below.as_os_str().is_empty() => Some(directory.clone()),
            Destination::Directory(directory) => Some(directory.join(below)),
            Destination::File(path) => match path.parent() {
                Some(parent) => Some(parent.to_path_buf()),
                None => Some(PathBuf::new()),
            },
            Destination::Stdout => None,
        }
    }

    /// File name of an artifact of a method for a class.
    pub(crate) fn artifact_name(
        &self,
        input: &Input,
        method: Method,
        target: usize,
        kind: ArtifactKind,
    ) -> String {
        let target = self.several_targets.then_some(target);
        let method = method.info().name;
        match &self.destination {
            // The file that was named is the first picture of `--save`; others go beside it.
            Destination::File(path) if self.first == Some(kind) => file_name(path),
            Destination::File(path) => output::artifact_name(&stem(path), method, target, kind),
            _ => output::artifact_name(&input.name, method, target, kind),
        }
    }

    /// File name of a method's record.
    pub(crate) fn record_name(&self, input: &Input, method: Method) -> String {
        match &self.destination {
            Destination::File(path) => format!("{}.json", stem(path)),
            _ => output::record_name(&input.name, method.info().name),
        }
    }

    /// File name of the sheet.
    pub(crate) fn grid_name(&self, input: &Input) -> String {
        match &self.destination {
            Destination::File(path) => format!("{}.grid.png", stem(path)),
            _ => format!("{}.grid.png", input.name),
        }
    }

    /// The files of an input whose names do not wait for its classes.
    fn known_paths(&self, input: &Input) -> Vec<PathBuf> {
        let Some(directory) = self.directory(&input.place) else { return vec![] };
        let mut names = Vec::new();
        for method in &self.methods {
            if !self.several_targets {
                names.extend(self.artifacts.iter().map(|kind| self.artifact_name(input, *method, 0, *kind)));
            }
            if self.record {
                names.push(self.record_name(input, *method));
            }
        }
        if self.grid {
            names.push(self.grid_name(input));
        }
        names.into_iter().map(|name| directory.join(name)).collect()
    }
}

fn each_once(methods: &[Method]) -> Vec<Method> {
    let mut once = Vec::new();
    for method in methods {
        if !once.contains(method) {
            once.push(*method);
        }
    }
    once
}

/// The ending of a path that looks like a picture which burncam does not write.
fn picture_ending(out: &Path) -> Option<&str> {
    let ending = out.extension()?.to_str()?;
    let known = ["jpg", "jpeg", "jpe", "jfif", "apng", "webp", "gif", "bmp", "tif", "tiff"];
    (known.contains(&ending.to_lowercase().as_str()) && !out.is_dir()).then_some(ending)
}

fn destination(out: &Path) -> Destination {
    let is_file = out.extension().is_some_and(|ending| ending == "png" || ending == "json");
    match () {
        () if out == Path::new("-") => Destination::Stdout,
        () if is_file && !out.is_dir() => Destination::File(out.to_path_buf()),
        () => Destination::Directory(out.to_path_buf()),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
