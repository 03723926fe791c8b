//! What model files, cards and weights may make their readers allocate, with a counting allocator.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails as a test does")]

mod counting;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use burncam_model::import::{ImportRequest, import};
use burncam_model::{Model, read_card};
use counting::{LIMIT, file, held, refused, turn};
use flate2::Compression;
use flate2::write::GzEncoder;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn read(source: &Path) -> burncam_graph::Result<()> {
    let arch = Some("resnet18".to_owned());
    let is_graph = source.extension().is_some_and(|ending| ending == "onnx" || ending == "keras");
    let arch = if is_graph { None } else { arch };
    import(&ImportRequest { source: source.to_path_buf(), arch, ..ImportRequest::default() }).map(drop)
}

/// A field of bytes in protocol buffers.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![];
    let mut put = |mut value: usize| loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        field.push(if value > 0 { low | 0x80 } else { low });
        if value == 0 {
            break;
        }
    };
    put(usize::from(number) << 3 | 2);
    put(bytes.len());
    field.extend(bytes);
    field
}

/// An ONNX file with these fields of its graph.
fn onnx(graph: &[Vec<u8>]) -> Vec<u8> {
    [b"\x08\x08".to_vec(), field(7, &graph.concat())].concat()
}

#[test]
fn small_messages_of_onnx_are_counted_before_they_are_decoded() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let many = 1 << 20;
    let tensor = |part: Vec<u8>| field(5, &part);
    for (what, graph) in [
        ("nodes", field(1, b"").repeat(many)),
        ("names of inputs", field(1, &field(1, b"").repeat(many))),
        ("attributes", field(1, &field(5, b"").repeat(many))),
        ("integers of an attribute", field(1, &field(5, &field(8, &vec![1; 4 * many])))),
        ("tensors", tensor(vec![]).repeat(many)),
        ("axes", tensor(field(1, &vec![1; 4 * many]))),
        ("integers", tensor(field(7, &vec![1; 4 * many]))),
        ("places", tensor(field(13, b"").repeat(many))),
        ("inputs", field(11, b"").repeat(many)),
        ("axes of inputs", field(11, &field(2, &field(1, &field(2, &field(1, b"").repeat(many)))))),
    ] {
        let path = file(&folder, "a.onnx", &onnx(&[graph]));
        refused(what, "of memory, expected at most 32 MiB for one file", || read(&path));
    }
}

#[test]
fn calls_of_a_function_are_counted_before_it_is_copied() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let body = field(
        7,
        &[field(4, b"Relu"), field(5, &[field(1, b"a"), field(7, &vec![0; 400_000])].concat())].concat(),
    );
    let function = field(25, &[field(1, b"F"), field(10, b"own"), body].concat());
    let call = field(1, &[field(4, b"F"), field(7, b"own")].concat());
    let bytes = [onnx(&[call.repeat(1000)]), function].concat();
    let path = file(&folder, "calls.onnx", &bytes);
    refused("calls", "of memory", || read(&path));
}

#[test]
fn constants_of_onnx_are_held_by_their_elements() {
    let _turn = turn();
    for name in ["cases/hostile/bomb-40.onnx", "cases/hostile/concat_vector_scalar.onnx"] {
        refused(name, "", || read(&fixture(name)));
    }
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.onnx");
    std::fs::File::create(&large).unwrap().set_len(2 * LIMIT as u64).unwrap();
    refused("a large file", "of memory", || read(&large));
}

/// A pack with this description.
fn pack(description: &[u8]) -> Vec<u8> {
    let head = [b"NRUB\x01\x00".to_vec(), (description.len() as u32).to_le_bytes().to_vec()].concat();
    [&head[..], description, &[0; 300]].concat()
}

#[test]
fn descriptions_of_packs_are_held_by_their_length() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &Path| Model::open(path, None).map(drop);
    // A map of two: tensors, none; and metadata of many short texts.
    let metadata = |count: u32| {
        let mut bytes = b"\xa2\x67tensors\xa0\x68metadata\xba".to_vec();
        bytes.extend(count.to_be_bytes());
        (0..count).for_each(|at| {
            bytes.push(0x63);
            bytes.extend([0, 6, 12].map(|shift| b'0' + (at >> shift & 63) as u8));
            bytes.push(0x60);
        });
        bytes
    };
    let most = LIMIT / 40 / 5;
    let path = file(&folder, "fits.bpk", &pack(&metadata(most as u32 - 100)));
    let _ = held("many texts", || open(&path));
    let path = file(&folder, "long.bpk", &pack(&vec![0x60; LIMIT / 40 + 1]));
    refused("a long description", "of memory", || open(&path));
    let path = file(&folder, "lists.bpk", &pack(&vec![0x81; LIMIT / 40 - 1]));
    let _ = held("nested lists", || open(&path));

    // A tensor of a gigabyte in a file with a hole.
    let length: u32 = 1 << 30;
    let mut tensor = b"\xa1\x67tensors\xa1\x61a\xa3\x65dtype\x63F32\x65shape\x81\x1a".to_vec();
    tensor.extend((length / 4).to_be_bytes());
    tensor.extend(b"\x6cdata_offsets\x82\x00\x1a");
    tensor.extend(length.to_be_bytes());
    let path = file(&folder, "hole.bpk", &pack(&tensor));
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(2 << 30).unwrap();
    refused("a large tensor", "of memory", || open(&path));
}

#[test]
fn cards_are_held_by_their_text() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    for (what, text) in [
        ("spaces", " ".repeat(17 << 20)),
        ("maps", format!("[{}]", vec!["{}"; 100_000].join(","))),
        ("nodes", format!(r#"{{"graph":{{"nodes":[{}]}}}}"#, vec![r#"{"name":"a"}"#; 50_000].join(","))),
    ] {
        let path = file(&folder, "card.json", text.as_bytes());
        refused(what, "", || read_card(&path));
    }
}

/// A zip archive of one member.
fn archive(folder: &tempfile::TempDir, name: &str, members: &[(&str, &[u8])]) -> PathBuf {
    let path = folder.path().join(name);
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    for (name, bytes) in members {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
    path
}

#[test]
fn pickles_in_archives_are_held_by_their_length_and_their_values() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let fits = LIMIT / 40 - 100;
    let end = |program: &[u8]| [b"\x80\x02", program, b"."].concat();
    let text = [&b"X\x00\x01\x00\x00"[..], &[b'a'; 256]].concat();
    for (what, program) in [
        ("empty tuples", b")".repeat(fits)),
        ("empty lists", b"]".repeat(fits)),
        ("marks", b"(".repeat(fits)),
        ("copies", [&b"N"[..], &b"2".repeat(fits - 1)].concat()),
        ("numbered places", [&b"N"[..], &b"\x94".repeat(fits - 1)].concat()),
        ("integers", b"K\x01".repeat(fits / 2)),
        ("objects", [&b"cm\nC\n"[..], &b")\x81".repeat(fits / 2 - 10)].concat()),
        ("texts", text.repeat(fits / text.len())),
    ] {
        let path = archive(&folder, "a.pth", &[("a/data.pkl", &end(&program))]);
        let result = held(what, || read(&path));
        assert!(result.is_err(), "{what}");
    }
    let path = archive(&folder, "long.pth", &[("a/data.pkl", &end(&b")".repeat(LIMIT)))]);
    refused("a long pickle", "of memory", || read(&path));
    let path = archive(
        &folder,
        "order.pth",
        &[("a/data.pkl", b"\x80\x02N."), ("a/byteorder", &b"l".repeat(LIMIT + 1))],
    );
    refused("a long word", "", || read(&path));

    let entry = [&b"PK\x01\x02"[..], &[0; 24], &1_u16.to_le_bytes(), &[0; 16], b"a"].concat();
    let table = entry.repeat(60_000);
    let last = [
        &b"PK\x05\x06"[..],
        &[0; 4],
        &60_000_u16.to_le_bytes().repeat(2),
        &(table.len() as u32).to_le_bytes(),
        &[0; 6],
    ];
    let path = file(&folder, "table.pth", &[b"PK\x03\x04".to_vec(), table, last.concat()].concat());
    refused("a long table", "of memory", || read(&path));
}

#[test]
fn pickles_in_a_row_are_held_by_their_length() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
    for (what, program) in
        [("tuples", &b")"[..]), ("marks", b"("), ("places", b"N\x94"), ("texts", b"X\x01\0\0\0a")]
    {
        let bytes = [&magic[..], b"\x80\x02", &program.repeat(20 << 20)].concat();
        let path = file(&folder, "old.pth", &bytes);
        let result = held(what, || read(&path));
        assert!(result.is_err(), "{what}");
    }
}

#[test]
fn headers_of_safetensors_are_held_by_their_length() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let with = |header: &str| [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
    let texts = |count: usize| {
        let texts: Vec<String> = (0..count).map(|at| format!(r#""{at:x}":"""#)).collect();
        format!(r#"{{"__metadata__":{{{}}}}}"#, texts.join(","))
    };
    let path = file(&folder, "fits.safetensors", &with(&texts(LIMIT / 40 / 12)));
    let _ = held("many texts", || read(&path));
    let tensors: Vec<String> = (0..LIMIT / 40 / 60)
        .map(|at| format!(r#""{at:x}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#))
        .collect();
    let path = file(&folder, "tensors.safetensors", &with(&format!("{{{}}}", tensors.join(","))));
    let _ = held("many tensors", || read(&path));
    let path = file(&folder, "long.safetensors", &with(&texts(LIMIT / 40)));
    refused("a long header", "of memory", || read(&path));
}

#[test]
fn old_records_are_held_by_what_they_unpack_to_and_their_lists() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    refused("names", "the name of a tensor has", || read(&fixture("cases/hostile/names_2000x1MB.mpk.gz")));
    let packed = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let begin = r#"{"metadata":{"float":"f32"},"item":"#;
    let list = format!("{begin}{{\"a\":{{\"value\":[{}0],\"shape\":[1]}}}}}}", "0,".repeat(20 << 20));
    let nested = format!("{begin}{}", "[".repeat(20 << 20));
    let fields: Vec<String> = (0..500_000).map(|at| format!("\"{at}\":0")).collect();
    let fields = format!("{begin}{{{}}}}}", fields.join(","));
    let tensors: Vec<String> =
        (0..100_000).map(|at| format!("\"{at}\":{{\"bytes\":[],\"shape\":[0],\"dtype\":\"F32\"}}")).collect();
    let tensors = format!("{begin}{{{}}}}}", tensors.join(","));
    for (what, text) in [("a list", list), ("nested lists", nested), ("fields", fields), ("tensors", tensors)]
    {
        let path = file(&folder, "a.json.gz", &packed(text.as_bytes()));
        let _ = held(what, || read(&path));
        let path = file(&folder, "a.json", text.as_bytes());
        let _ = held(what, || read(&path));
    }
    // MessagePack: a binary of 30 MiB.
    let mut bytes = b"\x82\xa8metadata\x81\xa5float\xa3f32\xa4item\x81\xa1a\x83\xa5bytes\xc6".to_vec();
    bytes.extend((30_u32 << 20).to_be_bytes());
    bytes.extend(vec![0; 30 << 20]);
    let path = file(&folder, "a.mpk.gz", &packed(&bytes));
    refused("a binary", "", || read(&path));
}

#[test]
fn saved_keras_models_are_held_by_what_they_unpack_to() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let maps = format!("[{}]", vec!["{}"; 1 << 20].join(","));
    let path = archive(&folder, "maps.keras", &[("config.json", maps.as_bytes()), ("model.weights.h5", b"")]);
    refused("maps", "of memory", || read(&path));
    let large = vec![0; 2 * LIMIT];
    let path = archive(&folder, "large.keras", &[("config.json", b"{}"), ("model.weights.h5", &large)]);
    refused("weights", "", || read(&path));
}
