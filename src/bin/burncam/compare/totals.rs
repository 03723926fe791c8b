//! From pairs of pictures to figures about all of them, and what fails for them.

use burncam::record::{
    ComparedAccuracy, ComparedMap, ComparedMaps, ComparedPicture, LabelRecord, LimitRecord, Prediction,
};

use super::maps::{Source, compared, is_same};
use crate::args::Drop;

/// Rounding of decimal limits must not fail a drop of exactly the limit.
const ROUNDING: f64 = 1e-12;

/// One picture from its records, one pair for each pair of methods.
pub(super) fn picture(pairs: &[(Source, Source)]) -> Option<ComparedPicture> {
    let (first, second) = pairs.first()?;
    let (one, other) = (first.record.predictions.first(), second.record.predictions.first());
    let labels = [first, second].map(|source| source.record.true_classes());
    // A run without labels is judged by the other's.
    let labels = if labels[0].is_empty() { labels[1] } else { labels[0] };
    let own = |source: &Source, top| source.record.is_right().or_else(|| right(top, labels));
    let maps: Vec<ComparedMap> = pairs.iter().flat_map(|(first, second)| compared(*first, *second)).collect();
    let same = maps.iter().filter(|map| map.same_class);
    Some(ComparedPicture {
        path: first.record.input.path.clone(),
        second_path: second.record.input.path.clone(),
        sha256: first.record.input.sha256.clone(),
        labels: labels.to_vec(),
        first: one.cloned(),
        second: other.cloned(),
        same_class: one
            .zip(other)
            .filter(|(one, _)| one.number.is_none())
            .map(|(one, other)| is_same((one.target, &one.class_name), (other.target, &other.class_name))),
        first_right: own(first, one),
        second_right: own(second, other),
        similarity: mean(same.filter_map(|map| map.spearman)),
        maps,
    })
}

fn right(top: Option<&Prediction>, labels: &[LabelRecord]) -> Option<bool> {
    let top = top.filter(|_| !labels.is_empty())?;
    let is_it =
        |label: &LabelRecord| is_same((top.target, &top.class_name), (label.target, &label.class_name));
    Some(labels.iter().any(is_it))
}

/// Those with another class first, then by rising similarity; those without one last. Each comes with what belongs to it.
pub(super) fn sort<T>(pictures: &mut [(ComparedPicture, T)]) {
    let key = |picture: &ComparedPicture| {
        (picture.same_class != Some(false), picture.similarity.unwrap_or(f64::INFINITY))
    };
    // Stable, so that equals stay in the order of their paths.
    pictures.sort_by(|(one, _), (other, _)| {
        let (one, other) = (key(one), key(other));
        one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
    });
}

/// Share of pictures with the same most probable class.
pub(super) fn agreement(pictures: &[ComparedPicture]) -> Option<f64> {
    mean(pictures.iter().filter_map(|picture| picture.same_class).map(|same| f64::from(u8::from(same))))
}

/// Over the pictures whose true class is known.
pub(super) fn accuracy(pictures: &[ComparedPicture]) -> Option<ComparedAccuracy> {
    let known: Vec<(bool, bool)> =
        pictures.iter().filter_map(|picture| picture.first_right.zip(picture.second_right)).collect();
    let count = |is: &dyn Fn(&(bool, bool)) -> bool| known.iter().filter(|pair| is(pair)).count();
    (!known.is_empty()).then(|| ComparedAccuracy {
        labelled: known.len(),
        first: count(&|(first, _)| *first) as f64 / known.len() as f64,
        second: count(&|(_, second)| *second) as f64 / known.len() as f64,
        mended: count(&|(first, second)| !first && *second),
        broken: count(&|(first, second)| *first && !second),
    })
}

/// The means of a pair of methods.
pub(super) fn maps(pictures: &[ComparedPicture], (first, second): &(String, String)) -> ComparedMaps {
    let all = || {
        let maps = pictures.iter().flat_map(|picture| &picture.maps);
        maps.filter(|map| map.first_method == *first && map.second_method == *second)
    };
    let same = || all().filter(|map| map.same_class);
    ComparedMaps {
        first: first.clone(),
        second: second.clone(),
        pairs: same().count(),
        other_class: all().filter(|map| !map.same_class).count(),
        spearman: mean(same().filter_map(|map| map.spearman)),
        without_spearman: same().filter(|map| map.spearman.is_none()).count(),
        pearson: mean(same().filter_map(|map| map.pearson)),
        iou: mean(same().filter_map(|map| map.iou)),
    }
}

/// What limits are about.
#[derive(Debug)]
pub(super) struct Drops<'a> {
    pub(super) accuracy: Option<ComparedAccuracy>,
    pub(super) agreement: Option<f64>,
    pub(super) maps: &'a [ComparedMaps],
    /// Pictures of the first run that are in both, and all of them.
    pub(super) kept: (usize, usize),
}

impl Drops<'_> {
    /// How much worse the second run is; `None` when that is not known.
    fn of(&self, what: Drop) -> Option<f64> {
        match what {
            Drop::Accuracy => self.accuracy.map(|accuracy| accuracy.first - accuracy.second),
            Drop::Agreement => self.agreement.map(|agreement| 1.0 - agreement),
            // The worst pair of methods; one without a figure could be worse.
            Drop::Similarity => {
                let drops: Option<Vec<f64>> =
                    self.maps.iter().map(|maps| Some(1.0 - maps.spearman?)).collect();
                drops?.into_iter().reduce(f64::max)
            }
            Drop::Pictures => Some((self.kept.1 - self.kept.0) as f64 / self.kept.1.max(1) as f64),
        }
    }

    /// A limit with the drop that it bounds.
    pub(super) fn limit(&self, (what, most): (Drop, f64)) -> LimitRecord {
        let drop = self.of(what);
        let passed = drop.is_some_and(|drop| drop <= most + ROUNDING);
        LimitRecord { of: what.name().to_owned(), most, drop, passed }
    }
}

fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = numbers.fold((0.0, 0_usize), |(sum, count), number| (sum + number, count + 1));
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &str, same: bool, similarity: Option<f64>, right: Option<(bool, bool)>) -> ComparedPicture {
        ComparedPicture {
            path: path.to_owned(),
            second_path: path.to_owned(),
            sha256: String::new(),
            labels: vec![],
            first: None,
            second: None,
            same_class: Some(same),
            first_right: right.map(|(first, _)| first),
            second_right: right.map(|(_, second)| second),
            similarity,
            maps: vec![],
        }
    }

    #[test]
    fn pictures_that_moved_most_come_first() {
        let mut pictures = [
            seen("calm", true, Some(0.9), None),
            seen("blank", true, None, None),
            seen("moved", true, Some(-0.2), None),
            seen("other", false, Some(0.95), None),
        ]
        .map(|picture| (picture, ()));
        sort(&mut pictures);
        assert_eq!(pictures.map(|(picture, ())| picture.path), ["other", "moved", "calm", "blank"]);
    }

    #[test]
    fn figures_are_counts_by_hand() {
        let pictures = [
            seen("a", true, None, Some((true, true))),
            seen("b", false, None, Some((true, false))),
            seen("c", false, None, Some((false, true))),
            seen("d", false, None, Some((true, false))),
            seen("e", true, None, None),
        ];
        assert_eq!(agreement(&pictures), Some(0.4));
        let found = accuracy(&pictures).unwrap();
        assert_eq!((found.labelled, found.first, found.second), (4, 0.75, 0.5));
        assert_eq!((found.mended, found.broken), (1, 2));
        assert_eq!(accuracy(&pictures[4..]), None);
    }

    #[test]
    fn a_limit_passes_up_to_its_drop_and_not_where_the_drop_is_unknown() {
        let accuracy = ComparedAccuracy { labelled: 10, first: 0.9, second: 0.8, mended: 0, broken: 1 };
        let drops = Drops { accuracy: Some(accuracy), agreement: None, maps: &[], kept: (3, 4) };
        let passes = |what, most| drops.limit((what, most)).passed;
        assert!(passes(Drop::Accuracy, 0.1) && !passes(Drop::Accuracy, 0.09));
        assert!(passes(Drop::Pictures, 0.25) && !passes(Drop::Pictures, 0.0));
        assert!(!passes(Drop::Agreement, 2.0) && !passes(Drop::Similarity, 2.0));
    }
}
