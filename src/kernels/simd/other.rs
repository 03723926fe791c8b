//! AVX512-BF16 on targets that do not have it.

/// AVX512-BF16, which this target does not have.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Avx512Bf16 {}

impl Avx512Bf16 {
    pub(crate) fn detect() -> Option<Self> {
        None
    }
}
