//! PyTorch's checkpoints: a pickle that describes tensors, and storages with their values.
//!
//! Receives a file, returns every tensor in it under a name. There are two containers: the zip archive of PyTorch 1.6
//! and later, and the sequence of pickles and storages before that. The pickle is read but never executed
//! ([`pickle`]): objects of unknown classes (an optimizer, a scheduler, a configuration) are skipped, and tensors are
//! found in dictionaries, lists, modules and attributes.

mod call;
mod damage;
mod input;
mod pickle;
mod storage;
mod tensor;
mod value;
mod walk;

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _};
use std::path::Path;
use std::sync::Arc;

use damage::Damage;
use pickle::Pickle;
pub(super) use storage::open_zip;
use storage::{Archive, Row, Storages};
pub(super) use tensor::TorchTensor;
use value::{Heap, Value};

use crate::error::Problem;
use crate::memory::Part;

/// The magic number of old files, as every protocol but the oldest writes it.
const LEGACY_MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// The magic number as text, for protocol 0.
const LEGACY_MAGIC_TEXT: &[u8] = b"119547037146038801333356";
/// The magic number is within this many bytes, with any protocol's prefix.
const HEAD: u64 = 64;
/// The legacy format never had another version.
const LEGACY_VERSION: i64 = 1001;

/// The tensors of a checkpoint by name, and the dictionaries that contain them.
pub(super) struct Contents {
    pub(super) tensors: Vec<(String, TorchTensor)>,
    /// Prefix of the names in each dictionary: a name and a dot. The outermost is not listed.
    pub(super) dictionaries: BTreeSet<String>,
}

/// Opens a checkpoint.
///
/// # Errors
/// When the file is of another kind or damaged.
pub(super) fn open(path: &Path) -> Result<Contents, Damage> {
    let file = File::open(path)?;
    let longest = Part::Header.most();
    let mut head = Vec::new();
    (&file).take(HEAD).read_to_end(&mut head)?;
    // The readers below start at the beginning, the signature included.
    (&file).rewind()?;
    if head.starts_with(b"PK\x03\x04") {
        from_archive(&file)
    } else if contains(&head, &LEGACY_MAGIC) || contains(&head, LEGACY_MAGIC_TEXT) {
        from_row(file)
    } else if matches!(head.first(), Some(0x80 | b'(' | b'}' | b']' | b'c')) {
        // A pickle without a container cannot hold tensors.
        pickle::read(&mut BufReader::new(file).take(longest))?;
        Err(Problem::new("it is a pickle without tensors").hint("torch.save writes them").into())
    } else {
        Err(Damage::new("it is neither a zip archive nor a pickle"))
    }
}

fn contains(head: &[u8], part: &[u8]) -> bool {
    head.windows(part.len()).any(|window| window == part)
}

fn from_archive(file: &File) -> Result<Contents, Damage> {
    let archive = Archive::open(file)?;
    match archive.byte_order()?.as_deref() {
        None | Some("little") => {}
        Some(order) => return Err(other_byte_order(order)),
    }
    let pickle = pickle::read(&mut archive.pickle()?.as_slice())?;
    contents(&pickle, Storages::Zip(archive))
}

fn other_byte_order(order: &str) -> Damage {
    Problem::new(format!("its numbers are in the byte order '{order}'")).expected("'little'").into()
}

/// Pickles of the magic number, the version, the writer's machine, the checkpoint and the storages' names, followed
/// by the storages.
fn from_row(file: File) -> Result<Contents, Damage> {
    let mut reader = BufReader::new(file);
    // Limited, because instructions of one byte take several in memory.
    let mut next = || pickle::read(&mut reader.by_ref().take(Part::Header.most()));
    next()?;
    let version = next()?;
    if !matches!(version.heap.get(version.root), Value::Int(LEGACY_VERSION)) {
        return Err(Damage::new(format!("its format is not of version {LEGACY_VERSION}")));
    }
    let machine = next()?;
    let little = machine.heap.pairs(machine.root).unwrap_or_default().iter();
    let mut little = little.filter(|(key, _)| machine.heap.text(*key) == Some("little_endian"));
    if little.next().is_some_and(|(_, value)| *value == Heap::FALSE) {
        return Err(other_byte_order("big"));
    }
    let pickle = next()?;
    // The order of the keys is that of the storages, which follow without names.
    let keys = next()?;
    let keys: Option<Vec<String>> =
        keys.heap.members(keys.root).and_then(|ids| ids.iter().map(|id| keys.heap.key(*id)).collect());
    let keys = keys.ok_or_else(|| Damage::new("its list of storages is damaged"))?;
    let start = reader.stream_position()?;
    let row = Row::open(reader.into_inner(), start, keys, &widths(&pickle.heap))?;
    contents(&pickle, Storages::Legacy(row))
}

/// Element width of each storage in bytes.
fn widths(heap: &Heap) -> HashMap<String, usize> {
    heap.storages().map(|storage| (storage.key.clone(), storage.kind.map_or(1, |(_, width)| width))).collect()
}

fn contents(pickle: &Pickle, storages: Storages) -> Result<Contents, Damage> {
    let walk::Names { tensors, dictionaries } = walk::names(pickle)?;
    let storages = Arc::new(storages);
    let tensors = tensors
        .into_iter()
        .map(|(name, view)| (name, TorchTensor { view, storages: Arc::clone(&storages) }))
        .collect();
    Ok(Contents { tensors, dictionaries })
}
