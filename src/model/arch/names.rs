//! Parts of the names of modules and tensors, for the tables of other libraries' names.

/// `A.B.C`, without what is empty.
pub(super) fn joined(first: &str, rest: &[&str]) -> String {
    let parts = std::iter::once(first).chain(rest.iter().copied()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(".")
}

/// The number that a part is; 0 for other parts.
pub(super) fn number(text: &str) -> usize {
    text.parse().unwrap_or_default()
}
