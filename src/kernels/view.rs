//! Where a value lies in memory.
//!
//! Channels lie side by side in blocks as wide as a register: `[image][block][row][column][lane]`, with a border of zeros
//! (the halo) as wide as the widest padding of the convolutions that read the value, so that they need not look where the
//! picture ends.

/// Rows above and below, columns left and right of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Halo {
    pub(super) top: usize,
    pub(super) bottom: usize,
    pub(super) left: usize,
    pub(super) right: usize,
}

/// One value of one batch of images. Distances are in numbers, not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Channels side by side: a register's, or fewer where the picture has fewer.
    pub(super) lanes: usize,
    pub(super) halo: Halo,
    /// From the memory's start to the first image's first number, for a batch of one; `batch` times as far for more.
    pub(super) start: usize,
    /// Blocks of the memory's value that lie before this one's: concatenated values share memory.
    pub(super) first_block: usize,
    /// From one image to the next.
    pub(super) image: usize,
}

impl Halo {
    /// The wider of both on every side.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            top: self.top.max(other.top),
            bottom: self.bottom.max(other.bottom),
            left: self.left.max(other.left),
            right: self.right.max(other.right),
        }
    }
}

impl View {
    pub(super) fn blocks(&self) -> usize {
        self.channels.div_ceil(self.lanes)
    }

    /// From one row to the next.
    pub(super) fn row(&self) -> usize {
        (self.halo.left + self.width + self.halo.right) * self.lanes
    }

    /// From one block to the next.
    pub(super) fn block(&self) -> usize {
        self.row() * (self.halo.top + self.height + self.halo.bottom)
    }

    /// Position of the first lane of a pixel.
    pub(super) fn at(&self, batch: usize, image: usize, block: usize, y: usize, x: usize) -> usize {
        self.start * batch
            + self.image * image
            + (self.first_block + block) * self.block()
            + (y + self.halo.top) * self.row()
            + (x + self.halo.left) * self.lanes
    }

    /// Position of the first lane of the pixel that is `up` rows above and `left` columns before the first one.
    pub(super) fn before(&self, batch: usize, image: usize, block: usize, up: usize, left: usize) -> usize {
        self.at(batch, image, block, 0, 0) - up * self.row() - left * self.lanes
    }

    /// Pixels follow each other without a gap.
    pub(super) fn is_dense(&self) -> bool {
        self.halo == Halo::default()
    }

    /// Lanes of a block that hold channels.
    pub(super) fn lanes_of(&self, block: usize) -> usize {
        (self.channels - block * self.lanes).min(self.lanes)
    }
}
