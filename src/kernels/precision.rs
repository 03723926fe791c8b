//! What convolutions multiply: single precision, bf16 or integers.

use super::simd::{Avx512Bf16, Instructions, Int8, Isa};
use crate::error::{Error, Hint, OptionName, Problem, Result, by_name};

/// The precision of pixels and weights where convolutions multiply them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Single precision.
    #[default]
    F32,
    /// bf16 pixels and weights (8-bit significand) in convolutions that benefit; sums and all else stay in single precision.
    Bf16,
    /// Unsigned 8-bit pixels and signed 8-bit weights in convolutions that benefit, exact sums; all else stays in single
    /// precision. Pixels are quantised by the extent of their tensor in their own image, weights by filter.
    Int8,
}

impl Precision {
    /// All of them, the most precise first.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::Int8];

    /// Lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }

    /// Whether the CPU supports it, independent of the selected kernels.
    fn is_in_cpu(self) -> bool {
        match self {
            Self::F32 => true,
            Self::Bf16 => Avx512Bf16::detect().is_some(),
            Self::Int8 => Isa::ALL.iter().any(|isa| Int8::detect(*isa).is_some()),
        }
    }

    /// Whether the kernels of this instruction set compute with it on this CPU.
    #[must_use]
    pub fn is_available(self, isa: Isa) -> bool {
        match (self, isa) {
            (Self::F32, _) => true,
            #[cfg(target_arch = "x86_64")]
            (Self::Bf16, Isa::Avx512) => self.is_in_cpu(),
            (Self::Bf16, _) => false,
            (Self::Int8, isa) => Int8::detect(isa).is_some(),
        }
    }
}

impl std::fmt::Display for Precision {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl std::str::FromStr for Precision {
    type Err = Error;

    /// `f32`, `bf16` or `int8`.
    fn from_str(text: &str) -> Result<Self> {
        by_name("precision", text, Self::ALL.map(|precision| (precision.name(), precision)))
    }
}

/// An instruction set, and what its kernels multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arithmetic {
    /// The instruction set.
    pub isa: Isa,
    /// The precision of products in convolutions.
    pub precision: Precision,
}

impl Arithmetic {
    /// Both, if this machine computes with that precision on these kernels.
    ///
    /// # Errors
    /// When it does not.
    pub fn new(isa: Isa, precision: Precision) -> Result<Self> {
        if precision.is_available(isa) {
            return Ok(Self { isa, precision });
        }
        let needs = match precision {
            Precision::Int8 => "needs the instructions AVX512-VNNI",
            _ => "needs the instructions AVX512-BF16",
        };
        let problem = if precision.is_in_cpu() {
            let found = format!("kernels for {}", isa.name());
            // Other kernels of this CPU have it: those of AVX2 multiply integers without further instructions.
            let other =
                Isa::ALL.iter().find(|isa| precision.is_available(**isa)).filter(|isa| **isa != Isa::best());
            let hint = other.map(|isa| Hint::set(OptionName::Engine, format!("native-{}", isa.name())));
            Problem::new(needs).found(found).hint(hint.unwrap_or(Hint::drop(OptionName::Engine)))
        } else {
            let what = format!("{needs}, which this machine does not have");
            Problem::new(what).hint(Hint::drop(OptionName::Precision))
        };
        Err(problem.named("precision", precision).into())
    }

    /// Whether this CPU has the instructions, also for the precision.
    #[must_use]
    pub fn is_available(self) -> bool {
        self.tokens().is_some()
    }

    pub(crate) fn tokens(self) -> Option<Tokens> {
        let instructions = self.isa.detect()?;
        let (mut bf16, mut int8) = (None, None);
        match self.precision {
            Precision::F32 => {}
            Precision::Bf16 if self.precision.is_available(self.isa) => bf16 = Some(Avx512Bf16::detect()?),
            Precision::Bf16 => return None,
            Precision::Int8 => int8 = Some(Int8::detect(self.isa)?),
        }
        Some(Tokens { instructions, bf16, int8, winograd: true })
    }
}

/// Proof that this CPU has what an [`Arithmetic`] needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tokens {
    pub(crate) instructions: Instructions,
    /// Where convolutions may round.
    pub(crate) bf16: Option<Avx512Bf16>,
    /// Where convolutions may multiply integers.
    pub(crate) int8: Option<Int8>,
    /// Whether convolutions may multiply frequencies of their pixels.
    pub(crate) winograd: bool,
}

impl From<Isa> for Arithmetic {
    fn from(isa: Isa) -> Self {
        Self { isa, precision: Precision::F32 }
    }
}
