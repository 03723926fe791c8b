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
use crate::error::{Problem, Result, nearest};
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
/// When it does not exist; the message suggests a similar name, and lists those of the same library.
pub fn find(name: &str) -> Result<&'static Architecture> {
    let library =
        |name: &str| name.split_once(':').map_or(String::new(), |(library, _)| library.to_lowercase());
    let asked = library(name);
    let untagged = if asked == "timm" { name.split('.').next().unwrap_or(name) } else { name };
    all().find(|architecture| architecture.name.eq_ignore_ascii_case(untagged)).ok_or_else(|| {
        let same = || names().filter(|known| library(known) == asked);
        // The library's name at the front would make all of its names alike.
        let bare = |name: &'static str| name.split_once(':').map_or(name, |(_, bare)| bare);
        let wanted = untagged.split_once(':').map_or(untagged, |(_, bare)| bare);
        let near = names().filter(|known| nearest(wanted, [bare(known)]).is_some());
        let problem = Problem::new("is not known").near(name, near).known("known:", same());
        let problem = problem.hint("export other networks to ONNX and import that");
        problem.named("architecture", name).into()
    })
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
