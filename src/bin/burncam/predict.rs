//! `burncam predict`: the most probable classes, as text or JSON lines.

use std::ops::ControlFlow;

use anyhow::Result;
use burncam::Predictor;
use burncam::record::Prediction;
use burncam_picture::input::recycle;
use serde_json::json;

use crate::args::PredictArgs;
use crate::batch::{self, Signals};
use crate::contain::contained_for;
use crate::discover::{Found, Input, discover, report};
use crate::failure::is_of_model;
use crate::flags::WORDS;
use crate::outcome::Outcome;
use crate::request::runtime;
use crate::threads::Workers;
use crate::{subjects, text};

/// Predicts every input; a failing input is reported and the others continue.
pub(crate) fn run(args: &PredictArgs, quiet: bool) -> Result<Outcome> {
    let Found { inputs, left, .. } = discover(&args.inputs)?;
    if !quiet {
        report(&left);
    }
    let workers = Workers::new(&args.run.place, None, None, inputs.len());
    let pool = workers.pool()?;
    let predictor = pool.install(|| {
        let model = subjects::open_model(&args.model)?;
        Ok::<_, anyhow::Error>(Predictor::new(model, runtime(&args.run, workers, inputs.len()))?)
    })?;
    let one = |input: &Input| contained_for(&input.path, || predict_one(args, &predictor, input));
    let work = |inputs: &[Input]| inputs.iter().map(one).collect();
    let mut outcome = Outcome::Done;
    // Signals keep their usual effect: no file can be left half written.
    batch::run(&pool, workers, &inputs, &Signals::default(), work, |input, result| {
        match result {
            Ok(predicted) => {
                for warning in &predicted.warnings {
                    log::warn!("{}: {warning}", input.path.display());
                }
                print(args, input, &predicted, inputs.len() > 1)?;
            }
            // Not this image's fault, nor the next one's.
            Err(error) if is_of_model(&error) => return Err(error),
            Err(error) => {
                outcome = Outcome::SomeFailed;
                text::error(&error);
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(outcome)
}

/// One input's classes.
struct Predicted {
    classes: Vec<Prediction>,
    /// Warnings from reading it.
    warnings: Vec<String>,
    /// What each side was divided by while it was decoded.
    reduced: Option<u32>,
}

fn predict_one(args: &PredictArgs, predictor: &Predictor, input: &Input) -> Result<Predicted> {
    let mut reading = args.picture.reading();
    reading.reduced = true;
    let subject = subjects::load(input, &reading, predictor.model())?;
    let classes = predictor.predict(&subject, args.top_k.into())?;
    let warnings = subject.warnings.iter().map(|warning| warning.say(WORDS)).collect();
    recycle(subject.picture);
    Ok(Predicted { classes, warnings, reduced: subject.file.reduced })
}

fn print(args: &PredictArgs, input: &Input, predicted: &Predicted, several: bool) -> Result<()> {
    let name = input.path.display();
    let Predicted { classes, warnings, reduced } = predicted;
    if args.format.json {
        let mut line = json!({ "path": name.to_string(), "predictions": classes, "warnings": warnings });
        if let Some(by) = reduced {
            line["reduced"] = json!(by);
        }
        text::json_line(&line.to_string())?;
        return Ok(());
    }
    if several {
        text::line(&format!("{name}:"))?;
    }
    for class in classes {
        text::line(&format!("{:>7}  {:>4}  {}", class.shown(), class.target, class.class_name))?;
    }
    Ok(())
}
