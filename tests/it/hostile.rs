//! Damaged models, absurd cards, inconsistent tensors and references, odd names, full disks and closed pipes.
//!
//! What could exhaust memory or time runs as the command itself, under a limit on both.
#![cfg(all(feature = "cli", feature = "embedded-model", unix))]

mod cards;
mod cases;
mod models;
mod references;
mod streams;
mod tensors;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::fixture;

const BINARY: &str = env!("CARGO_BIN_EXE_burncam");

/// What one run gave.
struct Run {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        Self { code: output.status.code(), stdout: output.stdout, stderr }
    }
}

impl Run {
    /// An orderly end: no panic, no signal, no "please report this".
    fn is_orderly(&self) -> bool {
        matches!(self.code, Some(0..=2))
            && !self.stderr.contains("panicked")
            && !self.stderr.contains("internal error")
    }

    /// An orderly failure, reported on one line, with nothing on standard output.
    fn is_refusal(&self, code: i32) -> bool {
        self.is_orderly()
            && self.code == Some(code)
            && self.stdout.is_empty()
            && self.stderr.starts_with("burncam: ")
            && self.stderr.lines().count() == 1
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text: String = self.stderr.chars().take(400).collect();
        write!(formatter, "exit {:?}, {} bytes out, error: {text}", self.code, self.stdout.len())
    }
}

/// Arguments of any kinds as one list.
macro_rules! args {
    ($($arg:expr),* $(,)?) => { vec![$(OsString::from($arg)),*] };
}
use args;

fn run(args: Vec<OsString>) -> Run {
    Command::new(BINARY).args(args).stdin(Stdio::null()).env_remove("RUST_BACKTRACE").output().unwrap().into()
}

/// As [`run`], after shell commands that set limits.
fn run_after(setting: &str, args: Vec<OsString>) -> Run {
    let script = format!("{setting}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.env_remove("RUST_BACKTRACE");
    command.args(["-c", &script, BINARY]).args(args).stdin(Stdio::null());
    command.output().unwrap().into()
}

/// Two threads, three gigabytes of address space, and ten seconds of work.
fn run_limited(args: Vec<OsString>) -> Run {
    run_after("ulimit -v 3000000; ulimit -t 10", [args, args!["--threads", "2"]].concat())
}

fn squeezenet() -> PathBuf {
    fixture("models/squeezenet1_1.bpk")
}

fn coffee() -> PathBuf {
    fixture("images/coffee.png")
}

/// Names of all files below a directory, sorted.
fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.file_name().to_string_lossy().into_owned()),
        }
    }
    found.sort();
    found
}

/// A few numbers that look random and are the same in every run.
fn seeded(count: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(0x9E37_79B9_7F4A_7C15_u64), |state| {
        let state = state ^ (state << 13);
        let state = state ^ (state >> 7);
        Some(state ^ (state << 17))
    })
    .skip(1)
    .take(count)
    .map(|state| (state >> 16) as usize)
}
