//! Tests of PyTorch's checkpoints: archives of every name, and other objects next to the weights.

use super::*;

const NEEDED: [&str; 6] =
    ["conv.weight", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var", "fc.weight"];

fn case(path: &str) -> Result<StateDict> {
    StateDict::open(&Path::new(FIXTURES).join("cases").join(path))
}

/// The weights of every file of `cases/weights`.
fn assert_weights(weights: &StateDict, file: &str) {
    let read = |name: &str| weights.tensors[name].read().unwrap();
    assert_eq!(read("conv.weight"), [-0.5, -0.25, 0.0, 0.25, 0.5, 0.75], "{file}");
    assert_eq!(read("norm.running_var"), [1.0, 4.0], "{file}");
    assert_eq!(read("fc.weight"), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0], "{file}: a transposed view");
    assert_eq!(weights.tensors["fc.weight"].shape(), [3, 2], "{file}");
    let names: Vec<String> = weights.weights().into_iter().map(|(name, _)| name).collect();
    let mut needed = NEEDED.to_vec();
    needed.sort_unstable();
    assert_eq!(names, needed, "{file}: nothing else");
}

#[test]
fn whatever_lies_beside_the_weights_is_passed_over() {
    let needed = BTreeSet::from(NEEDED);
    for (file, key) in [
        ("foreign_objects.pth", "state_dict"),
        ("foreign_objects_legacy.pth", "state_dict"),
        ("foreign_objects_protocol_4.pth", "state_dict"),
        ("optimizer_among_the_weights.pth", ""),
        ("whole_module.pth", ""),
        ("whole_module_legacy.pth", ""),
        ("whole_module_under_a_key_legacy.pth", "model"),
        ("module_as_an_attribute.pth", "ema.module"),
        ("weights_in_a_defaultdict.pth", ""),
        ("weights_in_a_subclass.pth", ""),
        ("weights_under_a_number.pth", "ema.0.999"),
        ("weights_and_a_scheduler.pth", "0"),
    ] {
        let open = || case(&format!("weights/{file}")).unwrap();
        assert_weights(&select::matching(open(), &needed).unwrap().weights, file);
        if !key.is_empty() {
            assert_weights(&select::under_key(open(), key).unwrap(), file);
        }
    }
}

/// PyTorch before 0.1.10, and a whole import: the detection of foreign files must let it pass.
#[test]
fn a_tar_file_of_the_oldest_pytorch_is_read() {
    let needed = BTreeSet::from(NEEDED);
    let weights = select::matching(case("weights/tar.pth").unwrap(), &needed).unwrap().weights;
    let read = |name: &str| weights.tensors[name].read().unwrap();
    assert_eq!(read("conv.weight"), [-0.5, -0.25, 0.0, 0.25, 0.5, 0.75]);
    assert_eq!(read("fc.weight"), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    let path = Path::new(FIXTURES).join("cases/weights/tar.pth");
    let error = import(&request(&path, "resnet18")).unwrap_err().to_string();
    assert!(error.contains("0 of 102 tensors fit"), "{error}");
}

#[test]
fn a_tensor_that_is_packed_is_listed_and_not_read() {
    let all = case("weights/foreign_objects.pth").unwrap();
    assert!(all.tensors.contains_key("counts.val.0"), "in a defaultdict");
    assert!(all.tensors.contains_key("recent.1"), "in a deque");
    assert!(all.tensors.contains_key("slots.scale"), "in a slot");
    assert!(all.tensors["quantised"].read().unwrap_err().to_string().contains("no floating-point"));
    assert!(!all.tensors.contains_key("sparse"));
}

/// An archive as PyTorch writes it: stored members, a directory, and the records of a 64-bit archive, which no 32-bit
/// field requires.
fn archive(root: &str, members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in members {
        let name = format!("{root}/{name}");
        let (size, offset) = (four(data.len()), four(file.len()));
        // Flags, method, time, date and checksum; sizes; lengths of the name and of the extra field.
        let common = [&[0; 12][..], &size, &size, &two(name.len()), &[0; 2]].concat();
        file.extend([b"PK\x03\x04\0\0", &common[..], name.as_bytes(), data].concat());
        directory.extend([b"PK\x01\x02\0\0\0\0", &common[..], &[0; 10], &offset, name.as_bytes()].concat());
    }
    let (start, size, count) = (file.len(), directory.len(), members.len());
    file.extend(&directory);
    let end = file.len();
    file.extend([b"PK\x06\x06", &eight(44)[..], &[0; 12]].concat());
    file.extend([count, count, size, start].into_iter().flat_map(eight));
    file.extend([b"PK\x06\x07\0\0\0\0", &eight(end)[..], &four(1)].concat());
    file.extend(
        [b"PK\x05\x06\0\0\0\0", &two(count)[..], &two(count), &four(size), &four(start), &[0; 2]].concat(),
    );
    file
}

fn two(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap().to_le_bytes()
}

fn four(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap().to_le_bytes()
}

fn eight(number: usize) -> [u8; 8] {
    (number as u64).to_le_bytes()
}

/// The directory's first entry has the length of the 64-bit records when the root has 21 letters; see
/// `torch/storage.rs`.
#[test]
fn an_archive_is_read_whatever_its_name() {
    use std::io::Read as _;
    let path = Path::new(FIXTURES).join("state-dicts/zip.pth");
    let mut zip = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    let members: Vec<(String, Vec<u8>)> = names
        .into_iter()
        .map(|name| {
            let mut data = Vec::new();
            zip.by_name(&name).unwrap().read_to_end(&mut data).unwrap();
            (name.split_once('/').unwrap().1.to_owned(), data)
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    for length in 1..=64 {
        let file = folder.path().join(format!("{}.pth", "x".repeat(length)));
        std::fs::write(&file, archive(&"x".repeat(length), &members)).unwrap();
        let weights = StateDict::open(&file).unwrap_or_else(|error| panic!("{length} letters: {error}"));
        let numbers = weights.tensors["state_dict.module.norm.weight"].read().unwrap();
        assert_eq!(numbers, [1.5, -2.0], "{length} letters");
    }
    assert!(!case("import/stem_of_21_characters.pth").unwrap().tensors.is_empty(), "PyTorch's own");
}

#[test]
fn a_program_in_an_archive_is_named_whatever_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let members = [("data.pkl".to_owned(), b"\x80\x02}.".to_vec()), ("code/net.py".to_owned(), vec![])];
    for length in 1..=64 {
        let source = folder.path().join(format!("{}.pt", "x".repeat(length)));
        std::fs::write(&source, archive(&"x".repeat(length), &members)).unwrap();
        let error = import(&ImportRequest { source, ..ImportRequest::default() }).unwrap_err().to_string();
        assert!(error.contains("is a TorchScript program"), "{length} letters: {error}");
    }
}

/// Writes a pickle alone into an archive.
fn pickled(pickle: &[u8]) -> Result<StateDict> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pickle.pth");
    std::fs::write(&path, archive("x", &[("data.pkl".into(), pickle.to_vec())])).unwrap();
    StateDict::open(&path)
}

#[test]
fn a_pickle_that_means_harm_is_refused_or_runs_dry() {
    let refused = |pickle: &[u8]| pickled(pickle).unwrap_err().to_string();
    let deep = [&b"\x80\x02]"[..], &b"]".repeat(400), &b"a".repeat(400), b"."].concat();
    assert!(refused(&deep).contains("nest deeper than 256"), "{}", refused(&deep));
    // Each list contains the one before it twice: 2^60 paths to the innermost.
    let doubled = [&b"\x80\x02]"[..], &b"q\x00]h\x00ah\x00a".repeat(60), b"."].concat();
    assert!(refused(&doubled).contains("shared more often"), "{}", refused(&doubled));
    // A list that contains itself.
    assert!(refused(b"\x80\x02]q\x00h\x00a.").contains("holds no tensors"));
    let system = b"\x80\x02cposix\nsystem\nX\x04\0\0\0true\x85R.";
    assert!(refused(system).contains("holds no tensors"), "a call is a name");
    for (pickle, expected) in [
        (&b"\x80\x02X\xff\xff\xff\xffab."[..], "ends too early"),
        (b"\x80\x02R.", "empty stack"),
        (b"\x80\x02h\x00.", "recalls"),
        (b"\x80\x02t.", "no mark"),
        (b"\x80\x09N.", "unknown protocol 9"),
        (b"\x80\x02\xfe.", "unknown instruction 0xfe"),
        (b"\x80\x02K\x01K\x02a.", "no list"),
    ] {
        assert!(refused(pickle).contains(expected), "{}", refused(pickle));
    }
}
