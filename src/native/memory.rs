//! Memory in whole cache lines.

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
