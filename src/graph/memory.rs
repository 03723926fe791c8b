//! How much memory a file may take: one rule for everything that is read.
//!
//! Receives a limit in bytes, or finds out what the machine has left; gives what one file may take of it. Files state sizes, and
//! a few bytes can state any. So a reader asks here before it allocates what a file states, and more than a file's share is an
//! error of that file. [`Part`] also has the limits of formats, which no sound file reaches, regardless of memory. Nothing is
//! counted here: readers say what they are about to take, and `tests/memory` compares that with what they take.

mod machine;
mod zip;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

pub use zip::check_zip;

use crate::error::{Error, Hint, OptionName, Problem, Result, Subject};

/// The limit for all files together, in bytes; 0 for what the machine has left.
static LIMIT: AtomicU64 = AtomicU64::new(0);

/// Files that are worked on at the same time.
static FILES: AtomicU64 = AtomicU64::new(1);

/// From this size on an allocation is tried before a reader may take it: the allocator asks the system for it, so
/// trying costs a few microseconds, and a failure later would end the program.
const TRIED: u64 = 16 << 20;

/// Sets what the files of this process may take together, in bytes. Default: three quarters of what the machine, its control
/// group and the process's own limits leave when the first file is read.
pub fn set_limit(bytes: u64) {
    // Relaxed: no other memory depends on the number.
    LIMIT.store(bytes.max(1), Ordering::Relaxed);
}

/// Sets how many files are worked on at the same time: each may take its share of the limit.
pub fn set_files(count: usize) {
    FILES.store(count.max(1) as u64, Ordering::Relaxed);
}

/// What one file may take, in bytes.
#[must_use]
pub fn share() -> u64 {
    static LEFT: OnceLock<u64> = OnceLock::new();
    let limit = match LIMIT.load(Ordering::Relaxed) {
        0 => *LEFT.get_or_init(|| machine::left() / 4 * 3),
        limit => limit,
    };
    limit / FILES.load(Ordering::Relaxed)
}

/// Refuses what takes more than the share of a file, and what the system does not give.
///
/// # Errors
/// A clause with both numbers.
pub fn allow(bytes: u64) -> Result<(), Problem> {
    let takes = || Problem::new(format!("takes {} MiB of memory", bytes.div_ceil(1 << 20)));
    let share = share();
    if bytes > share {
        let most = format!("at most {} MiB for one file", share >> 20);
        return Err(takes().expected(most).hint(Hint::Raise(OptionName::MemoryLimit)));
    }
    let is_given = bytes < TRIED
        || usize::try_from(bytes).is_ok_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok());
    if is_given { Ok(()) } else { Err(takes().found("an allocation that the system refuses")) }
}

macro_rules! parts {
    ($($(#[$doc:meta])* $part:ident: $ceiling:expr, $each:expr;)*) => {
        /// Something of a file that has a number, and takes memory by it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Part {
            $($(#[$doc])* $part,)*
        }

        impl Part {
            /// The limit of the format: more is not sound, regardless of memory.
            #[must_use]
            pub const fn ceiling(self) -> u64 {
                match self { $(Self::$part => $ceiling,)* }
            }

            /// Bytes that each may take, at worst.
            const fn each(self) -> u64 {
                match self { $(Self::$part => $each,)* }
            }
        }
    };
}

// What each takes is measured by `tests/memory`, and rounded up.
parts! {
    /// Bytes of a picture, a tensor file or an archive of arrays. A TIFF of 200 megapixels has 1.2 GB with 16 bits.
    File: 2 << 30, 1;
    /// Pixels of a picture: decoded, turned, in another colour space. The largest sensors have 200 million.
    Pixels: 300_000_000, 12;
    /// Bytes of a decoder's own memory: room for the greatest picture with 16-bit RGBA, twice. What it unpacks next to the pixels is there with them.
    Decoder: 2 * 8 * 300_000_000, 2;
    /// Strips or tiles of a TIFF: a place and a length each.
    Strips: 1 << 22, 32;
    /// Bytes of one strip or tile.
    Strip: 1 << 30, 1;
    /// Values of a `.npy` array; more than any constant of a network has.
    Array: 1 << 27, 16;
    /// Bytes of all names of a file's tensors. They are paths, so a kilobyte can repeat one long part in any number of them.
    Names: 16 << 20, 8;
    /// Bytes of a description of tensors: the header of a pack, of safetensors, a pickle. Small maps take many times their text.
    Header: 100 << 20, 40;
    /// Bytes of a pack's tensor, a limit of Burn's.
    Tensor: 10 << 30, 2;
    /// Values of a pickle; more than any checkpoint has.
    PickleValues: 1 << 23, 160;
    /// Numbers of a checkpoint's tensor: a view with stride 0 could ask for any.
    Weights: 1 << 30, 24;
    /// Bytes of an ONNX file, a limit of protocol buffers: its constants are copies.
    Onnx: 1 << 31, 3;
    /// Elements of an ONNX constant (2 GiB of floats): integers are stored twice, in 64 bits.
    Elements: 1 << 29, 48;
    /// Bytes of an old record, unpacked. VGG-19, the largest known architecture, takes 1.2 GB in double precision.
    Record: 2 << 30, 6;
    /// Numbers in a list of an old record (1 GiB as `f32`). Each may take a single byte of the file.
    RecordNumbers: 1 << 28, 24;
    /// Bytes of a Keras configuration; those of its own applications have up to 2 MB.
    Config: 64 << 20, 1;
    /// Bytes of a text for many pictures: labels, lists, boxes. COCO's training set has 448 MB.
    Text: 1 << 30, 1;
    /// Bytes of a text for one picture or one model.
    SmallText: 16 << 20, 1;
}

impl Part {
    /// The most that a file may have: the limit of the format, or what its share of memory is enough for.
    #[must_use]
    pub fn most(self) -> u64 {
        self.ceiling().min(share() / self.each())
    }

    /// Refuses what takes more than the share of a file. The limit of the format is the caller's to check.
    ///
    /// # Errors
    /// As [`allow`].
    pub fn check(self, count: u64) -> Result<(), Problem> {
        allow(count.saturating_mul(self.each()))
    }
}

/// Reads a whole file of no more bytes than `part` may have. Of a pipe, which has no size, no more is read.
///
/// # Errors
/// When the system refuses, or the file has more.
pub fn read(path: &Path, part: Part) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    let about = |problem: Problem| Error::request(problem.about(Subject::File(path.to_path_buf())));
    read_from(file, size, part).map_err(Error::io("read", path))?.map_err(about)
}

/// Reads everything from a reader that holds about `size` bytes, 0 if that is not known.
///
/// # Errors
/// When the system refuses; inside, when there are more bytes than `part` may have.
pub fn read_from(reader: impl Read, size: u64, part: Part) -> io::Result<Result<Vec<u8>, Problem>> {
    let most = part.most();
    let refuse = |most: u64| {
        let problem = Problem::new(format!("is larger than the limit of {} MiB", most >> 20));
        if most < part.ceiling() { problem.hint(Hint::Raise(OptionName::MemoryLimit)) } else { problem }
    };
    if size > most {
        return Ok(Err(refuse(most)));
    }
    let mut bytes = Vec::new();
    // One byte more than there is, so that the end is found without growing the buffer.
    if bytes.try_reserve_exact(size as usize + 1).is_err() {
        return Ok(Err(refuse(0)));
    }
    reader.take(most + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() as u64 > most { Err(refuse(most)) } else { Ok(bytes) })
}

/// Reads a text of many entries, which may be parsed: a card, labels, a list, records.
///
/// # Errors
/// As [`read`], and when its entries would take more than the share of a file.
pub fn read_text(path: &Path, part: Part) -> Result<Vec<u8>> {
    let bytes = read(path, part)?;
    let about = |problem: Problem| Error::request(problem.about(Subject::File(path.to_path_buf())));
    allow(of_text(&bytes)).map_err(about)?;
    Ok(bytes)
}

/// What a text may take when it is parsed into values of known types, with its own bytes, by the separators in it: every entry of a table
/// follows one, and so does every value of JSON, and every element of XML and its attributes.
#[must_use]
pub fn of_text(bytes: &[u8]) -> u64 {
    /// A row of a table with its places in lists and maps.
    const ROW: u64 = 640;
    /// A list, an element, an attribute.
    const ENTRY: u64 = 320;
    /// A value that is no number: a text, or a field of a map.
    const FIELD: u64 = 192;
    /// A number in a list, which grows by doubling. A polygon has hundreds.
    const NUMBER: u64 = 16;
    /// A map, which has room for eleven entries from the first on.
    const MAP: u64 = 900;
    // Its line breaks are those of a printer, and separate nothing.
    let is_json = matches!(bytes.trim_ascii_start(), [b'{' | b'[', ..]);
    let is_number = |at: usize| {
        let next = bytes[at..].iter().find(|byte| !byte.is_ascii_whitespace());
        next.is_some_and(|next| matches!(next, b'0'..=b'9' | b'-' | b'.'))
    };
    let weight = |(at, byte): (usize, &u8)| match byte {
        b'\n' if !is_json => ROW,
        b'[' | b'<' | b'=' | 0 => ENTRY,
        b',' if is_number(at + 1) => NUMBER,
        b',' => FIELD,
        b'{' => MAP,
        _ => 2,
    };
    bytes.iter().enumerate().map(weight).sum()
}

/// What JSON may take when it is parsed into a tree of any values: a number of one byte takes as much as a text.
#[must_use]
pub fn of_tree(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| if *byte == b'{' { 900 } else { 40 }).sum()
}

/// What a list of one path per line may take, or of paths separated by NUL, with its own bytes: of each path its places in tables.
#[must_use]
pub fn of_lines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| if matches!(byte, b'\n' | 0) { 400 } else { 2 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_no_more_than_the_limit_of_its_format() {
        let most = Part::SmallText.ceiling();
        let endless = io::repeat(b'a');
        let refused = read_from(endless, 0, Part::SmallText).unwrap().unwrap_err();
        assert!(refused.to_string().starts_with("is larger than the limit of 16 MiB"), "{refused}");
        let whole = read_from(io::repeat(b'a').take(most), 0, Part::SmallText).unwrap().unwrap();
        assert_eq!(whole.len() as u64, most);
    }

    #[test]
    fn what_no_machine_has_is_refused_with_both_numbers() {
        let refused = allow(1 << 60).unwrap_err().to_string();
        assert!(refused.starts_with("takes 1099511627776 MiB of memory, expected at most "), "{refused}");
        assert!(Part::Weights.check(u64::MAX).is_err() && allow(1 << 20).is_ok());
    }

    #[test]
    fn entries_of_a_text_count_more_than_their_letters() {
        assert!(of_text(b"a\nb\nc\n") > 1900 && of_text(b"abcdef") == 12);
        // Of a polygon a number takes what a number takes, however the file is printed.
        let (close, wide) = (of_text(b"[1,2,3,4]"), of_text(b"[\n  1,\n  2,\n  3,\n  4\n]"));
        assert!(close < 400 && wide < 450, "{close} {wide}");
        assert!(of_text(br#"["a","b"]"#) > 500 && of_tree(b"[1,2]") == 200 && of_lines(b" \n \n") > 800);
    }
}
