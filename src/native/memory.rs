//! Memory in whole cache lines.

use std::sync::Mutex;

/// One cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Numbers in a cache line.
pub(super) const LINE: usize = 16;

/// Numbers that begin at a cache line.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory(Vec<Line>);

impl Memory {
    /// At least so many zeros.
    pub(super) fn zeros(len: usize) -> Self {
        Self(vec![Line([0.0; LINE]); len.div_ceil(LINE)])
    }

    pub(super) fn as_slice(&self) -> &[f32] {
        self.0.as_flattened_lines()
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [f32] {
        self.0.as_flattened_lines_mut()
    }
}

/// Memories that are free for the next who needs one, from any thread.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<Memory>>);

impl Pool {
    /// At least so many numbers, whatever they are.
    pub(super) fn take(&self, len: usize) -> Memory {
        let free = self.0.lock().ok().and_then(|mut free| free.pop()).unwrap_or_default();
        if free.as_slice().len() < len { Memory::zeros(len) } else { free }
    }

    pub(super) fn give(&self, memory: Memory) {
        if let Ok(mut free) = self.0.lock() {
            free.push(memory);
        }
    }
}

trait Flatten {
    fn as_flattened_lines(&self) -> &[f32];
    fn as_flattened_lines_mut(&mut self) -> &mut [f32];
}

impl Flatten for [Line] {
    fn as_flattened_lines(&self) -> &[f32] {
        // SAFETY: a line is sixteen floats and nothing else: `repr(C)`, 64 bytes long and 64 aligned, no padding.
        unsafe { std::slice::from_raw_parts(self.as_ptr().cast(), self.len() * LINE) }
    }

    fn as_flattened_lines_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above, and the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr().cast(), self.len() * LINE) }
    }
}
