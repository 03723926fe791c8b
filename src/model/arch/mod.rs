//! Architectures by name: each builds the graph of a well-known network with its usual layer and tensor names.
//!
//! Receives a name, a number of classes and optionally an input size; gives a graph and the names and shapes of the
//! tensors it needs. Layers are named as in torchvision (`layer4.1.conv2`); a module that runs twice in a block and
//! the functions between modules are named as by `torch.fx` (`layer4.1.relu_1`, `layer4.1.add`). EfficientNet-Lite
//! keeps the names of its PyTorch port.

mod alexnet;
mod architecture;
mod attention;
mod convnext;
mod densenet;
mod efficientnet;
mod efficientnet_lite;
mod hf;
mod hf_names;
mod inception;
mod maxvit;
mod mnasnet;
mod mobilenet_v2;
mod mobilenet_v3;
mod names;
mod recipe;
mod regnet;
mod resnet;
mod resnet_cifar;
mod shufflenet_v2;
mod squeezenet;
mod swin;
mod timm;
mod timm_names;
mod timm_token_names;
mod torchvision;
mod vgg;
mod vit;
mod windows;

pub use crate::builder::Built;
use crate::error::{Action, Phrase, Problem, Result, nearest};
pub use architecture::Architecture;

/// Every architecture by family, in listing order.
const FAMILIES: [&[Architecture]; 21] = [
    resnet::ALL,
    vgg::ALL,
    squeezenet::ALL,
    mobilenet_v2::ALL,
    densenet::ALL,
    alexnet::ALL,
    efficientnet_lite::ALL,
    efficientnet::ALL,
    mobilenet_v3::ALL,
    convnext::ALL,
    regnet::ALL,
    shufflenet_v2::ALL,
    mnasnet::ALL,
    inception::ALL,
    vit::ALL,
    swin::ALL,
    maxvit::ALL,
    resnet::SMALL_STEM,
    resnet_cifar::ALL,
    timm::ALL,
    hf::ALL,
];

/// Every architecture, in listing order.
pub fn all() -> impl Iterator<Item = &'static Architecture> {
    FAMILIES.into_iter().flatten()
}

/// The names of [`all`].
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|architecture| architecture.name)
}

/// The architecture called `name`, ignoring case. A tag of timm's weights, `timm:resnet50.a1_in1k`, is left out.
///
/// # Errors
/// When it does not exist; the message names the nearest few.
pub fn find(name: &str) -> Result<&'static Architecture> {
    let is_timm = name.split_once(':').is_some_and(|(library, _)| library.eq_ignore_ascii_case("timm"));
    let untagged = if is_timm { name.split('.').next().unwrap_or(name) } else { name };
    let found = all().find(|architecture| architecture.name.eq_ignore_ascii_case(untagged));
    found.ok_or_else(|| unknown(untagged).named("architecture", name).into())
}

fn unknown(name: &str) -> Problem {
    // The library's name at the front would make all of its names alike.
    fn bare(name: &str) -> &str {
        name.split_once(':').map_or(name, |(_, bare)| bare)
    }
    let alike = names().filter(|known| !nearest(bare(name), [bare(known)]).is_empty());
    let near = nearest(name, alike);
    let problem = Problem::new("is not known").near(name, near.first().copied());
    let problem = problem.known("also near:", near.into_iter().skip(1).take(3));
    let listed = Phrase::from("`").action(Action::ListArchitectures).text("` lists all");
    problem.hint(listed.text("; export other networks to ONNX and import that"))
}

/// Whether `start` begins names of several architectures, such as `hf:resnet`.
pub(crate) fn is_family(start: &str) -> bool {
    let starts = |name: &&str| name.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    start.contains(':') && find(start).is_err() && names().any(|name| starts(&name))
}

/// The same network with a first convolution for small pictures, if there is one.
pub(crate) fn small_stem(architecture: &Architecture) -> Option<&'static Architecture> {
    let name = format!("{}{}", architecture.name, architecture::SMALL_STEM);
    all().find(|other| other.name == name)
}

/// Builds the architecture called `name` for `num_classes` classes and pictures of `input`, `[height, width]`.
///
/// # Errors
/// As [`find`] and [`Architecture::build`].
pub fn build(name: &str, num_classes: usize, input: Option<[usize; 2]>) -> Result<Built> {
    find(name)?.build(num_classes, input)
}

#[cfg(test)]
mod tests;
