//! Files of which nothing is said but their name: which format they are of, and which network their weights are of.

use burncam_model::arch::{self, Architecture};
use burncam_model::import::ImportRequest;

use super::file;
use super::models::imported;

/// Endings that have a meaning, and others.
const ENDINGS: [&str; 16] = [
    "pth",
    "pt",
    "bin",
    "safetensors",
    "onnx",
    "h5",
    "keras",
    "bpk",
    "mpk",
    "json",
    "mpk.gz",
    "json.gz",
    "bin.gz",
    "pkl",
    "tar",
    "txt",
];

/// What training scripts put before the names.
const PREFIXES: [&str; 8] = ["", "module.", "_orig_mod.", "state_dict.", "model.", "ema.net.", "opt.", "."];

/// As many of these do not matter.
const KNOWN_PREFIXES: usize = 5;

/// Kinds of numbers, and the bytes that one takes.
const NUMBERS: [(&str, u64); 5] = [("F32", 4), ("F16", 2), ("BF16", 2), ("F64", 8), ("I64", 8)];

/// Extents at which shapes break.
const EXTENTS: [usize; 12] = [0, 1, 2, 3, 7, 16, 64, 1000, 1001, 65_536, 1 << 31, usize::MAX];

/// A tensor of a file: name and shape.
type Tensor = (String, Vec<usize>);

/// By the first byte: a file with one of the endings; or, from 16 on, the tensors of an architecture, changed, without values.
pub(super) fn recognition(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match ENDINGS.get(usize::from(*kind)) {
        Some(ending) => {
            file::with(&format!("a.{ending}"), rest, |source| {
                let _ = imported(&ImportRequest { source: source.to_path_buf(), ..ImportRequest::default() });
            });
        }
        None => changed(&mut Bytes(rest)),
    }
}

/// Bytes that choose, until there are none.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn number(&mut self) -> usize {
        self.0.split_off_first().map_or(0, |first| usize::from(*first))
    }

    fn large(&mut self) -> usize {
        self.number() << 8 | self.number()
    }

    fn text(&mut self) -> String {
        let length = (self.number() % 32).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }
}

/// The tensors of an architecture with changes. Without any they must be recognised.
fn changed(bytes: &mut Bytes<'_>) {
    let all: Vec<&Architecture> = arch::all().collect();
    let architecture = all[bytes.large() % all.len()];
    let (prefix, kind, search, classes) =
        (bytes.number() % PREFIXES.len(), bytes.number() % NUMBERS.len(), bytes.number(), bytes.number() + 1);
    let Ok(mut tensors) = tensors(architecture, classes) else { return };
    tensors.iter_mut().for_each(|(name, _)| name.insert_str(0, PREFIXES[prefix]));
    let is_plain = bytes.0.is_empty() && prefix < KNOWN_PREFIXES && NUMBERS[kind].0 != "I64";
    while !bytes.0.is_empty() && !tensors.is_empty() {
        change(&mut tensors, bytes);
    }
    // Most are asked for among the networks of a library, which takes a part of the time.
    let library = architecture.name.find(':').map(|end| &architecture.name[..=end]);
    let arch = library.filter(|_| search % 4 > 0).map(str::to_owned);
    let (header, values) = header(&tensors, NUMBERS[kind]);
    file::with("a.safetensors", &header, |source| {
        // Zeros that take no room on a disk.
        let sparse = std::fs::OpenOptions::new().write(true).open(source).expect("a temporary file");
        if sparse.set_len((header.len() as u64).saturating_add(values)).is_err() {
            return;
        }
        let request = ImportRequest { source: source.to_path_buf(), arch, ..ImportRequest::default() };
        let Err(error) = imported(&request) else { return };
        let is_unknown = error.to_string().contains("of no architecture that is known");
        assert!(!is_plain || !is_unknown, "{} is not recognised: {error}", architecture.name);
    });
}

fn change(tensors: &mut Vec<Tensor>, bytes: &mut Bytes<'_>) {
    let (what, at) = (bytes.number() % 8, bytes.large() % tensors.len());
    match what {
        0 => drop(tensors.remove(at)),
        1 => {
            let extent = EXTENTS[bytes.number() % EXTENTS.len()];
            let shape = &mut tensors[at].1;
            let axis = bytes.number() % shape.len().max(1);
            if let Some(side) = shape.get_mut(axis) {
                *side = extent;
            }
        }
        2 => tensors[at].0 = bytes.text(),
        3 => tensors[at].1.reverse(),
        4 => tensors.push((bytes.text(), vec![EXTENTS[bytes.number() % EXTENTS.len()]])),
        5 => tensors.truncate(at),
        6 => {
            // The same again: a copy of the weights, or an optimizer's state.
            let prefix = bytes.text();
            let again: Vec<_> =
                tensors.iter().map(|(name, shape)| (format!("{prefix}{name}"), shape.clone())).collect();
            tensors.extend(again);
            tensors.truncate(4096);
        }
        _ => {
            let (from, to) = (bytes.text(), bytes.text());
            if !from.is_empty() {
                tensors.iter_mut().for_each(|(name, _)| *name = name.replace(&from, &to));
            }
        }
    }
}

/// As PyTorch names and lays them out.
fn tensors(architecture: &Architecture, classes: usize) -> burncam_graph::Result<Vec<Tensor>> {
    let built = architecture.build(classes, None)?;
    let users = built
        .graph
        .nodes
        .iter()
        .flat_map(|node| node.params.iter().map(move |(role, name)| (name, (node, role))));
    let users: std::collections::BTreeMap<_, _> = users.collect();
    let mut tensors = vec![];
    for (name, shape) in &built.parameters {
        if let Some(derived) = built.derived.get(name) {
            tensors.extend(derived.sources.clone());
            continue;
        }
        let is_linear = users.get(name).is_some_and(|(node, role)| {
            matches!(node.op, burncam_graph::card::Op::Linear {}) && *role == "weight"
        });
        let mut shape = shape.clone();
        if is_linear {
            shape.reverse();
        }
        let name = match name.rsplit_once('.') {
            Some((module, "gamma")) => format!("{module}.weight"),
            Some((module, "beta")) => format!("{module}.bias"),
            _ => name.clone(),
        };
        tensors.push((name, shape));
    }
    Ok(tensors)
}

/// The beginning of a safetensors file, and how many bytes of values follow.
fn header(tensors: &[Tensor], (kind, size): (&str, u64)) -> (Vec<u8>, u64) {
    let mut end = 0_u64;
    let mut list = serde_json::Map::new();
    for (name, shape) in tensors {
        if list.contains_key(name) {
            continue;
        }
        let count = shape.iter().fold(size, |count, side| count.saturating_mul(*side as u64));
        let begin = end;
        end = end.saturating_add(count);
        list.insert(
            name.clone(),
            serde_json::json!({"dtype": kind, "shape": shape, "data_offsets": [begin, end]}),
        );
    }
    let text = serde_json::Value::Object(list).to_string();
    ([&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat(), end)
}
