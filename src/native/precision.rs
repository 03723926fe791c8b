//! The numbers that convolutions compute with.

use super::simd::Isa;

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
    /// This machine computes with it on the kernels of an instruction set.
    #[must_use]
    pub fn is_here(self, isa: Isa) -> bool {
        match (self, isa) {
            (Self::F32, _) => true,
            #[cfg(target_arch = "x86_64")]
            (Self::Bf16, Isa::Avx512) => is_x86_feature_detected!("avx512bf16"),
            (Self::Bf16, _) => false,
        }
    }
}

/// Instructions, and the numbers that they compute with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arithmetic {
    pub(crate) isa: Isa,
    pub(crate) precision: Precision,
}

impl Arithmetic {
    /// This machine has the instructions, also for the precision.
    pub(crate) fn is_here(self) -> bool {
        self.isa.is_here() && self.precision.is_here(self.isa)
    }
}

impl From<Isa> for Arithmetic {
    fn from(isa: Isa) -> Self {
        Self { isa, precision: Precision::F32 }
    }
}
