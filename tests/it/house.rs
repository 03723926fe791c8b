//! The house rules: imports go one way, rooms stay small, the library neither prints nor panics.

mod circles;
mod lengths;
mod lock;
mod names;
mod words;

use std::path::{Path, PathBuf};

/// The crates under `src/` and the rooms of `burncam` from the ground up; one may import from those before it only. Between crates the
/// compiler sees to it; that no manifest names one too many is checked here.
const FLOORS: &[&[&str]] = &[
    &["graph"],
    &["kernels", "metrics", "model", "picture"],
    &["engine"],
    &["cam"],
    &["record"],
    &["explain", "capture"],
    &["check"],
    &["evaluate"],
    &["output"],
    &["job"],
];

/// The crates that are built and tested without Burn.
const WITHOUT_BURN: &[&str] = &["graph", "kernels", "metrics", "model", "picture"];

/// All sources of the crates with their paths.
fn sources() -> Vec<(PathBuf, String)> {
    let sources = rust_below("src");
    assert!(sources.len() > 40, "the sources were not found");
    sources
}

/// All Rust files below a folder with their paths.
fn rust_below(folder: &str) -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                sources.push((path, text));
            }
        }
    }
    sources
}

fn room_of(path: &Path) -> Option<String> {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    let room = first.trim_end_matches(".rs").to_owned();
    (room != "lib" && room != "bin").then_some(room)
}

fn manifest_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name).join("Cargo.toml")
}

fn is_crate(room: &str) -> bool {
    manifest_of(room).is_file()
}

fn floor(room: &str) -> usize {
    let found = FLOORS.iter().position(|rooms| rooms.contains(&room));
    found.unwrap_or_else(|| panic!("the room '{room}' is not in the plan of the house"))
}

/// The path below the repository's root, as messages show it.
fn relative(path: &Path) -> String {
    path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string()
}

/// Code without its tests and comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn imports_go_one_way() {
    for (path, text) in sources() {
        // In a crate `crate::` is its own; what it may depend on is checked below.
        let Some(room) = room_of(&path).filter(|room| !is_crate(room)) else { continue };
        for import in code(&text).split("crate::").skip(1) {
            let name: String = import.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if name == room || name.is_empty() || !FLOORS.iter().any(|rooms| rooms.contains(&name.as_str())) {
                continue;
            }
            assert!(floor(&name) < floor(&room), "{}: '{room}' imports '{name}'", path.display());
        }
    }
}

#[test]
fn crates_name_only_those_below_them() {
    for floor in FLOORS {
        for name in *floor {
            let Ok(manifest) = std::fs::read_to_string(manifest_of(name)) else { continue };
            let lines = manifest.lines().filter_map(|line| line.split(['.', ' ']).next());
            for other in lines.filter_map(|line| line.strip_prefix("burncam-")) {
                let known = FLOORS.iter().any(|rooms| rooms.contains(&other));
                assert!(!known || self::floor(other) < self::floor(name), "'{name}' depends on '{other}'");
            }
        }
    }
}

#[test]
fn burn_is_named_only_where_it_runs() {
    for (path, text) in sources() {
        let Some(room) = room_of(&path) else { continue };
        // `capture` takes the caller's own Burn module; everywhere else Burn stays behind the engine.
        let uses_burn = code(&text).contains("burn::");
        assert!(!uses_burn || ["engine", "capture"].contains(&room.as_str()), "{} uses Burn", path.display());
        let names_back_end = code(&text).contains("Device::flex") || code(&text).contains("Device::ndarray");
        assert!(!names_back_end || path.ends_with("engine/device.rs"), "{} names a back end", path.display());
    }
    for name in WITHOUT_BURN {
        let manifest = std::fs::read_to_string(manifest_of(name)).unwrap();
        assert!(
            !manifest.lines().any(|line| line.starts_with("burn.") || line.starts_with("burn ")),
            "{name}"
        );
    }
}

#[test]
fn every_file_opens_with_what_it_is_for_and_stays_readable() {
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{} does not say what it is for", path.display());
        let lines = text.lines().count();
        assert!(lines <= 360, "{} has {lines} lines", path.display());
    }
}

#[test]
fn the_command_writes_to_its_streams_in_one_place() {
    let streams = ["io::stdout", "io::stderr", "println!", "print!(", "eprint!"];
    for (path, text) in sources() {
        let is_it = path.ends_with("src/bin/burncam/text.rs");
        let code = code(&text);
        let found: Vec<&&str> = streams.iter().filter(|stream| code.contains(**stream)).collect();
        assert!(is_it != found.is_empty(), "{}: {found:?}", path.display());
    }
}

#[test]
fn the_pinned_burn_is_the_one_that_records_name() {
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    assert!(manifest.contains(&format!("burn = {{ version = \"={}\"", burncam::internal::BURN_VERSION)));
}

/// Records that `--resume` keeps are read and written again. Features that only tests turn on are not in the program.
#[test]
fn the_program_itself_reads_numbers_exactly() {
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let line = manifest.lines().find(|line| line.starts_with("serde_json =")).unwrap();
    assert!(line.contains("\"float_roundtrip\""), "{line}");
}
