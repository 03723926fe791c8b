//! Attributes that are texts, or arrays of texts.

use super::cursor::Cursor;
use super::file::Hdf5;
use super::header::{ATTRIBUTE, ATTRIBUTE_INFO, Messages};
use super::heap::{self, Fractal};
use super::kind::{self, Kind};
use super::marks::UNDEFINED;
use super::tree;
use crate::error::Problem;

/// The texts of an attribute, in the file's order.
pub(super) type Texts = Vec<String>;

/// The texts of the attribute called `name`; `None` when there is none, or it is no text.
pub(super) fn texts(file: &Hdf5, object: &Messages, name: &str) -> Result<Option<Texts>, Problem> {
    for message in object.all(ATTRIBUTE) {
        if let Some(attribute) = Attribute::read(message)?.filter(|found| found.name == name) {
            return attribute.texts(file);
        }
    }
    let Some(info) = object.only(ATTRIBUTE_INFO)? else { return Ok(None) };
    let mut cursor = Cursor::new(info);
    cursor.version("attribute info", &[0])?;
    let flags = cursor.u8()?;
    cursor.skip(if flags & 1 != 0 { 2 } else { 0 })?;
    let (heap, index) = (cursor.u64()?, cursor.u64()?);
    if heap == UNDEFINED || index == UNDEFINED {
        return Ok(None);
    }
    let heap = Fractal::open(file, heap)?;
    for record in tree::records(file, index, tree::ATTRIBUTES_BY_NAME)? {
        // Where it is in the heap, flags, creation order, a hash of the name.
        let id = record.get(..8).ok_or("has a short record of an attribute")?;
        let content = heap.object(file, id)?;
        if let Some(attribute) = Attribute::read(&content)?.filter(|found| found.name == name) {
            return attribute.texts(file);
        }
    }
    Ok(None)
}

/// An attribute.
struct Attribute<'a> {
    name: String,
    kind: Kind,
    shape: Vec<usize>,
    values: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// Reads an attribute; `None` when it has no elements, or shares its type with others.
    fn read(bytes: &'a [u8]) -> Result<Option<Self>, Problem> {
        let mut cursor = Cursor::new(bytes);
        let version = cursor.version("attribute", &[1, 2, 3])?;
        let flags = cursor.u8()?;
        let [name, kind, shape] = [cursor.u16()?, cursor.u16()?, cursor.u16()?].map(usize::from);
        cursor.skip(if version == 3 { 1 } else { 0 })?;
        let part = |cursor: &mut Cursor<'a>, length: usize| {
            let taken = cursor.take(length)?;
            if version == 1 {
                cursor.align()?;
            }
            Ok::<_, Problem>(taken)
        };
        let name = part(&mut cursor, name)?;
        let (kind, shape) = (part(&mut cursor, kind)?, part(&mut cursor, shape)?);
        if version > 1 && flags != 0 {
            return Ok(None);
        }
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        let name = String::from_utf8_lossy(&name[..end]).into_owned();
        let (kind, Some(shape)) = (Kind::read(kind)?, kind::shape(shape)?) else { return Ok(None) };
        Ok(Some(Self { name, kind, shape, values: cursor.take(cursor.left())? }))
    }

    fn texts(&self, file: &Hdf5) -> Result<Option<Texts>, Problem> {
        let count = kind::count(&self.shape)?;
        if !matches!(self.kind, Kind::Text(1..) | Kind::LongText) {
            return Ok(None);
        }
        let size = self.kind.bytes();
        let values = count.checked_mul(size).and_then(|length| self.values.get(..length));
        let values = values.ok_or("has an attribute that ends too early")?;
        let text = |element: &[u8]| match self.kind {
            Kind::LongText => {
                let mut cursor = Cursor::new(element);
                let (length, collection, index) = (cursor.u32()?, cursor.u64()?, cursor.u32()?);
                if length == 0 { Ok(vec![]) } else { heap::text(file, collection, index, length) }
            }
            _ => Ok(element.to_vec()),
        };
        let decode = |bytes: Vec<u8>| {
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            String::from_utf8_lossy(&bytes[..end]).into_owned()
        };
        values.chunks_exact(size).map(|element| text(element).map(decode)).collect::<Result<_, _>>().map(Some)
    }
}
