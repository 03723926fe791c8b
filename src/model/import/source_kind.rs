//! The kind of an import file: detected by content, by name only where content is ambiguous.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::GzDecoder;

use super::foreign;
use super::safetensors_file::is_safetensors;
use super::state_dict::file_name;
use crate::error::{Error, Problem, Result};

const GZIP: &[u8] = b"\x1f\x8b";
const BURNPACK: &[u8] = b"NRUB";
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
/// The first key of every record, in MessagePack.
const METADATA: &[u8] = b"\xa8metadata";
/// Every record names its recorder's type near the start.
const RECORDER: &[u8] = b"burn_core::record::";

/// This many bytes contain every signature.
const HEAD: u64 = 512;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SourceKind {
    /// A graph with its weights, which needs neither architecture nor card.
    Onnx,
    /// A saved Keras model, of which the same is true: an archive, or an HDF5 file.
    Keras,
    /// PyTorch's containers and safetensors, which `StateDict` distinguishes. Unknown files are tried as one.
    StateDict,
    /// Burn's own container.
    Burnpack,
    /// The format before burnpack.
    Record { encoding: Encoding, gzip: bool },
}

/// The encoding of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// MessagePack with field names.
    Named,
    Json,
    /// Bincode, or MessagePack without names.
    Unnamed,
}

impl SourceKind {
    /// Detects the kind of a file.
    ///
    /// # Errors
    /// When it cannot be read, or is gzip with unknown content.
    pub(super) fn of(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Err(Error::model(file_name(path), foreign::directory(path)));
        }
        let open = || File::open(path).map_err(Error::io("read", path));
        let mut head = Vec::new();
        open()?.take(HEAD).read_to_end(&mut head).map_err(Error::io("read", path))?;
        let gzip = head.starts_with(GZIP);
        if gzip {
            head.clear();
            // A truncated or damaged stream gives what it can; the full read later reports what is wrong.
            let _ = GzDecoder::new(BufReader::new(open()?)).take(HEAD).read_to_end(&mut head);
        }
        if let Some(problem) = foreign::name(path, &head).filter(|_| !gzip && !head.starts_with(BURNPACK)) {
            return Err(Error::model(file_name(path), problem));
        }
        let name = file_name(path).to_lowercase();
        match encoding_by_content(&head).or_else(|| encoding_by_name(&name, gzip)) {
            Some(encoding) => Ok(Self::Record { encoding, gzip }),
            None if gzip => Err(Error::model(
                file_name(path),
                Problem::new("is a gzip file")
                    .expected("one that holds a Burn record")
                    .hint("unpack it first"),
            )),
            None if head.starts_with(BURNPACK) => Ok(Self::Burnpack),
            None if head.starts_with(HDF5) || foreign::is_keras_archive(path, &head) => Ok(Self::Keras),
            None if name.ends_with(".onnx") || is_onnx(&head) => Ok(Self::Onnx),
            None => Ok(Self::StateDict),
        }
    }
}

/// A model starts with its IR version, a small number, followed by one of a few fields.
fn is_onnx(head: &[u8]) -> bool {
    matches!(head, [0x08, 1..=32, 0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42, ..])
}

fn encoding_by_content(head: &[u8]) -> Option<Encoding> {
    let small_map = head.first().is_some_and(|byte| byte & 0xf0 == 0x80);
    if small_map && head[1..].starts_with(METADATA) {
        Some(Encoding::Named)
    } else if head.trim_ascii_start().starts_with(b"{") && !is_safetensors(head) {
        Some(Encoding::Json)
    } else if head.windows(RECORDER.len()).any(|part| part == RECORDER) {
        Some(Encoding::Unnamed)
    } else {
        None
    }
}

/// PyTorch also uses `.bin`, so for uncompressed files the extension proves nothing.
fn encoding_by_name(name: &str, gzip: bool) -> Option<Encoding> {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let ending = Path::new(name).extension()?.to_str()?;
    match ending {
        "mpk" => Some(Encoding::Named),
        "json" => Some(Encoding::Json),
        "bin" if gzip => Some(Encoding::Unnamed),
        _ => None,
    }
}
