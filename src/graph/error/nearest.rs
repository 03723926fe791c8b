//! The names that may have been meant.

/// The candidates that are near enough to `wanted` to be what was meant, nearest first.
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // A swapped or missing letter in a short name is above it, another name of the same length mostly below.
    const NEAR_ENOUGH: f64 = 0.75;
    let wanted = wanted.to_lowercase();
    let mut near: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= NEAR_ENOUGH)
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    near.into_iter().rev().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        let names = ["layer1", "layer4", "conv1"];
        assert_eq!(nearest("layr4", names), ["layer4", "layer1"]);
        assert!(nearest("zebra", names).is_empty());
    }
}
