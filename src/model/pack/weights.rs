//! A pack's values, read on request.
//!
//! Receives the offset of each tensor; gives its values as 32-bit floats. Nothing is cached: a tensor requested twice
//! is read twice, so that memory holds the values in use and not also the file. Other values can take the place of stored ones, in
//! memory alone.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use half::slice::{HalfBitsSliceExt as _, HalfFloatSliceExt as _};

use super::format::Entry;
use super::source::Source;
use super::tensor::{DType, StoredTensor, Values};
use crate::digest::Pending;
use crate::error::{Error, Problem, Result};

/// The values of a verified pack, and its hash. Cheap to clone: it holds no values.
#[derive(Debug, Clone)]
pub struct Weights {
    pub(super) source: Source,
    pub(super) entries: Arc<BTreeMap<String, Entry>>,
    /// Values in place of stored ones, by tensor.
    pub(super) replaced: BTreeMap<String, Arc<Vec<f32>>>,
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
            if let Some(values) = self.replaced.get(name) {
                return (name.clone(), StoredTensor::floats(name, shape, values.to_vec()));
            }
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
        if let Some(values) = self.replaced.get(name) {
            return Ok((values.to_vec(), entry.shape.clone()));
        }
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

    /// The same tensors with `values` in place of those stored or given before. The hash stays that of the file.
    ///
    /// # Errors
    /// When there is no tensor of that name, or it has another number of values or some that are not finite.
    pub(super) fn replacing(mut self, values: BTreeMap<String, Vec<f32>>) -> Result<Self> {
        for (name, values) in values {
            let problem = |problem: Problem| Err(problem.about_tensor(&name).of_model(self.source.name()));
            let Some(entry) = self.entries.get(&name) else { return problem(Problem::new("is missing")) };
            let count = entry.shape.iter().product::<usize>();
            if values.len() != count {
                let found = Problem::default().expected(format!("{count} values"));
                return problem(found.found(values.len().to_string()));
            }
            if !all_finite(&values) {
                return problem(Problem::new("is to get numbers that are not finite"));
            }
            self.replaced.insert(name, Arc::new(values));
        }
        Ok(self)
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
    fn values_in_memory_take_the_place_of_stored_ones_of_the_same_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("two.bpk");
        let stored = ["a", "b"].map(|name| StoredTensor::floats(name, vec![2], vec![1.0, 2.0])).to_vec();
        write(&path, "{}", stored, false).unwrap();
        let weights = Pack::open(&path).unwrap().weights().unwrap();
        let with = |name: &str, values: &[f32]| BTreeMap::from([(name.to_owned(), values.to_vec())]);
        let changed = weights.clone().replacing(with("a", &[3.0, 4.0])).unwrap();
        assert_eq!(changed.floats("a").unwrap(), (vec![3.0, 4.0], vec![2]));
        assert_eq!(changed.floats("b").unwrap(), (vec![1.0, 2.0], vec![2]));
        let again = changed.replacing(with("b", &[5.0, 6.0])).unwrap();
        assert_eq!(again.floats("a").unwrap().0, [3.0, 4.0]);
        let bytes = again.into_tensors().remove("b").unwrap().to_bytes().unwrap().into_owned();
        assert_eq!(bytes, [5.0_f32, 6.0].map(f32::to_le_bytes).concat());
        assert_eq!(weights.floats("a").unwrap().0, [1.0, 2.0]);
        for (name, values) in [("c", &[1.0, 1.0][..]), ("a", &[1.0][..]), ("a", &[1.0, f32::NAN][..])] {
            let error = weights.clone().replacing(with(name, values)).unwrap_err().to_string();
            assert!(error.contains(&format!("tensor '{name}'")), "{error}");
        }
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
