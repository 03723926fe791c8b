//! A pack's values, read on request.
//!
//! Receives the offset of each tensor; gives its values as 32-bit floats. Nothing is cached: a tensor requested twice
//! is read twice, so that memory holds the values in use and not also the file.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use half::slice::{HalfBitsSliceExt as _, HalfFloatSliceExt as _};

use super::format::Entry;
use super::source::Source;
use super::tensor::{DType, StoredTensor, Values};
use crate::digest::Pending;
use crate::error::{Error, Result};

/// The values of a verified pack, and its hash. Cheap to clone: it holds no values.
#[derive(Debug, Clone)]
pub struct Weights {
    pub(super) source: Source,
    pub(super) entries: Arc<BTreeMap<String, Entry>>,
    /// SHA-256 of the whole file, lower-case hexadecimal.
    pub sha256: Arc<Pending>,
}

/// Buffer size in elements, for values that are narrower or wider than 32 bits.
const BATCH: usize = 1 << 15;

impl Weights {
    /// The stored tensors by name; each is read when its bytes are requested.
    pub(crate) fn into_tensors(self) -> BTreeMap<String, StoredTensor> {
        let tensor = |(name, entry): (&String, &Entry)| {
            let Entry { dtype, shape, param_id, start, length } = entry.clone();
            let values = Values::Stored { source: self.source.clone(), start, length };
            (name.clone(), StoredTensor { name: name.clone(), dtype, shape, param_id, values })
        };
        self.entries.iter().map(tensor).collect()
    }

    /// The values of one tensor as 32-bit floats, row-major, with its shape. Reads only that tensor.
    ///
    /// # Errors
    /// When there is no tensor of that name, its values are not finite floats, or the file has been truncated since.
    pub fn floats(&self, name: &str) -> Result<(Vec<f32>, Vec<usize>)> {
        let problem = |text: String| Error::model(self.source.name(), format!("tensor '{name}' {text}"));
        let entry = self.entries.get(name).ok_or_else(|| problem("is missing".into()))?;
        let values = match entry.dtype {
            DType::F32 => self.f32s(entry),
            DType::F16 => self.converted(entry, |bits: &[u16], out| {
                bits.reinterpret_cast::<half::f16>().convert_to_f32_slice(out);
            }),
            DType::BF16 => self.converted(entry, |bits: &[u16], out| {
                bits.reinterpret_cast::<half::bf16>().convert_to_f32_slice(out);
            }),
            DType::F64 => self.converted(entry, |bits: &[u64], out| {
                out.iter_mut().zip(bits).for_each(|(out, bits)| *out = f64::from_bits(*bits) as f32);
            }),
            other => {
                return Err(problem(format!("has element type {other:?}, expected f32, f16, bf16 or f64")));
            }
        };
        let values = values.map_err(|error| {
            problem(format!("cannot be read: {error} (was the file changed in the meantime?)"))
        })?;
        if !all_finite(&values) {
            return Err(problem("holds numbers that are not finite (was the training run sound?)".into()));
        }
        Ok((values, entry.shape.clone()))
    }

    /// Reads directly into the result.
    fn f32s(&self, entry: &Entry) -> io::Result<Vec<f32>> {
        let mut values = vec![0.0_f32; entry.length / size_of::<f32>()];
        self.source.read(entry.start, bytemuck::cast_slice_mut(&mut values))?;
        if cfg!(target_endian = "big") {
            values.iter_mut().for_each(|value| *value = f32::from_bits(u32::from_le(value.to_bits())));
        }
        Ok(values)
    }

    /// Converts through a small buffer of the stored bits.
    fn converted<B: Bits>(&self, entry: &Entry, convert: impl Fn(&[B], &mut [f32])) -> io::Result<Vec<f32>> {
        let mut values = vec![0.0_f32; entry.length / size_of::<B>()];
        let mut buffer = vec![B::zeroed(); BATCH.min(values.len())];
        let mut start = entry.start;
        for batch in values.chunks_mut(BATCH) {
            let bits = &mut buffer[..batch.len()];
            self.source.read(start, bytemuck::cast_slice_mut(bits))?;
            // Nothing on little-endian machines, where the compiler removes it.
            bits.iter_mut().for_each(|bits| *bits = B::from_little_endian(*bits));
            convert(bits, batch);
            start += size_of_val(bits) as u64;
        }
        Ok(values)
    }
}

/// The bit pattern of a float.
trait Bits: bytemuck::Pod {
    fn from_little_endian(bits: Self) -> Self;
}

impl Bits for u16 {
    fn from_little_endian(bits: Self) -> Self {
        Self::from_le(bits)
    }
}

impl Bits for u64 {
    fn from_little_endian(bits: Self) -> Self {
        Self::from_le(bits)
    }
}

/// Tests whole blocks before branching, so that the loop vectorises.
fn all_finite(values: &[f32]) -> bool {
    values.chunks(1024).all(|block| block.iter().fold(true, |sound, value| sound & value.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::super::{Pack, write};
    use super::*;

    fn tensor(name: &str, dtype: DType, count: usize, bytes: Vec<u8>) -> StoredTensor {
        StoredTensor::new(name, dtype, vec![count], bytes)
    }

    /// More values than fit into the buffer, exact in every format.
    fn numbers() -> Vec<f32> {
        (0..BATCH + 1234).map(|at| (at % 251) as f32 * 0.5 - 60.0).collect()
    }

    #[test]
    fn every_width_gives_the_same_floats_from_open_and_replaced_files() {
        let numbers = numbers();
        let bytes = |each: fn(&f32) -> Vec<u8>| numbers.iter().flat_map(each).collect::<Vec<u8>>();
        let stored = [
            ("single", DType::F32, bytes(|x| x.to_le_bytes().into())),
            ("half", DType::F16, bytes(|x| half::f16::from_f32(*x).to_le_bytes().into())),
            ("brain", DType::BF16, bytes(|x| half::bf16::from_f32(*x).to_le_bytes().into())),
            ("double", DType::F64, bytes(|x| f64::from(*x).to_le_bytes().into())),
        ];
        let tensors = stored.map(|(name, dtype, bytes)| tensor(name, dtype, numbers.len(), bytes)).to_vec();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.bpk");
        write(&path, "{}", tensors, false).unwrap();
        let weights = Pack::open(&path).unwrap().weights().unwrap();
        // A replaced file under the same name must not be read.
        write(&path, "{}", vec![], true).unwrap();
        for name in ["single", "half", "brain", "double"] {
            assert!(weights.floats(name).unwrap() == (numbers.clone(), vec![numbers.len()]), "{name}");
        }
        assert!(weights.floats("triple").unwrap_err().to_string().contains("'triple' is missing"));
        let whole = weights.into_tensors().remove("half").unwrap();
        assert_eq!(whole.to_bytes().unwrap().len(), 2 * numbers.len());
    }

    #[test]
    fn a_file_cut_short_after_its_check_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.bpk");
        write(&path, "{}", vec![tensor("a", DType::F32, 512, vec![0; 2048])], false).unwrap();
        let weights = Pack::open(&path).unwrap().weights().unwrap();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(300).unwrap();
        let error = weights.floats("a").unwrap_err().to_string();
        assert!(error.contains("tensor 'a' cannot be read") && error.contains("in the meantime"), "{error}");
    }

    #[test]
    fn one_number_that_is_not_finite_is_found_anywhere() {
        let mut numbers = numbers();
        assert!(all_finite(&numbers));
        for at in [0, 1023, 1024, numbers.len() - 1] {
            let sound = std::mem::replace(&mut numbers[at], f32::NEG_INFINITY);
            assert!(!all_finite(&numbers));
            numbers[at] = sound;
        }
    }

    #[test]
    fn weights_may_be_kept_and_shared() {
        fn may<T: Send + Sync + 'static>() {}
        may::<Weights>();
    }
}
