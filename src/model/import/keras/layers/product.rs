//! Products along any axes: `EinsumDense`, `Dot`, and the matrix product of functions.

use super::super::site::{Site, Tensor, weight};
use super::activation;
use super::attention::project;
use super::elementwise::{PLUS, TIMES};
use crate::card::Op;
use crate::error::Problem;

/// `EinsumDense`: a kernel that shares some axes with the input, which are summed over, and adds others.
pub(super) fn einsum(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let equation = site.settings.text("equation", "")?;
    let refuse = || Problem::new(format!("has the equation '{equation}'")).expected("one as 'abc,cd->abd'");
    let (read, out) = equation.split_once("->").ok_or_else(refuse)?;
    let (read, kernel) = read.split_once(',').ok_or_else(refuse)?;
    let [own, kernel, out] = Letters { rank: x.rank() }.opened([read, kernel, out]).ok_or_else(refuse)?;
    let inner: Vec<char> = kernel.iter().copied().filter(|letter| own.contains(letter)).collect();
    let new: Vec<char> = kernel.iter().copied().filter(|letter| !own.contains(letter)).collect();
    let kept: Vec<char> = own.iter().copied().filter(|letter| !inner.contains(letter)).collect();
    let made = [&kept[..], &new].concat();
    let sorted = |letters: &[char]| {
        let mut letters = letters.to_vec();
        letters.sort_unstable();
        letters
    };
    if sorted(&made) != sorted(&out) || kernel != [&inner[..], &new].concat() || kept.first() != out.first() {
        return Err(refuse());
    }
    let biased = site.settings.get("bias_axes").is_some();
    let mut arrays = site.parameters(if biased { &["kernel", "bias"] } else { &["kernel"] })?.into_iter();
    let kernel = arrays.next().ok_or("has no kernel")?;
    let last = site.as_keras(&x)?;
    let last = ordered(site, &last, &own, &[&kept[..], &inner].concat())?;
    let product = project(site, &last, kernel, inner.len(), None)?;
    let mut y = ordered(site, &product, &made, &out)?;
    if let Some(bias) = arrays.next() {
        y = site.emit(PLUS(None), &[&y], vec![("other", weight(bias))])?;
    }
    let y = site.as_graph(&y)?;
    activation::own(site, &y)
}

/// The letters of an equation over an input with this number of axes.
struct Letters {
    rank: usize,
}

impl Letters {
    /// Each term with one letter for each axis: three dots stand for as many as the input has more.
    fn opened(&self, terms: [&str; 3]) -> Option<[Vec<char>; 3]> {
        let named = terms[0].chars().filter(|letter| letter.is_ascii_alphabetic()).count();
        // Capitals and small letters are all that an equation may use.
        let dots: String = ('0'..='9').take(self.rank.checked_sub(named)?).collect();
        let open = |term: &str| -> Vec<char> { term.trim().replace("...", &dots).chars().collect() };
        let opened = terms.map(open);
        let is_sound = |letters: &Vec<char>| {
            letters.iter().all(char::is_ascii_alphanumeric)
                && (1..letters.len()).all(|at| !letters[..at].contains(&letters[at]))
        };
        (opened.iter().all(is_sound) && opened[0].len() == self.rank).then_some(opened)
    }
}

/// With its axes, called `letters`, in the order `wanted`.
fn ordered(site: &mut Site, x: &Tensor, letters: &[char], wanted: &[char]) -> Result<Tensor, Problem> {
    if letters == wanted {
        return Ok(x.clone());
    }
    let place = |letter: &char| letters.iter().position(|own| own == letter).ok_or("has unknown axes");
    let perm = wanted.iter().map(place).collect::<Result<_, _>>()?;
    site.turn(perm, x)
}

/// `Dot` of two tensors along one axis each, as long vectors or as they are.
pub(super) fn dot(site: &mut Site) -> Result<Tensor, Problem> {
    let tensors = site.tensors()?;
    let [first, second] = &tensors[..] else { return Err("needs two tensors".into()) };
    let axes = match site.settings.list("axes")?.as_deref() {
        Some([both]) => [*both; 2],
        Some([first, second]) => [*first, *second],
        _ => return Err("has no 'axes'".into()),
    };
    if first.rank() != second.rank() || !matches!(first.rank(), 2 | 3) {
        let what = format!("multiplies tensors of {} and {} axes", first.rank(), second.rank());
        return Err(Problem::new(what).expected("two or three each"));
    }
    let axes = [site.axis(first, axes[0])?, site.axis(second, axes[1])?];
    if axes.contains(&0) {
        return Err(Problem::new("sums over the pictures of a batch").expected("another axis"));
    }
    let [mut first, mut second] = [first.clone(), second.clone()];
    if site.settings.flag("normalize", false)? {
        first = super::norm::unit_along(site, &first, vec![axes[0]])?;
        second = super::norm::unit_along(site, &second, vec![axes[1]])?;
    }
    if first.rank() == 2 {
        let product = site.emit(TIMES(None), &[&first, &second], vec![])?;
        return site.unary(Op::ReduceSum { axes: vec![1], keep_dims: true }, &product);
    }
    if axes[0] == 1 {
        first = site.turn(vec![0, 2, 1], &first)?;
    }
    if axes[1] == 2 {
        second = site.turn(vec![0, 2, 1], &second)?;
    }
    site.product(&first, &second)
}
