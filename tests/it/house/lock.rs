//! What the crates that do without Burn bring with them, for their tests too, is read from `Cargo.lock`.

use std::collections::{BTreeMap, BTreeSet};

use super::WITHOUT_BURN;

/// Names of packages with the names of their dependencies. Versions are left out: if one version of a package depends
/// on Burn, all are taken to.
fn packages(lock: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut packages: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let quoted =
            |line: &'static str| package.lines().find_map(|text| text.strip_prefix(line)?.split('"').nth(1));
        let name = quoted("name").unwrap();
        let list = package.split("dependencies = [").nth(1).and_then(|list| list.split(']').next());
        let names = list.unwrap_or_default().lines().filter_map(|line| line.trim().strip_prefix('"'));
        let names = names.filter_map(|name| name.split(['"', ' ']).next());
        packages.entry(name).or_default().extend(names);
    }
    packages
}

/// All packages that a package is built and tested with.
fn below<'a>(packages: &BTreeMap<&'a str, BTreeSet<&'a str>>, name: &'a str) -> BTreeSet<&'a str> {
    let (mut found, mut open) = (BTreeSet::new(), vec![name]);
    while let Some(name) = open.pop() {
        if found.insert(name) {
            open.extend(&packages[name]);
        }
    }
    found
}

/// Burn, the crates it is made of, and those of its compiler for GPUs.
fn is_of_burn(name: &str) -> bool {
    name == "burn" || name.starts_with("burn-") || name.starts_with("cubecl")
}

#[test]
fn crates_below_the_engine_are_built_and_tested_without_burn() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
    let packages = packages(&lock);
    for name in WITHOUT_BURN {
        let name = format!("burncam-{name}");
        let found = below(&packages, packages.get_key_value(&*name).unwrap().0);
        assert!(found.contains("serde"), "'{name}' depends on nothing: the list was not read");
        let of_burn: Vec<&&str> = found.iter().filter(|name| is_of_burn(name)).collect();
        assert!(of_burn.is_empty(), "'{name}' is built with {of_burn:?}");
    }
    // The engine is where Burn is.
    assert!(below(&packages, "burncam-engine").contains("burn-flex"));
}
