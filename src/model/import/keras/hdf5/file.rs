//! A file: its bytes, and where its outermost group is.

use super::cursor::Cursor;
use super::marks::{RESAVE, SIGNATURE};
use super::store::Store;
use crate::error::Problem;

/// The file: where its bytes are, and the header of its outermost group.
#[derive(Debug)]
pub(in crate::import::keras) struct Hdf5 {
    store: Store,
    /// Address of the outermost group.
    pub(super) root: u64,
}

impl Hdf5 {
    /// Reads the superblock.
    ///
    /// # Errors
    /// When it is damaged or of an unknown version.
    pub(in crate::import::keras) fn open(store: Store) -> Result<Self, Problem> {
        /// The longest superblock.
        const LONGEST: u64 = 96;
        let bytes = store.read(0, LONGEST.min(store.length()))?;
        let mut cursor = Cursor::new(&bytes);
        if cursor.take(8)? != SIGNATURE {
            return Err("does not begin as HDF5 does".into());
        }
        let version = cursor.version("superblock", &[0, 1, 2, 3])?;
        let old = version < 2;
        cursor.skip(if old { 4 } else { 0 })?;
        let sizes = [cursor.u8()?, cursor.u8()?];
        if sizes != [8, 8] {
            return Err(Problem::new(format!("has addresses of {sizes:?} bytes")).expected("8").hint(RESAVE));
        }
        let base = match version {
            0 => 24,
            1 => 28,
            _ => 12,
        };
        cursor.skip(base - cursor.position())?;
        let base = cursor.u64()?;
        if base != 0 {
            return Err(Problem::new("begins with bytes of another format").hint(RESAVE));
        }
        // Old: free space, end of file, driver, and the name in the root's entry. New: extension, end of file.
        cursor.skip(if old { 32 } else { 16 })?;
        let root = cursor.u64()?;
        Ok(Self { store, root })
    }

    /// `count` bytes at an address.
    ///
    /// # Errors
    /// When they are not there.
    pub(super) fn read(&self, at: u64, count: u64) -> Result<Vec<u8>, Problem> {
        self.store.read(at, count)
    }

    /// Number of bytes.
    pub(super) fn length(&self) -> u64 {
        self.store.length()
    }
}
