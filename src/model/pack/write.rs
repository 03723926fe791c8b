//! Writing of packs: under a temporary name, then renamed.
//!
//! Receives a card and tensors, gives a complete file or none. Checking that they fit together is the caller's.

use std::io::{self, Write as _};
use std::path::Path;

use tempfile::TempPath;

use super::checksum::{CARD_KEY, CHECKSUM_KEY, Checksum};
use super::format;
use super::tensor::StoredTensor;
use crate::error::{Error, Problem, Result};
use crate::temporary;

/// Writes a pack with its card and checksum under a temporary name, then renames it.
///
/// # Errors
/// When `path` exists and `overwrite` is off, or it cannot be written.
pub(crate) fn write(path: &Path, card: &str, tensors: Vec<StoredTensor>, overwrite: bool) -> Result<()> {
    let refused =
        |problem: Problem| problem.after("cannot be written: ").of_model(path.display().to_string());
    let checksum = checksum(card, &tensors).map_err(refused)?;
    let texts = [(CARD_KEY, card), (CHECKSUM_KEY, &*checksum)];
    let (head, starts) = format::lay_out(&tensors, &texts).map_err(refused)?;
    let mut file = temporary::create(path)?;
    let lost = |error: io::Error| Error::io("write", path)(error);
    file.write_all(&head).map_err(lost)?;
    let mut end = 0;
    // One after another, so that each is freed before the next is read.
    for (tensor, start) in tensors.into_iter().zip(starts) {
        let bytes = read(&tensor).map_err(refused)?;
        file.write_all(&vec![0; (start - end) as usize]).map_err(lost)?;
        file.write_all(&bytes).map_err(lost)?;
        end = start + bytes.len() as u64;
    }
    // Before the file gets its name, so that after a power failure the name never stands for half a file. Some file
    // systems only report a full disk here.
    file.as_file().sync_all().map_err(lost)?;
    publish(file.into_temp_path(), path, overwrite)
}

fn read(tensor: &StoredTensor) -> Result<std::borrow::Cow<'_, [u8]>, Problem> {
    tensor.to_bytes().map_err(|error| Problem::new(error.to_string()).about_tensor(&tensor.name))
}

fn checksum(card: &str, tensors: &[StoredTensor]) -> Result<String, Problem> {
    let mut order: Vec<&StoredTensor> = tensors.iter().collect();
    // The reader sums in the order of its sorted table.
    order.sort_by(|a, b| a.name.cmp(&b.name));
    let of_tensor = |tensor: &&StoredTensor| {
        let mut sum = Checksum::of_head(&tensor.name, &tensor.shape);
        sum.update(&read(tensor)?);
        Ok(sum)
    };
    let sums: Vec<Checksum> = order.iter().map(of_tensor).collect::<Result<_, Problem>>()?;
    Ok(Checksum::of_card(card).finish(sums.iter()))
}

/// Gives a complete file its name. A file that it replaces passes on its permissions.
///
/// # Errors
/// When `path` exists and `overwrite` is off, or the file cannot be renamed.
pub(crate) fn publish(complete: TempPath, path: &Path, overwrite: bool) -> Result<()> {
    let lost = |error: io::Error| Error::io("write", path)(error);
    if let Some(before) = std::fs::metadata(path).ok().filter(|_| overwrite) {
        std::fs::set_permissions(&complete, before.permissions()).map_err(lost)?;
    }
    let persisted = if overwrite { complete.persist(path) } else { complete.persist_noclobber(path) };
    persisted.map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => Error::exists(path),
        _ => lost(error.error),
    })?;
    // The new name is on disk, too, before it is reported.
    temporary::sync_names(temporary::directory(path)).map_err(lost)
}
