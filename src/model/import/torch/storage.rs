//! The storages of tensors: members of a zip archive, or consecutive blocks at a file's end.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive, ZipReadOptions};

use super::damage::Damage;
use crate::error::Problem;
use crate::memory::{Part, check_zip};

/// The storages of one file.
#[derive(Debug)]
pub(super) enum Storages {
    Zip(Archive),
    Legacy(Row),
}

impl Storages {
    /// Reads `length` bytes of a storage from `start` on.
    ///
    /// # Errors
    /// When the storage does not exist, is shorter, or the file cannot be read.
    pub(super) fn read(&self, key: &str, start: usize, length: usize) -> Result<Vec<u8>, Damage> {
        match self {
            Self::Zip(archive) => archive.read(&format!("data/{key}"), start as u64, length),
            Self::Legacy(row) => row.read(key, start as u64, length),
        }
    }
}

/// The archive of PyTorch 1.6 and later: `NAME/data.pkl` and a member for every storage.
#[derive(Debug)]
pub(super) struct Archive {
    zip: Mutex<ZipArchive<BufReader<File>>>,
    /// Common prefix of the member names.
    root: String,
}

impl Archive {
    /// # Errors
    /// When it is not a zip archive, or has no `data.pkl`.
    pub(super) fn open(file: &File) -> Result<Self, Damage> {
        let zip = open_zip(file)?;
        let names = zip.file_names().filter_map(Result::ok);
        let roots = names.filter_map(|name| name.strip_suffix("data.pkl").map(ToOwned::to_owned));
        // The shortest, if members inside have that ending as well.
        let root = roots.filter(|root| root.is_empty() || root.ends_with('/')).min_by_key(String::len);
        let root = root.ok_or_else(|| Damage::new("it is a zip archive without a 'data.pkl'"))?;
        Ok(Self { zip: Mutex::new(zip), root })
    }

    /// The pickle.
    ///
    /// # Errors
    /// When it is too long or damaged.
    pub(super) fn pickle(&self) -> Result<Vec<u8>, Damage> {
        self.whole("data.pkl", Part::Header)
    }

    /// The content of `byteorder`, if present.
    pub(super) fn byte_order(&self) -> Result<Option<String>, Damage> {
        if self.zip().index_for_name(&format!("{}byteorder", self.root)).is_none() {
            return Ok(None);
        }
        let bytes = self.whole("byteorder", Part::SmallText)?;
        Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned()))
    }

    fn zip(&self) -> MutexGuard<'_, ZipArchive<BufReader<File>>> {
        self.zip.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A member as a whole. A compressed one can claim any size.
    fn whole(&self, name: &str, part: Part) -> Result<Vec<u8>, Damage> {
        let size = {
            let mut zip = self.zip();
            let index = zip.index_for_name(&format!("{}{name}", self.root));
            let index = index.ok_or_else(|| Damage::new(format!("it has no '{name}'")))?;
            zip.by_index_raw(index).map_err(|error| unreadable(name, &error))?.size()
        };
        let longest = part.ceiling();
        match usize::try_from(size) {
            Ok(length) if size <= longest => {
                part.check(size)?;
                self.read(name, 0, length)
            }
            _ => Err(Problem::new(format!("its '{name}' claims {size} bytes"))
                .expected(format!("at most {longest}"))
                .into()),
        }
    }

    /// Part of a member. The checksum is only verified when the whole member is read.
    fn read(&self, name: &str, start: u64, length: usize) -> Result<Vec<u8>, Damage> {
        let short = || Damage::new(format!("'{name}' is shorter than it should be"));
        let unreadable = |error: ZipError| unreadable(name, &error);
        let mut zip = self.zip();
        let index = zip.index_for_name(&format!("{}{name}", self.root));
        let index = index.ok_or_else(|| Damage::new(format!("it has no '{name}'")))?;
        let (size, checksum, stored) = {
            let member = zip.by_index_raw(index).map_err(unreadable)?;
            (member.size(), member.crc32(), member.compression() == CompressionMethod::Stored)
        };
        let end = start.checked_add(length as u64).filter(|end| *end <= size).ok_or_else(short)?;
        let mut bytes = Vec::new();
        if stored && (start, end) != (0, size) {
            let mut member = zip.by_index_seek(index).map_err(unreadable)?;
            member.seek(SeekFrom::Start(start))?;
            member.take(length as u64).read_to_end(&mut bytes)?;
        } else {
            // PyTorch writes a checksum of zero when checksums are switched off.
            let options = ZipReadOptions::new().ignore_crc32(checksum == 0);
            let mut member = zip.by_index_with_options(index, options).map_err(unreadable)?;
            // Compressed members cannot be entered in the middle.
            io::copy(&mut member.by_ref().take(start), &mut io::sink())?;
            member.by_ref().take(length as u64).read_to_end(&mut bytes)?;
            // The zip reader verifies the checksum at the end of the member.
            if end == size {
                member
                    .read_exact(&mut [0; 1])
                    .err()
                    .filter(|error| error.kind() != io::ErrorKind::UnexpectedEof)
                    .map_or(Ok(()), Err)?;
            }
        }
        if bytes.len() == length { Ok(bytes) } else { Err(short()) }
    }
}

/// Opens an archive that starts at the start of the file, as all of PyTorch's do.
///
/// PyTorch writes 64-bit records into every file, 76 bytes before the last record, even when nothing requires them.
/// The `zip` crate only reads them when required. Otherwise it assumes that the directory ends at the last record,
/// and computes its start 76 bytes too late. It detects that unless the second directory entry is exactly there: when
/// the first, of 46 bytes and a name, has a name of 30 letters, which is `/data.pkl` after a root of 21. Passing the
/// start of the archive avoids the search.
///
/// # Errors
/// A clause to come after "cannot be read", or that of [`check_zip`].
pub(in crate::import) fn open_zip(file: &File) -> Result<ZipArchive<BufReader<File>>, Problem> {
    let known = Config { archive_offset: ArchiveOffset::Known(0) };
    let mut whole = file;
    check_zip(&mut whole)?;
    let reader = || file.try_clone().map(BufReader::new);
    let mut opened = || -> Result<_, ZipError> {
        whole.rewind()?;
        ZipArchive::with_config(known, reader()?).or_else(|_| ZipArchive::new(reader()?))
    };
    opened().map_err(|error| Problem::new(format!("as a zip archive: {error}")))
}

fn unreadable(name: &str, error: &ZipError) -> Damage {
    Damage::new(format!("its '{name}': {error}"))
}

/// The storages of a file before PyTorch 1.6: each an element count of 8 bytes, then the elements.
#[derive(Debug)]
pub(super) struct Row {
    file: Mutex<File>,
    /// Offset and byte length of a storage's elements.
    places: HashMap<String, (u64, u64)>,
}

impl Row {
    const COUNT: u64 = 8;

    /// The storages `keys`, the first of which starts at `start`. `widths` has the element width of each in bytes.
    ///
    /// # Errors
    /// When the width of one is unknown, because the next cannot be found then.
    pub(super) fn open(
        file: File,
        start: u64,
        keys: Vec<String>,
        widths: &HashMap<String, usize>,
    ) -> Result<Self, Damage> {
        let mut places = HashMap::new();
        let mut at = start;
        for key in keys {
            let width = widths.get(&key).copied();
            let width = width.ok_or_else(|| Damage::new(format!("storage '{key}' has no known type")))?;
            let mut count = [0; 8];
            (&file).seek(SeekFrom::Start(at))?;
            (&file).read_exact(&mut count)?;
            let length = u64::from_le_bytes(count).checked_mul(width as u64);
            let next = length.and_then(|length| at.checked_add(Self::COUNT)?.checked_add(length));
            let (Some(length), Some(next)) = (length, next) else {
                return Err(Damage::new(format!("storage '{key}' claims an absurd size")));
            };
            places.insert(key, (at + Self::COUNT, length));
            at = next;
        }
        Ok(Self { file: Mutex::new(file), places })
    }

    fn read(&self, key: &str, start: u64, length: usize) -> Result<Vec<u8>, Damage> {
        let place = self.places.get(key);
        let (at, size) = *place.ok_or_else(|| Damage::new(format!("storage '{key}' is not there")))?;
        // Before anything is read: the next storage follows without a gap, and its bytes would pass for this one's.
        if start.checked_add(length as u64).is_none_or(|end| end > size) {
            return Err(Damage::new(format!("storage '{key}' is shorter than it should be")));
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at + start))?;
        let mut bytes = Vec::new();
        file.by_ref().take(length as u64).read_to_end(&mut bytes)?;
        match bytes.len() == length {
            true => Ok(bytes),
            false => Err(Damage::new(format!("storage '{key}' is cut short"))),
        }
    }
}
