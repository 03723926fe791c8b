//! Where a network runs and what runs it.

use std::num::NonZero;

use crate::device::DeviceName;
use crate::error::{Error, Hint, OptionName, Problem, Result};
use crate::native::{Arithmetic, Isa, Precision};

/// What runs the part of a network that is not recorded.
///
/// ```
/// use burncam_engine::{Engine, Runtime};
///
/// // All of the network through Burn, to compare with.
/// let runtime = Runtime { engine: Engine::Burn, ..Runtime::default() };
/// assert_eq!("burn".parse::<Engine>().unwrap(), runtime.engine);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// The native kernels if the device is the default one, the CPU; else Burn.
    #[default]
    Auto,
    /// Burn alone.
    Burn,
    /// The native kernels on the CPU, for any device, with this instruction set or the best one; Burn for operations that
    /// have no kernel.
    Native(Option<Isa>),
}

/// A device, an engine and threads.
///
/// ```
/// use burncam_engine::Runtime;
///
/// let runtime = Runtime { threads: std::num::NonZero::new(2), low_memory: true, ..Runtime::default() };
/// assert_eq!(runtime.engine_name(), Runtime::default().engine_name());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Runtime {
    /// Where Burn runs.
    pub device: DeviceName,
    /// What runs the part that is not recorded.
    pub engine: Engine,
    /// Threads of the native kernels. Default: as many as the process may use.
    pub threads: Option<NonZero<usize>>,
    /// The precision in which the native kernels' convolutions multiply.
    pub precision: Precision,
    /// Low-memory mode, for a run of one image: the first pass packs the weights of each native kernel just before it runs, into memory
    /// that the next kernel reuses. That takes less memory and no more time. A second pass packs all weights and keeps
    /// them, as other runs do before their first. Default: off.
    pub low_memory: bool,
}

impl From<&DeviceName> for Runtime {
    fn from(device: &DeviceName) -> Self {
        Self { device: device.clone(), ..Self::default() }
    }
}

impl From<&Self> for Runtime {
    fn from(runtime: &Self) -> Self {
        runtime.clone()
    }
}

impl Runtime {
    /// The native kernels' instruction set and precision, if they run.
    ///
    /// # Errors
    /// When the precision needs kernels that do not run here.
    pub(super) fn arithmetic(&self) -> Result<Option<Arithmetic>> {
        match self.native() {
            Some(isa) => Arithmetic::new(isa, self.precision).map(Some),
            None if self.precision == Precision::default() => Ok(None),
            None => Err(Error::request(
                Problem::new("needs the engine 'native'")
                    .found(format!("engine '{}' on device '{}'", self.engine, self.device))
                    .named("precision", self.precision)
                    .hint(Hint::drop(OptionName::Precision)),
            )),
        }
    }

    /// The instruction set of the native kernels, if they run.
    fn native(&self) -> Option<Isa> {
        match self.engine {
            // Who names another device wants the network there, and not on the CPU's kernels.
            Engine::Auto => (self.device == DeviceName::default()).then(Isa::best),
            Engine::Burn => None,
            Engine::Native(isa) => Some(isa.unwrap_or_else(Isa::best)),
        }
    }

    /// `native` or `burn`: what runs the part that is not recorded.
    #[must_use]
    pub fn engine_name(&self) -> &'static str {
        if self.native().is_some() { "native" } else { "burn" }
    }

    pub(super) fn thread_count(&self) -> usize {
        // It respects affinity and the limits of containers.
        let all = || std::thread::available_parallelism().map_or(1, NonZero::get);
        self.threads.map_or_else(all, NonZero::get)
    }
}

impl std::fmt::Display for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Burn => formatter.write_str("burn"),
            Self::Native(None) => formatter.write_str("native"),
            Self::Native(Some(isa)) => write!(formatter, "native-{}", isa.name()),
        }
    }
}

impl std::str::FromStr for Engine {
    type Err = Error;

    /// `auto`, `burn`, `native`, or `native-` and an instruction set: `native-avx2`.
    fn from_str(text: &str) -> Result<Self> {
        let sets = Isa::ALL.iter().map(|isa| Self::Native(Some(*isa)));
        let all: Vec<Self> = [Self::Auto, Self::Burn, Self::Native(None)].into_iter().chain(sets).collect();
        let names: Vec<String> = all.iter().map(ToString::to_string).collect();
        let found = all.iter().zip(&names).find(|(_, name)| *name == text);
        let Some((engine, _)) = found else {
            return Err(Error::request(
                Problem::new("is unknown")
                    .near(text, names.iter().map(String::as_str))
                    .known("expected one of", names.iter().map(String::as_str))
                    .named("engine", text),
            ));
        };
        match engine {
            Self::Native(Some(isa)) if !isa.is_available() => Err(Error::request(
                Problem::new("needs instructions that this machine does not have")
                    .named("engine", text)
                    .hint("native takes the best that it has"),
            )),
            engine => Ok(*engine),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_read_as_it_is_written() {
        for name in ["auto", "burn", "native", "native-portable"] {
            assert_eq!(name.parse::<Engine>().unwrap().to_string(), name);
        }
        let error = "nativ".parse::<Engine>().unwrap_err().to_string();
        assert!(error.contains("did you mean 'native'?") && error.contains("native-portable"), "{error}");
    }

    #[test]
    fn the_own_kernels_run_on_the_default_device_only_unless_asked_for() {
        let on =
            |device: &str, engine| Runtime { device: device.parse().unwrap(), engine, ..Runtime::default() };
        assert_eq!(on("flex", Engine::Auto).engine_name(), "native");
        assert_eq!(on("ndarray", Engine::Auto).engine_name(), "burn");
        assert_eq!(on("flex", Engine::Burn).engine_name(), "burn");
        assert_eq!(on("ndarray", Engine::Native(None)).engine_name(), "native");
    }

    #[test]
    fn a_precision_is_read_as_it_is_written() {
        for name in ["f32", "bf16", "int8"] {
            assert_eq!(name.parse::<Precision>().unwrap().to_string(), name);
        }
        let error = "bf61".parse::<Precision>().unwrap_err().to_string();
        assert_eq!(
            error,
            "precision 'bf61' is not known (did you mean 'bf16'?); expected one of f32, bf16, int8"
        );
    }

    #[test]
    fn int8_needs_native_kernels_and_says_so() {
        let on = |engine| Runtime { engine, precision: Precision::Int8, ..Runtime::default() };
        let burn = on(Engine::Burn).arithmetic().unwrap_err().to_string();
        assert!(burn.starts_with("precision 'int8' needs the engine 'native', got engine 'burn'"), "{burn}");
        let portable = on(Engine::Native(Some(Isa::Portable))).arithmetic().unwrap().unwrap();
        assert_eq!(portable.precision, Precision::Int8);
    }

    #[test]
    fn bf16_needs_kernels_and_instructions_and_says_so() {
        let on = |device: &str, engine| Runtime {
            device: device.parse().unwrap(),
            engine,
            precision: Precision::Bf16,
            ..Runtime::default()
        };
        let burn = on("ndarray", Engine::Auto).arithmetic().unwrap_err().to_string();
        assert_eq!(
            burn,
            "precision 'bf16' needs the engine 'native', got engine 'auto' on device 'ndarray' (drop Runtime::precision)"
        );
        let portable = on("flex", Engine::Native(Some(Isa::Portable))).arithmetic().unwrap_err().to_string();
        assert!(portable.starts_with("precision 'bf16' needs the instructions AVX512-BF16, "), "{portable}");
        let best = on("flex", Engine::Auto).arithmetic();
        if Precision::Bf16.is_available(Isa::best()) {
            assert_eq!(best.unwrap().unwrap().precision, Precision::Bf16);
            assert!(portable.ends_with("got kernels for portable (drop Runtime::engine)"), "{portable}");
        } else {
            assert_eq!(best.unwrap_err().to_string(), portable);
            assert!(
                portable.ends_with("which this machine does not have (drop Runtime::precision)"),
                "{portable}"
            );
        }
    }
}
