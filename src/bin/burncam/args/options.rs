//! Options of single methods, for all commands that make maps.

use burncam::Options;
use burncam_engine::{Composite, Rollout};
use clap::Args;

use super::values::parse_deviation;

#[derive(Debug, Args)]
#[command(next_help_heading = "Map")]
pub(crate) struct MethodOptionArgs {
    /// Random draws of methods that sample, or points of an integral [default: the method's own].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) samples: Option<u32>,

    /// Standard deviation of added noise, as a share of the range of the input, or for sscam of the mask [default: the method's own].
    #[arg(long, value_name = "SHARE", value_parser = parse_deviation)]
    pub(crate) noise: Option<f32>,

    /// Side of the occlusion square in pixels of the network's input [default: a seventh of the shorter side].
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) patch: Option<u16>,

    /// Step between positions of the square [default: half of --patch].
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) stride: Option<u16>,

    /// Channels whose score scorecam, sscam, iscam and ablationcam ask for: those whose activations vary most [default: all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) channels: Option<u16>,

    /// Rules of lrp and layerlrp: epsilon, epsilon-plus, epsilon-gamma or epsilon-alpha2-beta1, and for the first layer -flat,
    /// -w-square or -box after it [default: epsilon-plus-flat].
    #[arg(long, value_name = "RULE")]
    pub(crate) composite: Option<Composite>,

    /// Heads of attention in rollout: mean, max or min, and after commas discard=SHARE for the weakest attention that is left
    /// out and from=N for the first block [default: mean].
    #[arg(long, value_name = "HEADS")]
    pub(crate) rollout: Option<Rollout>,
}

impl MethodOptionArgs {
    /// The library's options, with its defaults for the rest.
    pub(crate) fn options(&self, seed: u64) -> Options {
        let mut options = Options::default();
        options.seed = seed;
        options.samples = self.samples.map(|samples| samples as usize);
        options.noise = self.noise;
        options.patch = self.patch.map(usize::from);
        options.stride = self.stride.map(usize::from);
        options.channels = self.channels.map(usize::from);
        options.composite = self.composite;
        options.rollout = self.rollout;
        options
    }
}
