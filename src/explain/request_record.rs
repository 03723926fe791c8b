//! The request in a record: everything that a later run compares to know whether it would write the same files.

use super::{Explainer, Reading, Scale, Target};
use crate::cam::{Method, Options, Reads};
use crate::card::Task;
use crate::input::Layout;
use crate::record::{OptionsRecord, REVISION, RequestRecord, SettingsRecord};
use crate::render::{CELL, Format};

/// Version of Burn that networks run on. It is exact in `Cargo.toml`, because the last digits of a map may change with it.
pub const BURN_VERSION: &str = "0.22.1";

impl Explainer {
    /// The settings of a method in a record, known before any image is explained.
    #[must_use]
    pub fn settings_record(&self, method: Method) -> SettingsRecord {
        let request = &self.request;
        let several = self.layers_of(method).len() > 1;
        let smoothing = request.smoothing;
        let kinds = [(smoothing.augment, "aug"), (smoothing.eigen, "eigen"), (smoothing.noise, "noise")];
        let Options { counterfactual, signed, library, .. } = request.options;
        SettingsRecord {
            method: method.info().name.to_owned(),
            score: self.score.name().to_owned(),
            // With one layer nothing is joined, and a difference in the option must not redo the files.
            aggregate: several.then(|| method.aggregate(&self.finish, library).name().to_owned()),
            smooth: kinds.iter().filter(|(on, _)| *on).map(|(_, name)| (*name).to_owned()).collect(),
            signed,
            counterfactual,
            compat: library.map(|library| library.name().to_owned()),
            options: self.options_record(method),
            request: Some(self.request_record()),
            device: request.runtime.device.to_string(),
            engine: request.runtime.engine_name().to_owned(),
            precision: request.runtime.precision.name().to_owned(),
            revision: Some(REVISION),
            burncam: env!("CARGO_PKG_VERSION").to_owned(),
            burn: BURN_VERSION.to_owned(),
            style: request.style.record(),
        }
    }

    fn options_record(&self, method: Method) -> OptionsRecord {
        let Options { seed, samples, noise, patch, stride, channels, composite, rollout, .. } =
            self.request.options;
        let composite = method.reads(Reads::Composite).then(|| composite.unwrap_or_default().to_string());
        let rollout = rollout.filter(|_| method.reads(Reads::Rollout)).map(|rollout| rollout.to_string());
        OptionsRecord { seed, samples, noise, patch, stride, channels, composite, rollout }
    }

    fn request_record(&self) -> RequestRecord {
        let request = &self.request;
        let Reading { options, layout, .. } = &request.reading;
        let [red, green, blue] = options.background;
        let encoding = request.style.encoding;
        let layout = match layout {
            Layout::ChannelsFirst => "channels-first",
            Layout::ChannelsLast => "channels-last",
        };
        let names = request.methods.iter().map(|method| method.info().name.to_owned());
        RequestRecord {
            targets: request.targets.iter().map(|target| self.target_record(target)).collect(),
            top_k: request.top_k,
            scale: match request.scale {
                // Not its own: a later run with that scale must not keep these files.
                _ if self.is_shared => "shared".to_owned(),
                Scale::Own => "own".to_owned(),
                Scale::Raw => "none".to_owned(),
                Scale::Fixed(number) => number.to_string(),
            },
            background: Some(format!("{red:02x}{green:02x}{blue:02x}")),
            icc: Some(options.icc.name().to_owned()),
            strict_pictures: Some(options.strict),
            layout: Some(layout.to_owned()),
            image: self.drawn_on_sha256.clone(),
            save: request.artifacts.iter().map(|kind| kind.name().to_owned()).collect(),
            grid: if request.grid { names.collect() } else { vec![] },
            png_level: request.style.encoding.png_level.name().to_owned(),
            format: (encoding.format != Format::Png).then(|| encoding.format.name().to_owned()),
            quality: (encoding.format == Format::Jpeg).then_some(encoding.quality),
            sheet_cell: Some(request.style.sheet_cell).filter(|cell| request.grid && *cell != CELL),
            against: self.score.rival(),
            over: (self.model().output().task == Task::Segmentation).then(|| request.over.to_string()),
            mask: self.given.mask.as_ref().map(|mask| mask.sha256.clone()),
            like: self.given.like.as_ref().map(|like| like.sha256.clone()),
            window: options.window.map(|[black, white]| format!("{black},{white}")),
        }
    }

    fn target_record(&self, target: &Target) -> String {
        match target {
            Target::Top(count) => format!("top{count}"),
            Target::Label => "label".to_owned(),
            Target::Both => "both".to_owned(),
            Target::All => "all".to_owned(),
            Target::Box(number) => format!("box:{number}"),
            Target::AtLeast(least) => format!("p>={least}"),
            // Every class was looked up when the explainer was created.
            Target::Index(_) | Target::Name(_) => {
                target.class(self.model()).map_or_else(|_| String::new(), |class| class.to_string())
            }
        }
    }
}
