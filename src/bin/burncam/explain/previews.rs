//! Small pictures for `--report`, made while the pixels of an image are in memory.
//!
//! Receives a subject and its explanations; gives data URIs. Reading the files again would cost as much as making them.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use burncam::{ArtifactKind, ClassExplanation, Explainer, Explanation, RgbImage, Subject};

use crate::report::MOST_EMBEDDED;
use crate::report::small::{Small, SmallMap, encoded, made, shrunk};

/// Makes small pictures as long as the page will embed them.
#[derive(Debug)]
pub(crate) struct Previews {
    /// Maps so far.
    maps: AtomicUsize,
}

impl Previews {
    /// `None` where a page of at least that many images embeds nothing.
    pub(crate) fn new(images: usize) -> Option<Self> {
        (images <= MOST_EMBEDDED).then(|| Self { maps: AtomicUsize::new(0) })
    }

    /// Those of an image, one entry per method; none when the page has too many maps already.
    pub(crate) fn of(
        &self,
        explainer: &Explainer,
        subject: &Subject,
        explanations: &[Explanation],
    ) -> Vec<Small> {
        let count = explanations.iter().map(|explanation| explanation.targets.len()).sum();
        // Relaxed: only the number matters. Images that fail later are counted too; their share of the pictures is then made from files.
        if self.maps.fetch_add(count, Ordering::Relaxed) + count > MOST_EMBEDDED {
            return vec![];
        }
        let Some(photo) = made(shrunk(&subject.picture)) else { return vec![] };
        let of = |explanation: &Explanation| {
            let map = |target| of_map(explainer, subject, &photo, explanation, target);
            Small { photo: None, maps: explanation.targets.iter().map(map).collect() }
        };
        let mut all: Vec<Small> = explanations.iter().map(of).collect();
        if let Some(first) = all.first_mut() {
            first.photo = made(encoded(&photo));
        }
        all
    }
}

fn of_map(
    explainer: &Explainer,
    subject: &Subject,
    photo: &RgbImage,
    explanation: &Explanation,
    target: &ClassExplanation,
) -> SmallMap {
    let canvas = explanation.canvas(target, subject, &explainer.request().style);
    // Drawn finer and then reduced, so that its edges are as smooth as those of a reduced file.
    let size = [photo.width(), photo.height()];
    let whole = [subject.picture.width(), subject.picture.height()];
    let finer = if size == whole { size } else { size.map(|length| 2 * length) };
    let encoded_mask = |mask: RgbImage| -> Result<String> { encoded(&shrunk(&mask)?) };
    let is_shown = explainer.request().artifacts.contains(&ArtifactKind::ClassMask);
    let mask = is_shown.then(|| canvas.class_mask_at(finer)).flatten();
    SmallMap {
        overlay: made(encoded(&canvas.overlay_on(photo))),
        mask: mask.and_then(|mask| made(encoded_mask(mask))),
    }
}
