//! `burncam compare`: two runs over the same pictures, of two models or with other settings.
//!
//! Receives two directories with records, or lists of them. Prints what changed, writes `comparison.json` and a page with both overlays side by side, and fails
//! where the second run is worse than a limit allows.

pub(crate) mod against;
mod differences;
mod maps;
mod page;
mod pairs;
mod side;
mod totals;
mod words;

use anyhow::{Context as _, Result};
use burncam::internal::output::{self, OutputFile};
use burncam::record::{COMPARISON_VERSION, ComparedPicture, Comparison, Record, SettingDifference};

use self::maps::Source;
use self::page::{Page, Shown};
use self::pairs::Pairs;
use self::side::{Seen, Side};
use self::totals::Drops;
use crate::args::CompareArgs;
use crate::outcome::Outcome;
use crate::records::RecordPlace;
use crate::text;

/// Names of the two files.
const FILE: &str = "comparison.json";
const PAGE: &str = "comparison.html";

/// Compares and prints.
pub(crate) fn run(args: &CompareArgs) -> Result<Outcome> {
    let files = args.out.as_ref().map(|out| [out.join(FILE), out.join(PAGE)]);
    if let (Some(out), Some(files)) = (&args.out, &files) {
        if !args.force {
            output::refuse_existing(files)?;
        }
        output::check_directory(out)?;
    }
    let (first, second) = (Side::read(&args.first)?, Side::read(&args.second)?);
    let (comparison, shown) = compare(args, &first, &second)?;
    if let Some([json, page]) = files {
        let html = Page { comparison: &comparison, shown: &shown }.document(&page)?;
        let bytes = comparison.to_json()?.into_bytes();
        let files = [OutputFile { path: json, bytes }, OutputFile { path: page, bytes: html.into_bytes() }];
        output::write_together(&files, &[], args.force)?;
    }
    if args.format.json {
        text::json_line(&serde_json::to_string(&comparison)?)?;
    } else {
        text::lines(&words::of(&comparison))?;
    }
    let all_read = first.unreadable + second.unreadable == 0;
    Ok(if comparison.passed && all_read { Outcome::Done } else { Outcome::SomeFailed })
}

/// The comparison, and for each of its pictures what the page shows of it.
fn compare(args: &CompareArgs, first: &Side, second: &Side) -> Result<(Comparison, Vec<Shown>)> {
    let pairs = Pairs::of(first, second);
    pairs.check(first, second)?;
    let methods = pairs::methods(first, second)?;
    let (mut differences, mut pictures) = (None, Vec::new());
    for (one, other) in &pairs.both {
        let records = read(one, other, &methods)?;
        if let Some((one, other)) = records.first() {
            differences.get_or_insert_with(|| differences::differences(&one.record, &other.record));
        }
        let sources: Vec<(Source, Source)> =
            records.iter().map(|(one, other)| (one.source(), other.source())).collect();
        let shown = sources.iter().map(|(one, other)| (page::overlay(*one), page::overlay(*other))).collect();
        match totals::picture(&sources) {
            Some(picture) => pictures.push((picture, shown)),
            None => log::warn!("'{}': has no records of the compared methods in both runs", one.path),
        }
    }
    totals::sort(&mut pictures);
    let differences = differences.unwrap_or_default();
    let (pictures, shown): (Vec<ComparedPicture>, Vec<Shown>) = pictures.into_iter().unzip();
    Ok((summed_up(args, (first, second), &pairs, &methods, differences, pictures), shown))
}

/// The figures about all pictures.
fn summed_up(
    args: &CompareArgs,
    (first, second): (&Side, &Side),
    pairs: &Pairs,
    methods: &[(String, String)],
    differences: Vec<SettingDifference>,
    pictures: Vec<ComparedPicture>,
) -> Comparison {
    let maps: Vec<_> = methods.iter().map(|methods| totals::maps(&pictures, methods)).collect();
    let (accuracy, agreement) = (totals::accuracy(&pictures), totals::agreement(&pictures));
    let kept = (pairs.both.len(), first.pictures.len());
    let drops = Drops { accuracy, agreement, maps: &maps, kept };
    let limits: Vec<_> = args.max_drop.iter().map(|limit| drops.limit(*limit)).collect();
    let paths = |seen: &[&Seen]| seen.iter().map(|seen| seen.path.clone()).collect();
    Comparison {
        schema_version: COMPARISON_VERSION,
        burncam: env!("CARGO_PKG_VERSION").to_owned(),
        first: first.described(),
        second: second.described(),
        differences,
        both: pictures.len(),
        only_first: paths(&pairs.only_first),
        only_second: paths(&pairs.only_second),
        agreement,
        accuracy,
        passed: limits.iter().all(|limit| limit.passed),
        maps,
        limits,
        pictures,
    }
}

/// A record with its place.
struct Read<'a> {
    record: Record,
    place: &'a RecordPlace,
}

impl Read<'_> {
    fn source(&self) -> Source<'_> {
        Source { record: &self.record, directory: self.place.directory() }
    }
}

/// The records of a picture, of each pair of methods that it has.
fn read<'a>(
    one: &'a Seen,
    other: &'a Seen,
    methods: &[(String, String)],
) -> Result<Vec<(Read<'a>, Read<'a>)>> {
    let read = |place: &'a RecordPlace| -> Result<Read<'a>> {
        Ok(Read { record: place.read().context("a record changed while it was compared")?, place })
    };
    let places =
        methods.iter().filter_map(|(first, second)| one.records.get(first).zip(other.records.get(second)));
    places.map(|(first, second)| Ok((read(first)?, read(second)?))).collect()
}
