//! The children of a group: in a symbol table, in messages of its header, or in a heap with an index.

use std::collections::BTreeMap;

use super::cursor::Cursor;
use super::file::Hdf5;
use super::header::{LINK, LINK_INFO, Messages, SYMBOL_TABLE};
use super::heap::Fractal;
use super::marks::UNDEFINED;
use super::tree;
use crate::error::Problem;

/// More children than any network has layers.
const MAX_CHILDREN: usize = 1 << 20;

/// Name and address of each child. Soft and external links are left out: Keras writes none.
pub(super) fn children(file: &Hdf5, group: &Messages) -> Result<BTreeMap<String, u64>, Problem> {
    let mut children = BTreeMap::new();
    if let Some(table) = group.only(SYMBOL_TABLE)? {
        let mut cursor = Cursor::new(table);
        let (index, heap) = (cursor.u64()?, cursor.u64()?);
        symbols(file, index, heap, &mut children)?;
    }
    for message in group.all(LINK) {
        children.extend(link(message)?);
    }
    if let Some(info) = group.only(LINK_INFO)? {
        let mut cursor = Cursor::new(info);
        cursor.version("link info", &[0])?;
        let flags = cursor.u8()?;
        cursor.skip(if flags & 1 != 0 { 8 } else { 0 })?;
        let (heap, index) = (cursor.u64()?, cursor.u64()?);
        if heap != UNDEFINED && index != UNDEFINED {
            let heap = Fractal::open(file, heap)?;
            for record in tree::records(file, index, tree::LINKS_BY_NAME)? {
                // A hash of the name, then where it is in the heap.
                let id = record.get(4..).ok_or("has a short record of a link")?;
                children.extend(link(&heap.object(file, id)?)?);
            }
        }
    }
    if children.len() > MAX_CHILDREN {
        return Err("has a group of too many objects".into());
    }
    Ok(children)
}

/// A link of the new format.
fn link(bytes: &[u8]) -> Result<Option<(String, u64)>, Problem> {
    let mut cursor = Cursor::new(bytes);
    cursor.version("link", &[1])?;
    let flags = cursor.u8()?;
    let kind = if flags & 0x08 != 0 { cursor.u8()? } else { 0 };
    cursor.skip(if flags & 0x04 != 0 { 8 } else { 0 })?;
    cursor.skip(if flags & 0x10 != 0 { 1 } else { 0 })?;
    let length = cursor.number(1 << (flags & 3))?;
    let name = cursor.take(usize::try_from(length).unwrap_or(usize::MAX))?;
    let name = String::from_utf8_lossy(name).into_owned();
    Ok(if kind == 0 { Some((name, cursor.u64()?)) } else { None })
}

/// The old format: a B-tree whose leaves list symbols, with their names in a heap.
fn symbols(file: &Hdf5, index: u64, heap: u64, children: &mut BTreeMap<String, u64>) -> Result<(), Problem> {
    let names = local_heap(file, heap)?;
    for leaf in tree::leaves(file, index, tree::GROUP)? {
        let head = file.read(leaf.child, 8)?;
        let mut cursor = Cursor::new(&head);
        cursor.signature(b"SNOD")?;
        cursor.version("symbol table", &[1])?;
        cursor.skip(1)?;
        let count = u64::from(cursor.u16()?);
        let entries = file.read(leaf.child + 8, count * 40)?;
        let mut cursor = Cursor::new(&entries);
        for _ in 0..count {
            let (name, address, cached) = (cursor.size()?, cursor.u64()?, cursor.u32()?);
            cursor.skip(20)?;
            let name = names.get(name..).ok_or("has a name outside of its heap")?;
            let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            // 2 marks a soft link.
            if cached != 2 {
                children.insert(String::from_utf8_lossy(&name[..end]).into_owned(), address);
            }
        }
    }
    Ok(())
}

/// The names of an old group, each ended by a zero.
fn local_heap(file: &Hdf5, address: u64) -> Result<Vec<u8>, Problem> {
    let head = file.read(address, 32)?;
    let mut cursor = Cursor::new(&head);
    cursor.signature(b"HEAP")?;
    cursor.version("local heap", &[0])?;
    cursor.skip(3)?;
    let length = cursor.u64()?;
    cursor.skip(8)?;
    file.read(cursor.u64()?, length)
}
