//! `burncam --version --verbose`: what this build is, and what it found on this machine. Receives nothing; gives lines.

use burncam_engine::{DEVICES, Isa, Precision, Runtime};

/// Cargo features of this package, and whether this build has them.
const FEATURES: &[(&str, bool)] = &[
    ("embedded-model", cfg!(feature = "embedded-model")),
    ("capture", cfg!(feature = "capture")),
    ("jpeg-simd", cfg!(feature = "jpeg-simd")),
    ("wgpu", cfg!(feature = "wgpu")),
    ("vulkan", cfg!(feature = "vulkan")),
    ("metal", cfg!(feature = "metal")),
    ("cuda", cfg!(feature = "cuda")),
    ("rocm", cfg!(feature = "rocm")),
    ("remote", cfg!(feature = "remote")),
];

/// Whether arguments that ask for the version ask for all of it: `--version --verbose`, `-V -v`, `-vV`.
pub(crate) fn is_verbose(mut arguments: impl Iterator<Item = String>) -> bool {
    let is_short = |text: &str| {
        text.strip_prefix('-').is_some_and(|letters| {
            letters.contains('v') && letters.chars().all(|letter| "vVq".contains(letter))
        })
    };
    arguments.any(|text| text == "--verbose" || is_short(&text))
}

/// The version, and what the program and the machine have.
pub(crate) fn lines() -> Vec<String> {
    let features: Vec<&str> = FEATURES.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    let model = if cfg!(feature = "embedded-model") { "EfficientNet-Lite0" } else { "none" };
    let facts = [
        ("target", format!("{} {}", std::env::consts::ARCH, std::env::consts::OS)),
        ("Burn", burncam::internal::BURN_VERSION.to_owned()),
        ("engine", engine()),
        ("CPU has", found().join(" ")),
        ("precisions", precisions()),
        ("devices", DEVICES.join(" ")),
        ("features", if features.is_empty() { "none".to_owned() } else { features.join(" ") }),
        ("built-in model", model.to_owned()),
    ];
    let facts = facts.into_iter().map(|(name, value)| format!("{name:<16}{value}"));
    [format!("burncam {}", env!("CARGO_PKG_VERSION"))].into_iter().chain(facts).collect()
}

/// What runs a network without further options, and the instructions that its kernels use.
fn engine() -> String {
    let compiled: Vec<&str> = Isa::ALL.iter().map(|isa| isa.name()).collect();
    let (engine, best) = (Runtime::default().engine_name(), Isa::best().name());
    format!("{engine}, kernels for {best} (this build has {})", compiled.join(", "))
}

/// The instructions that matter to kernels, and that this CPU and system have.
fn found() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    let found = [
        ("sse4.2", is_x86_feature_detected!("sse4.2")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("f16c", is_x86_feature_detected!("f16c")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512vl", is_x86_feature_detected!("avx512vl")),
        ("avx512vnni", is_x86_feature_detected!("avx512vnni")),
        ("avx512bf16", is_x86_feature_detected!("avx512bf16")),
    ];
    // Every CPU of the other targets has what their kernels use.
    #[cfg(not(target_arch = "x86_64"))]
    let found = Isa::ALL.iter().map(|isa| (isa.name(), isa.is_available()));
    found.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect()
}

/// The values of `--precision` that the kernels compute with on this CPU.
fn precisions() -> String {
    let here = Precision::ALL.into_iter().filter(|precision| precision.is_available(Isa::best()));
    here.map(Precision::name).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_the_version_is_asked_for_by_two_options() {
        let is_verbose = |text: &str| is_verbose(text.split(' ').map(str::to_owned));
        for text in ["burncam --version --verbose", "burncam -V -v", "burncam -vV", "burncam -vv --version"] {
            assert!(is_verbose(text), "{text}");
        }
        assert!(!is_verbose("burncam --version") && !is_verbose("burncam -V"));
    }

    #[test]
    fn the_kernels_in_use_are_among_what_the_machine_has() {
        let lines = lines();
        let line = |name: &str| lines.iter().find(|line| line.starts_with(name)).unwrap().clone();
        assert!(lines[0].starts_with("burncam "));
        assert!(line("engine").contains(Isa::best().name()));
        assert!(line("devices").contains("flex ndarray"));
        assert!(line("precisions").contains("f32"));
        #[cfg(target_arch = "x86_64")]
        assert_eq!(line("CPU has").contains(" avx2 "), is_x86_feature_detected!("avx2"));
    }
}
