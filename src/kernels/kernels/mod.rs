//! The kernels: one operation each, on tensors whose channels come in blocks.
//!
//! A kernel is made once for a plan (views, weights to pack, the compiled inner loop) and then runs in units that write disjoint
//! parts of its output, so that threads may share them. Only the inner loops know an instruction set.

pub(crate) mod activation;
pub(crate) mod bf16;
mod channels;
pub(crate) mod contract;
pub(crate) mod conv;
pub(crate) mod depthwise;
pub(crate) mod filters;
pub(crate) mod gathered;
pub(crate) mod int8;
pub(crate) mod layer_norm;
pub(crate) mod layout;
pub(crate) mod movement;
pub(crate) mod places;
pub(crate) mod pointwise;
pub(crate) mod pool;
pub(crate) mod product;
pub(crate) mod slope;
pub(crate) mod softmax;
pub(crate) mod spread;
pub(crate) mod sums;
pub(crate) mod tile;
pub(crate) mod unpool;
pub(crate) mod winograd;

use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Range;

use crate::memory::{BufferPool, Memory};
use crate::rule::Rule;

/// What a kernel reads besides tensors, in the order in which it does: weights and one bias per channel, or scales and shifts.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    pub(crate) weights: Memory,
    pub(crate) bias: Memory,
}

/// The memory of one run, shared by the threads that run its kernels.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    base: *mut f32,
    len: usize,
    pub(crate) batch: usize,
    /// Scratch buffers.
    pub(crate) scratch: &'a BufferPool,
    /// What rectifiers do with gradients.
    pub(crate) rule: Rule,
    memory: PhantomData<&'a mut [f32]>,
}

// SAFETY: the memory is borrowed exclusively, and only units access it, which never race (see `Unit::new`).
unsafe impl Sync for Run<'_> {}

impl<'a> Run<'a> {
    pub(crate) fn new(memory: &'a mut [f32], scratch: &'a BufferPool, batch: usize) -> Self {
        Self {
            base: memory.as_mut_ptr(),
            len: memory.len(),
            batch,
            scratch,
            rule: Rule::Plain,
            memory: PhantomData,
        }
    }

    /// A run of a backward pass by this rule.
    pub(crate) fn by(self, rule: Rule) -> Self {
        Self { rule, ..self }
    }
}

/// One unit of a kernel's work: the right to read what the kernel reads and to write the unit's part of what it writes.
#[derive(Debug)]
pub(crate) struct Unit<'r> {
    pub(crate) run: &'r Run<'r>,
    pub(crate) index: usize,
}

impl<'r> Unit<'r> {
    /// # Safety
    /// It is given to one kernel, whose inputs are complete, and which alone runs until it is dropped. Units of that kernel
    /// that exist at the same time have different indices.
    pub(crate) unsafe fn new(run: &'r Run<'r>, index: usize) -> Self {
        Self { run, index }
    }

    /// A range of the memory that stays as it is. Panics where it is not within the memory.
    ///
    /// # Safety
    /// No unit of the kernel writes to the range.
    pub(crate) unsafe fn read(&self, range: Range<usize>) -> &'r [f32] {
        // SAFETY: `start_of` has checked the range, and the caller promises that nothing writes to it.
        unsafe { std::slice::from_raw_parts(self.start_of(&range), range.len()) }
    }

    /// A range of the memory that several units may write to. Panics where it is not within the memory.
    ///
    /// # Safety
    /// The caller writes only to elements that no other unit of the kernel accesses, and reads none that another one writes.
    pub(crate) unsafe fn cells(&self, range: Range<usize>) -> &'r [Cell<f32>] {
        // SAFETY: `start_of` has checked the range; a cell is an `f32` that may change, and the caller promises no race.
        unsafe { std::slice::from_raw_parts(self.start_of(&range).cast(), range.len()) }
    }

    fn start_of(&self, range: &Range<usize>) -> *mut f32 {
        let len = self.run.len;
        assert!(range.start <= range.end && range.end <= len, "{range:?} is not within {len} elements");
        // Not `add`: the pointer is only used where the assertion holds, and this one needs no `unsafe`.
        self.run.base.wrapping_add(range.start)
    }
}

/// Where part `at` of `parts` nearly equal parts of `whole` begins.
pub(crate) fn split_work(whole: usize, parts: usize, at: usize) -> usize {
    // Multiplied before it is divided, so that the lengths of parts differ by one at most.
    whole * at / parts
}
