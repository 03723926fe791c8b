//! The instruction sets that kernels are compiled for, and which of them this CPU has.

use super::lanes::{Compiled, InnerLoop, Simd};
#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
use super::portable::Portable;
#[cfg(target_arch = "x86_64")]
use super::x86::{Avx2, Avx512};

/// An instruction set that the kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// 16 lanes, 32 registers.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 8 lanes, 16 registers, with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 8 lanes in pairs of 32 registers, with fused multiply-add.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// 8 lanes in the registers that every CPU of this target has.
    Portable,
}

impl Isa {
    /// All of this target, the fastest first.
    pub const ALL: &[Self] = &[
        #[cfg(target_arch = "x86_64")]
        Self::Avx512,
        #[cfg(target_arch = "x86_64")]
        Self::Avx2,
        #[cfg(target_arch = "aarch64")]
        Self::Neon,
        Self::Portable,
    ];

    /// The fastest one that this CPU has.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.iter().copied().find(|isa| isa.is_available()).unwrap_or(Self::Portable)
    }

    /// Whether this CPU has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        self.detect().is_some()
    }

    /// Lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    /// Elements in a register.
    pub(crate) fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::LANES,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => Neon::LANES,
            Self::Portable => <Portable>::LANES,
        }
    }

    /// Its token, if this CPU has it.
    pub(crate) fn detect(self) -> Option<Instructions> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::detect().map(Instructions::Avx512),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::detect().map(Instructions::Avx2),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => Neon::detect().map(Instructions::Neon),
            Self::Portable => Some(Instructions::Portable(Portable::default())),
        }
    }
}

/// The token of an [`Isa`] that this CPU has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    Portable(Portable),
}

impl Instructions {
    pub(crate) fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => Avx512::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => Avx2::LANES,
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => Neon::LANES,
            Self::Portable(_) => <Portable>::LANES,
        }
    }

    pub(crate) fn compile<L: InnerLoop>(self) -> Compiled<L::Arguments> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => simd.compile::<L>(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => simd.compile::<L>(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(simd) => simd.compile::<L>(),
            Self::Portable(simd) => simd.compile::<L>(),
        }
    }
}
