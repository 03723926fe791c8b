//! One tensor of a record, in each of its historical forms.

use crate::error::Problem;
use crate::import::element::ElementType;
use crate::import::state_dict::StateTensor;

/// The element type of a `value` list, from the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    /// Halves are written as the integers of their 16 bits.
    F16,
    /// The same.
    Bf16,
    /// Written as numbers.
    Wide,
}

impl Precision {
    /// From the name of a Rust type.
    pub(super) fn of(name: &str) -> Self {
        match name.rsplit("::").next() {
            Some("f16") => Self::F16,
            Some("bf16") => Self::Bf16,
            _ => Self::Wide,
        }
    }
}

/// How numbers are written; in a list, the last kind that occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Truth,
    Whole,
    Real,
}

/// A value of the file, as far as the surrounding map needs it.
#[derive(Debug)]
pub(super) enum Leaf {
    /// Null, or a module, whose tensors have been collected.
    Nothing,
    Text(String),
    Bytes(Vec<u8>),
    Number(f32, Kind),
    /// A list of numbers, and their kind unless it is empty.
    Numbers(Vec<f32>, Option<Kind>),
    /// A list of anything else.
    List,
}

/// The fields of a map that may be a tensor.
#[derive(Debug, Default)]
pub(super) struct Fields {
    bytes: Option<Leaf>,
    value: Option<Leaf>,
    shape: Option<Leaf>,
    dtype: Option<Leaf>,
}

impl Fields {
    pub(super) fn put(&mut self, key: &str, leaf: Leaf) {
        let place = match key {
            "bytes" => &mut self.bytes,
            "value" => &mut self.value,
            "shape" => &mut self.shape,
            "dtype" => &mut self.dtype,
            _ => return,
        };
        *place = Some(leaf);
    }

    /// The tensor of these fields; `None` when the map is not a tensor.
    ///
    /// # Errors
    /// A clause, when it is a tensor with contradictory fields.
    pub(super) fn tensor(self, precision: Precision) -> Result<Option<StateTensor>, Problem> {
        let Some(Leaf::Numbers(shape, None | Some(Kind::Whole))) = self.shape else { return Ok(None) };
        let (element, bytes) = match (self.bytes, self.value) {
            (Some(Leaf::Nothing), None) | (None, Some(Leaf::Nothing)) | (None, None) => return Ok(None),
            (Some(bytes), None) => (stored_as(self.dtype), raw(bytes)?),
            (None, Some(Leaf::Numbers(numbers, kind))) => listed(&numbers, kind, precision),
            _ => {
                return Err(
                    Problem::new("holds other things than numbers").hint("was the training run sound?")
                );
            }
        };
        let shape: Vec<usize> = shape
            .iter()
            .map(|side| whole(*side))
            .collect::<Option<_>>()
            .ok_or_else(|| Problem::new(format!("has the shape {shape:?}")).expected("whole numbers"))?;
        let size = match element {
            ElementType::F16 | ElementType::Bf16 => 2,
            ElementType::F32 => 4,
            ElementType::F64 => 8,
            // Not a weight, so its values are never read.
            ElementType::Other => return Ok(Some(StateTensor::in_memory(shape, element, vec![]))),
        };
        let expected = shape.iter().try_fold(size, |product: usize, side| product.checked_mul(*side));
        if expected != Some(bytes.len()) {
            let numbers = bytes.len() / size;
            return Err(Problem::new(format!("has {numbers} numbers"))
                .expected(format!("as many as its shape {shape:?} holds")));
        }
        Ok(Some(StateTensor::in_memory(shape, element, bytes)))
    }
}

fn stored_as(dtype: Option<Leaf>) -> ElementType {
    let Some(Leaf::Text(name)) = dtype else { return ElementType::Other };
    match name.as_str() {
        "F16" => ElementType::F16,
        "BF16" => ElementType::Bf16,
        "F32" | "Flex32" => ElementType::F32,
        "F64" => ElementType::F64,
        _ => ElementType::Other,
    }
}

/// JSON has no byte strings, only lists of numbers.
fn raw(bytes: Leaf) -> Result<Vec<u8>, Problem> {
    match bytes {
        Leaf::Bytes(bytes) => Ok(bytes),
        Leaf::Numbers(numbers, _) => numbers
            .iter()
            .map(|number| whole(*number).and_then(|byte| u8::try_from(byte).ok()))
            .collect::<Option<_>>()
            .ok_or_else(|| "has bytes that are not 0 to 255".into()),
        _ => Err(Problem::new("has no bytes").expected("a list of them")),
    }
}

/// Integers are weights only where halves are written as integers.
fn listed(numbers: &[f32], kind: Option<Kind>, precision: Precision) -> (ElementType, Vec<u8>) {
    let floats = || numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let bits = || numbers.iter().map(|number| Some(u16::try_from(whole(*number)?).ok()?.to_le_bytes()));
    let element = match (kind, precision) {
        (None | Some(Kind::Real), _) => return (ElementType::F32, floats()),
        (Some(Kind::Whole), Precision::F16) => ElementType::F16,
        (Some(Kind::Whole), Precision::Bf16) => ElementType::Bf16,
        (Some(Kind::Whole | Kind::Truth), _) => return (ElementType::Other, vec![]),
    };
    match bits().collect::<Option<Vec<_>>>() {
        Some(bits) => (element, bits.concat()),
        None => (ElementType::Other, vec![]),
    }
}

fn whole(number: f32) -> Option<usize> {
    /// Above this not every integer is an `f32`; no axis of a weight is that long.
    const EXACT: f32 = 16_777_216.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked
    ((0.0..=EXACT).contains(&number) && number.fract() == 0.0).then_some(number as usize)
}
