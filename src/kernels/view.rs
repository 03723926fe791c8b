//! Where the elements of a tensor are in memory.
//!
//! Channels come in blocks as wide as a register: `[image][block][row][column][lane]`, with a border of zeros (the halo) as wide
//! as the widest padding of the convolutions that read the tensor, so that these need not test where the image ends.

use std::ops::Range;

/// Rows and columns of a tensor.
pub type Region = [Range<usize>; 2];

/// Rows above and below, columns left and right of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Halo {
    pub(crate) top: usize,
    pub(crate) bottom: usize,
    pub(crate) left: usize,
    pub(crate) right: usize,
}

/// A tensor for a batch of images. Distances are in elements, not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Channels in a block: a register's, or fewer where the tensor has fewer.
    pub(crate) lanes: usize,
    pub(crate) halo: Halo,
    /// From the start of the memory to the first element of the first image, for a batch of one; `batch` times as far for more.
    pub(crate) start: usize,
    /// Blocks of the buffer before this tensor's first: the inputs of a concatenation share a buffer.
    pub(crate) first_block: usize,
    /// From one image to the next.
    pub(crate) image: usize,
    /// Whether arrays that it is imported from or exported to have the channels last.
    pub(crate) channels_last: bool,
}

impl Halo {
    /// The wider of both on every side.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            top: self.top.max(other.top),
            bottom: self.bottom.max(other.bottom),
            left: self.left.max(other.left),
            right: self.right.max(other.right),
        }
    }
}

impl View {
    pub(crate) fn blocks(&self) -> usize {
        self.channels.div_ceil(self.lanes)
    }

    /// From one row to the next.
    pub(crate) fn row(&self) -> usize {
        (self.halo.left + self.width + self.halo.right) * self.lanes
    }

    /// From one block to the next.
    pub(crate) fn block(&self) -> usize {
        self.row() * (self.halo.top + self.height + self.halo.bottom)
    }

    /// All blocks of an image, with their halos, in the memory of a batch.
    pub(crate) fn range(&self, batch: usize, image: usize) -> Range<usize> {
        // Buffers are laid out for one image; for a batch every buffer is `batch` times as long and starts `batch`
        // times as far.
        let start = self.start * batch + self.image * image + self.first_block * self.block();
        start..start + self.blocks() * self.block()
    }

    /// One block of an image, with its halo, in the memory of a batch.
    pub(crate) fn block_range(&self, batch: usize, image: usize, block: usize) -> Range<usize> {
        let start = self.range(batch, image).start + block * self.block();
        start..start + self.block()
    }

    /// From the start of a range to the first lane of a pixel.
    pub(crate) fn at(&self, block: usize, y: usize, x: usize) -> usize {
        block * self.block() + (y + self.halo.top) * self.row() + (x + self.halo.left) * self.lanes
    }

    /// As [`View::at`], of the pixel that is `up` rows above and `left` columns before the first one of a block.
    pub(crate) fn before(&self, block: usize, up: usize, left: usize) -> usize {
        self.at(block, 0, 0) - up * self.row() - left * self.lanes
    }

    /// This region alone, in the same memory: what is around it counts as halo.
    pub(crate) fn window(self, [rows, columns]: &Region) -> Self {
        let halo = Halo {
            top: self.halo.top + rows.start,
            bottom: self.halo.bottom + self.height - rows.end,
            left: self.halo.left + columns.start,
            right: self.halo.right + self.width - columns.end,
        };
        Self { height: rows.len(), width: columns.len(), halo, ..self }
    }

    /// Height and width.
    pub(crate) fn sides(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// Whether pixels follow each other without a gap.
    pub(crate) fn is_dense(&self) -> bool {
        self.halo == Halo::default()
    }

    /// Rows that tiles are cut from, and their width: a single one where pixels follow each other without a gap in all tensors.
    pub(crate) fn rows_of_tiles(&self, is_dense: bool) -> (usize, usize) {
        if is_dense { (1, self.height * self.width) } else { (self.height, self.width) }
    }

    /// Lanes of a block that hold channels.
    pub(crate) fn lanes_of(&self, block: usize) -> usize {
        (self.channels - block * self.lanes).min(self.lanes)
    }
}
