//! B-trees: of version 1 for old groups and for chunks, of version 2 for new groups and attributes.

use super::cursor::Cursor;
use super::file::Hdf5;
use super::marks::UNDEFINED;
use crate::error::Problem;

/// What the leaves of a tree of version 1 refer to.
pub(super) const GROUP: u8 = 0;
pub(super) const CHUNKS: u8 = 1;
/// What the records of a tree of version 2 are.
pub(super) const LINKS_BY_NAME: u8 = 5;
pub(super) const ATTRIBUTES_BY_NAME: u8 = 8;

/// Deeper than any tree of a file that fits on a disk.
const MAX_DEPTH: u8 = 32;

/// A child of a leaf of version 1 with the key before it.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) key: Vec<u8>,
    pub(super) child: u64,
}

/// All children of all leaves of a tree of version 1, in order.
pub(super) fn leaves(file: &Hdf5, root: u64, kind: u8) -> Result<Vec<Leaf>, Problem> {
    leaves_with_keys(file, root, kind, 8)
}

/// As [`leaves`], for keys of another length.
pub(super) fn leaves_with_keys(file: &Hdf5, root: u64, kind: u8, key: usize) -> Result<Vec<Leaf>, Problem> {
    let mut leaves = Vec::new();
    if root == UNDEFINED {
        return Ok(leaves);
    }
    // Address, and the level that it has to have: levels fall, so that no circle is possible.
    let mut open = vec![(root, None)];
    while let Some((address, expected)) = open.pop() {
        let head = file.read(address, 24)?;
        let mut cursor = Cursor::new(&head);
        cursor.signature(b"TREE")?;
        let (found, level, count) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
        if found != kind || level > MAX_DEPTH || expected.is_some_and(|expected| expected != level) {
            return Err("has a B-tree whose nodes do not fit together".into());
        }
        let count = usize::from(count);
        let content = file.read(address + 24, (count * (key + 8)) as u64)?;
        let mut cursor = Cursor::new(&content);
        let mut below = Vec::new();
        for _ in 0..count {
            let key = cursor.take(key)?.to_vec();
            let child = cursor.u64()?;
            match level {
                0 => leaves.push(Leaf { key, child }),
                _ => below.push((child, Some(level - 1))),
            }
        }
        open.extend(below.into_iter().rev());
    }
    Ok(leaves)
}

/// All records of a tree of version 2, in no particular order.
pub(super) fn records(file: &Hdf5, address: u64, kind: u8) -> Result<Vec<Vec<u8>>, Problem> {
    let head = file.read(address, 38)?;
    let mut cursor = Cursor::new(&head);
    cursor.signature(b"BTHD")?;
    cursor.version("B-tree", &[0])?;
    let found = cursor.u8()?;
    let (node, record, depth) = (cursor.u32()?, usize::from(cursor.u16()?), cursor.u16()?);
    cursor.skip(2)?;
    let (root, count) = (cursor.u64()?, u64::from(cursor.u16()?));
    if found != kind || record == 0 || depth > u16::from(MAX_DEPTH) {
        return Err("has a B-tree of another kind than expected".into());
    }
    let (own, below) = widths(u64::from(node), record as u64, depth);
    let mut records = Vec::new();
    let mut open = if root == UNDEFINED { vec![] } else { vec![(root, count, usize::from(depth))] };
    while let Some((address, count, depth)) = open.pop() {
        let bytes = file.read(address, u64::from(node))?;
        let mut cursor = Cursor::new(&bytes);
        cursor.signature(if depth == 0 { b"BTLF" } else { b"BTIN" })?;
        cursor.skip(2)?;
        for _ in 0..count {
            records.push(cursor.take(record)?.to_vec());
        }
        if depth > 0 {
            // Each child: address, number of its records, and for deeper ones of all records below.
            for _ in 0..=count {
                let (child, count) = (cursor.u64()?, cursor.number(own)?);
                cursor.skip(below[depth - 1])?;
                open.push((child, count, depth - 1));
            }
        }
    }
    Ok(records)
}

/// Bytes of the number of records in a node, and by depth of the number of all records below a node. Both are as wide as the
/// greatest number that nodes of this size can hold; a leaf's own number of records serves for all depths.
fn widths(node: u64, record: u64, depth: u16) -> (usize, Vec<usize>) {
    /// Signature, version, kind and checksum.
    const FRAME: u64 = 10;
    let bytes = |number: u64| (u64::BITS - number.leading_zeros()).div_ceil(8).max(1) as usize;
    let leaf = node.saturating_sub(FRAME) / record;
    let own = bytes(leaf);
    let (mut total, mut below) = (leaf, vec![0]);
    for level in 0..usize::from(depth) {
        let pointer = (8 + own + below[level]) as u64;
        let most = node.saturating_sub(FRAME + pointer) / (record + pointer);
        total = most.saturating_add(1).saturating_mul(total).saturating_add(most);
        below.push(bytes(total));
    }
    (own, below)
}
