"""Which networks the zoo has: every classifier of torchvision, and timm's models thinned by family.

A family is a module of timm, or the part of a torchvision name before its size. Of each family the small variants of every
name are taken first. A sweep goes on with the rest of torchvision, then takes the smallest network of each family of timm
that has none yet, then all others, the quickest to export first: cut short, it has seen as many as the time allows.
"""

import re

# Too large for a small machine, or one network more often than needed: another input size of a network that is there.
LARGE = re.compile(
    r"(large|huge|giant|gigantic|enormous|xlarge|_xl$|_xxl$|_l2$|so400m|so150m|intern300m|_[1357]b_|_7b_|570m|412m|416m|306m"
    r"|x3_bit|x2_bit|x4_bit|x16_clip|x64_clip|regnety_(640|1280|2560)|resnetrs(270|350|420)|resnest(200|269)|269d|200d"
    r"|32x(16|32)d|nfnet_f[2-7]|efficientnet_b[678]|efficientnet_h|_m48|_384|_336|_378|_408|_448|_512|_560|_896|_21m|plus_patch)"
)

# Modules of timm whose networks attend to positions; the rest are convolutional, or mix positions by fixed matrices.
ATTENTION = """beit byoanet cait coat convit cpubone crossvit davit deepseek_vit deit edgenext efficientformer efficientformer_v2
efficientvit_mit efficientvit_msra eva fastvit gcvit gemma4_vit hiera hieradet_sam2 iformer levit lowformer maxxvit metaformer
mobilevit mvitv2 naflexvit nest nextvit pit pvt_v2 qwen3_vit sequencer shvit swiftformer swin_transformer swin_transformer_v2
swin_transformer_v2_cr tiny_vit tnt twins visformer vision_transformer vision_transformer_hybrid vision_transformer_relpos
vision_transformer_sam vitamin volo xcit efficientvim""".split()

SIZES = (
    "zepto atto femto pico nano kobe xxs xxtiny xtiny xs ti tiny t mini s small dpwee pwee wee dwee little dlittle betwixt "
    "m medium mediumd b base c d e f l x h g"
).split()

PER_FAMILY = 12


# Networks with more million parameters come last: each takes as long, and as much of the disk, as many small ones.
LAST = 120


def torchvision_networks():
    from torchvision import models

    # The classifiers; detectors and segmenters are in other modules.
    for name in models.list_models(module=models):
        yield "torchvision", re.match(r"[a-z]+(_v\d|_[xy])?", name)[0], name, *sizes(lambda: from_torchvision(name))


def from_torchvision(name):
    """A network of torchvision without trained weights; two of them would take minutes to fill theirs."""
    from torchvision import models

    quick = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return models.get_model(name, weights=None, **quick)


def timm_networks(per_family=PER_FAMILY):
    import timm

    for family in timm.list_modules():
        names = [name for name in timm.list_models(module=family) if not LARGE.search(name) and not name.startswith("test_")]
        for name in thinned(names or timm.list_models(module=family)[:1])[:per_family]:
            yield "timm", family, name, *sizes(lambda: timm.create_model(name, pretrained=False))


def sizes(make):
    """Parameters and modules of a network, made without its weights where it can be."""
    import torch

    try:
        with torch.device("meta"):
            net = make()
    except NotImplementedError:
        # RegNets compute their widths by tensors.
        net = make()
    return sum(parameter.numel() for parameter in net.parameters()), len(list(net.modules()))


def thinned(names):
    """The smallest of every stem, then the second smallest of every stem."""
    stems = {}
    for name in sorted(names, key=lambda name: (size(name), natural(name))):
        stems.setdefault(stem(name), []).append(name)
    first = [members[0] for members in stems.values()]
    second = [members[1] for members in stems.values() if len(members) > 1]
    return first + second


def stem(name):
    """The name without numbers and words for sizes: `vit_small_patch16_224` is `vit_patch`."""
    parts = [re.sub(r"\d+", "", part) for part in name.split("_")]
    return "_".join(part for part in parts if part and part not in SIZES)


def size(name):
    parts = [re.sub(r"\d+", "", part) for part in name.split("_")[1:]]
    words = [SIZES.index(part) for part in parts if part in SIZES]
    return min(words, default=SIZES.index("s"))


def natural(name):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def kind(library, family):
    if library == "torchvision":
        return "transformer" if re.match(r"vit|swin|maxvit", family) else "convolutional"
    return "transformer" if family in ATTENTION else "convolutional"


def everything():
    """(library, family, name, parameters, modules) of each network of the list."""
    return [*torchvision_networks(), *timm_networks()]


def in_order(networks, reached):
    """The networks in the order of a sweep that has reached these (library, family) pairs already."""
    quick = sorted(networks, key=time_to_export)
    firsts = {}
    for library, family, name, *_ in quick:
        if (library, family) not in reached:
            firsts.setdefault((library, family), name)

    def rank(network):
        library, family, name, parameters, _ = network
        if parameters > LAST * 1e6:
            return 3
        return 0 if library == "torchvision" else 1 if firsts.get((library, family)) == name else 2

    return sorted(quick, key=rank)


def time_to_export(network):
    """PyTorch's exporter takes its time by operation; a hundred thousand weights cost about as much as a module."""
    *_, parameters, modules = network
    return modules + parameters / 1e5
