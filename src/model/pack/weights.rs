//! A pack's values, read on request.
//!
//! Receives the offset of each tensor; gives its values as 32-bit floats, and the checksum of what it read for them. Nothing is
//! cached: a tensor requested twice is read twice, so that memory holds the values in use and not also the file. Other values can
//! take the place of stored ones, in memory alone.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use half::slice::{HalfBitsSliceExt as _, HalfFloatSliceExt as _};
use rayon::prelude::*;

use super::checksum::Checksum;
use super::format::Entry;
use super::seal::Seal;
use super::source::Source;
use super::tensor::{DType, StoredTensor, Values};
use crate::digest::Pending;
use crate::error::{Error, Problem, Result};

/// The values of a pack, verified before they are given, and its hash. Cheap to clone: it holds no values.
#[derive(Debug, Clone)]
pub struct Weights {
    pub(super) source: Source,
    pub(super) entries: Arc<BTreeMap<String, Entry>>,
    /// Values in place of stored ones, by tensor.
    pub(super) replaced: BTreeMap<String, Arc<Vec<f32>>>,
    /// What the file is verified with, if anything.
    pub(super) seal: Option<Arc<Seal>>,
    /// Values are given before the file is verified.
    pub(super) is_ahead: bool,
    /// SHA-256 of the whole file, lower-case hexadecimal.
    pub sha256: Arc<Pending>,
}

/// Buffer size in elements, for values that are narrower or wider than 32 bits.
const BATCH: usize = 1 << 15;

impl Weights {
    /// The same weights, whose values are given before all bytes are verified: so the file is read once. For callers that
    /// [`verify`](Self::verify) before anything that came of the values is used.
    #[must_use]
    pub fn ahead(&self) -> Self {
        Self { is_ahead: true, ..self.clone() }
    }

    /// Verifies the file with its checksum, if it has one, unless that was done before; reads only what no one has read yet.
    ///
    /// # Errors
    /// When the file is damaged, or can no longer be read.
    pub fn verify(&self) -> Result<()> {
        let Some(seal) = self.seal.as_ref().filter(|seal| !seal.is_sound()) else { return Ok(()) };
        let read = |(name, entry): (&String, &Entry)| {
            let Some(mut sum) = seal.begin(name, entry) else { return Ok(()) };
            self.source.each_chunk(entry.start, entry.length as u64, |bytes| sum.update(bytes))?;
            seal.keep(name, sum);
            Ok(())
        };
        // One sum per tensor, on all threads; they are combined in order of name.
        let all = self.entries.par_iter().map(read).collect::<io::Result<()>>();
        all.map_err(|error| self.source.lost(&error))?;
        let (found, stored) = (seal.found(), &seal.stored);
        if found == *stored {
            return Ok(());
        }
        let problem =
            format!("is damaged: its checksum is {found}, expected {stored} (copy or import it again)");
        Err(Error::model(self.source.name(), problem))
    }

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
    /// When the file is damaged or has been truncated since, there is no tensor of that name, or its values are not finite floats.
    pub fn floats(&self, name: &str) -> Result<(Vec<f32>, Vec<usize>)> {
        if !self.is_ahead {
            self.verify()?;
        }
        let problem = |text: String| Error::model(self.source.name(), format!("tensor '{name}' {text}"));
        let entry = self.entries.get(name).ok_or_else(|| problem("is missing".into()))?;
        if let Some(values) = self.replaced.get(name) {
            return Ok((values.to_vec(), entry.shape.clone()));
        }
        let mut sum = self.seal.as_ref().and_then(|seal| seal.begin(name, entry));
        let values = match entry.dtype {
            DType::F32 => self.f32s(entry, &mut sum),
            DType::F16 => self.converted(entry, &mut sum, |bits: &[u16], out| {
                bits.reinterpret_cast::<half::f16>().convert_to_f32_slice(out);
            }),
            DType::BF16 => self.converted(entry, &mut sum, |bits: &[u16], out| {
                bits.reinterpret_cast::<half::bf16>().convert_to_f32_slice(out);
            }),
            DType::F64 => self.converted(entry, &mut sum, |bits: &[u64], out| {
                out.iter_mut().zip(bits).for_each(|(out, bits)| *out = f64::from_bits(*bits) as f32);
            }),
            other => {
                return Err(problem(format!("has element type {other:?}, expected f32, f16, bf16 or f64")));
            }
        };
        let values = values.map_err(|error| {
            problem(format!("cannot be read: {error} (was the file changed in the meantime?)"))
        })?;
        if let (Some(seal), Some(sum)) = (&self.seal, sum) {
            seal.keep(name, sum);
        }
        if !all_finite(&values) {
            // Of a damaged file that is what the user must know.
            self.verify()?;
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

    /// Reads directly into the result, in pieces that a checksum finds in a cache.
    fn f32s(&self, entry: &Entry, sum: &mut Option<Checksum>) -> io::Result<Vec<f32>> {
        let mut values = vec![0.0_f32; entry.length / size_of::<f32>()];
        let mut start = entry.start;
        for batch in values.chunks_mut(2 * BATCH) {
            self.read_summed(start, bytemuck::cast_slice_mut(batch), sum)?;
            start += size_of_val(batch) as u64;
        }
        if cfg!(target_endian = "big") {
            values.iter_mut().for_each(|value| *value = f32::from_bits(u32::from_le(value.to_bits())));
        }
        Ok(values)
    }

    fn read_summed(&self, start: u64, bytes: &mut [u8], sum: &mut Option<Checksum>) -> io::Result<()> {
        self.source.read(start, bytes)?;
        if let Some(sum) = sum {
            sum.update(bytes);
        }
        Ok(())
    }

    /// Converts through a small buffer of the stored bits.
    fn converted<B: Bits>(
        &self,
        entry: &Entry,
        sum: &mut Option<Checksum>,
        convert: impl Fn(&[B], &mut [f32]),
    ) -> io::Result<Vec<f32>> {
        let mut values = vec![0.0_f32; entry.length / size_of::<B>()];
        let mut buffer = vec![B::zeroed(); BATCH.min(values.len())];
        let mut start = entry.start;
        for batch in values.chunks_mut(BATCH) {
            let bits = &mut buffer[..batch.len()];
            self.read_summed(start, bytemuck::cast_slice_mut(bits), sum)?;
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
#[path = "weights_tests.rs"]
mod tests;
