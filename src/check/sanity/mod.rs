//! Do maps depend on the weights? Cascading randomisation (Adebayo et al. 2018, arXiv:1810.03292), and the random logit test.
//!
//! Receives a model, pictures and what is explained of them; returns a [`SanityReport`]. Weights are replaced in memory: from the scores
//! down one layer after another is randomised (`cascade.rs`), and after some of them every map is compared with that of the network as it is.
//! A method whose maps stay similar shows the picture and not what the network learned.
//!
//! Maps are compared with their signs. Rectified ones go blank in a random network, and what is left of them is a selection.

mod alike;
mod cascade;
mod report;
mod request;

use super::noise::{self, Random};
use super::subject::guarded;
use crate::cam::Joining;
use crate::engine::Runtime;
use crate::error::{OptionName, Phrase, Problem, Result};
use crate::explain::{Explainer, FixedTargets, Request, Subject};
use crate::heatmap::Heatmap;
use crate::input::{Placement, picture_from_tensor, sha256_hex};
use crate::model::Model;
use crate::record::InputRecord;
use alike::{Alike, Mean, entropy_rise};
use cascade::Cascade;
pub use report::{MethodSanity, RandomClass, SanityReport, SanityStop, Verdict};
pub use request::SanityRequest;

/// Number of pictures of noise where the caller gives none.
const NOISE_PICTURES: u64 = 4;

/// Compares maps of a network with those of random ones.
///
/// ```no_run
/// use burncam::{Method, Model, Reading, Subject};
/// use burncam::check::{SanityRequest, Verdict, check_sanity};
///
/// # fn main() -> burncam::Result<()> {
/// let model = Model::open("mine.bpk".as_ref(), None)?;
/// let photo = Subject::open("photo.jpg".as_ref(), &Reading::default(), &model)?;
/// let report = check_sanity(&model, &[photo], &SanityRequest::default())?;
/// assert_eq!(report.methods[0].verdict, Verdict::Depends);
/// # Ok(())
/// # }
/// ```
///
/// Without subjects, pictures of noise take their place.
///
/// # Errors
/// When a method or the request does not fit the network, or maps have no signs.
pub fn check_sanity(model: &Model, subjects: &[Subject], request: &SanityRequest) -> Result<SanityReport> {
    if subjects.is_empty() {
        let made = (0..NOISE_PICTURES).map(|number| noise_picture(model, request.seed.wrapping_add(number)));
        return check_sanity(model, &made.collect::<Result<Vec<_>>>()?, request);
    }
    refuse_unsigned(&request.explain)?;
    let cascade = Cascade::of(model)?;
    let mut explain = request.explain.clone();
    explain.options.signed = true;
    // More than one pass follows; low memory is for one.
    explain.runtime = Runtime { low_memory: false, ..explain.runtime };
    let test = Test { request, explain, cascade };
    // The file is verified once for all networks that are made of it.
    let model = model.replacing(std::collections::BTreeMap::new())?;
    let trained = test.explainer(&model)?;
    let before = subjects.iter().map(|subject| test.before(&trained, subject));
    let before = before.collect::<Result<Vec<_>>>()?;
    let found = test.cascade(&model, &before)?;
    test.report(&trained, &before, &found)
}

/// Refuses what loses the signs of maps.
///
/// # Errors
/// When a library says how maps are finished, and for a method that multiplies them.
pub(crate) fn refuse_unsigned(explain: &Request) -> Result<()> {
    if let Some(library) = explain.options.library {
        let what = Phrase::filled(
            "maps are compared with their signs, and {} says how they are finished",
            [OptionName::Compat.set(library.name())],
        );
        return Err(Problem::new(what).hint("drop it").into());
    }
    match explain.methods.iter().find(|method| method.traits().joining == Joining::Product) {
        Some(method) => {
            let problem = Problem::new("multiplies maps, which leaves no signs to compare");
            Err(problem.named("method", method.info().name).hint("leave it out").into())
        }
        None => Ok(()),
    }
}

struct Test<'a> {
    request: &'a SanityRequest,
    explain: Request,
    cascade: Cascade,
}

/// A picture and its maps by the network as it is.
struct Before<'a> {
    subject: &'a Subject,
    targets: FixedTargets,
    /// Per method one map per target.
    maps: Vec<Vec<Heatmap>>,
    /// Per method, compared with maps of another class; `None` if there is none.
    other: Option<Vec<Vec<Heatmap>>>,
}

/// What one method's maps added up to.
#[derive(Clone)]
struct Found {
    stops: Vec<Alike>,
    /// The same pairs of each picture, after each stop.
    pictures: Vec<Vec<Mean>>,
    entropy_rise: Mean,
}

impl Test<'_> {
    fn explainer(&self, model: &Model) -> Result<Explainer> {
        guarded(|| Explainer::new(model.clone(), self.explain.clone()))
    }

    fn before<'a>(&self, trained: &Explainer, subject: &'a Subject) -> Result<Before<'a>> {
        let targets = guarded(|| trained.fixed_targets(subject))?;
        let own = maps(trained, subject, &targets, &targets.indices)?;
        let mut random = Random::named(self.request.seed, &subject.file.sha256);
        let classes = trained.model().num_classes();
        // Each target has another class of its own.
        let others = targets.indices.iter().map(|target| other_class(*target, classes, &mut random));
        let other = match others.collect::<Option<Vec<usize>>>() {
            Some(others) => Some(maps(trained, subject, &targets, &others)?),
            None => None,
        };
        Ok(Before { subject, targets, maps: own, other })
    }

    /// Per method, all pairs after each stop.
    fn cascade(&self, model: &Model, before: &[Before]) -> Result<Vec<Found>> {
        let stops = self.cascade.stops(self.request.stops);
        let none = Found {
            stops: vec![Alike::new(self.request.seeds); stops.len()],
            pictures: vec![vec![Mean::default(); stops.len()]; before.len()],
            entropy_rise: Mean::default(),
        };
        let mut found = vec![none; self.explain.methods.len()];
        let (mut done, total) = (0, self.request.seeds * stops.len() * before.len());
        for number in 0..self.request.seeds {
            let seed = self.request.seed.wrapping_add(number as u64);
            let (mut changed, mut from) = (model.clone(), 0);
            for (at, drawn) in stops.iter().enumerate() {
                changed = changed.replacing(self.cascade.drawn(from..*drawn, model, seed))?;
                from = *drawn;
                let explainer = self.explainer(&changed)?;
                for (of, picture) in before.iter().enumerate() {
                    let after =
                        maps(&explainer, picture.subject, &picture.targets, &picture.targets.indices)?;
                    let pairs = picture.maps.iter().zip(&after);
                    for (found, (before, after)) in found.iter_mut().zip(pairs) {
                        found.add(before, after, (of, at, number), at + 1 == stops.len());
                    }
                    done += 1;
                    self.request.progress.iter().for_each(|progress| progress.report(done, total));
                }
            }
        }
        Ok(found)
    }

    fn report(&self, trained: &Explainer, before: &[Before], found: &[Found]) -> Result<SanityReport> {
        let methods: Vec<MethodSanity> =
            found.iter().enumerate().map(|(at, found)| self.method(at, found, before)).collect();
        let seeds = 0..self.request.seeds as u64;
        Ok(SanityReport {
            model: trained.model().name().to_owned(),
            file: trained.model().file_name(),
            sha256: trained.model_sha256()?.to_owned(),
            burncam: env!("CARGO_PKG_VERSION").to_owned(),
            device: self.explain.runtime.device.to_string(),
            pictures: before.iter().map(|picture| picture.subject.file.path.clone()).collect(),
            seeds: seeds.map(|number| self.request.seed.wrapping_add(number)).collect(),
            layers: self.cascade.names(),
            kept: self.cascade.kept.clone(),
            limit: self.request.limit,
            passed: methods.iter().all(|method| method.verdict == Verdict::Depends),
            methods,
        })
    }

    fn method(&self, at: usize, found: &Found, before: &[Before]) -> MethodSanity {
        let names = self.cascade.names();
        let drawn = self.cascade.stops(self.request.stops);
        let stops =
            found.stops.iter().zip(drawn).map(|(alike, drawn)| alike.stop(names[drawn - 1].clone(), drawn));
        let stops: Vec<SanityStop> = stops.collect();
        let similarity = Mean::of(stops.iter().filter_map(|stop| stop.spearman)).value();
        let of_picture = |stops: &Vec<Mean>| Mean::of(stops.iter().filter_map(|stop| stop.value())).value();
        let verdict = match similarity {
            Some(similarity) if similarity < self.request.limit => Verdict::Depends,
            Some(_) => Verdict::DoesNotDepend,
            None => Verdict::Unknown,
        };
        let mut classes = None;
        for (own, other) in
            before.iter().filter_map(|picture| Some((&picture.maps[at], &picture.other.as_ref()?[at])))
        {
            let classes = classes.get_or_insert_with(|| Alike::new(1));
            for (own, other) in own.iter().zip(other) {
                classes.add(own, other, 0);
            }
        }
        MethodSanity {
            method: self.explain.methods[at].info().name.to_owned(),
            verdict,
            similarity,
            similarity_by_picture: found.pictures.iter().map(of_picture).collect(),
            stops,
            entropy_rise: found.entropy_rise.value(),
            random_class: classes.map(|classes| classes.of_classes()),
        }
    }
}

impl Found {
    /// Adds the maps of a picture's targets after a stop with a seed, all three by number. `is_last` when all layers are drawn.
    fn add(
        &mut self,
        before: &[Heatmap],
        after: &[Heatmap],
        (picture, stop, seed): (usize, usize, usize),
        is_last: bool,
    ) {
        for (before, after) in before.iter().zip(after) {
            let found = self.stops[stop].add(before, after, seed);
            found.into_iter().for_each(|found| self.pictures[picture][stop].add(found));
            if is_last {
                entropy_rise(before, after).into_iter().for_each(|rise| self.entropy_rise.add(rise));
            }
        }
    }
}

/// Per method one map per target.
fn maps(
    explainer: &Explainer,
    subject: &Subject,
    targets: &FixedTargets,
    indices: &[usize],
) -> Result<Vec<Vec<Heatmap>>> {
    let found = guarded(|| explainer.fixed_maps(&subject.values, targets, indices))?;
    Ok(found.into_iter().map(|maps| maps.into_iter().map(|found| found.map).collect()).collect())
}

/// A picture of noise as a subject.
fn noise_picture(model: &Model, seed: u64) -> Result<Subject> {
    let values = noise::input(model, seed)?;
    let picture = picture_from_tensor(&values, &model.card().preprocess, &model.graph().input);
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let file = InputRecord {
        path: format!("noise, seed {seed}"),
        file: None,
        sha256: sha256_hex(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()),
        format: "noise".to_owned(),
        width,
        height,
        exif_orientation: 1,
        profile: None,
        reduced: None,
    };
    let placement = Placement::whole(width, height);
    Ok(Subject { picture, values, placement, is_tensor: true, file, labels: vec![], warnings: vec![] })
}

/// A class that is not this one; `None` if there is none, and for boxes, which are no classes.
fn other_class(target: usize, classes: usize, random: &mut Random) -> Option<usize> {
    if classes < 2 || target >= classes {
        return None;
    }
    Some((target + 1 + random.below(classes - 1)) % classes)
}
