//! Names files that hold no network that burncam can read, with a way out that works.
//!
//! Receives a path and the first bytes of the file. Files are recognised by content, by name only where content is
//! ambiguous. For formats that another program converts to ONNX, the message has the command.

use std::fs::File;
use std::path::Path;

use super::safetensors_file::is_safetensors;
use super::state_dict::file_name;
use super::torch;
use crate::error::{OptionName, Phrase, Problem};
use crate::temporary;

/// The kind of a file, as *is WHAT (WAY OUT)*; `None` for files that an importer reads, and for unknown ones.
pub(super) fn name(path: &Path, head: &[u8]) -> Option<Problem> {
    // A safetensors file starts with a length, which may look like another format's signature.
    if is_safetensors(head) {
        return None;
    }
    let (what, way_out) = by_start(head)
        // Signatures first, then weaker evidence: text, the structure of messages, members of archives, and last the
        // name.
        .or_else(|| in_text(head))
        .or_else(|| in_messages(path, head))
        .or_else(|| in_archive(path, head))
        .or_else(|| by_name(path))?;
    let folder = temporary::directory(path);
    let way_out = way_out.replace("FILE", &file_name(path)).replace("FOLDER", &folder.display().to_string());
    Some(Problem::new(format!("is {what}, which holds no network that can be read here")).hint(hint(way_out)))
}

/// A way out, with the options that are marked in it.
fn hint(words: String) -> Phrase {
    let marks = [(ARCH, OptionName::Arch), (CARD, OptionName::Card)];
    let marked = marks.iter().find_map(|(mark, option)| Some((words.split_once(mark)?, *option)));
    match marked {
        Some(((before, after), option)) => {
            Phrase::from(before.to_owned()).option(option).text(after.to_owned())
        }
        None => words.into(),
    }
}

/// The weights in a Keras model.
const KERAS_WEIGHTS: &str = "model.weights.h5";

/// Where a way out mentions an option.
const ARCH: &str = "{arch}";
const CARD: &str = "{card}";

type Found = (&'static str, &'static str);

const EXPORT: &str = "export the network that it was made from to ONNX";
const UNPACK: &str = "unpack it, and import the model in it";
const HUGGING_FACE: &str =
    "optimum-cli export onnx --model FOLDER OUT writes ONNX; or import its weights with {arch}";
/// Its newest release, 1.1, reads a part of the `onnx` package that release 1.18 removed.
const OPENVINO: &str = "pip install openvino2onnx 'onnx<1.18', then openvino2onnx FILE model.onnx";
const TFLITE: &str = "python -m tf2onnx.convert --tflite FILE --output model.onnx";
const SAVED_MODEL: &str = "python -m tf2onnx.convert --saved-model FOLDER --output model.onnx";
const FROZEN: &str =
    "python -m tf2onnx.convert --graphdef FILE --inputs INPUT:0 --outputs OUTPUT:0 --output model.onnx";
const PADDLE: &str = "paddle2onnx --model_dir FOLDER --save_file model.onnx";

/// Signatures and their offsets.
const MARKS: &[(usize, &[u8], Found)] = &[
    (0, b"version https://git-lfs", ("a Git LFS pointer and not the file itself", "git lfs pull fetches it")),
    (4, b"TFL3", ("a TensorFlow Lite model", TFLITE)),
    (4, b"ORTM", ("a model in onnxruntime's own format", "import the .onnx file that it was made from")),
    (0, b"GGUF", ("a GGUF file of a language model", EXPORT)),
    (0, b"RKNN", ("a Rockchip model", EXPORT)),
    (0, b"7767517", ("an ncnn model", EXPORT)),
    (0, b"ftrt", ("a TensorRT engine", EXPORT)),
    (0, b"\x12\x01\0\0\0\0\0\0", ("a file of MXNet parameters", EXPORT)),
    (0, b"\x93NUMPY", ("a NumPy array", EXPORT)),
    (0, b"\x89PNG", ("a picture", "explain takes pictures, import takes a model")),
    (0, b"\xff\xd8\xff", ("a picture", "explain takes pictures, import takes a model")),
    (0, b"%PDF", ("a PDF document", EXPORT)),
    (0, b"7z\xbc\xaf\x27\x1c", ("a 7z archive", UNPACK)),
    (0, b"Rar!", ("a RAR archive", UNPACK)),
    (0, b"\xfd7zXZ", ("an xz archive", UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", ("a zstd archive", UNPACK)),
    (0, b"BZh", ("a bzip2 archive", UNPACK)),
    (257, b"ustar", ("a tar archive", UNPACK)),
];

/// Before 0.1.10, PyTorch wrote tar files with these members; such weights can be read.
const PYTORCH_MEMBERS: [&[u8]; 4] = [b"sys_info\0", b"pickle\0", b"tensors\0", b"storages\0"];

fn by_start(head: &[u8]) -> Option<Found> {
    if PYTORCH_MEMBERS.iter().any(|member| head.starts_with(member)) {
        return None;
    }
    if head.is_empty() {
        return Some(("an empty file", "was it copied or downloaded to its end?"));
    }
    let marked =
        |(at, mark, _): &&(usize, &[u8], Found)| head.get(*at..).is_some_and(|rest| rest.starts_with(mark));
    MARKS.iter().find(marked).map(|(_, _, found)| *found)
}

/// Text: web pages, descriptions of networks, and JSON other than Burn's records.
fn in_text(head: &[u8]) -> Option<Found> {
    // Control characters other than white space are in no text.
    if head.iter().any(|byte| matches!(byte, 0..=8 | 14..=31)) {
        return None;
    }
    let start = String::from_utf8_lossy(head).trim_start_matches('\u{feff}').trim_start().to_lowercase();
    let has = |part: &str| start.contains(part);
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        return Some(("a web page", "download the file itself, often by the link called raw"));
    }
    if start.starts_with("<?xml") || start.starts_with('<') {
        return Some(match has("<net") {
            true => ("an OpenVINO model", OPENVINO),
            false => ("an XML file", EXPORT),
        });
    }
    if start.starts_with('{') || start.starts_with('[') {
        return in_json(&start);
    }
    if start.starts_with("[net]") || start.starts_with("[convolutional]") {
        return Some(("a Darknet configuration", EXPORT));
    }
    if has("layer {") || has("layers {") {
        return Some(("a Caffe description", EXPORT));
    }
    head.is_ascii().then_some(("a text file", "does it say why there is no model?"))
}

/// `start` is in lower case, so that keys are found in any style.
fn in_json(start: &str) -> Option<Found> {
    let has = |key: &str| start.contains(key);
    Some(if has("\"weight_map\"") || has("\"total_size\"") {
        ("the list of weights split over several files", HUGGING_FACE)
    // Fields of Burn's JSON records, which an importer reads.
    } else if has("\"metadata\"") || has("\"item\"") {
        return None;
    } else if has("\"modeltopology\"") || has("\"weightsmanifest\"") {
        ("a TensorFlow.js model", EXPORT)
    } else if has("\"architectures\"") || has("\"model_type\"") || has("\"transformers_version\"") {
        ("a Hugging Face configuration", HUGGING_FACE)
    } else if has("\"class_name\"") || has("\"keras_version\"") {
        ("a description of a Keras model without its weights", EXPORT)
    } else if has("\"arg_nodes\"") || has("\"nodes\"") && has("\"attrs\"") {
        ("an MXNet description", EXPORT)
    } else if has("\"schema_version\"") {
        ("a card", "import WEIGHTS {card} FILE joins it to weights")
    } else {
        ("a JSON file", "import takes the model itself: ONNX, PyTorch, safetensors, or a record of Burn")
    })
}

/// Protocol buffers start like an ONNX file or similarly, so the first message is examined.
fn in_messages(path: &Path, head: &[u8]) -> Option<Found> {
    let (first, rest) = head.split_first_chunk::<2>()?;
    let ends = |ending: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
    match first {
        // A version, followed by a message that starts with a message; ONNX has a string there.
        [0x08, 1..=20] if inside(rest, 0x12).is_some_and(|inner| inner.first() == Some(&0x0a)) => {
            Some(if ends("pb") {
                ("a TensorFlow SavedModel", SAVED_MODEL)
            } else {
                ("a Core ML model", EXPORT)
            })
        }
        [0x0a, _] => {
            let inner = inside(head, 0x0a)?;
            let parent = [&[0x08, 0, 0x10][..], &[0xff; 9], &[1]].concat();
            if inner.starts_with(&parent) {
                return Some(("a PaddlePaddle model", PADDLE));
            }
            let name = inside(inner, 0x0a)?;
            let length = usize::from(*inner.get(1)?);
            let operation = name.get(length..).and_then(|behind| inside(behind, 0x12))?;
            let is_graph = operation.first().is_some_and(u8::is_ascii_alphabetic) && !ends("onnx");
            is_graph.then_some(("a TensorFlow graph", FROZEN))
        }
        _ => None,
    }
}

/// The contents of the field that `bytes` starts with, when it has this tag and a length.
fn inside(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (first, rest) = bytes.split_first()?;
    let length = rest.iter().position(|byte| byte & 0x80 == 0)?;
    // A length takes at most five bytes of seven bits; more is no message.
    (*first == tag && length < 5).then(|| &rest[length + 1..])
}

/// Zip files: frameworks store many things in them, and only PyTorch's weights can be read.
fn in_archive(path: &Path, head: &[u8]) -> Option<Found> {
    let names = members(path, head)?;
    let ends = |ending: &str| names.iter().any(|name| name.ends_with(ending));
    let holds = |part: &str| names.iter().any(|name| name.contains(part));
    Some(if names.iter().any(|name| name == KERAS_WEIGHTS) {
        return None;
    } else if ends("model.weights.h5") {
        ("a zip archive around a model", UNPACK)
    } else if ends("serialized_exported_program.json") || ends("archive_format") || holds("data/weights/") {
        (
            "a program of torch.export",
            "torch.onnx.export(torch.export.load('FILE'), f='model.onnx') in Python writes ONNX",
        )
    } else if holds("/code/") || ends("/constants.pkl") {
        (
            "a TorchScript program",
            "torch.onnx.export(torch.jit.load('FILE'), torch.zeros(1, 3, 224, 224), 'model.onnx', dynamo=False) in Python writes ONNX",
        )
    } else if ends("data.pkl") {
        return None;
    } else if ends("saved_model.pb") || ends(".onnx") || ends(".pth") || ends(".safetensors") {
        ("a zip archive around a model", UNPACK)
    } else if ends(".mlmodel") || holds("com.apple.CoreML") {
        ("a Core ML package", EXPORT)
    } else if ends(".npy") {
        ("an archive of NumPy arrays", EXPORT)
    } else {
        ("a zip archive without PyTorch weights", EXPORT)
    })
}

/// The names in a zip archive; `None` for other files.
fn members(path: &Path, head: &[u8]) -> Option<Vec<String>> {
    if !head.starts_with(b"PK\x03\x04") && !head.starts_with(b"PK\x05\x06") {
        return None;
    }
    let archive = torch::open_zip(&File::open(path).ok()?).ok()?;
    Some(archive.file_names().filter_map(Result::ok).map(Into::into).collect())
}

/// Whether a file is a whole Keras model in an archive.
pub(super) fn is_keras_archive(path: &Path, head: &[u8]) -> bool {
    members(path, head).is_some_and(|names| names.iter().any(|name| name == KERAS_WEIGHTS))
}

/// Formats without a signature.
fn by_name(path: &Path) -> Option<Found> {
    let ending = path.extension()?.to_str()?.to_lowercase();
    Some(match ending.as_str() {
        "bin" if path.with_extension("xml").exists() => {
            ("the weights of an OpenVINO model", "name the .xml file next to it")
        }
        "pdiparams" | "pdmodel" => ("a PaddlePaddle model", PADDLE),
        "caffemodel" | "prototxt" => ("a Caffe model", EXPORT),
        "weights" => ("a file of Darknet weights", EXPORT),
        "mlmodel" => ("a Core ML model", EXPORT),
        "engine" | "plan" | "trt" => ("a TensorRT engine", EXPORT),
        _ => return None,
    })
}

/// The kind of a directory.
pub(super) fn directory(path: &Path) -> Problem {
    let has = |name: &str| path.join(name).exists();
    let (what, way_out) = if has("saved_model.pb") {
        ("a TensorFlow SavedModel directory", SAVED_MODEL)
    } else if has("tfhub_module.pb") {
        ("a TensorFlow Hub module", EXPORT)
    } else if let Some(model) = holding(path, "onnx") {
        let hint = format!("there is '{model}' in it");
        return Problem::new("is a directory").expected("a file").hint(hint);
    } else if has("model.weights.h5") {
        ("an unpacked Keras model", EXPORT)
    } else if has("config.json") {
        return hugging_face(path);
    } else if has("Manifest.json") || has("coremldata.bin") {
        ("a Core ML package", EXPORT)
    } else if has("model.json") {
        ("a TensorFlow.js model", EXPORT)
    } else if has("inference.pdmodel") || has("__model__") {
        ("a PaddlePaddle directory", PADDLE)
    } else {
        ("a directory", "name a file: ONNX, PyTorch, safetensors, or a record of Burn")
    };
    let way_out = way_out.replace("FOLDER", &path.display().to_string());
    Problem::new(format!("is {what}")).expected("a file").hint(hint(way_out))
}

/// A directory of the Hugging Face hub: what to do depends on the weights in it.
fn hugging_face(path: &Path) -> Problem {
    let folder = path.display();
    let weights = ["safetensors", "bin"].iter().find_map(|ending| holding(path, ending));
    let (less, way_out) = match weights {
        Some(file) => ("", format!("import {folder}/{file} with {ARCH}")),
        None => (" without weights", format!("hf download OWNER/NAME --local-dir {folder} fetches them")),
    };
    Problem::new(format!("is a Hugging Face directory{less}")).expected("a file").hint(hint(way_out))
}

/// The first file with this extension in a directory, by name.
fn holding(path: &Path, ending: &str) -> Option<String> {
    let entries = std::fs::read_dir(path).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    entries
        .filter(|file| file.extension().is_some_and(|found| found == ending))
        .map(|file| file_name(&file))
        // By name, so that the message does not depend on the order in which the system lists files.
        .min()
}
