//! What each fuzz target does with bytes. The ordinary tests include these modules, too, and replay the committed corpora
//! (`tests/it/corpora.rs`).
//!
//! A target fails by a panic. That a reader refuses bytes is its work; that it panics, takes minutes or memory is a fault, and so is
//! a model that was imported and then cannot be opened.

pub mod dice;
mod file;
#[cfg(fuzzing)]
pub mod hook;
mod models;
mod numbers;
mod packs;
mod pictures;
#[cfg(fuzzing)]
pub mod protobuf;
mod recognition;
mod weights;

/// A target: what it does with bytes.
pub type Target = fn(&[u8]);

/// All targets but the one of the kernels, whose reference is in their crate.
pub const ALL: &[(&str, Target)] = &[
    ("boxes", numbers::boxes),
    ("bmp", pictures::bmp),
    ("card", packs::card),
    ("gif", pictures::gif),
    ("hdf5", models::hdf5),
    ("jpeg", pictures::jpeg),
    ("jxl", pictures::jxl),
    ("keras", models::keras),
    ("legacy", weights::legacy),
    ("mask", pictures::mask),
    ("npy", numbers::npy),
    ("npz", numbers::npz),
    ("old_record", weights::old_record),
    ("onnx", models::onnx),
    ("pack", packs::pack),
    ("pickle", weights::pickle),
    ("png", pictures::png),
    ("pnm", pictures::pnm),
    ("pth", weights::pth),
    ("recognition", recognition::recognition),
    ("safetensors", weights::safetensors),
    ("tiff", pictures::tiff),
    ("webp", pictures::webp),
];

/// What all files together may make a target allocate: as little as `tests/memory` allows.
const MEMORY: u64 = 32 << 20;

/// Runs a target.
///
/// # Panics
/// When there is no such target, and when it has found a fault.
pub fn run(name: &str, data: &[u8]) {
    burncam_graph::memory::set_limit(MEMORY);
    #[cfg(fuzzing)]
    if name == "kernels" {
        return burncam_kernels::differential(data);
    }
    let target = ALL.iter().find(|(known, _)| *known == name);
    target.unwrap_or_else(|| panic!("no target is called '{name}'")).1(data);
}
