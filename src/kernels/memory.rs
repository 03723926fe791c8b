//! Memory for elements: aligned to cache lines, and in large pages where the system has them.
//!
//! A large part of a short run is the system clearing fresh pages; large pages are cleared, and found, many times faster.

use std::sync::Mutex;

use memmap2::MmapMut;

/// Elements in a cache line.
pub(crate) const LINE: usize = 16;
/// Bytes in a large page.
const PAGE: usize = 2 << 20;

/// Zeros to begin with.
#[derive(Debug)]
pub(crate) enum Memory {
    /// The elements from `start` on, where a cache line begins.
    Small {
        values: Vec<f32>,
        start: usize,
    },
    Pages(MmapMut),
}

impl Default for Memory {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl Memory {
    /// At least `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let bytes = len * size_of::<f32>();
        if bytes >= PAGE
            && let Ok(pages) = MmapMut::map_anon(bytes.next_multiple_of(PAGE))
        {
            // A system without large pages gives small ones.
            #[cfg(target_os = "linux")]
            let _ = pages.advise(memmap2::Advice::HugePage);
            return Self::Pages(pages);
        }
        let values = vec![0.0; len + LINE];
        // Vectors are aligned to single elements; a line more than asked for leaves room to start at a boundary.
        let start = values.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        Self::Small { values, start }
    }

    /// The first `len` elements, in new memory if there are fewer. What they hold is unspecified.
    pub(crate) fn grow(&mut self, len: usize) -> &mut [f32] {
        if self.as_slice().len() < len {
            // The old pages are freed first, so that both are never there at once.
            *self = Self::default();
            *self = Self::zeros(len);
        }
        &mut self.as_mut_slice()[..len]
    }

    /// As [`Memory::grow`], holding these values and zeros after them, where memory that was used before may hold another kernel's.
    pub(crate) fn grow_with(&mut self, values: &[f32], len: usize) -> &mut [f32] {
        let to = self.grow(len);
        to.fill(0.0);
        to[..values.len()].copy_from_slice(values);
        to
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        match self {
            Self::Small { values, start } => &values[*start..],
            Self::Pages(pages) => bytemuck::cast_slice(pages),
        }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        match self {
            Self::Small { values, start } => &mut values[*start..],
            Self::Pages(pages) => bytemuck::cast_slice_mut(pages),
        }
    }
}

/// Memories that are free for the next run or unit that needs one, on any thread.
#[derive(Debug, Default)]
pub(crate) struct BufferPool(Mutex<Vec<Memory>>);

impl BufferPool {
    /// At least `len` elements. What they hold is unspecified.
    pub(crate) fn take(&self, len: usize) -> Memory {
        // A poisoned lock means that another thread panicked; new memory does as well.
        let mut free = self.0.lock().ok().and_then(|mut free| free.pop()).unwrap_or_default();
        free.grow(len);
        free
    }

    pub(crate) fn give(&self, memory: Memory) {
        if let Ok(mut free) = self.0.lock() {
            free.push(memory);
        }
    }
}
