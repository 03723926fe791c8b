//! A pack's numbers, read when they are asked for.
//!
//! Receives where each tensor lies, hands on its numbers as 32-bit floats. Nothing is kept: a tensor that is asked for
//! twice is read twice, so that a program holds the numbers that it uses and not the file beside them.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use burn_pack::{Bytes, DType, Tensor};
use half::slice::{HalfBitsSliceExt as _, HalfFloatSliceExt as _};

use super::source::Source;
use crate::digest::Pending;
use crate::error::{Error, Result};

/// Where a tensor lies, and what it is.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) dtype: DType,
    pub(super) shape: Vec<usize>,
    pub(super) param_id: Option<u64>,
    /// First byte.
    pub(super) start: u64,
    /// In bytes; as many as the shape asks for.
    pub(super) length: usize,
}

/// The numbers of a pack whose bytes were checked, and their hash. Cheap to keep and to clone: it holds no numbers.
#[derive(Debug, Clone)]
pub struct Weights {
    pub(super) source: Source,
    pub(super) entries: Arc<BTreeMap<String, Entry>>,
    /// SHA-256 of the whole file, lower-case hexadecimal.
    pub sha256: Arc<Pending>,
}

/// Numbers that are narrower or wider than 32 bits pass through a buffer of so many.
const BATCH: usize = 1 << 15;

impl Weights {
    /// The tensors as they are stored, by name; each is read when its bytes are asked for.
    pub fn into_tensors(self) -> BTreeMap<String, Tensor> {
        let tensor = |(name, entry): (&String, &Entry)| {
            let Entry { dtype, shape, param_id, start, length } = entry.clone();
            let source = self.source.clone();
            let read = move || {
                let mut bytes = vec![0; length];
                source
                    .read(start, &mut bytes)
                    .map_err(|error| burn_pack::Error::IoError(error.to_string()))?;
                Ok(Bytes::from_bytes_vec(bytes))
            };
            (name.clone(), Tensor::deferred(name.clone(), dtype, shape, param_id, length, read))
        };
        self.entries.iter().map(tensor).collect()
    }

    /// The numbers of one tensor as 32-bit floats, row-major, with its shape. Reads that tensor and no other.
    ///
    /// # Errors
    /// When there is none of that name, its numbers are no finite floats, or the file has been cut short since.
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

    /// Read straight to where they stay.
    fn f32s(&self, entry: &Entry) -> io::Result<Vec<f32>> {
        let mut values = vec![0.0_f32; entry.length / size_of::<f32>()];
        self.source.read(entry.start, bytemuck::cast_slice_mut(&mut values))?;
        if cfg!(target_endian = "big") {
            values.iter_mut().for_each(|value| *value = f32::from_bits(u32::from_le(value.to_bits())));
        }
        Ok(values)
    }

    /// Through a small buffer of the stored bits, in the machine's order of bytes.
    fn converted<B: Bits>(&self, entry: &Entry, convert: impl Fn(&[B], &mut [f32])) -> io::Result<Vec<f32>> {
        let mut values = vec![0.0_f32; entry.length / size_of::<B>()];
        let mut buffer = vec![B::zeroed(); BATCH.min(values.len())];
        let mut start = entry.start;
        for batch in values.chunks_mut(BATCH) {
            let bits = &mut buffer[..batch.len()];
            self.source.read(start, bytemuck::cast_slice_mut(bits))?;
            bits.iter_mut().for_each(|bits| *bits = B::from_little_endian(*bits));
            convert(bits, batch);
            start += size_of_val(bits) as u64;
        }
        Ok(values)
    }
}

/// A float's bits.
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

/// Looks at whole blocks before it decides, so that the compiler can look at many numbers at once.
fn all_finite(values: &[f32]) -> bool {
    values.chunks(1024).all(|block| block.iter().fold(true, |sound, value| sound & value.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::super::{Pack, write};
    use super::*;

    fn tensor(name: &str, dtype: DType, count: usize, bytes: Vec<u8>) -> Tensor {
        Tensor::new(name.into(), dtype, vec![count], None, Bytes::from_bytes_vec(bytes))
    }

    /// More numbers than fit into the buffer, exact in every format.
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
        // Another model under the same name is not this one.
        write(&path, "{}", vec![], true).unwrap();
        for name in ["single", "half", "brain", "double"] {
            assert!(weights.floats(name).unwrap() == (numbers.clone(), vec![numbers.len()]), "{name}");
        }
        assert!(weights.floats("triple").unwrap_err().to_string().contains("'triple' is missing"));
        let whole = weights.into_tensors().remove("half").unwrap().to_bytes().unwrap();
        assert_eq!(whole.len(), 2 * numbers.len());
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
