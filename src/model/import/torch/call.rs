//! Calls that construct tensors and collections: the only ones that the pickle reader interprets.

use super::damage::Damage;
use super::value::{Heap, Id, Storage, Value, View};
use crate::import::element::ElementType;

/// A tensor of a subclass is written as a call of a call; real files nest once. The limit bounds recursion.
const DEEPEST_CALL: usize = 8;

impl Heap {
    /// The result of a call: a tensor or a collection for known calls, otherwise an inert object.
    ///
    /// # Errors
    /// When a call for a tensor is contradictory.
    pub(super) fn call(&mut self, class: Id, args: Id) -> Result<Id, Damage> {
        let (mut class, mut args) = (class, args);
        for _ in 0..DEEPEST_CALL {
            let Some(name) = self.class(class).map(|class| (class.module.as_str(), class.name.as_str()))
            else {
                break;
            };
            let given = self.members(args).unwrap_or_default();
            let first = given.first().copied();
            return match name {
                ("torch._tensor" | "torch.tensor", "_rebuild_from_type_v2" | "_rebuild_from_type") => {
                    let &[function, _, inner, ..] = given else { break };
                    (class, args) = (function, inner);
                    continue;
                }
                ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state")
                | ("torch.nn.parameter", "Parameter" | "Buffer")
                | ("torch.autograd.variable", "Variable") => match first {
                    Some(data) if matches!(self.get(data), Value::Tensor(_)) => Ok(data),
                    _ => break,
                },
                ("torch._utils", function) => match self.tensor(function, given)? {
                    Some(view) => self.add(Value::Tensor(Box::new(view))),
                    None => break,
                },
                ("collections", "OrderedDict") | ("builtins" | "__builtin__", "dict") => {
                    let pairs = self.listed_pairs(first);
                    self.add(Value::Dict(pairs))
                }
                ("builtins" | "__builtin__", "list" | "tuple" | "set" | "frozenset") => {
                    let members = first.and_then(|first| self.members(first)).unwrap_or_default();
                    self.add(Value::List(members.to_vec()))
                }
                _ => break,
            };
        }
        self.inert()
    }

    /// The pairs of a dictionary made from another dictionary, or from a list of pairs.
    fn listed_pairs(&self, source: Option<Id>) -> Vec<(Id, Id)> {
        let Some(source) = source else { return vec![] };
        match self.get(source) {
            Value::Dict(pairs) => pairs.clone(),
            _ => {
                let members = self.members(source).unwrap_or_default().iter();
                let pair = |id: &Id| match self.members(*id)? {
                    &[key, value] => Some((key, value)),
                    _ => None,
                };
                members.filter_map(pair).collect()
            }
        }
    }

    /// The tensor that `torch._utils.FUNCTION` makes of a storage; `None` if the result is not a tensor.
    fn tensor(&self, function: &str, given: &[Id]) -> Result<Option<View>, Damage> {
        let at = |index: usize| given.get(index).copied().unwrap_or(Self::NONE);
        if !matches!(
            function,
            "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3" | "_rebuild_qtensor"
        ) {
            return Ok(None);
        }
        let Value::Storage(storage) = self.get(at(0)) else { return Ok(None) };
        let typed = match function {
            "_rebuild_tensor_v3" => self.class(at(6)).and_then(|class| dtype(&class.name)),
            _ => storage.kind,
        };
        let Some((element, width)) = typed else { return Ok(None) };
        // Quantised numbers need scales that are not in the storage; they are listed, and refused when they are read.
        let element = if function == "_rebuild_qtensor" { ElementType::Other } else { element };
        let (offset, shape, strides) = (self.extent(at(1))?, self.extents(at(2))?, self.extents(at(3))?);
        if shape.len() != strides.len() {
            return Err(Damage::new(format!(
                "a tensor has {} axes and {} strides",
                shape.len(),
                strides.len()
            )));
        }
        Ok(Some(View { storage: (**storage).clone(), element, width, offset, shape, strides }))
    }

    fn extents(&self, id: Id) -> Result<Vec<usize>, Damage> {
        self.members(id).unwrap_or_default().iter().map(|id| self.extent(*id)).collect()
    }

    fn extent(&self, id: Id) -> Result<usize, Damage> {
        match self.get(id) {
            Value::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        }
        .ok_or_else(|| Damage::new("a tensor's extents are no numbers"))
    }

    /// An object outside the pickle: a storage, or in old files a class with its source text.
    ///
    /// # Errors
    /// When a storage is contradictory.
    pub(super) fn persistent(&mut self, id: Id) -> Result<Id, Damage> {
        let given = self.members(id).unwrap_or_default();
        match given.first().and_then(|kind| self.text(*kind)) {
            Some("module") => Ok(given.get(1).copied().unwrap_or(Self::OTHER)),
            Some("storage") => {
                let storage = self.storage(given)?;
                storage.map_or(Ok(Self::OTHER), |storage| self.add(Value::Storage(Box::new(storage))))
            }
            _ => Ok(Self::OTHER),
        }
    }

    /// `("storage", type, key, device, elements, part)`.
    fn storage(&self, given: &[Id]) -> Result<Option<Storage>, Damage> {
        let &[_, class, key, _, count, ref part @ ..] = given else {
            return Err(Damage::new("a storage has no name or size"));
        };
        let name = self.class(class).map(|class| class.name.as_str()).or_else(|| self.text(class));
        let (Some(name), Some(key)) = (name, self.key(key)) else {
            return Err(Damage::new("a storage has no type or name"));
        };
        let kind = match name {
            "UntypedStorage" => None,
            name => match storage_type(name) {
                Some(kind) => Some(kind),
                None => return Ok(None),
            },
        };
        let mut storage = Storage { key, kind, reach: self.extent(count)?, start: 0 };
        if let Some(&[_, start, count]) = part.first().and_then(|part| self.members(*part)) {
            storage.start = self.extent(start)?;
            // A part of another storage ends at the nearer of both ends.
            storage.reach = self.extent(count)?.saturating_add(storage.start).min(storage.reach);
        }
        Ok(Some(storage))
    }
}

/// Element type of a typed storage, and its width in bytes.
fn storage_type(name: &str) -> Option<(ElementType, usize)> {
    Some(match name {
        "HalfStorage" => (ElementType::F16, 2),
        "BFloat16Storage" => (ElementType::Bf16, 2),
        "FloatStorage" => (ElementType::F32, 4),
        "DoubleStorage" => (ElementType::F64, 8),
        "ComplexDoubleStorage" => (ElementType::Other, 16),
        "LongStorage" | "ComplexFloatStorage" => (ElementType::Other, 8),
        "IntStorage" | "QInt32Storage" => (ElementType::Other, 4),
        "ShortStorage" => (ElementType::Other, 2),
        "CharStorage" | "ByteStorage" | "BoolStorage" | "QInt8Storage" | "QUInt8Storage"
        | "QUInt4x2Storage" | "QUInt2x4Storage" => (ElementType::Other, 1),
        _ => return None,
    })
}

/// As [`storage_type`], by the name of a `torch.dtype`.
fn dtype(name: &str) -> Option<(ElementType, usize)> {
    Some(match name {
        "float16" => (ElementType::F16, 2),
        "bfloat16" => (ElementType::Bf16, 2),
        "float32" => (ElementType::F32, 4),
        "float64" => (ElementType::F64, 8),
        "uint64" => (ElementType::Other, 8),
        "uint32" => (ElementType::Other, 4),
        "uint16" => (ElementType::Other, 2),
        _ if name.starts_with("float8") => (ElementType::Other, 1),
        _ => return None,
    })
}
