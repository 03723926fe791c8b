//! The kernels: one operation each on blocked values.
//!
//! Every kernel is prepared once for a plan (views, weights in order, the compiled inner loop) and then runs in units that
//! write disjoint parts of its output, so that threads may share them. Only the inner loops know an instruction set.

pub(super) mod activation;
pub(super) mod bf16;
pub(super) mod conv;
pub(super) mod depthwise;
pub(super) mod filters;
pub(super) mod layout;
pub(super) mod pointwise;
pub(super) mod pool;
pub(super) mod tile;
pub(super) mod winograd;

use std::marker::PhantomData;

use super::memory::{Memory, Pool};

/// What a kernel reads beside values, in the order in which it does: weights and one bias a channel, or scales and shifts.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pub(super) weights: Memory,
    pub(super) bias: Memory,
}

/// The memory of one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    base: *mut f32,
    len: usize,
    pub(super) batch: usize,
    /// What kernels take for numbers of their own while they run.
    pub(super) scratch: &'a Pool,
    memory: PhantomData<&'a mut [f32]>,
}

// SAFETY: a run is a view of memory that it borrows alone; its users write to disjoint parts (see `unit` of the kernels).
unsafe impl Sync for Run<'_> {}
// SAFETY: as above.
unsafe impl Send for Run<'_> {}

impl<'a> Run<'a> {
    pub(super) fn new(memory: &'a mut [f32], scratch: &'a Pool, batch: usize) -> Self {
        Self { base: memory.as_mut_ptr(), len: memory.len(), batch, scratch, memory: PhantomData }
    }

    fn read(&self, at: usize) -> *const f32 {
        self.write(at)
    }

    fn write(&self, at: usize) -> *mut f32 {
        assert!(at < self.len, "position {at} of {} numbers", self.len);
        // SAFETY: within the memory.
        unsafe { self.base.add(at) }
    }
}

/// Where part `at` of `parts` nearly equal parts of `whole` begins.
pub(super) fn spread(whole: usize, parts: usize, at: usize) -> usize {
    whole * at / parts
}

/// Compiles a generic inner loop for every instruction set and gives the copy for one.
macro_rules! compiled {
    ($(#[$doc:meta])* $visibility:vis $name:ident($args:ty) = $body:ident) => {
        $(#[$doc])*
        $visibility fn $name(isa: $crate::simd::Isa) -> unsafe fn(&$args) {
            use $crate::simd::{Isa, Portable};
            #[cfg(target_arch = "x86_64")]
            use $crate::simd::x86::{Avx2, Avx512};
            // SAFETY of the calls inside: whoever calls the compiled loop promises what its body demands.
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx2,fma")]
            unsafe fn avx512(args: &$args) {
                unsafe { $body::<Avx512>(args) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn avx2(args: &$args) {
                unsafe { $body::<Avx2>(args) }
            }
            unsafe fn portable(args: &$args) {
                unsafe { $body::<Portable>(args) }
            }
            match isa {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => avx512,
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => avx2,
                Isa::Portable => portable,
            }
        }
    };
}
use compiled;
