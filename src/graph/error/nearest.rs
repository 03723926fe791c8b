//! The name that was meant.

/// The candidate nearest to `wanted`, if one is near enough to be what was meant.
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A swapped or missing letter in a short name is above it, another name of the same length mostly below.
    const NEAR_ENOUGH: f64 = 0.75;
    let wanted = wanted.to_lowercase();
    candidates
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= NEAR_ENOUGH)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        let names = ["layer1", "layer4", "conv1"];
        assert_eq!(nearest("layr4", names), Some("layer4"));
        assert_eq!(nearest("zebra", names), None);
    }
}
