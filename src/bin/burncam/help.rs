//! The help screens: what `-h` shows of each command, its examples and pages, and other spellings of options and commands.
//!
//! `-h` is one screen with the options that matter most; `--help` has every option under its heading, the environment and the pages.

use clap::{Command, CommandFactory as _};

use crate::args::Cli;

/// The help of one command.
struct Screen {
    command: &'static str,
    /// The options on the short screen, by identifier; all, where none are listed.
    options: &'static [&'static str],
    examples: &'static [&'static str],
    /// Files in `docs/`, and what they are about.
    pages: &'static [(&'static str, &'static str)],
}

const SCREENS: &[Screen] = &[
    Screen {
        command: "explain",
        options: &[
            "model", "targets", "layers", "methods", "out", "save", "force", "dry_run", "labels", "report",
        ],
        examples: &[
            "burncam explain photo.jpg                    overlay and record, here",
            "burncam explain photo.jpg -t 'tabby cat'     where would it see a tabby cat?",
            "burncam explain photo.jpg --method gradcam,layercam --grid     and a sheet",
            "burncam explain -m mine.bpk photos/ -o out --report out/report.html",
        ],
        pages: &[
            ("methods.md", "methods: mathematics, papers, weaknesses"),
            ("choosing.md", "which method to use"),
            ("batch.md", "directories, labels, lists, --where, --resume, --shard"),
            ("pictures.md", "which pictures are read, and how maps are drawn"),
            ("record.md", "the JSON record"),
            ("report.md", "the page of --report"),
            ("compat.md", "--compat"),
        ],
    },
    Screen {
        command: "evaluate",
        options: &[
            "model", "methods", "metrics", "targets", "boxes", "out", "report", "force", "resume", "labels",
        ],
        examples: &[
            "burncam evaluate photos/ -o out              five methods and three baselines",
            "burncam evaluate photos/ -o out --boxes coco.json --metrics energy,pointing",
            "burncam evaluate photos/ -o out --method gradcam,rise --metrics all",
        ],
        pages: &[
            ("evaluate.md", "what is measured, and what the table says"),
            ("metrics.md", "the metrics: formulas and papers"),
            ("choosing.md", "results for all methods"),
        ],
    },
    Screen {
        command: "predict",
        options: &["model", "top_k", "labels", "jsonl", "csv", "json", "force"],
        examples: &[
            "burncam predict photo.jpg                    the five most probable classes",
            "burncam predict photos/ -k 1                 one class for each picture",
            "burncam predict photos/ --labels labels.csv --csv predictions.csv",
        ],
        pages: &[("batch.md", "directories, labels, lists"), ("pictures.md", "which pictures are read")],
    },
    Screen {
        command: "import",
        options: &["out", "arch", "spec", "classes", "task", "output", "preset", "resize", "crop", "force"],
        examples: &[
            "burncam import model.onnx -o mine.bpk",
            "burncam import model.onnx -o mine.bpk --classes labels.txt --preset imagenet",
            "burncam import resnet50.pth --arch resnet50 -o mine.bpk",
            "burncam import model.keras -o mine.bpk",
        ],
        pages: &[
            ("own-model.md", "from a trained network to the first map"),
            ("onnx.md", "ONNX files"),
            ("keras.md", "Keras models"),
            ("weights.md", "weights and architectures"),
            ("model-format.md", "model cards"),
        ],
    },
    Screen {
        command: "check",
        options: &["model", "picture", "reference", "tolerance", "layer", "wanted", "methods", "json"],
        examples: &[
            "burncam check -m mine.bpk                       the network alone",
            "burncam check -m mine.bpk --reference a.npz     with another framework",
            "burncam check -m mine.bpk --picture photo.jpg   from the file on",
            "burncam check -m mine.bpk --sanity photos/      do maps follow the weights?",
        ],
        pages: &[("check.md", "what is checked, and what a failure means")],
    },
    Screen {
        command: "compare",
        options: &[],
        examples: &[
            "burncam compare old/ new/ -o comparison",
            "burncam compare old/ new/ --max-drop accuracy=0.01    fails if it is worse",
        ],
        pages: &[("compare.md", "what is compared"), ("comparison.schema.json", "comparison.json")],
    },
    Screen {
        command: "merge",
        options: &[],
        examples: &["burncam merge out-1 out-2 out-3 -o out --report out/report.html"],
        pages: &[("scale.md", "runs on several machines")],
    },
    Screen {
        command: "report",
        options: &[],
        examples: &[
            "burncam report out                           writes out/report.html",
            "burncam report out --against other           with the maps of another run next to it",
        ],
        pages: &[("report.md", "what the page shows, and its keys")],
    },
    Screen {
        command: "layers",
        options: &[],
        examples: &[
            "burncam layers -m mine.bpk --explainable",
            "burncam explain -m mine.bpk -l layer3,layer4 photo.jpg",
        ],
        pages: &[("own-model.md", "choosing a layer")],
    },
    Screen {
        command: "info",
        options: &[],
        examples: &[
            "burncam info -m mine.bpk               input, classes, output, cost",
            "burncam info -m mine.bpk --classes     names and indices",
            "burncam info --architectures           networks whose weights can be imported",
        ],
        pages: &[("model-format.md", "model files and cards")],
    },
    Screen {
        command: "methods",
        options: &[],
        examples: &[
            "burncam methods                all, one line each",
            "burncam methods layercam       formula, paper, options, libraries",
        ],
        pages: &[("methods.md", "mathematics and weaknesses"), ("choosing.md", "which method to use")],
    },
];

const EXAMPLES: &str = "\
Examples:
  burncam explain photo.jpg                    what does the network see, where?
  burncam explain photo.jpg -t 'tabby cat'     where would it see a tabby cat?
  burncam explain photo.jpg --method gradcam,layercam --grid    a sheet of both
  burncam explain -m mine.bpk -o out photos/   your own network, a directory
  burncam layers -m mine.bpk                   which layers can be explained
  burncam import model.onnx -o mine.bpk        from another framework";

const ENVIRONMENT: &str = "\
Environment:
  BURNCAM_MODEL      model file of commands without -m
  BURNCAM_THREADS    number of threads of commands without --threads";

/// Pages that a new reader needs, in their order.
const PAGES: &[(&str, &str)] = &[
    ("own-model.md", "from a trained network to the first map"),
    ("choosing.md", "which method to use"),
    ("batch.md", "whole directories"),
    ("troubleshooting.md", "messages, and what to do about them"),
];

/// Other names of options, which are accepted where the command has no other option of that name.
const SPELLINGS: &[(&str, &[&str])] = &[
    ("method", &["methods"]),
    ("target", &["targets", "class"]),
    ("layer", &["layers"]),
    ("labels", &["label"]),
    ("metrics", &["metric"]),
    ("masks", &["mask"]),
    ("mosaics", &["mosaic"]),
    ("classes", &["class-names"]),
    ("out", &["out-dir", "output-dir", "output"]),
    ("colormap", &["colourmap", "cmap"]),
    ("force", &["overwrite"]),
    ("jobs", &["workers"]),
    ("top-k", &["topk", "top"]),
];

/// The whole command line with its help.
pub(crate) fn command() -> Command {
    let root = Cli::command().mut_subcommands(forgiving);
    let root = SCREENS
        .iter()
        .fold(root, |root, screen| root.mut_subcommand(screen.command, |command| screen.on(command)));
    root.mut_subcommand("methods", |command| command.alias("method"))
        .mut_subcommand("layers", |command| command.alias("layer"))
        .after_help(EXAMPLES)
        .after_long_help([EXAMPLES, ENVIRONMENT, &pages(PAGES)].join("\n\n"))
}

impl Screen {
    fn on(&self, command: Command) -> Command {
        let examples = format!("Examples:\n  {}", self.examples.join("\n  "));
        let name = self.command;
        let short = match self.options {
            [] => examples.clone(),
            _ => format!("{examples}\n\n`burncam {name} --help` has all options, and links to the manual."),
        };
        let long = [&examples, ENVIRONMENT, &pages(self.pages)].join("\n\n");
        let is_hidden = |id: &str| !self.options.is_empty() && !self.options.contains(&id);
        let command = command.mut_args(|arg| {
            let hide = !arg.is_positional() && is_hidden(arg.get_id().as_str());
            arg.hide_short_help(hide)
        });
        command.after_help(short).after_long_help(long)
    }
}

/// The pages, and where they are: at the repository's address, or, where a build knows none, in its folder.
fn pages(pages: &[(&str, &str)]) -> String {
    let folder = match env!("CARGO_PKG_REPOSITORY") {
        "" => "docs".to_owned(),
        repository => format!("{repository}/blob/main/docs"),
    };
    let width = pages.iter().map(|(page, _)| page.len()).max().unwrap_or_default();
    let lines = pages.iter().map(|(page, about)| format!("\n  {page:<width$}  {about}"));
    format!("Pages, in {folder}:{}", lines.collect::<String>())
}

/// A command with other spellings of its options, and without the short help in the long one.
fn forgiving(command: Command) -> Command {
    let taken: Vec<String> =
        command.get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned)).collect();
    command.mut_args(|arg| {
        let names = SPELLINGS.iter().find(|(name, _)| arg.get_long() == Some(name));
        let free = names.into_iter().flat_map(|(_, others)| *others);
        let free: Vec<&str> = free.copied().filter(|name| !taken.iter().any(|long| long == name)).collect();
        let arg = if free.is_empty() { arg } else { arg.aliases(free) };
        // The first paragraph is the short help, which the others say again at length.
        let long = arg.get_long_help().map(ToString::to_string);
        match long.as_deref().and_then(|long| long.split_once("\n\n")) {
            Some((_, long)) => arg.long_help(long.trim_end_matches('.').to_owned()),
            None => arg,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_short_help_of_every_command_is_one_screen() {
        let mut root = command().term_width(80);
        root.build();
        let screens = root.get_subcommands_mut().map(|command| {
            (command.get_name().to_owned(), command.clone().term_width(80).render_help().to_string())
        });
        for (name, screen) in screens.filter(|(name, _)| name != "help") {
            assert!(screen.lines().count() <= 40, "{name}: {} lines", screen.lines().count());
            let widest = screen.lines().max_by_key(|line| line.chars().count()).unwrap();
            assert!(widest.chars().count() <= 80, "{name}: {widest}");
        }
    }

    #[test]
    fn screens_name_options_and_pages_that_exist() {
        let root = command();
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        for Screen { command, options, pages, .. } in SCREENS {
            let found = root.find_subcommand(command).unwrap();
            for option in *options {
                assert!(found.get_arguments().any(|arg| arg.get_id() == *option), "{command}: {option}");
            }
            for (page, _) in pages.iter().chain(PAGES) {
                assert!(top.join(page).is_file(), "{command}: {page}");
            }
        }
    }

    #[test]
    fn options_are_read_in_other_spellings() {
        let read = |line: &str| command().try_get_matches_from(line.split(' ')).map(drop);
        for line in [
            "burncam explain a.png --methods layer_cam --targets top-2 --layers auto --overwrite --cmap turbo",
            "burncam explain a.png --label labels.csv --save heatmaps,Record --explain mistakes",
            "burncam layer --explainable",
            "burncam method Grad-CAM++",
            "burncam evaluate a.png --metric road",
        ] {
            read(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
        // `import --output` is the kind of outputs, and no other spelling of --out.
        assert!(read("burncam import a.onnx -o a.bpk --output softmax").is_ok());
        assert!(
            read("burncam explain a.png --lables labels.csv").unwrap_err().to_string().contains("'--labels'")
        );
    }
}
