//! The instructions that multiply 8-bit integers, by instruction set. All give the same sums.

use super::isa::Isa;
use super::lanes::{Compiled, InnerLoop, Simd};
use super::portable::{IntegerPairs, Portable};
#[cfg(target_arch = "x86_64")]
use super::x86::{Avx2Pairs, Avx512Vnni};

/// A token: which instructions there are, and so how many channels an element of 32 bits holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Int8 {
    /// Quads of bytes.
    #[cfg(target_arch = "x86_64")]
    Vnni(Avx512Vnni),
    /// Pairs of 16 bits: AVX2's product of bytes saturates at 16 bits, which two products of 8 bits exceed.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2Pairs),
    Portable(Portable<IntegerPairs>),
}

impl Int8 {
    /// The token for the tensors of an instruction set, if this CPU has one.
    pub(crate) fn detect(isa: Isa) -> Option<Self> {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Avx512Vnni::detect().map(Self::Vnni),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Avx2Pairs::detect().map(Self::Avx2),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => Some(Self::Portable(Portable::default())),
            Isa::Portable => Some(Self::Portable(Portable::default())),
        }
    }

    /// Channels in an element.
    pub(crate) fn channels(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vnni(_) => 4,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => 2,
            Self::Portable(_) => 2,
        }
    }

    /// The most registers of output channels in a tile.
    pub(crate) fn registers(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vnni(_) => 3,
            // A product takes a register of its own before it is added: with 12 sums, 2 weights and 1 pixel the last of 16.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => 2,
            Self::Portable(_) => 2,
        }
    }

    /// The fewest products in a sum for which it pays to quantise the pixels and to rescale the sums.
    pub(crate) fn products(self) -> usize {
        match self {
            // Estimated: each instruction saves four products, and the rest costs what it does with AVX2.
            #[cfg(target_arch = "x86_64")]
            Self::Vnni(_) => 16,
            // Measured on 1x1 convolutions: as fast as in single precision with 64 to 160 products in a sum, 1.2 times with 320, 1.6
            // times with 1024.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => 256,
            Self::Portable(_) => 256,
        }
    }

    pub(crate) fn compile<L: InnerLoop>(self) -> Compiled<L::Arguments> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vnni(simd) => simd.compile::<L>(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => simd.compile::<L>(),
            Self::Portable(simd) => simd.compile::<L>(),
        }
    }
}
