//! Named weights from a file: PyTorch checkpoints in all their containers, and safetensors.
//!
//! Receives a path and detects the format by the file's first bytes; gives names, shapes and, tensor by tensor on
//! request, values as `f32`. Burn's own files are converted to the same table by [`super::record`] and from a pack,
//! PyTorch's by [`super::torch`]. Nested names are joined by dots. Callers select the tensors of a network.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use half::{bf16, f16};

use super::decode::{decode, decode_halves};
use super::element::ElementType;
use super::safetensors_file::{is_safetensors, read_list};
use super::torch::{self, TorchTensor};
use crate::error::{Error, Problem, Result};
use crate::memory::Part;
use crate::pack::{DType, StoredTensor};

/// The tensors of a checkpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct StateDict {
    /// Each tensor under its full name.
    pub(crate) tensors: BTreeMap<String, StateTensor>,
    /// Prefix of the names in each dictionary: a name and a dot. The outermost is not listed.
    pub(super) dictionaries: BTreeSet<String>,
}

/// One tensor, whose values are still in the file.
#[derive(Debug, Clone)]
pub(crate) struct StateTensor {
    shape: Vec<usize>,
    element: ElementType,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Torch(TorchTensor),
    /// From a PyTorch container before 0.1.10, a tar file.
    Tar(pytorch_reader::Tensor),
    Safetensors {
        path: Arc<PathBuf>,
        offset: u64,
        bytes: usize,
    },
    Burnpack(StoredTensor),
    Memory(Arc<[u8]>),
}

impl StateDict {
    /// Lists the tensors of a `.pth`, `.pt`, `.bin`, `.pkl` or `.safetensors` file; the extension does not matter.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or holds no tensors.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("read", path))?;
        let mut head = Vec::new();
        (&file).take(16).read_to_end(&mut head).map_err(Error::io("read", path))?;
        let found = if is_safetensors(&head) {
            // The head has been read from the same handle.
            (&file).rewind().map_err(Error::io("read", path))?;
            from_safetensors(&file, path)
        } else if is_tar(&file) {
            from_tar(path)
        } else {
            from_torch(path)
        }
        .map_err(|problem| Error::model(file_name(path), problem))?;
        if found.tensors.is_empty() {
            return Err(Error::model(
                file_name(path),
                Problem::new("holds no tensors").expected("a dictionary of weights"),
            ));
        }
        Ok(found)
    }

    /// The tensors of a burnpack.
    pub(super) fn from_pack(tensors: BTreeMap<String, StoredTensor>) -> Self {
        let convert = |(name, tensor)| (name, StateTensor::from_pack(tensor));
        Self::flat(tensors.into_iter().map(convert).collect())
    }

    /// Tensors of a single dictionary.
    pub(super) fn flat(tensors: BTreeMap<String, StateTensor>) -> Self {
        Self { tensors, dictionaries: BTreeSet::new() }
    }

    /// Name and shape of the tensors that hold floating-point numbers.
    #[must_use]
    pub(crate) fn weights(&self) -> Vec<(String, Vec<usize>)> {
        self.tensors
            .iter()
            .filter(|(_, tensor)| tensor.element != ElementType::Other)
            .map(|(name, tensor)| (name.clone(), tensor.shape.clone()))
            .collect()
    }
}

impl StateTensor {
    /// A tensor whose little-endian bytes are already in memory; their number must match shape and element type.
    pub(super) fn in_memory(shape: Vec<usize>, element: ElementType, bytes: Vec<u8>) -> Self {
        Self { shape, element, source: Source::Memory(bytes.into()) }
    }

    fn from_pack(tensor: StoredTensor) -> Self {
        let element = match tensor.dtype {
            DType::F16 => ElementType::F16,
            DType::BF16 => ElementType::Bf16,
            DType::F32 | DType::Flex32 => ElementType::F32,
            DType::F64 => ElementType::F64,
            _ => ElementType::Other,
        };
        Self { shape: tensor.shape.clone(), element, source: Source::Burnpack(tensor) }
    }

    /// Extents, outermost first; empty for a single number.
    #[must_use]
    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values, last axis fastest. Doubles are rounded to the nearest `f32`.
    ///
    /// # Errors
    /// A clause, when the file is damaged or the tensor is not of a floating-point type.
    pub(crate) fn read(&self) -> Result<Vec<f32>, Problem> {
        let bytes = self.bytes()?;
        let numbers: Vec<f32> = match self.element {
            ElementType::F16 => decode_halves(bytes.as_chunks().0, f16::from_le_bytes),
            ElementType::Bf16 => decode_halves(bytes.as_chunks().0, bf16::from_le_bytes),
            ElementType::F32 => decode(&bytes, f32::from_le_bytes),
            #[allow(clippy::cast_possible_truncation)] // documented: rounds
            ElementType::F64 => decode(&bytes, |bytes| f64::from_le_bytes(bytes) as f32),
            ElementType::Other => return Err("holds no floating-point numbers".into()),
        };
        let expected = self.shape.iter().product::<usize>();
        if numbers.len() != expected {
            return Err(Problem::new(format!("has {} numbers", numbers.len())).expected(expected.to_string()));
        }
        Ok(numbers)
    }

    /// The tensor's bytes, little-endian.
    fn bytes(&self) -> Result<Vec<u8>, Problem> {
        match &self.source {
            Source::Torch(tensor) => tensor.read().map_err(Problem::from),
            Source::Tar(tensor) => {
                let mut bytes = tensor.read().map_err(|error| error.to_string())?;
                if cfg!(target_endian = "big") {
                    bytes.chunks_exact_mut(tensor.dtype().size()).for_each(<[u8]>::reverse);
                }
                Ok(bytes)
            }
            Source::Safetensors { path, offset, bytes } => {
                Part::Tensor.check(*bytes as u64)?;
                let read = || {
                    let mut file = File::open(path.as_ref())?;
                    file.seek(SeekFrom::Start(*offset))?;
                    let mut buffer = vec![0; *bytes];
                    file.read_exact(&mut buffer)?;
                    Ok(buffer)
                };
                read().map_err(|error: std::io::Error| error.to_string().into())
            }
            Source::Burnpack(tensor) => {
                tensor.to_bytes().map(Cow::into_owned).map_err(|error| error.to_string().into())
            }
            Source::Memory(bytes) => Ok(bytes.to_vec()),
        }
    }
}

/// The file's name without directories, for messages and provenance.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// PyTorch's first container, a tar archive.
fn is_tar(mut file: &File) -> bool {
    const MARK: &[u8] = b"ustar";
    const AT: u64 = 257;
    let mut found = [0; MARK.len()];
    file.seek(SeekFrom::Start(AT)).is_ok() && file.read_exact(&mut found).is_ok() && found == MARK
}

fn from_torch(path: &Path) -> Result<StateDict, Problem> {
    let torch::Contents { tensors, dictionaries } = torch::open(path)
        .map_err(|damage| Problem::from(damage).after("cannot be read as a PyTorch file: "))?;
    let convert = |(name, tensor): (String, TorchTensor)| {
        let (shape, element) = (tensor.shape().to_vec(), tensor.element());
        (name, StateTensor { shape, element, source: Source::Torch(tensor) })
    };
    Ok(StateDict { tensors: tensors.into_iter().map(convert).collect(), dictionaries })
}

fn from_tar(path: &Path) -> Result<StateDict, Problem> {
    use pytorch_reader::DType as TarType;
    let reader = pytorch_reader::PytorchReader::new(path)
        .map_err(|error| format!("cannot be read as a PyTorch file: {error}"))?;
    let convert = |(name, tensor): (String, pytorch_reader::Tensor)| {
        let element = match tensor.dtype() {
            TarType::F16 => ElementType::F16,
            TarType::BF16 => ElementType::Bf16,
            TarType::F32 => ElementType::F32,
            TarType::F64 => ElementType::F64,
            _ => ElementType::Other,
        };
        (name, StateTensor { shape: tensor.shape().to_vec(), element, source: Source::Tar(tensor) })
    };
    Ok(StateDict::flat(reader.into_tensors().into_iter().map(convert).collect()))
}

fn from_safetensors(file: &File, path: &Path) -> Result<StateDict, Problem> {
    use safetensors::Dtype;
    let (list, start) =
        read_list(file).map_err(|problem| problem.after("cannot be read as a safetensors file: "))?;
    let path = Arc::new(path.to_path_buf());
    let convert = |(name, info): (String, &safetensors::tensor::TensorInfo)| {
        let element = match info.dtype {
            Dtype::F16 => ElementType::F16,
            Dtype::BF16 => ElementType::Bf16,
            Dtype::F32 => ElementType::F32,
            Dtype::F64 => ElementType::F64,
            _ => ElementType::Other,
        };
        let (first, end) = info.data_offsets;
        let source = Source::Safetensors {
            path: Arc::clone(&path),
            offset: start + first as u64,
            bytes: end.saturating_sub(first),
        };
        (name, StateTensor { shape: info.shape.clone(), element, source })
    };
    Ok(StateDict::flat(list.tensors().into_iter().map(convert).collect()))
}
