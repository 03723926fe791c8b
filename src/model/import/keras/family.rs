//! Which of Keras's own networks a model is made of, and how their pictures are prepared.
//!
//! Files do not say it. The names of Keras's networks are those of `keras.applications`; models that are trained further keep them as
//! models inside of the model.

use super::network::Network;
use crate::import::preprocess::Preset;

/// Beginnings of names, in small letters without marks, and the mode of `preprocess_input`. The first that fits counts: `resnet50v2`
/// is prepared unlike `resnet50`.
const FAMILIES: [(&str, &str, Preset); 12] = [
    ("vgg", "", Preset::Caffe),
    ("resnet", "v2", Preset::Tf),
    ("resnet50", "", Preset::Caffe),
    ("resnet101", "", Preset::Caffe),
    ("resnet152", "", Preset::Caffe),
    ("densenet", "", Preset::KerasTorch),
    ("mobilenet", "", Preset::Tf),
    ("inceptionv3", "", Preset::Tf),
    ("inceptionresnetv2", "", Preset::Tf),
    ("xception", "", Preset::Tf),
    ("nasnet", "", Preset::Tf),
    // The network itself has layers that rescale.
    ("efficientnet", "", Preset::Raw),
];

/// The name of the first known network, the model's own or one inside of it, and its preprocessing.
pub(super) fn known(network: &Network) -> Option<(&str, Preset)> {
    let mut open = vec![network];
    while let Some(network) = open.pop() {
        if let Some(preset) = preset(&network.name) {
            return Some((&network.name, preset));
        }
        open.extend(network.layers.iter().filter_map(|layer| layer.inner.as_ref()));
    }
    None
}

/// The first of these names that is one of Keras's, and its preprocessing.
pub(in crate::import) fn known_name(names: &[String]) -> Option<(&str, Preset)> {
    names.iter().find_map(|name| Some((name.as_str(), preset(name)?)))
}

fn preset(name: &str) -> Option<Preset> {
    // Families are written differently: `inception_resnet_v2`, `NASNet`, `mobilenetv2_1.00_224`.
    let plain: String = name.to_lowercase().chars().filter(|letter| !matches!(letter, '_' | '-')).collect();
    let fits = |(begin, end, _): &&(&str, &str, Preset)| plain.starts_with(begin) && plain.ends_with(end);
    FAMILIES.iter().find(fits).map(|(.., preset)| *preset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_keras_are_known() {
        let table = [
            ("vgg16", Some(Preset::Caffe)),
            ("resnet50", Some(Preset::Caffe)),
            ("resnet50v2", Some(Preset::Tf)),
            ("mobilenetv2_1.00_160", Some(Preset::Tf)),
            ("inception_resnet_v2", Some(Preset::Tf)),
            ("densenet121", Some(Preset::KerasTorch)),
            ("NASNet", Some(Preset::Tf)),
            ("sequential_1", None),
            ("resnet18", None),
        ];
        assert_eq!(table.map(|(name, _)| preset(name)), table.map(|(_, preset)| preset));
    }
}
