//! What an evaluation says before any picture was measured: network, settings, metrics, and the names of its rows.

use super::measure::Measures;
use super::request::{curves_record, road_record};
use super::rows::{BASELINES, ENLARGED, scaled};
use crate::cam::Options;
use crate::engine::Score;
use crate::error::Result;
use crate::explain::Explainer;
use crate::record::{EVALUATION_VERSION, EvaluatedRow, Evaluation, EvaluationSettings, OptionsRecord};

/// An evaluation of no picture.
///
/// # Errors
/// When the model file could not be hashed.
pub(super) fn header(
    explainer: &Explainer,
    measures: &Measures,
    score: Score,
    agreement: bool,
) -> Result<Evaluation> {
    Ok(Evaluation {
        schema_version: EVALUATION_VERSION,
        burncam: env!("CARGO_PKG_VERSION").to_owned(),
        model: explainer.model_record()?,
        settings: settings(explainer, measures, score, agreement),
        metrics: measures.metrics.iter().map(|metric| metric.record(score)).collect(),
        shard: None,
        images: 0,
        failed: 0,
        interrupted: false,
        rows: rows(explainer),
        comparisons: vec![],
        agreement: vec![],
        verdict: String::new(),
        targets: vec![],
        mosaics: vec![],
        sanity: vec![],
        failures: vec![],
    })
}

fn rows(explainer: &Explainer) -> Vec<EvaluatedRow> {
    let methods = explainer.request().methods.iter().map(|method| (method.info().name, false));
    let row = |(name, is_baseline): (&str, bool)| {
        let (name, blank) = (name.to_owned(), 0);
        EvaluatedRow { name, is_baseline, blank, figures: vec![], curves: vec![] }
    };
    methods.chain(BASELINES.into_iter().map(|name| (name, true))).map(row).collect()
}

fn settings(explainer: &Explainer, measures: &Measures, score: Score, agreement: bool) -> EvaluationSettings {
    let request = explainer.request();
    let settings = request.methods.first().map(|method| explainer.settings_record(*method));
    let targets = settings.as_ref().and_then(|settings| settings.request.as_ref());
    EvaluationSettings {
        layers: explainer.every_layer().into_iter().map(|layer| explainer.layer_record(layer)).collect(),
        targets: targets.map_or_else(Vec::new, |request| request.targets.clone()),
        score: score.name().to_owned(),
        map_score: settings.map_or_else(String::new, |settings| settings.score),
        compat: request.options.library.map(|library| library.name().to_owned()),
        seed: request.options.seed,
        options: options(explainer),
        enlarged: ENLARGED.to_owned(),
        scaled: scaled(request.options.library),
        curves: measures.curves.as_ref().map(curves_record),
        road: measures.road.as_ref().map(road_record),
        agreement,
        mosaics: None,
        sanity: None,
        device: request.runtime.device.to_string(),
        engine: request.runtime.engine_name().to_owned(),
        precision: request.runtime.precision.name().to_owned(),
    }
}

/// The options of all methods, unless each has its own.
fn options(explainer: &Explainer) -> Option<OptionsRecord> {
    let request = explainer.request();
    let Options { samples, noise, patch, stride, channels, composite, rollout, .. } = &request.options;
    let sizes = [samples, patch, stride, channels];
    if !sizes.iter().any(|size| size.is_some()) && noise.is_none() && composite.is_none() && rollout.is_none()
    {
        return None;
    }
    let records = request.methods.iter().map(|method| explainer.settings_record(*method).options);
    // Rules and heads are only in the records of the methods that use them.
    records.reduce(|all, one| OptionsRecord {
        composite: all.composite.or(one.composite),
        rollout: all.rollout.or(one.rollout),
        ..all
    })
}
