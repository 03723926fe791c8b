//! Heaps: the global one with texts of any length, and fractal ones with the links and attributes of large objects.

use super::cursor::Cursor;
use super::file::Hdf5;
use super::marks::UNDEFINED;
use crate::error::Problem;

/// A text that an attribute refers to: collection, then index in it.
///
/// # Errors
/// When there is none.
pub(super) fn text(file: &Hdf5, collection: u64, index: u32, length: u32) -> Result<Vec<u8>, Problem> {
    let head = file.read(collection, 16)?;
    let mut cursor = Cursor::new(&head);
    cursor.signature(b"GCOL")?;
    cursor.version("global heap", &[1])?;
    cursor.skip(3)?;
    let size = cursor.u64()?.saturating_sub(16);
    let bytes = file.read(collection + 16, size)?;
    let mut cursor = Cursor::new(&bytes);
    while cursor.left() >= 16 {
        let found = cursor.u16()?;
        cursor.skip(6)?;
        let size = cursor.size()?;
        // Index 0 is the free space at the end.
        if found == 0 {
            break;
        }
        let content = cursor.take(size)?;
        if u32::from(found) == index {
            return Ok(content[..content.len().min(length as usize)].to_vec());
        }
        cursor.skip(cursor.left().min(size.next_multiple_of(8) - size))?;
    }
    Err("refers to a text that is not in its heap".into())
}

/// A fractal heap: a linear space of bytes in blocks whose sizes double row by row.
#[derive(Debug)]
pub(super) struct Fractal {
    /// Bytes of an offset in this space.
    offset_bytes: usize,
    length_bytes: usize,
    blocks: Vec<Block>,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    offset: u64,
    size: u64,
    address: u64,
}

/// The doubling table of a heap.
struct Table {
    width: u64,
    start: u64,
    largest: u64,
    offset_bytes: usize,
}

impl Fractal {
    /// Reads the header, and where the blocks are.
    pub(super) fn open(file: &Hdf5, address: u64) -> Result<Self, Problem> {
        /// Without filters.
        const LENGTH: u64 = 142;
        let bytes = file.read(address, LENGTH)?;
        let mut cursor = Cursor::new(&bytes);
        cursor.signature(b"FRHP")?;
        cursor.version("fractal heap", &[0])?;
        cursor.skip(2)?;
        if cursor.u16()? != 0 {
            return Err(Problem::new("compresses its list of objects").hint(super::marks::RESAVE));
        }
        cursor.skip(1)?;
        let longest = u64::from(cursor.u32()?);
        // Huge objects, free space, statistics.
        cursor.skip(12 * 8)?;
        let width = u64::from(cursor.u16()?);
        let (start, largest) = (cursor.u64()?, cursor.u64()?);
        let offset_bytes = usize::from(cursor.u16()?).div_ceil(8);
        cursor.skip(2)?;
        let (root, rows) = (cursor.u64()?, cursor.u16()?);
        if width == 0 || !start.is_power_of_two() || !largest.is_power_of_two() || start > largest {
            return Err("has a heap with blocks of no sensible size".into());
        }
        // As wide as the longest object, or as an offset in the largest block, whichever is less.
        let length_bits = largest.ilog2().min(u64::BITS - longest.leading_zeros());
        let table = Table { width, start, largest, offset_bytes };
        let mut blocks = Vec::new();
        match rows {
            _ if root == UNDEFINED => {}
            0 => blocks.push(Block { offset: 0, size: start, address: root }),
            rows => table.indirect(file, root, u64::from(rows), &mut blocks)?,
        }
        Ok(Self { offset_bytes, length_bytes: length_bits.div_ceil(8) as usize, blocks })
    }

    /// The object with an identifier.
    pub(super) fn object(&self, file: &Hdf5, id: &[u8]) -> Result<Vec<u8>, Problem> {
        let mut cursor = Cursor::new(id);
        let flags = cursor.u8()?;
        match flags >> 4 & 3 {
            0 => {}
            // The object itself, up to sixteen bytes.
            2 => return cursor.take(usize::from(flags & 0x0f) + 1).map(<[u8]>::to_vec),
            _ => {
                return Err(Problem::new("has a name or a text of unusual length").hint(super::marks::RESAVE));
            }
        }
        let (offset, length) = (cursor.number(self.offset_bytes)?, cursor.number(self.length_bytes)?);
        let holds = |block: &&Block| offset >= block.offset && offset - block.offset < block.size;
        let block = self.blocks.iter().find(holds).ok_or("refers outside of its heap")?;
        if length > block.size - (offset - block.offset) {
            return Err("has an object that is longer than its block".into());
        }
        file.read(block.address.saturating_add(offset - block.offset), length)
    }
}

impl Table {
    /// The size of the blocks in a row.
    fn size(&self, row: u64) -> Option<u64> {
        self.start.checked_shl(u32::try_from(row.saturating_sub(1)).ok()?).filter(|size| *size > 0)
    }

    /// The direct blocks that an indirect block leads to.
    fn indirect(&self, file: &Hdf5, address: u64, rows: u64, blocks: &mut Vec<Block>) -> Result<(), Problem> {
        /// More blocks than a heap of names has.
        const MOST: usize = 1 << 16;
        let broken = || Problem::new("has a heap whose blocks do not fit together");
        // Address, rows, and the offset at which the block begins.
        let mut open = vec![(address, rows, 0_u64)];
        let mut seen = 0;
        while let Some((address, rows, mut offset)) = open.pop() {
            seen += 1;
            let prefix = 13 + self.offset_bytes as u64;
            let count =
                rows.checked_mul(self.width).filter(|count| *count < MOST as u64).ok_or_else(broken)?;
            let bytes = file.read(address, prefix + count * 8)?;
            let mut cursor = Cursor::new(&bytes);
            cursor.signature(b"FHIB")?;
            cursor.skip(prefix as usize - 4)?;
            for row in 0..rows {
                let size = self.size(row).ok_or_else(broken)?;
                for _ in 0..self.width {
                    let address = cursor.u64()?;
                    match address {
                        UNDEFINED => {}
                        _ if size <= self.largest => blocks.push(Block { offset, size, address }),
                        // A row of blocks that are too large to be direct: their own rows add up to this size.
                        _ => {
                            let rows = (size / self.start / self.width).checked_ilog2().ok_or_else(broken)?;
                            open.push((address, u64::from(rows) + 1, offset));
                        }
                    }
                    offset = offset.checked_add(size).ok_or_else(broken)?;
                }
            }
            if seen > MOST || blocks.len() > MOST {
                return Err(broken());
            }
        }
        Ok(())
    }
}
