//! Memory for numbers: from a cache line's first byte on, and in large pages where the system has them.
//!
//! A large part of a short run is the system clearing fresh pages; large ones are cleared, and found, many times faster.

use std::sync::Mutex;

use memmap2::MmapMut;

/// Numbers in a cache line.
pub(super) const LINE: usize = 16;
/// Bytes in a large page.
const PAGE: usize = 2 << 20;

/// Zeros to begin with.
#[derive(Debug)]
pub(super) enum Memory {
    /// The numbers from `start` on.
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
    /// At least so many zeros.
    pub(super) fn zeros(len: usize) -> Self {
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
        let start = values.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        Self::Small { values, start }
    }

    /// Makes it at least so long; what it holds then is anything.
    pub(super) fn grow(&mut self, len: usize) -> &mut [f32] {
        if self.as_slice().len() < len {
            // The old pages go before the new ones come.
            *self = Self::default();
            *self = Self::zeros(len);
        }
        &mut self.as_mut_slice()[..len]
    }

    pub(super) fn as_slice(&self) -> &[f32] {
        match self {
            Self::Small { values, start } => &values[*start..],
            Self::Pages(pages) => bytemuck::cast_slice(pages),
        }
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [f32] {
        match self {
            Self::Small { values, start } => &mut values[*start..],
            Self::Pages(pages) => bytemuck::cast_slice_mut(pages),
        }
    }
}

/// Memories that are free for the next who needs one, from any thread.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<Memory>>);

impl Pool {
    /// At least so many numbers, whatever they are.
    pub(super) fn take(&self, len: usize) -> Memory {
        let mut free = self.0.lock().ok().and_then(|mut free| free.pop()).unwrap_or_default();
        free.grow(len);
        free
    }

    pub(super) fn give(&self, memory: Memory) {
        if let Ok(mut free) = self.0.lock() {
            free.push(memory);
        }
    }
}
