//! `Einsum` of one or two operands, as sums, transposes and one matrix product.
//!
//! The pictures of a batch stay an axis of their own: their letter counts as one that both operands have.

use ndarray::{ArrayD, Axis};

use super::super::builder::{Builder, Tensor, Weight, place};
use super::super::constant::BATCHES;
use super::super::einsum::{Equation, equation, unusual};
use super::super::site::{Site, Value};
use super::operands::one;
use crate::card::Op;
use crate::error::Problem;

/// The letter of the pictures where the file has none for them: they are one axis with something else.
const PICTURES: char = '*';

/// An operand with one letter for each axis.
#[derive(Debug, Clone)]
struct Operand {
    letters: Vec<char>,
    value: Numbers,
}

#[derive(Debug, Clone)]
enum Numbers {
    Computed(Tensor),
    Stored(Weight),
}

pub(super) fn einsum(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let Equation { terms, out } = equation(site)?;
    let operands = operands(site, terms)?.ok_or_else(|| unusual(site))?;
    let out = result_letters(out, &operands)?;
    match &operands[..] {
        [only] => {
            let summed = only.clone().summed(builder, |letter| out.contains(&letter))?;
            one(summed.ordered(builder, &out)?.computed()?)
        }
        [first, second] => {
            let (first, second) = (first.clone(), second.clone());
            let kept = |other: &Operand| {
                let letters = other.letters.clone();
                let out = out.clone();
                move |letter: char| out.contains(&letter) || letters.contains(&letter)
            };
            let (in_first, in_second) = (kept(&first), kept(&second));
            let (first, second) = (first.summed(builder, in_second)?, second.summed(builder, in_first)?);
            product(builder, first, second, &out)
        }
        _ => Err(Problem::new(format!("multiplies {} operands", operands.len())).expected("one or two")),
    }
}

/// The operands, each with its letters; `None` if they do not fit.
fn operands(site: &Site, terms: Vec<Vec<char>>) -> Result<Option<Vec<Operand>>, Problem> {
    let mut operands = Vec::with_capacity(terms.len());
    for (at, mut letters) in terms.into_iter().enumerate() {
        let value = match site.input(at) {
            Some(Value::Constant(constant) | Value::Repeated(constant)) => {
                Numbers::Stored(Weight { values: constant.floats()?, source: site.sources[at].to_owned() })
            }
            _ => Numbers::Computed(site.tensor(at)?.clone()),
        };
        if let (Some(_), Numbers::Computed(tensor)) = (site.merged, &value) {
            letters.insert(place(tensor)?.min(letters.len()), PICTURES);
        }
        let twice = (1..letters.len()).any(|at| letters[..at].contains(&letters[at]));
        if twice || value.rank() != letters.len() {
            return Ok(None);
        }
        operands.push(Operand { letters, value });
    }
    Ok(Some(operands))
}

/// The letters of the result. Where the pictures are one axis with something else, they stay next to it.
fn result_letters(mut letters: Vec<char>, operands: &[Operand]) -> Result<Vec<char>, Problem> {
    let parts = operands.iter().filter_map(|operand| {
        operand.letters.windows(2).find(|pair| pair[0] == PICTURES).map(|pair| pair[1])
    });
    let mut parts: Vec<char> = parts.collect();
    parts.dedup();
    match (&parts[..], parts.first().and_then(|part| letters.iter().position(|letter| letter == part))) {
        ([], _) => {}
        ([_], Some(at)) => letters.insert(at, PICTURES),
        _ => return Err(Problem::new("sums over the parts of a picture or mixes them")),
    }
    Ok(letters)
}

/// `[both..., left, inner]` times `[both..., inner, right]`.
fn product(
    builder: &mut Builder,
    mut first: Operand,
    mut second: Operand,
    out: &[char],
) -> Result<Vec<Value>, Problem> {
    if matches!(first.value, Numbers::Stored(_)) {
        std::mem::swap(&mut first, &mut second);
    }
    let (in_first, in_second) = (first.pictures(), second.pictures());
    // The pictures of one operand alone meet each copy of the other.
    for (pictures, other) in [(in_first, &mut second), (in_second, &mut first)] {
        if let Some(pictures) = pictures.filter(|letter| !other.letters.contains(letter)) {
            other.prepend(builder, pictures)?;
        }
    }
    let letters = |of: &Operand, wanted: &dyn Fn(char) -> bool| -> Vec<char> {
        of.letters.iter().copied().filter(|letter| wanted(*letter)).collect()
    };
    let shared = letters(&first, &|letter| second.letters.contains(&letter));
    let both: Vec<char> = shared.iter().copied().filter(|letter| out.contains(letter)).collect();
    let inner: Vec<char> = shared.iter().copied().filter(|letter| !out.contains(letter)).collect();
    let left = letters(&first, &|letter| !shared.contains(&letter));
    let right = letters(&second, &|letter| !shared.contains(&letter));
    let (rows, columns) = (first.sizes(&left), second.sizes(&right));
    let a = first.ordered(builder, &[&both[..], &left, &inner].concat())?;
    let a = a.grouped(builder, both.len(), [left.len(), inner.len()])?.computed()?;
    let b = second.ordered(builder, &[&both[..], &inner, &right].concat())?;
    let result = match b.grouped(builder, both.len(), [inner.len(), right.len()])?.value {
        Numbers::Computed(b) => builder.emit(Op::Matmul {}, &[&a, &b], vec![])?,
        Numbers::Stored(weight) => builder.emit(Op::Matmul {}, &[&a], vec![("other", weight)])?,
    };
    let sides = result.shapes[0][..both.len()].iter().copied().chain(rows).chain(columns);
    let sides: Vec<usize> = sides.collect();
    let opened = unmerged(builder, &result, &sides)?;
    let operand = Operand { letters: [both, left, right].concat(), value: Numbers::Computed(opened) };
    one(operand.ordered(builder, out)?.computed()?)
}

fn unmerged(builder: &mut Builder, x: &Tensor, sides: &[usize]) -> Result<Tensor, Problem> {
    if x.shapes[0] == *sides {
        return Ok(x.clone());
    }
    let shape = sides.iter().enumerate().map(|(at, side)| if x.is_batch(at) { -1 } else { *side as i64 });
    builder.unary(Op::Reshape { shape: shape.collect() }, x)
}

impl Numbers {
    fn rank(&self) -> usize {
        match self {
            Self::Computed(tensor) => tensor.rank(),
            Self::Stored(weight) => weight.values.ndim(),
        }
    }
}

impl Operand {
    fn computed(self) -> Result<Tensor, Problem> {
        match self.value {
            Numbers::Computed(tensor) => Ok(tensor),
            Numbers::Stored(_) => Err("multiplies constants alone".into()),
        }
    }

    fn place(&self, letter: char) -> usize {
        self.letters.iter().position(|own| *own == letter).unwrap_or_default()
    }

    fn sizes(&self, letters: &[char]) -> Vec<usize> {
        let shape = match &self.value {
            Numbers::Computed(tensor) => &tensor.shapes[0][..],
            Numbers::Stored(weight) => weight.values.shape(),
        };
        letters.iter().map(|letter| shape[self.place(*letter)]).collect()
    }

    /// The letter of the batch.
    fn pictures(&self) -> Option<char> {
        let Numbers::Computed(tensor) = &self.value else { return None };
        self.letters.iter().enumerate().find(|(at, _)| tensor.is_batch(*at)).map(|(_, letter)| *letter)
    }

    /// Without the axes that neither the result nor the other operand has.
    fn summed(mut self, builder: &mut Builder, kept: impl Fn(char) -> bool) -> Result<Self, Problem> {
        let axes: Vec<usize> = (0..self.letters.len()).filter(|at| !kept(self.letters[*at])).collect();
        if axes.is_empty() {
            return Ok(self);
        }
        self.value = match self.value {
            Numbers::Computed(x) => {
                axes.iter().try_for_each(|axis| x.side(*axis).map(|_| ()))?;
                Numbers::Computed(builder.unary(Op::ReduceSum { axes, keep_dims: false }, &x)?)
            }
            Numbers::Stored(mut weight) => {
                axes.iter().rev().for_each(|axis| weight.values = weight.values.sum_axis(Axis(*axis)));
                Numbers::Stored(weight)
            }
        };
        self.letters.retain(|letter| kept(*letter));
        Ok(self)
    }

    /// With its axes in the order of `letters`.
    fn ordered(mut self, builder: &mut Builder, letters: &[char]) -> Result<Self, Problem> {
        let mut sorted = [letters, &self.letters].map(<[char]>::to_vec);
        sorted.iter_mut().for_each(|letters| letters.sort_unstable());
        if sorted[0] != sorted[1] {
            return Err(Problem::new("gives axes that its operands do not have"));
        }
        let perm: Vec<usize> = letters.iter().map(|letter| self.place(*letter)).collect();
        if perm.iter().copied().eq(0..perm.len()) {
            return Ok(self);
        }
        self.value = match self.value {
            Numbers::Computed(x) => Numbers::Computed(builder.unary(Op::Transpose { perm }, &x)?),
            Numbers::Stored(Weight { values, source }) => {
                Numbers::Stored(Weight { values: values.permuted_axes(perm), source })
            }
        };
        self.letters = letters.to_vec();
        Ok(self)
    }

    /// A first axis for the pictures of the other operand.
    fn prepend(&mut self, builder: &mut Builder, letter: char) -> Result<(), Problem> {
        match &mut self.value {
            Numbers::Computed(x) => *x = builder.unary(Op::Unsqueeze { axes: vec![0] }, x)?,
            Numbers::Stored(weight) => weight.values.insert_axis_inplace(Axis(0)),
        }
        self.letters.insert(0, letter);
        Ok(())
    }

    /// The axes after the first `both` as two.
    fn grouped(mut self, builder: &mut Builder, both: usize, groups: [usize; 2]) -> Result<Self, Problem> {
        if groups == [1, 1] {
            return Ok(self);
        }
        let grouped = |shape: &[usize]| {
            let (outer, inner) = shape.split_at(both);
            let (rows, columns) = inner.split_at(groups[0]);
            [outer, &[rows.iter().product(), columns.iter().product()]].concat()
        };
        self.value = match self.value {
            Numbers::Computed(x) => {
                if (both..x.rank()).any(|axis| x.is_batch(axis)) {
                    return Err(Problem::new(format!("mixes the pictures of a batch of {}", BATCHES[0])));
                }
                Numbers::Computed(unmerged(builder, &x, &grouped(&x.shapes[0]))?)
            }
            Numbers::Stored(Weight { values, source }) => {
                let shape = grouped(values.shape());
                let values = ArrayD::from_shape_vec(shape, values.into_iter().collect());
                Numbers::Stored(Weight { values: values.map_err(|cause| cause.to_string())?, source })
            }
        };
        Ok(self)
    }
}
