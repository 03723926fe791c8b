//! `burncam check`: prints the library's report as a table.

mod picture;
mod sanity;
mod table;

use anyhow::{Result, bail};
use burncam::check::{
    CheckReport, CheckRequest, DeviceCheck, Difference, FoldingCheck, GradientCheck, LayerCheck,
    ReferenceCheck, Status, check,
};

use self::table::{figure, row, word};
use crate::args::CheckArgs;
use crate::outcome::Outcome;
use crate::{subjects, text, threads};

/// Checks one model and prints the results.
pub(crate) fn run(args: &CheckArgs, quiet: bool) -> Result<Outcome> {
    // On a pool of the run: parallel work of the library runs on the pool that it is called on.
    threads::pool_of(&args.place)?.install(|| check_one(args, quiet))
}

fn check_one(args: &CheckArgs, quiet: bool) -> Result<Outcome> {
    let model = subjects::open(args.model()?, args.model.spec.as_deref())?;
    if args.sanity.wanted {
        return sanity::run(args, &model, quiet);
    }
    if let Some(photo) = &args.picture {
        return picture::run(args, photo, model);
    }
    if let Some(path) = args.json_reference() {
        bail!("reference '{}': a .json reference is of a picture (add --picture PHOTO)", path.display());
    }
    let request = CheckRequest {
        device: args.place.device.clone(),
        layer: args.layer.clone(),
        tolerance: args.tolerance.unwrap_or(CheckRequest::TOLERANCE),
        seed: args.seed,
        reference: args.reference.clone(),
    };
    let report = check(&model, &request)?;
    if args.format.json {
        text::json_line(&serde_json::to_string(&report)?)?;
    } else {
        print(&report)?;
    }
    Ok(if report.passed { Outcome::Done } else { Outcome::SomeFailed })
}

fn print(report: &CheckReport) -> Result<()> {
    let input = format!("a noise picture, seed {}", report.seed);
    for (name, value) in
        [("model", &report.model), ("file", &report.file), ("device", &report.device), ("input", &input)]
    {
        text::line(&format!("{name:<8}{value}"))?;
    }
    text::line("")?;
    let rows = rows(report);
    text::lines(&text::table(&["check", "result", "difference", "limit", "what was compared"], &rows))?;
    let statuses = report.statuses();
    let count = |wanted: Status| statuses.iter().filter(|status| **status == wanted).count();
    let mut parts = vec![format!("{} passed", count(Status::Ok))];
    for (status, words) in [(Status::Failed, "FAILED"), (Status::NotAvailable, "not available")] {
        if count(status) > 0 {
            parts.push(format!("{} {words}", count(status)));
        }
    }
    text::line("")?;
    text::line(&format!("{} checks: {}", statuses.len(), parts.join(", ")))
}

fn rows(report: &CheckReport) -> Vec<Vec<String>> {
    let mut rows: Vec<_> = report.devices.iter().map(|check| device(check, report)).collect();
    rows.push(folding(&report.folding, report.tolerance));
    rows.push(gradients(&report.gradients));
    rows.extend(report.references.iter().map(|check| reference(check, report.tolerance)));
    rows.push(layers(&report.layers));
    rows
}

fn device(check: &DeviceCheck, report: &CheckReport) -> Vec<String> {
    let remark = match (&check.problem, &check.difference) {
        (Some(problem), _) => problem.clone(),
        (None, Some(Difference { absolute, .. })) => {
            format!("logits with those on {}, at most {} apart", report.device, figure(*absolute))
        }
        (None, None) => String::new(),
    };
    let name = format!("device {}", check.device);
    row(&name, check.status, relative(check.difference), report.tolerance, remark)
}

fn folding(check: &FoldingCheck, tolerance: f64) -> Vec<String> {
    let remark = check.problem.clone().unwrap_or_else(|| {
        let folded = match check.folded {
            0 => "no batch norm to fold".to_owned(),
            count => format!("{} folded", text::counted(count, "batch norm")),
        };
        let worst = check.worst.as_ref().map_or_else(String::new, |node| format!(", worst at '{node}'"));
        let compared = text::counted(check.compared, "value");
        format!("{compared} with the graph as it is written, {folded}{worst}")
    });
    row("folding", check.status, relative(check.difference), tolerance, remark)
}

fn gradients(check: &GradientCheck) -> Vec<String> {
    let remark = check.problem.clone().unwrap_or_else(|| {
        let mut remark = format!(
            "class {} at '{}' with slopes: {} smooth, {} at a kink, {} unsettled",
            check.class.unwrap_or_default(),
            check.layer.as_deref().unwrap_or_default(),
            text::counted(check.smooth, "position"),
            check.at_kink,
            check.unsettled
        );
        if let Some([greatest, smallest]) = check.steps {
            remark.push_str(&format!("; steps {} to {}", figure(greatest), figure(smallest)));
        }
        if check.wrong > 0 {
            remark.push_str(&format!("; {} wrong", check.wrong));
        }
        remark
    });
    row("gradients", check.status, check.relative, check.limit, remark)
}

fn reference(check: &ReferenceCheck, tolerance: f64) -> Vec<String> {
    let remark = match &check.problem {
        Some(problem) => problem.clone(),
        None => format!(
            "'{}' with '{}', which gives {}; same top class for {} of {}",
            check.array,
            check.node,
            format!("{:?}", check.gives).to_lowercase(),
            check.same_top_class,
            text::counted(check.pictures, "picture")
        ),
    };
    row("reference", check.status, relative(check.difference), tolerance, remark)
}

fn layers(check: &LayerCheck) -> Vec<String> {
    const SHOWN: usize = 3;
    let mut remark = format!("{} of {} can be explained", check.explainable, check.operations);
    if let (Some(auto), Some([height, width])) = (&check.auto, check.grid) {
        remark.push_str(&format!(", auto takes '{auto}' ({height}x{width})"));
    }
    for group in &check.unexplainable {
        let names = group.operations.iter().take(SHOWN).map(String::as_str);
        let mut names = names.collect::<Vec<_>>().join(", ");
        if group.operations.len() > SHOWN {
            names.push_str(&format!(" and {} more", group.operations.len() - SHOWN));
        }
        remark.push_str(&format!("; not {names} ({})", group.reason));
    }
    vec!["layers".to_owned(), word(check.status), String::new(), String::new(), remark]
}

fn relative(difference: Option<Difference>) -> Option<f64> {
    difference.map(|difference| difference.relative)
}
