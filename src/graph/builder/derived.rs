//! Tensors of a graph that a file of weights does not have as they are, but that follow from those that it has.
//!
//! Gives the names and shapes of what is needed, and makes the tensor from their values. A relative position bias is stored as a
//! table, one row for each distance between two cells of a window; the graph adds what each pair of cells gets.

/// A tensor of weights by name, with its shape in the source's layout.
pub type Named = (String, Vec<usize>);

/// How a tensor is made.
#[derive(Debug, Clone, PartialEq)]
pub enum Derived {
    /// It depends on no weights.
    Constant(Vec<f32>),
    /// `[heads, cells, cells]`: for each pair of cells the row of a table, `[rows, heads]`.
    TableRows {
        /// The table.
        table: Named,
        /// The row of each pair, the second cell fastest.
        rows: Vec<usize>,
    },
    /// The same from a table that two linear layers compute from coordinates, as `16 σ(·)`.
    ///
    /// Reference: Z. Liu et al., "Swin Transformer V2: Scaling Up Capacity and Resolution", 2021, section 3.3.
    ComputedTable {
        /// Coordinates of the rows; then weight and bias of the first layer, and the weight of the second.
        sources: [Named; 4],
        /// The row of each pair, the second cell fastest.
        rows: Vec<usize>,
    },
    /// `e^x` of a logarithm, at most 100.
    Exponential(Named),
    /// The middle third is zero: keys have no bias.
    WithoutMiddle(Named),
}

impl Derived {
    /// The tensors that it is made from.
    #[must_use]
    pub fn sources(&self) -> Vec<Named> {
        match self {
            Self::Constant(_) => vec![],
            Self::TableRows { table, .. } => vec![table.clone()],
            Self::ComputedTable { sources, .. } => sources.to_vec(),
            Self::Exponential(one) | Self::WithoutMiddle(one) => vec![one.clone()],
        }
    }

    /// From tensors under other names.
    pub(super) fn called(mut self, call: fn(&str) -> String) -> Self {
        let named: Vec<&mut Named> = match &mut self {
            Self::Constant(_) => vec![],
            Self::TableRows { table, .. } => vec![table],
            Self::ComputedTable { sources, .. } => sources.iter_mut().collect(),
            Self::Exponential(one) | Self::WithoutMiddle(one) => vec![one],
        };
        named.into_iter().for_each(|(name, _)| *name = call(name));
        self
    }

    /// The tensor's values, from those of its [`sources`](Self::sources) in order. Missing ones count as empty.
    #[must_use]
    pub fn make(&self, sources: &[Vec<f32>]) -> Vec<f32> {
        let first = sources.first().map_or(&[][..], Vec::as_slice);
        match self {
            Self::Constant(values) => values.clone(),
            Self::TableRows { table, rows } => {
                pairs(first, table.1.last().copied().unwrap_or_default(), rows)
            }
            Self::ComputedTable { sources: named, rows } => {
                let heads = named[3].1.first().copied().unwrap_or_default();
                let [coordinates, weight, bias, second] = sources else { return Vec::new() };
                let table = computed_table(coordinates, weight, bias, second, heads);
                pairs(&table, heads, rows)
            }
            Self::Exponential(_) => first.iter().map(|value| value.min(100.0_f32.ln()).exp()).collect(),
            Self::WithoutMiddle(_) => {
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
        let derived = Derived::TableRows { table: named(&[3, 2]), rows: vec![1, 0, 2, 1] };
        assert_eq!(derived.make(&[table]), [2.0, 1.0, 3.0, 2.0, 20.0, 10.0, 30.0, 20.0]);
    }

    #[test]
    fn a_computed_table_is_that_of_its_layers() {
        let sources = [named(&[1, 1, 1, 2]), named(&[2, 2]), named(&[2]), named(&[1, 2])];
        let derived = Derived::ComputedTable { sources, rows: vec![0] };
        // max(1 * 2 + 0 * 3 + 1, 0) = 3 and max(0 * 2 - 1 * 3 + 0, 0) = 0; 3 * 0.5 = 1.5.
        let values = [vec![2.0, 3.0], vec![1.0, 0.0, 0.0, -1.0], vec![1.0, 0.0], vec![0.5, 7.0]];
        let expected = 16.0 / (1.0 + (-1.5_f32).exp());
        assert!((derived.make(&values)[0] - expected).abs() < 1e-5);
    }

    #[test]
    fn small_rules_do_what_they_say() {
        let derived = Derived::WithoutMiddle(named(&[6]));
        assert_eq!(derived.make(&[vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]), [1.0, 2.0, 0.0, 0.0, 5.0, 6.0]);
        let derived = Derived::Exponential(named(&[2]));
        let made = derived.make(&[vec![0.0, 9.0]]);
        assert!((made[0] - 1.0).abs() < 1e-6 && (made[1] - 100.0).abs() < 1e-3, "{made:?}");
    }
}
