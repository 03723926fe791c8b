//! Tensors of a graph that a file of weights does not have as they are, but that follow from those that it has.
//!
//! Gives the names and shapes of what is needed, and makes the tensor from their values. A relative position bias is stored as a
//! table, one row for each distance between two cells of a window; the graph adds what each pair of cells gets.

/// A tensor of weights by name, with its shape in the source's layout.
pub type Named = (String, Vec<usize>);

/// A tensor that is made from others.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// The tensors that it is made from, in the order in which the rule reads them.
    pub sources: Vec<Named>,
    /// How.
    pub rule: Rule,
}

/// How a tensor is made from others.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// From none: these values.
    Constant(Vec<f32>),
    /// `[heads, cells, cells]`: for each pair of cells, the second fastest, this row of a table, `[rows, heads]`.
    TableRows(Vec<usize>),
    /// The same rows of a table that two linear layers compute from coordinates, as `16 σ(·)`. The sources are the coordinates
    /// of the rows, weight and bias of the first layer, and the weight of the second.
    ///
    /// Reference: Z. Liu et al., "Swin Transformer V2: Scaling Up Capacity and Resolution", 2021, section 3.3.
    ComputedTable(Vec<usize>),
    /// `e^x` of a logarithm, at most 100.
    Exponential,
    /// The middle third is zero: keys have no bias.
    WithoutMiddle,
}

impl Derived {
    /// From tensors under other names.
    pub(super) fn called(mut self, call: fn(&str) -> String) -> Self {
        self.sources.iter_mut().for_each(|(name, _)| *name = call(name));
        self
    }

    /// The tensor's values, from those of its sources in order. Missing ones count as empty.
    #[must_use]
    pub fn make(&self, values: &[Vec<f32>]) -> Vec<f32> {
        let first = values.first().map_or(&[][..], Vec::as_slice);
        // A table has an axis of heads, its last; the second layer of a computed one has them as rows.
        let side = |source: usize, axis: fn(&[usize]) -> Option<&usize>| {
            self.sources.get(source).and_then(|(_, shape)| axis(shape)).copied().unwrap_or_default()
        };
        match &self.rule {
            Rule::Constant(values) => values.clone(),
            Rule::TableRows(rows) => pairs(first, side(0, <[usize]>::last), rows),
            Rule::ComputedTable(rows) => {
                let [coordinates, weight, bias, second] = values else { return Vec::new() };
                let heads = side(3, <[usize]>::first);
                pairs(&computed_table(coordinates, weight, bias, second, heads), heads, rows)
            }
            // The paper keeps the temperature above 0.01, so that the factor is at most 100.
            Rule::Exponential => first.iter().map(|value| value.min(100.0_f32.ln()).exp()).collect(),
            Rule::WithoutMiddle => {
                let third = first.len() / 3;
                let keep = |(at, value): (usize, &f32)| if at / third.max(1) == 1 { 0.0 } else { *value };
                first.iter().enumerate().map(keep).collect()
            }
        }
    }
}

/// `[heads, pairs]` from rows of `[rows, heads]`.
fn pairs(table: &[f32], heads: usize, rows: &[usize]) -> Vec<f32> {
    let value = |head: usize, row: usize| table.get(row * heads + head).copied().unwrap_or_default();
    (0..heads).flat_map(|head| rows.iter().map(move |row| value(head, *row))).collect()
}

/// `16 σ(W2 max(W1 x + b, 0))` of each pair of coordinates, `[rows, heads]`; sums in double precision.
#[expect(clippy::cast_possible_truncation, reason = "results are stored as f32")]
fn computed_table(
    coordinates: &[f32],
    weight: &[f32],
    bias: &[f32],
    second: &[f32],
    heads: usize,
) -> Vec<f32> {
    let hidden = bias.len();
    let mut table = Vec::with_capacity(coordinates.len() / 2 * heads);
    for at in coordinates.as_chunks::<2>().0 {
        let inner = weight.as_chunks::<2>().0.iter().zip(bias).map(|(row, bias)| {
            let sum = f64::from(row[0]) * f64::from(at[0]) + f64::from(row[1]) * f64::from(at[1]);
            (sum + f64::from(*bias)).max(0.0)
        });
        let inner: Vec<f64> = inner.collect();
        for row in second.chunks(hidden.max(1)).take(heads) {
            let sum: f64 = row.iter().zip(&inner).map(|(weight, value)| f64::from(*weight) * value).sum();
            table.push((16.0 / (1.0 + (-sum).exp())) as f32);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(shape: &[usize]) -> Named {
        ("t".to_owned(), shape.to_vec())
    }

    #[test]
    fn each_pair_gets_the_row_of_its_distance() {
        // Three rows of two heads; two cells.
        let table = vec![1.0, 10.0, 2.0, 20.0, 3.0, 30.0];
        let derived = Derived { sources: vec![named(&[3, 2])], rule: Rule::TableRows(vec![1, 0, 2, 1]) };
        assert_eq!(derived.make(&[table]), [2.0, 1.0, 3.0, 2.0, 20.0, 10.0, 30.0, 20.0]);
    }

    #[test]
    fn a_computed_table_is_that_of_its_layers() {
        let sources = vec![named(&[1, 1, 1, 2]), named(&[2, 2]), named(&[2]), named(&[1, 2])];
        let derived = Derived { sources, rule: Rule::ComputedTable(vec![0]) };
        // max(1 * 2 + 0 * 3 + 1, 0) = 3 and max(0 * 2 - 1 * 3 + 0, 0) = 0; 3 * 0.5 = 1.5.
        let values = [vec![2.0, 3.0], vec![1.0, 0.0, 0.0, -1.0], vec![1.0, 0.0], vec![0.5, 7.0]];
        let expected = 16.0 / (1.0 + (-1.5_f32).exp());
        assert!((derived.make(&values)[0] - expected).abs() < 1e-5);
    }

    #[test]
    fn small_rules_do_what_they_say() {
        let derived = Derived { sources: vec![named(&[6])], rule: Rule::WithoutMiddle };
        assert_eq!(derived.make(&[vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]), [1.0, 2.0, 0.0, 0.0, 5.0, 6.0]);
        let derived = Derived { sources: vec![named(&[2])], rule: Rule::Exponential };
        let made = derived.make(&[vec![0.0, 9.0]]);
        assert!((made[0] - 1.0).abs() < 1e-6 && (made[1] - 100.0).abs() < 1e-3, "{made:?}");
    }
}
