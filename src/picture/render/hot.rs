//! Hot pixels next to each other in a row of a map.
//!
//! Receives the values of a row and a level; gives the runs of values that are above zero and reach it. What runs above each other make is in
//! [`region`](super::region).

use burncam_graph::wide;

/// Start and end of each run of hot pixels in a row.
pub(super) fn runs_of(row: &[f32], level: f32) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + first_wide(&row[at..], level, true)?;
        let length = first_wide(&row[start..], level, false);
        at = length.map_or(row.len(), |length| start + length);
        Some((start, at))
    })
}

wide!(fn first_wide(values: &[f32], level: f32, hot: bool) -> Option<usize> = first);

/// The place of the first value that is hot or is not. Runs are long: whole blocks are passed over before values are looked at.
#[inline(always)]
fn first(values: &[f32], level: f32, hot: bool) -> Option<usize> {
    const LANES: usize = 16;
    let is = |value: f32| (value > 0.0 && value >= level) == hot;
    let mut skipped = 0;
    for block in values.as_chunks::<LANES>().0 {
        let mut any = false;
        for value in block {
            any |= is(*value);
        }
        if any {
            break;
        }
        skipped += LANES;
    }
    values[skipped..].iter().position(|value| is(*value)).map(|at| skipped + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_any_length_are_found_wherever_they_begin() {
        let level = 0.5;
        for length in [0, 1, 15, 16, 17, 40, 64] {
            for (start, end) in (0..length).flat_map(|start| (start..=length).map(move |end| (start, end))) {
                let mut row = vec![0.2; length];
                row[start..end].fill(level);
                let expected = (start < end).then_some((start, end));
                assert!(runs_of(&row, level).eq(expected), "{start}..{end} of {length}");
            }
        }
        assert!(runs_of(&[0.0, 0.0, -1.0, 1.0, 0.0, 2.0], 0.0).eq([(3, 4), (5, 6)]), "zero is not hot");
    }
}
