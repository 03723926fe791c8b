//! The numbers that convolutions compute with.

use super::simd::Isa;
use crate::error::{Error, Result};

/// What pixels and weights are rounded to where convolutions multiply them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Single precision.
    #[default]
    F32,
    /// bf16, a single with 8 of its 24 digits: convolutions that gain by it; their sums and all else stay in single precision.
    Bf16,
}

impl Precision {
    const ALL: [Self; 2] = [Self::F32, Self::Bf16];

    /// Lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }

    /// The processor computes with it, whatever the kernels are.
    fn is_in_processor(self) -> bool {
        match self {
            Self::F32 => true,
            #[cfg(target_arch = "x86_64")]
            Self::Bf16 => is_x86_feature_detected!("avx512bf16"),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Bf16 => false,
        }
    }

    /// This machine computes with it on the kernels of an instruction set.
    #[must_use]
    pub fn is_here(self, isa: Isa) -> bool {
        match (self, isa) {
            (Self::F32, _) => true,
            #[cfg(target_arch = "x86_64")]
            (Self::Bf16, Isa::Avx512) => self.is_in_processor(),
            (Self::Bf16, _) => false,
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

    /// `f32` or `bf16`.
    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|precision| precision.name() == text);
        found.ok_or_else(|| Error::unknown("precision", text, Self::ALL.map(Self::name)))
    }
}

/// Instructions, and the numbers that they compute with.
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
        if precision.is_here(isa) {
            return Ok(Self { isa, precision });
        }
        let needs = format!("precision '{precision}' needs the instructions AVX512-BF16");
        Err(Error::request(if precision.is_in_processor() {
            format!("{needs}, got kernels for {} (drop --engine)", isa.name())
        } else {
            format!("{needs}, which this machine does not have (drop --precision)")
        }))
    }

    /// This machine has the instructions, also for the precision.
    pub fn is_here(self) -> bool {
        self.isa.is_here() && self.precision.is_here(self.isa)
    }
}

impl From<Isa> for Arithmetic {
    fn from(isa: Isa) -> Self {
        Self { isa, precision: Precision::F32 }
    }
}
