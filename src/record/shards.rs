//! Completeness of a divided run. Receives the shard names of its results; refuses incomplete sets.

use crate::error::{Error, Problem, Result};

/// Accepts parts that are not shards, or each of `1/N` to `N/N` exactly once. `results` is what messages call them.
pub(crate) fn check_shards<'a>(parts: impl Iterator<Item = Option<&'a str>>, results: &str) -> Result<()> {
    let parts: Vec<Option<&str>> = parts.collect();
    let named: Vec<&str> = parts.iter().flatten().copied().collect();
    let Some(first) = named.first() else { return Ok(()) };
    if named.len() < parts.len() {
        return Err(Error::request(
            Problem::new(format!("shard {first} and {results} of undivided runs do not go together"))
                .hint("merge the shards first"),
        ));
    }
    let (_, of) = parsed(first, results)?;
    let mut there = vec![0_usize; of];
    for name in &named {
        match parsed(name, results)? {
            (part, same) if same == of => there[part - 1] += 1,
            _ => {
                let what = format!("shards {first} and {name} are of different divisions");
                return Err(Problem::new(what).hint("merge those of one run").into());
            }
        }
    }
    let which = |wanted: fn(usize) -> bool| -> Vec<String> {
        let parts = there.iter().enumerate().filter(|(_, count)| wanted(**count));
        parts.map(|(at, _)| format!("{}/{of}", at + 1)).collect()
    };
    let problems: Vec<String> =
        [("missing", which(|count| count == 0)), ("there more than once", which(|count| count > 1))]
            .into_iter()
            .filter(|(_, shards)| !shards.is_empty())
            .map(|(problem, shards)| format!("{} {problem}", listed(&shards)))
            .collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::request(
        Problem::new(format!("shards: {}", problems.join("; ")))
            .expected(format!("each of 1/{of} to {of}/{of} once"))
            .hint("name the directory of every shard"),
    ))
}

/// Parses `2/4` as its two numbers.
fn parsed(shard: &str, results: &str) -> Result<(usize, usize)> {
    /// More shards than any cluster has machines. Bounds the list of counts that a malformed file can make this
    /// allocate.
    const MOST: usize = 1_000_000;
    let numbers = shard.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    match numbers {
        Some((part, of)) if (1..=of).contains(&part) && of <= MOST => Ok((part, of)),
        _ => Err(Error::request(
            Problem::new(format!("shard '{shard}' of one of the {results}: "))
                .expected("K/N with K from 1 to N")
                .hint("was the file written by burncam?"),
        )),
    }
}

/// The first few names, and the number of the others.
fn listed(shards: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = shards.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let verb = if shards.len() == 1 { "is" } else { "are" };
    match shards.len().saturating_sub(SHOWN) {
        0 => format!("{shown} {verb}"),
        more => format!("{shown} and {more} more {verb}"),
    }
}
