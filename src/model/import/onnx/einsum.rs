//! `Einsum`: its equation, and sums of products of constants.
//!
//! Receives a [`Site`]; operands that are computed are left to the file of the same name in `lower`.

use ndarray::{ArrayD, Dimension, IxDyn};

use super::constant::Constant;
use super::shaped::bounded;
use super::site::Site;
use crate::error::Problem;

/// The letters of each operand and of the result.
pub(super) struct Equation {
    pub(super) terms: Vec<Vec<char>>,
    pub(super) out: Vec<char>,
}

/// The equation of a node, with its result written out.
pub(super) fn equation(site: &Site) -> Result<Equation, Problem> {
    let equation = site.text("equation", "")?.replace(' ', "");
    let (left, out) = equation.split_once("->").ok_or_else(|| unusual(site))?;
    if !equation.chars().all(|letter| letter.is_ascii_alphabetic() || ",->".contains(letter)) {
        return Err(unusual(site));
    }
    let terms = left.split(',').map(|term| term.chars().collect()).collect();
    Ok(Equation { terms, out: out.chars().collect() })
}

/// An equation that is not read here.
pub(super) fn unusual(site: &Site) -> Problem {
    let equation = site.text("equation", "").unwrap_or_default();
    Problem::new(format!("its 'equation' is '{equation}'")).expected("letters, as in 'bij,bjk->bik'")
}

/// Of constants, added up in double precision.
pub(super) fn of_constants(site: &Site) -> Result<Vec<Constant>, Problem> {
    let Equation { terms, out } = equation(site)?;
    let of = |at: usize| match site.constant(at)? {
        Constant::Float(array) => Ok(array),
        Constant::Int(_) => Err(Problem::new("multiplies integers").expected("real numbers")),
    };
    let operands = (0..terms.len()).map(of).collect::<Result<Vec<_>, _>>()?;
    let mut sizes = sizes(site, &terms, &operands)?;
    // The letters of the result first: what is behind them is summed.
    sizes.sort_by_key(|(letter, _)| out.iter().position(|other| other == letter).unwrap_or(out.len()));
    let sides: Vec<usize> = sizes.iter().map(|(_, side)| *side).collect();
    bounded(&sides, site.source.room)?;
    if !sizes.iter().map(|(letter, _)| letter).take(out.len()).eq(&out) {
        return Err(unusual(site));
    }
    let at = |letter: &char| sizes.iter().position(|(other, _)| other == letter);
    let axes: Vec<Vec<usize>> = terms.iter().map(|letters| letters.iter().filter_map(at).collect()).collect();
    let (kept, summed) = sides.split_at(out.len());
    let result = ArrayD::from_shape_fn(IxDyn(kept), |kept| {
        let products = ndarray::indices(IxDyn(summed)).into_iter().map(|summed| {
            let place = [kept.slice(), summed.slice()].concat();
            let number = |(array, axes): (&&ArrayD<f32>, &Vec<usize>)| {
                f64::from(array[IxDyn(&axes.iter().map(|axis| place[*axis]).collect::<Vec<_>>())])
            };
            operands.iter().zip(&axes).map(number).product::<f64>()
        });
        products.sum::<f64>() as f32
    });
    Ok(vec![Constant::Float(result)])
}

/// The size that each letter has.
fn sizes(site: &Site, terms: &[Vec<char>], operands: &[&ArrayD<f32>]) -> Result<Vec<(char, usize)>, Problem> {
    let mut sizes: Vec<(char, usize)> = Vec::new();
    for (letters, array) in terms.iter().zip(operands) {
        if array.ndim() != letters.len() {
            return Err(unusual(site));
        }
        for (letter, side) in letters.iter().zip(array.shape()) {
            match sizes.iter().find(|(known, _)| known == letter) {
                Some((_, size)) if size != side => {
                    return Err(Problem::new(format!("its letter '{letter}' has {side} elements"))
                        .expected(format!("{size}")));
                }
                Some(_) => {}
                None => sizes.push((*letter, *side)),
            }
        }
    }
    Ok(sizes)
}
