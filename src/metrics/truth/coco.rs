//! COCO's JSON.

use std::collections::HashMap;

use burncam_graph::error::Problem;
use serde::Deserialize;

use super::object::{Entry, MAX_OBJECTS, Object, object};

#[derive(Deserialize)]
struct Coco {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

/// Numbers in COCO's own files, texts in those of some tools.
#[derive(Deserialize, Hash, PartialEq, Eq, Clone)]
#[serde(untagged)]
enum Id {
    Number(i64),
    Text(String),
}

#[derive(Deserialize)]
struct Image {
    id: Id,
    file_name: String,
    width: Option<f64>,
    height: Option<f64>,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: Id,
    category_id: Id,
    /// Left, top, width, height.
    bbox: [f64; 4],
    #[serde(default)]
    iscrowd: Crowd,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Crowd {
    Number(i64),
    Truth(bool),
}

impl Default for Crowd {
    fn default() -> Self {
        Self::Truth(false)
    }
}

#[derive(Deserialize)]
struct Category {
    id: Id,
    name: String,
}

/// The pictures of a file with their objects, also pictures without any.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, Problem> {
    if text.trim_start().starts_with('[') {
        return Err(Problem::new("is a list")
            .expected("COCO's annotations: an object with 'images', 'annotations' and 'categories'")
            .hint("a list is COCO's form of detections; give the file that they are compared with"));
    }
    let coco: Coco = serde_json::from_str(text)
        .map_err(|error| Problem::new(format!("cannot be read as COCO's annotations: {error}")))?;
    if coco.annotations.len() > MAX_OBJECTS {
        return Err(Problem::new("has too many annotations").expected(format!("at most {MAX_OBJECTS}")));
    }
    let names = names(coco.categories)?;
    let (places, mut entries) = pictures(coco.images)?;
    for (at, annotation) in coco.annotations.into_iter().enumerate() {
        let place = places.get(&annotation.image_id);
        let found = place.zip(names.get(&annotation.category_id));
        let (place, name) = found.ok_or_else(|| {
            Problem::new("is of an image or a category that the file does not have").named("annotation", at)
        })?;
        let object = of_annotation(name, &annotation);
        entries[*place].objects.push(object.map_err(|problem| problem.named("annotation", at))?);
    }
    Ok(entries)
}

fn of_annotation(name: &str, annotation: &Annotation) -> Result<Object, Problem> {
    let [left, top, width, height] = annotation.bbox;
    let is_crowd = match annotation.iscrowd {
        Crowd::Number(number) => number != 0,
        Crowd::Truth(is_crowd) => is_crowd,
    };
    object(name, [left, top, left + width, top + height], is_crowd)
}

fn names(categories: Vec<Category>) -> Result<HashMap<Id, String>, Problem> {
    let mut names = HashMap::new();
    for category in categories {
        if names.insert(category.id, category.name).is_some() {
            return Err(Problem::new("has two categories of one id").hint("give each its own"));
        }
    }
    Ok(names)
}

/// The pictures without their objects, and the place of each id.
fn pictures(images: Vec<Image>) -> Result<(HashMap<Id, usize>, Vec<Entry>), Problem> {
    let mut places = HashMap::new();
    let mut entries = Vec::with_capacity(images.len());
    for image in images {
        if places.insert(image.id, entries.len()).is_some() {
            let problem = Problem::new("has the id of another image").hint("give each its own");
            return Err(problem.named("image", image.file_name));
        }
        entries.push(Entry {
            picture: image.file_name.replace('\\', "/"),
            is_stem: false,
            size: image.height.zip(image.width).map(|(height, width)| [height, width]),
            is_share: false,
            objects: Vec::new(),
        });
    }
    Ok((places, entries))
}
