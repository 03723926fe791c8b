//! Integration tests, in one binary because each binary links Burn.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails as a test does")]

mod attention;
#[cfg(all(feature = "cli", feature = "embedded-model", unix))]
mod batch;
#[cfg(all(feature = "cli", feature = "embedded-model", unix))]
mod browser;
mod cam_parity;
mod capture;
mod check;
mod check_picture;
mod corpora;
mod curvature;
mod detection;
mod detectors;
mod evaluate;
mod golden;
mod gradients;
mod hand_worked;
mod heads;
mod hostile;
mod house;
mod import_cases;
#[cfg(all(feature = "cli", feature = "embedded-model"))]
mod job;
mod keras;
mod kinks;
mod layers;
mod messages;
mod methods;
mod modules;
mod mosaics;
mod mutated;
mod native;
mod odd_pictures;
mod old_records;
mod one_graph;
mod onnx;
mod operations;
mod overlay_parity;
mod own_model;
mod parity;
mod photographs;
mod pictures;
mod plain_pack;
mod precision;
mod record;
mod sanity;
mod segmentation;
mod signals;
mod slopes;
mod sums;
mod support;
mod sweeps;
#[cfg(all(feature = "cli", unix))]
mod terminal;
mod tokens;
