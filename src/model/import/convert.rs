//! From a source's tensors to Burn's: names, layout, precision.

use half::f16;

use super::names::Parameter;
use super::state_dict::StateDict;
use crate::error::{OptionName, Phrase, Problem};
use crate::pack::{DType, StoredTensor};

/// Reads and converts the tensors that the diagnosis found to fit.
///
/// # Errors
/// A clause that names the tensor, when it cannot be read, is not finite, or is too large for `f16`.
pub(super) fn convert(
    parameters: &[Parameter],
    weights: &StateDict,
    half: bool,
) -> Result<Vec<StoredTensor>, Problem> {
    let mut tensors = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let mut numbers = match &parameter.derived {
            Some(derived) => {
                let values: Vec<Vec<f32>> =
                    derived.sources.iter().map(|(name, _)| read(weights, name)).collect::<Result<_, _>>()?;
                derived.make(&values)
            }
            None => read(weights, &parameter.source_name)?,
        };
        if parameter.transposed {
            numbers = transpose(&numbers, &parameter.shape);
        }
        tensors.push(store(&parameter.name, numbers, parameter.shape.clone(), half)?);
    }
    Ok(tensors)
}

fn read(weights: &StateDict, name: &str) -> Result<Vec<f32>, Problem> {
    let source = weights.tensors.get(name).ok_or_else(|| Problem::new("is not there").about_tensor(name))?;
    source.read().map_err(|problem| match problem.to_string().starts_with("tensor ") {
        true => problem,
        false => problem.about_tensor(name),
    })
}

/// One tensor as stored in the model file, as `f16` if requested.
///
/// # Errors
/// A clause that names the tensor, when a value is not finite or too large for `f16`.
pub(super) fn store(
    name: &str,
    numbers: Vec<f32>,
    shape: Vec<usize>,
    half: bool,
) -> Result<StoredTensor, Problem> {
    let odd = numbers.iter().filter(|number| !number.is_finite()).count();
    if odd > 0 {
        let problem = Problem::new(format!("{odd} of {} numbers are not finite", numbers.len()));
        return Err(problem.hint("was the training run sound?").about_tensor(name));
    }
    if !half {
        return Ok(StoredTensor::floats(name, shape, numbers));
    }
    let halves = halves(&numbers).map_err(|problem| problem.about_tensor(name))?;
    Ok(StoredTensor::new(name, DType::F16, shape, halves))
}

/// `[out, in]` to `[in, out]`; `shape` is the result's.
fn transpose(numbers: &[f32], shape: &[usize]) -> Vec<f32> {
    /// Rows per block, so that a block stays in the cache.
    const TILE: usize = 32;
    let [inputs, outputs] = *shape else { return numbers.to_vec() };
    let mut result = vec![0.0; numbers.len()];
    for first in (0..outputs).step_by(TILE) {
        for input in 0..inputs {
            for output in first..outputs.min(first + TILE) {
                result[input * outputs + output] = numbers[output * inputs + input];
            }
        }
    }
    result
}

fn halves(numbers: &[f32]) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::with_capacity(numbers.len() * 2);
    for number in numbers {
        let small = f16::from_f32(*number);
        if number.is_finite() && small.is_infinite() {
            return Err(Problem::new(format!("{number} does not fit in f16"))
                .expected(format!("at most {}", f16::MAX))
                .hint(Phrase::from("leave out ").without(OptionName::Half)));
        }
        bytes.extend_from_slice(&small.to_le_bytes());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        // [out = 2, in = 3]
        let numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(transpose(&numbers, &[3, 2]), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let wide: Vec<f32> = (0..70_u16).map(f32::from).collect();
        assert_eq!(transpose(&transpose(&wide, &[2, 35]), &[35, 2]), wide);
    }

    #[test]
    fn what_half_precision_cannot_hold_is_refused() {
        assert_eq!(halves(&[1.0, 65504.0]).unwrap(), [0x00, 0x3c, 0xff, 0x7b]);
        let error = halves(&[70_000.0]).unwrap_err().to_string();
        assert_eq!(
            error,
            "70000 does not fit in f16, expected at most 65504 (leave out ImportRequest::half)"
        );
    }
}
