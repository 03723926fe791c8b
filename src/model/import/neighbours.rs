//! Files in the folder of an imported file: Hugging Face's `config.json` and `preprocessor_config.json`, and timm's `config.json`.
//!
//! Receives the path of a file to be imported; gives the class names, the task and the preparation of pictures that these files
//! state. Nothing else in the folder is read. What the caller says wins over all of it.

use std::path::Path;

use serde_json::Value;

use super::onnx;
use super::preprocess::{PreprocessRequest, Preset, ResizeRequest};
use super::request::ImportRequest;
use super::state_dict::file_name;
use crate::card::{Filter, Task};
use crate::error::Phrase;
use crate::memory::{Part, allow, of_tree};

/// Names under which hubs keep the weights of a network. Other files may have any neighbours.
const KEPT_AS: [&str; 4] =
    ["model.safetensors", "pytorch_model.bin", "model.onnx", "open_clip_model.safetensors"];

/// What the files say.
#[derive(Debug, Clone, Default, PartialEq)]
struct Said {
    classes: Vec<String>,
    task: Option<Task>,
    pictures: Option<PreprocessRequest>,
}

/// The request with what its neighbours say, and a sentence for each file that was read.
pub(super) fn read(request: &ImportRequest) -> (ImportRequest, Vec<Phrase>) {
    let mut request = request.clone();
    let file = file_name(&request.source);
    // What a file says of itself is nearer to it than what a neighbour says.
    if !KEPT_AS.contains(&file.as_str()) || (file.ends_with(".onnx") && onnx::is_stated_in(&request.source)) {
        return (request, vec![]);
    }
    let mut notes = Vec::new();
    for name in ["config.json", "preprocessor_config.json"] {
        let Some(said) = json(&request.source.with_file_name(name)).map(|json| said(&json)) else { continue };
        let mut what = Vec::new();
        if !said.classes.is_empty() && request.classes.is_empty() {
            request.classes = said.classes;
            what.push("the classes' names");
        }
        if said.task.is_some() && request.task.is_none() && request.output.is_none() {
            request.task = said.task;
            what.push("the task");
        }
        let asked = request.adjust.preset.is_some() || request.preprocess.is_some();
        if let Some(pictures) = said.pictures.filter(|_| !asked) {
            request.adjust = over(request.adjust, pictures);
            what.push("how pictures are prepared");
        }
        if !what.is_empty() {
            notes.push(Phrase::from(format!(
                "'{name}' in the file's folder is its own: {} come from it",
                what.join(" and ")
            )));
        }
    }
    (request, notes)
}

/// The caller's changes, and for everything else the file's.
fn over(asked: PreprocessRequest, said: PreprocessRequest) -> PreprocessRequest {
    PreprocessRequest {
        preset: said.preset,
        resize: asked.resize.or(said.resize),
        crop: asked.crop.or(said.crop),
        filter: asked.filter.or(said.filter),
        color: asked.color.or(said.color),
        scale: asked.scale.or(said.scale),
        mean: asked.mean.or(said.mean),
        std: asked.std.or(said.std),
    }
}

fn json(path: &Path) -> Option<Value> {
    // A larger file is something else under that name.
    let bytes = crate::memory::read(path, Part::SmallText).ok()?;
    allow(of_tree(&bytes)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn said(json: &Value) -> Said {
    let pictures = json.get("pretrained_cfg").and_then(timm);
    Said {
        classes: classes(json),
        task: match json.get("problem_type").and_then(Value::as_str) {
            Some("single_label_classification") => Some(Task::Classification),
            Some("multi_label_classification") => Some(Task::MultiLabel),
            Some("regression") => Some(Task::Numbers),
            _ => None,
        },
        pictures: pictures.or_else(|| processor(json)),
    }
}

/// `id2label` or timm's `label_names`. `LABEL_0` and so on are placeholders.
fn classes(json: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(list) = json.get("label_names").and_then(Value::as_array) {
        return list.iter().map(text).collect::<Option<_>>().unwrap_or_default();
    }
    let Some(labels) = json.get("id2label").and_then(Value::as_object) else { return vec![] };
    let named = (0..labels.len()).map(|index| labels.get(&index.to_string()).and_then(text));
    let names: Vec<String> = named.collect::<Option<_>>().unwrap_or_default();
    let placeholder = names.iter().enumerate().all(|(index, name)| *name == format!("LABEL_{index}"));
    if placeholder { vec![] } else { names }
}

fn numbers(value: Option<&Value>) -> Option<Vec<f64>> {
    value?.as_array()?.iter().map(Value::as_f64).collect()
}

fn whole(value: Option<&Value>) -> Option<usize> {
    value?.as_u64().and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0)
}

/// timm's `pretrained_cfg`: the shorter side becomes the input's divided by `crop_pct`.
fn timm(config: &Value) -> Option<PreprocessRequest> {
    let [_, height, width] = numbers(config.get("input_size"))?[..] else { return None };
    let share = config.get("crop_pct").and_then(Value::as_f64).filter(|share| (0.1..=1.0).contains(share))?;
    let size = [height as usize, width as usize];
    let larger = |side: f64| (side / share) as usize;
    let resize = match config.get("crop_mode").and_then(Value::as_str).unwrap_or("center") {
        "center" => ResizeRequest::ShortestSide(larger(height.min(width))),
        "squash" => ResizeRequest::Stretch([larger(height), larger(width)]),
        _ => return None,
    };
    let filter = match config.get("interpolation").and_then(Value::as_str)? {
        "nearest" => Filter::Nearest,
        "bilinear" => Filter::Bilinear,
        "bicubic" => Filter::Bicubic,
        "lanczos" => Filter::Lanczos,
        _ => return None,
    };
    Some(PreprocessRequest {
        preset: Some(Preset::Raw),
        resize: Some(resize),
        crop: Some(size),
        filter: Some(filter),
        color: None,
        scale: Some(1.0 / 255.0),
        mean: Some(numbers(config.get("mean"))?),
        std: Some(numbers(config.get("std"))?),
    })
}

/// The settings of an image processor of `transformers`.
fn processor(json: &Value) -> Option<PreprocessRequest> {
    let flag = |name: &str| json.get(name).and_then(Value::as_bool);
    if flag("do_resize").is_none() && flag("do_normalize").is_none() {
        return None;
    }
    // Numbers of Pillow.
    let filter = match json.get("resample").and_then(Value::as_u64) {
        Some(0) => Filter::Nearest,
        Some(1) => Filter::Lanczos,
        Some(3) => Filter::Bicubic,
        _ => Filter::Bilinear,
    };
    let normalised = flag("do_normalize") == Some(true);
    let list = |name: &str| if normalised { numbers(json.get(name)) } else { Some(vec![]) };
    let crop = json.get("crop_size").filter(|_| flag("do_center_crop") == Some(true)).and_then(sides);
    let (resize, crop) = match json.get("size").filter(|_| flag("do_resize") != Some(false)) {
        None => (ResizeRequest::None, crop),
        Some(size) => resized(json, size, crop)?,
    };
    Some(PreprocessRequest {
        preset: Some(Preset::Raw),
        resize: Some(resize),
        crop,
        filter: Some(filter),
        color: None,
        scale: Some(match flag("do_rescale") {
            Some(false) => 1.0,
            _ => json.get("rescale_factor").and_then(Value::as_f64).unwrap_or(1.0 / 255.0),
        }),
        mean: Some(list("image_mean")?),
        std: Some(list("image_std")?),
    })
}

/// The resize and the crop of a processor.
fn resized(
    json: &Value,
    size: &Value,
    crop: Option<[usize; 2]>,
) -> Option<(ResizeRequest, Option<[usize; 2]>)> {
    let shortest = whole(size.get("shortest_edge"));
    // ConvNeXt's: small inputs are cut out of something larger, large ones are not.
    if let (Some(side), Some(share)) = (shortest, json.get("crop_pct").and_then(Value::as_f64)) {
        return Some(match side < 384 {
            true => (ResizeRequest::ShortestSide((side as f64 / share) as usize), Some([side; 2])),
            false => (ResizeRequest::Stretch([side; 2]), Some([side; 2])),
        });
    }
    Some(match (shortest, sides(size)) {
        (Some(side), _) => (ResizeRequest::ShortestSide(side), crop.or(Some([side; 2]))),
        // One number was the shorter side where a crop follows, and both sides elsewhere.
        (None, Some(_)) if size.is_u64() && crop.is_some() => {
            (ResizeRequest::ShortestSide(whole(Some(size))?), crop)
        }
        (None, Some(sides)) => (ResizeRequest::Stretch(sides), crop.or(Some(sides))),
        (None, None) => return None,
    })
}

/// Height and width: one number, or two by name.
fn sides(size: &Value) -> Option<[usize; 2]> {
    match whole(Some(size)) {
        Some(side) => Some([side; 2]),
        None => Some([whole(size.get("height"))?, whole(size.get("width"))?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_processor_of_vit_is_read() {
        let json = json!({
            "do_normalize": true, "do_rescale": true, "do_resize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
            "image_processor_type": "ViTImageProcessor", "resample": 2, "rescale_factor": 0.003_921_568_627_450_98,
            "size": {"height": 224, "width": 224}
        });
        let found = said(&json).pictures.unwrap();
        assert_eq!((found.resize, found.crop), (Some(ResizeRequest::Stretch([224; 2])), Some([224; 2])));
        assert_eq!((found.mean, found.filter), (Some(vec![0.5; 3]), Some(Filter::Bilinear)));
    }

    #[test]
    fn a_processor_of_clip_is_read() {
        let json = json!({
            "crop_size": {"height": 224, "width": 224}, "do_center_crop": true, "do_normalize": true, "do_resize": true,
            "image_mean": [0.48, 0.45, 0.4], "image_std": [0.26, 0.26, 0.27], "resample": 3, "size": {"shortest_edge": 224}
        });
        let found = said(&json).pictures.unwrap();
        assert_eq!((found.resize, found.crop), (Some(ResizeRequest::ShortestSide(224)), Some([224; 2])));
        assert_eq!((found.scale, found.filter), (Some(1.0 / 255.0), Some(Filter::Bicubic)));
    }

    #[test]
    fn convnext_cuts_small_inputs_out_of_larger_pictures() {
        let of = |side: u64| {
            let json = json!({
                "crop_pct": 0.875, "do_normalize": false, "do_resize": true, "resample": 3, "size": {"shortest_edge": side}
            });
            said(&json).pictures.unwrap()
        };
        assert_eq!(of(224).resize, Some(ResizeRequest::ShortestSide(256)));
        assert_eq!(of(384).resize, Some(ResizeRequest::Stretch([384; 2])));
        assert_eq!(of(224).mean, Some(vec![]));
    }

    #[test]
    fn timm_states_its_input() {
        let json = json!({
            "architecture": "resnet18", "num_classes": 2, "label_names": ["cat", "dog"],
            "pretrained_cfg": {
                "input_size": [3, 288, 288], "crop_pct": 0.95, "crop_mode": "center", "interpolation": "bicubic",
                "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]
            }
        });
        let found = said(&json);
        assert_eq!(found.classes, ["cat", "dog"]);
        let pictures = found.pictures.unwrap();
        assert_eq!(
            (pictures.resize, pictures.crop),
            (Some(ResizeRequest::ShortestSide(303)), Some([288; 2]))
        );
    }

    #[test]
    fn labels_have_names_and_placeholders_are_none() {
        let json =
            json!({"id2label": {"1": "dog", "0": "cat"}, "problem_type": "multi_label_classification"});
        assert_eq!(
            (said(&json).classes, said(&json).task),
            (vec!["cat".into(), "dog".into()], Some(Task::MultiLabel))
        );
        assert!(said(&json!({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}})).classes.is_empty());
        assert_eq!(said(&json!({"name": "something else"})), Said::default());
    }
}
