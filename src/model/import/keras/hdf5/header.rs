//! Object headers: the list of messages that describe a group or a dataset.

use super::cursor::Cursor;
use super::file::Hdf5;
use super::marks::RESAVE;
use crate::error::Problem;

/// More blocks than any header has; blocks that lead in circles end here.
const MAX_BLOCKS: usize = 4096;

/// Kinds of messages.
pub(super) const DATASPACE: u16 = 0x01;
pub(super) const LINK_INFO: u16 = 0x02;
pub(super) const DATATYPE: u16 = 0x03;
pub(super) const LINK: u16 = 0x06;
pub(super) const LAYOUT: u16 = 0x08;
pub(super) const FILTERS: u16 = 0x0b;
pub(super) const ATTRIBUTE: u16 = 0x0c;
const CONTINUATION: u16 = 0x10;
pub(super) const SYMBOL_TABLE: u16 = 0x11;
pub(super) const ATTRIBUTE_INFO: u16 = 0x15;

/// A message.
#[derive(Debug, Clone)]
struct Message {
    kind: u16,
    /// Its content is elsewhere, for many objects at once.
    is_shared: bool,
    content: Vec<u8>,
}

/// The messages of an object.
#[derive(Debug, Clone)]
pub(super) struct Messages(Vec<Message>);

impl Messages {
    /// All of a kind that have their content.
    pub(super) fn all(&self, kind: u16) -> impl Iterator<Item = &[u8]> {
        let own = self.0.iter().filter(move |message| message.kind == kind && !message.is_shared);
        own.map(|message| message.content.as_slice())
    }

    /// The content of the only message of a kind.
    ///
    /// # Errors
    /// When it is elsewhere.
    pub(super) fn only(&self, kind: u16) -> Result<Option<&[u8]>, Problem> {
        match self.0.iter().find(|message| message.kind == kind) {
            Some(message) if message.is_shared => {
                Err(Problem::new("shares the description of a dataset between objects").hint(RESAVE))
            }
            found => Ok(found.map(|message| message.content.as_slice())),
        }
    }
}

/// All messages of the header at `address`.
///
/// # Errors
/// When it is damaged.
pub(super) fn messages(file: &Hdf5, address: u64) -> Result<Messages, Problem> {
    let start = file.read(address, 4)?;
    let (new, first) = if start == b"OHDR" { new_start(file, address)? } else { old_start(file, address)? };
    let (mut messages, mut blocks) = (Vec::new(), vec![first]);
    let mut at = 0;
    while let Some([address, length]) = blocks.get(at).copied() {
        at += 1;
        let bytes = file.read(address, length)?;
        let content = match (new, at) {
            // A block of its own has a signature, and a checksum behind.
            (Some(_), 2..) => {
                let inner = bytes.strip_prefix(b"OCHK").ok_or("has a header block without its signature")?;
                &inner[..inner.len().saturating_sub(4)]
            }
            _ => &bytes[..],
        };
        for message in in_block(content, new)? {
            if message.kind == CONTINUATION {
                let mut cursor = Cursor::new(&message.content);
                blocks.push([cursor.u64()?, cursor.u64()?]);
            } else {
                messages.push(message);
            }
        }
        if blocks.len() > MAX_BLOCKS {
            return Err("has a header of too many blocks".into());
        }
    }
    Ok(Messages(messages))
}

/// Whether messages of a new header have a creation order; and address and length of the first block.
type Start = (Option<bool>, [u64; 2]);

fn old_start(file: &Hdf5, address: u64) -> Result<Start, Problem> {
    let bytes = file.read(address, 16)?;
    let mut cursor = Cursor::new(&bytes);
    cursor.version("object header", &[1])?;
    cursor.skip(7)?;
    let length = u64::from(cursor.u32()?);
    Ok((None, [address + 16, length]))
}

fn new_start(file: &Hdf5, address: u64) -> Result<Start, Problem> {
    /// Signature, version, flags, times, attribute limits, length.
    const LONGEST: u64 = 34;
    let bytes = file.read(address, LONGEST.min(file.length() - address))?;
    let mut cursor = Cursor::new(&bytes);
    cursor.signature(b"OHDR")?;
    cursor.version("object header", &[2])?;
    let flags = cursor.u8()?;
    cursor.skip(if flags & 0x20 != 0 { 16 } else { 0 })?;
    cursor.skip(if flags & 0x10 != 0 { 4 } else { 0 })?;
    let length = cursor.number(1 << (flags & 3))?;
    Ok((Some(flags & 0x04 != 0), [address + cursor.position() as u64, length]))
}

/// The messages of one block. `new` is `None` for the old format, else whether messages have a creation order.
fn in_block(bytes: &[u8], new: Option<bool>) -> Result<Vec<Message>, Problem> {
    let mut cursor = Cursor::new(bytes);
    let prefix = match new {
        None => 8,
        Some(ordered) => {
            if ordered {
                6
            } else {
                4
            }
        }
    };
    let mut messages = Vec::new();
    // What is left at the end of a block and is too short for a message is a gap.
    while cursor.left() >= prefix {
        let kind = if new.is_some() { u16::from(cursor.u8()?) } else { cursor.u16()? };
        let length = usize::from(cursor.u16()?);
        let flags = cursor.u8()?;
        cursor.skip(prefix - if new.is_some() { 4 } else { 5 })?;
        let content = cursor.take(length)?.to_vec();
        messages.push(Message { kind, is_shared: flags & 0x02 != 0, content });
    }
    Ok(messages)
}
