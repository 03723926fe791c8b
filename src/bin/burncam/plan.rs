//! The destinations of all files, determined before any work: directory, collisions, existing files.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burncam::internal::output::{self, Leftovers};
use burncam::{ArtifactKind, Names, Request};
use burncam_picture::render::Format;

use crate::args::{ExplainArgs, Save};
use crate::discover::{Input, Shard};
use crate::{result_files, summary};

/// The destination of every input.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) destination: Destination,
    /// Output directory of several inputs; it must exist until the end.
    root: Option<PathBuf>,
    /// The kind of picture of a file in `--out`.
    first: Option<ArtifactKind>,
    /// Paths of the inputs of all shards, which no output may replace.
    sources: HashSet<PathBuf>,
}

/// The meaning of `--out`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Files named after their inputs, below this directory.
    Directory(PathBuf),
    /// One file, a picture or `.json`, and further files next to it with the same stem.
    File(PathBuf),
    /// Standard output: the overlay, or with `--json` the record.
    Stdout,
}

impl Destination {
    /// Where the results of many images are, and the page that shows them.
    pub(crate) fn place(&self, page: Option<&Path>) -> Option<String> {
        let Self::Directory(directory) = self else { return None };
        let page = page
            .map_or_else(String::new, |page| format!("; the page to browse them is '{}'", page.display()));
        Some(format!("results are in '{}'{page}", directory.display()))
    }

    /// Parses `--out`.
    ///
    /// # Errors
    /// For a picture format that is not written, and for one path with several inputs.
    pub(crate) fn new(out: &Path, inputs: usize) -> Result<Self> {
        if let Some(ending) = picture_ending(out) {
            bail!(
                "--out '{}' ends in .{ending}, but pictures are written as PNG, JPEG or WebP (name a .png, .jpg or .webp file)",
                out.display()
            );
        }
        // By the ending, because the path need not exist; a directory of such a name stays a directory.
        let is_file = out.extension().is_some_and(|ending| ending == "json") || is_drawn(out);
        let destination = match () {
            () if out == Path::new("-") => Self::Stdout,
            () if is_file && !out.is_dir() => Self::File(out.to_path_buf()),
            () => Self::Directory(out.to_path_buf()),
        };
        if !matches!(destination, Self::Directory(_)) && inputs != 1 {
            let what = if destination == Self::Stdout { "standard output" } else { "a file" };
            bail!("--out names {what}, but there are {inputs} inputs (name a directory)");
        }
        Ok(destination)
    }

    /// The format of a picture's file.
    pub(crate) fn format(&self) -> Option<Format> {
        match self {
            Self::File(path) => format_of(path),
            _ => None,
        }
    }

    /// Whether a file with this extension can have the name in `--out`.
    fn fits(&self, extension: &str) -> bool {
        let Self::File(path) = self else { return true };
        let format = self.format().map(Format::extension);
        format.or_else(|| path.extension()?.to_str()).is_some_and(|own| own == extension)
    }

    /// Whether it is the file of a record.
    pub(crate) fn is_record(&self) -> bool {
        matches!(self, Self::File(path) if path.extension().is_some_and(|ending| ending == "json"))
    }
}

impl Plan {
    /// Refuses anything that cannot be written to the destination. `sources` are the paths of the inputs of all
    /// shards.
    pub(crate) fn new(
        args: &ExplainArgs,
        destination: Destination,
        request: &Request,
        inputs: usize,
        sources: HashSet<PathBuf>,
    ) -> Result<Self> {
        if !matches!(destination, Destination::Directory(_)) {
            if request.has_several_classes() && !request.artifacts.is_empty() {
                bail!("--out names one place, but several classes give several pictures (name a directory)");
            }
            if request.methods.len() > 1 && (!request.artifacts.is_empty() || request.record) {
                bail!("--out names one place, but several methods give several files (name a directory)");
            }
        }
        if request.grid && destination == Destination::Stdout {
            bail!("--grid writes a file, but --out names standard output (name a directory)");
        }
        let root = match &destination {
            // A single image makes its directory with its files, and leaves none behind when it fails.
            Destination::Directory(directory) if inputs > 1 && directory != Path::new(".") => {
                Some(directory.clone())
            }
            _ => None,
        };
        let first = first_kind(args, &destination, request)?;
        Ok(Self { destination, root, first, sources })
    }

    /// The names of an input's files; `None` for standard output.
    pub(crate) fn names(&self, input: &Input) -> Option<Names> {
        match &self.destination {
            Destination::File(path) => Some(Names::file(path, self.first)),
            _ => Some(Names::new(self.directory(&input.place)?, &input.name)),
        }
    }

    fn known_paths(&self, input: &Input, request: &Request) -> Vec<PathBuf> {
        self.names(input).map_or_else(Vec::new, |names| names.known(request))
    }

    /// Refuses collisions, existing files and an unwritable output directory.
    pub(crate) fn check(&self, inputs: &[Input], request: &Request) -> Result<()> {
        let mut owners: HashMap<PathBuf, &Input> = HashMap::new();
        for input in inputs {
            // Inputs that are known to fail write nothing.
            if input.problem.is_some() || self.refuse_sources(input, request).is_err() {
                continue;
            }
            for path in self.known_paths(input, request) {
                if let Some(other) = owners.insert(path.clone(), input) {
                    bail!(
                        "output '{}' would be written twice, for '{}' and '{}' (explain them into two directories)",
                        path.display(),
                        other.path.display(),
                        input.path.display()
                    );
                }
                if !request.overwrite {
                    output::refuse_existing([&path])?;
                }
            }
        }
        match self.directory(Path::new("")) {
            Some(directory) => Ok(output::check_directory(&directory)?),
            None => Ok(()),
        }
    }

    /// Removes what runs that did not end left in the directories of these inputs.
    pub(crate) fn sweep<'a>(&self, places: impl IntoIterator<Item = &'a Path>) {
        let places: BTreeSet<&Path> = places.into_iter().collect();
        let directories = places.into_iter().filter_map(|place| self.directory(place));
        directories.for_each(|directory| Leftovers::sweep(&directory));
    }

    /// Refuses an input whose outputs would replace an input: a photograph may have the name of an output.
    ///
    /// # Errors
    /// For the first output that is an input.
    pub(crate) fn refuse_sources(&self, input: &Input, request: &Request) -> Result<()> {
        self.refuse_to_replace(&self.known_paths(input, request))
    }

    /// As [`Plan::refuse_sources`], for all files of an input, which are in one directory.
    pub(crate) fn refuse_to_replace<'a>(&self, outputs: impl IntoIterator<Item = &'a PathBuf>) -> Result<()> {
        self.refuse(outputs, "choose another directory with -o")
    }

    /// As [`Plan::refuse_sources`], for files with names of their own.
    pub(crate) fn refuse_named<'a>(&self, mut paths: impl Iterator<Item = &'a PathBuf>) -> Result<()> {
        paths.try_for_each(|path| self.refuse([path], "name another file"))
    }

    fn refuse<'a>(&self, outputs: impl IntoIterator<Item = &'a PathBuf>, instead: &str) -> Result<()> {
        let mut outputs = outputs.into_iter().peekable();
        let directory = outputs.peek().and_then(|path| path.parent()).unwrap_or(Path::new(""));
        let here = burncam_model::temporary::or_here(directory);
        // A directory that is not there yet holds no inputs.
        let Ok(real) = here.canonicalize() else { return Ok(()) };
        let mut names = outputs.filter_map(|path| Some((path, path.file_name()?)));
        match names.find(|(_, name)| self.sources.contains(&real.join(name))) {
            Some((path, _)) => {
                bail!("output '{}' would replace the input of that name ({instead})", path.display())
            }
            None => Ok(()),
        }
    }

    /// Creates the output directory of several inputs.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn make_root(&self) -> Result<()> {
        match &self.root {
            Some(root) => std::fs::create_dir_all(root)
                .with_context(|| format!("cannot create the directory '{}'", root.display())),
            None => Ok(()),
        }
    }

    /// Whether the output directory of several inputs has been removed.
    pub(crate) fn is_gone(&self) -> bool {
        self.root.as_ref().is_some_and(|root| !root.is_dir())
    }

    /// Refuses to recreate an output directory that has been removed.
    ///
    /// # Errors
    /// When it has been removed.
    pub(crate) fn expect_root(&self) -> Result<()> {
        match &self.root {
            Some(root) if self.is_gone() => {
                bail!("output directory '{}' is gone (was it removed while burncam ran?)", root.display())
            }
            _ => Ok(()),
        }
    }

    /// Path of the summary of several inputs; shards may share a directory.
    pub(crate) fn summary_path(&self, shard: Option<Shard>) -> Option<PathBuf> {
        let name = result_files::name(summary::STEM, shard);
        match (&self.destination, shard) {
            // A shard of a single image has a summary, too, because `merge` looks for one of each shard.
            (Destination::Directory(directory), Some(_)) => Some(directory.join(name)),
            _ => self.root.as_ref().map(|root| root.join(name)),
        }
    }

    /// The output directory of an input with the relative path `below`; `None` for standard output.
    fn directory(&self, below: &Path) -> Option<PathBuf> {
        match &self.destination {
            Destination::Directory(directory) if directory == Path::new(".") => Some(below.to_path_buf()),
            // Joining an empty path would add a slash, and `file/` is not `file`.
            Destination::Directory(directory) if below.as_os_str().is_empty() => Some(directory.clone()),
            Destination::Directory(directory) => Some(directory.join(below)),
            Destination::File(path) => match path.parent() {
                Some(parent) => Some(parent.to_path_buf()),
                None => Some(PathBuf::new()),
            },
            Destination::Stdout => None,
        }
    }
}

/// The kind of picture that gets the name in `--out`: the first that can have it.
fn first_kind(
    args: &ExplainArgs,
    destination: &Destination,
    request: &Request,
) -> Result<Option<ArtifactKind>> {
    let saved = args.output.save.iter().filter_map(|save| match save {
        Save::Artifact(kind) => Some(*kind),
        Save::Record => None,
    });
    let mut saved = saved.filter(|kind| request.artifacts.contains(kind)).peekable();
    let any = saved.peek().copied();
    let first = saved.find(|kind| destination.fits(kind.extension(&request.style)));
    if let (Some(any), None, Destination::File(path)) = (any, first, destination) {
        let (kind, extension) = (any.name(), any.extension(&request.style));
        bail!(
            "--out '{}' is not the name of what is written: {kind} is a .{extension} file (name one, or a directory)",
            path.display()
        );
    }
    Ok(first)
}

/// The format of a picture of this name.
fn format_of(path: &Path) -> Option<Format> {
    Format::of_extension(path.extension()?.to_str()?)
}

/// Whether a picture or a figure has such a name.
fn is_drawn(path: &Path) -> bool {
    format_of(path).is_some() || path.extension().is_some_and(|ending| ending == "svg" || ending == "pdf")
}

/// The extension of a picture format that burncam does not write.
fn picture_ending(out: &Path) -> Option<&str> {
    let ending = out.extension()?.to_str()?;
    // Otherwise a directory `photo.gif` would be created, with the PNG in it.
    let known = ["jpe", "jfif", "apng", "gif", "bmp", "tif", "tiff", "jxl"];
    (known.contains(&ending.to_lowercase().as_str()) && !out.is_dir()).then_some(ending)
}
