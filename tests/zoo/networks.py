"""Which networks the zoo has: every classifier of torchvision, and timm's models thinned by family.

A family is a module of timm, or the part of a torchvision name before its size. Of each family the small variants of every
name come first, and families take turns, so that a sweep that is cut short has seen all of them.
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


def torchvision_names():
    from torchvision import models

    # The classifiers; detectors and segmenters are in other modules. The small ones first.
    weights = {name: models.get_model_weights(name).DEFAULT.meta["num_params"] for name in models.list_models(module=models)}
    return sorted(weights, key=weights.get)


def timm_names(per_family=PER_FAMILY):
    """(family, name) of timm, families in turn, the smallest of each name first."""
    import timm

    families = []
    for family in timm.list_modules():
        names = [name for name in timm.list_models(module=family) if not LARGE.search(name) and not name.startswith("test_")]
        families.append([(family, name) for name in thinned(names or timm.list_models(module=family)[:1])[:per_family]])
    rounds = range(max(map(len, families)))
    return [family[turn] for turn in rounds for family in families if turn < len(family)]


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
    """(library, family, name), in the order of the sweep."""
    vision = [("torchvision", re.match(r"[a-z]+(_v\d|_[xy])?", name)[0], name) for name in torchvision_names()]
    other = [("timm", family, name) for family, name in timm_names()]
    # One of torchvision after each four of timm: both are covered early.
    mixed = []
    while vision or other:
        mixed += other[:4] + vision[:1]
        other, vision = other[4:], vision[1:]
    return mixed
