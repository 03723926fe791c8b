//! How the command calls the library's options: by its flags, and by its own commands.

use burncam_graph::error::{Action, OptionName, Wording};

/// The command's words for messages of the library.
pub(crate) const WORDS: Wording = Wording::new(flag, " ", command);

/// Options and their flags. One that is missing keeps the name of its field; a test finds it.
const FLAGS: &[(OptionName, &str)] = &[
    (OptionName::Against, "--against"),
    (OptionName::Aggregate, "--aggregate"),
    (OptionName::AllowUnused, "--allow-unused"),
    (OptionName::Arch, "--arch"),
    (OptionName::BatchSize, "--batch-size"),
    (OptionName::Card, "--spec"),
    (OptionName::Classes, "--classes"),
    (OptionName::Color, "--color"),
    (OptionName::Compat, "--compat"),
    (OptionName::Composite, "--composite"),
    (OptionName::Counterfactual, "--counterfactual"),
    (OptionName::Crop, "--crop"),
    (OptionName::Device, "--device"),
    (OptionName::Engine, "--engine"),
    (OptionName::Filter, "--filter"),
    (OptionName::Force, "--force"),
    (OptionName::Half, "--half"),
    (OptionName::Head, "--head"),
    (OptionName::Icc, "--icc"),
    (OptionName::Key, "--key"),
    (OptionName::Layer, "--layer"),
    (OptionName::Like, "--like"),
    (OptionName::Mean, "--mean"),
    (OptionName::MemoryLimit, "--memory-limit"),
    (OptionName::Noise, "--noise"),
    (OptionName::NoNormalize, "--no-normalize"),
    (OptionName::NumClasses, "--num-classes"),
    (OptionName::Output, "--output"),
    (OptionName::Inputs, "--input"),
    (OptionName::OutputName, "--output-name"),
    (OptionName::Over, "--over"),
    (OptionName::Channels, "--channels"),
    (OptionName::Patch, "--patch"),
    (OptionName::Precision, "--precision"),
    (OptionName::Preset, "--preset"),
    (OptionName::Rename, "--rename"),
    (OptionName::Resize, "--resize"),
    (OptionName::Rollout, "--rollout"),
    (OptionName::Samples, "--samples"),
    (OptionName::Scale, "--scale"),
    (OptionName::PixelScale, "--scale"),
    (OptionName::Score, "--score"),
    (OptionName::Signed, "--signed"),
    (OptionName::Smooth, "--smooth"),
    (OptionName::Std, "--std"),
    (OptionName::Stride, "--stride"),
    (OptionName::StrictPictures, "--strict-pictures"),
    (OptionName::Target, "--target"),
    (OptionName::Task, "--task"),
    (OptionName::Window, "--window"),
];

/// The flag of an option.
fn flag(option: OptionName) -> &'static str {
    FLAGS.iter().find(|(known, _)| *known == option).map_or(option.field(), |(_, flag)| flag)
}

/// The command that does what the library suggests.
fn command(action: Action) -> &'static str {
    match action {
        Action::ListArchitectures => "burncam info --architectures",
        Action::ListClasses => "burncam info --classes",
        Action::ListLayers => "burncam layers",
        Action::Import => "burncam import",
        other => other.path(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_option_has_a_flag_that_the_command_knows() {
        let command = crate::args::Cli::command();
        let flags: Vec<&str> = command
            .get_subcommands()
            .chain([&command])
            .flat_map(clap::Command::get_arguments)
            .filter_map(|arg| arg.get_long())
            .collect();
        for option in OptionName::ALL {
            let flag = flag(*option);
            assert!(flags.iter().any(|known| flag.strip_prefix("--") == Some(*known)), "{option}: {flag}");
        }
    }

    #[test]
    fn every_action_is_a_command() {
        let root = crate::args::Cli::command();
        let actions = [Action::ListArchitectures, Action::ListClasses, Action::ListLayers, Action::Import];
        for action in actions {
            let mut words = command(action).split(' ');
            assert_eq!(words.next(), Some("burncam"));
            let found = root.find_subcommand(words.next().unwrap()).unwrap();
            for flag in words {
                assert!(found.get_arguments().any(|arg| arg.get_long() == flag.strip_prefix("--")), "{flag}");
            }
        }
    }
}
