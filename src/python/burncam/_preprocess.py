"""How pictures are prepared: transforms of torchvision and timm as a model card's `preprocess` (docs/model-format.md)."""

from __future__ import annotations

import struct
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from ._program import Error

Card = Dict[str, Any]
Size = Tuple[int, int]

_FILTERS = {"nearest": "nearest", "nearest-exact": "nearest", "bilinear": "bilinear", "bicubic": "bicubic", "lanczos": "lanczos"}

#: Steps that change nothing in a picture in colour.
_NOTHING = {"Identity", "ToPureTensor", "MaybePILToTensor", "RGB"}

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def of_transforms(transforms: Any) -> Card:
    """What an evaluation transform does: a `Compose` of torchvision or timm, or `weights.transforms()`.

    Raises:
        Error: It has a step that a card cannot say, or one that draws at random.
    """
    card: Card = {"resize": {"policy": "none"}, "color": "rgb", "scale": 1.0}
    for step in _steps(transforms):
        _apply(step, type(step).__name__, card)
    return card


def _steps(transforms: Any) -> List[Any]:
    inner = getattr(transforms, "transforms", None)
    if isinstance(inner, (list, tuple)):
        return [step for each in inner for step in _steps(each)]
    return [transforms]


def _apply(step: Any, name: str, card: Card) -> None:
    if name in ("ImageClassification", "SemanticSegmentation"):
        card["resize"] = _resize(step.resize_size, step)
        if name == "ImageClassification":
            card["crop"] = _centre(step.crop_size)
        card.update(scale=1 / 255, mean=_numbers(step.mean), std=_numbers(step.std))
    elif name == "Resize":
        if "crop" in card:
            raise _refuse(name, "comes after a crop", "it before the crop")
        if getattr(step, "max_size", None) is not None:
            raise _refuse(name, f"has max_size={step.max_size}", "none")
        card["resize"] = _resize(step.size, step)
    elif name == "CenterCrop":
        card["crop"] = _centre(step.size)
    elif name in ("ToTensor", "MaybeToTensor", "ConvertImageDtype"):
        card["scale"] = 1 / 255
    elif name == "ToDtype":
        card["scale"] = 1 / 255 if getattr(step, "scale", False) else card["scale"]
    elif name in ("PILToTensor", "ToImage", "ToNumpy"):
        pass
    elif name == "Normalize":
        card.update(mean=_numbers(step.mean), std=_numbers(step.std))
    elif name == "Grayscale" and getattr(step, "num_output_channels", 1) == 1:
        card["color"] = "gray"
    elif name not in _NOTHING:
        raise _refuse(name, "cannot be said in a card", "Resize, CenterCrop, ToTensor, Normalize or Grayscale, as used for evaluation")


def _refuse(name: str, what: str, expected: str) -> Error:
    return Error(f"transforms: step {name}: {what}, expected {expected} (preprocess= takes a card's 'preprocess' instead)")


def _resize(size: Any, step: Any) -> Card:
    kind = getattr(step, "interpolation", "bilinear")
    kind = str(getattr(kind, "value", kind)).lower()
    if kind not in _FILTERS:
        raise _refuse(type(step).__name__, f"resamples by '{kind}'", f"one of {', '.join(_FILTERS)}")
    sides = [int(side) for side in size] if isinstance(size, (list, tuple)) else [int(size)]
    if len(sides) == 1:
        return {"policy": "shortest-side", "size": sides[0], "filter": _FILTERS[kind]}
    return {"policy": "stretch", "height": sides[0], "width": sides[1], "filter": _FILTERS[kind]}


def _centre(size: Any) -> Card:
    height, width = pair(size)
    return {"policy": "center", "height": height, "width": width}


def _numbers(values: Any) -> List[float]:
    if hasattr(values, "flatten"):  # a tensor, whose 0.485 in single precision is 0.48500001430511475
        return [_shortest(value) for value in values.flatten().tolist()]
    return [float(value) for value in (values if isinstance(values, (list, tuple)) else [values])]


def _shortest(value: float) -> float:
    """The number of the fewest digits that is this one in single precision."""
    single = struct.pack("f", value)
    shorter = (float(f"{value:.{digits}g}") for digits in range(1, 10))
    return next((number for number in shorter if struct.pack("f", number) == single), value)


def of_parts(
    size: Size,
    channels: int,
    mean: Optional[Sequence[float]],
    std: Optional[Sequence[float]],
    resize: Optional[Union[int, Size]],
    crop: Optional[Union[int, Size]],
    filter: Optional[str],
    color: Optional[str],
) -> Tuple[Card, List[str]]:
    """A card's `preprocess` from single numbers, and what was assumed for those that are missing."""
    assumed = []
    stretched = isinstance(resize, (list, tuple))
    height, width = pair(crop) if crop is not None else pair(resize) if stretched else size
    card: Card = {"color": color or ("gray" if channels == 1 else "rgb"), "scale": 1 / 255}
    kind = filter or "bilinear"
    if resize is None:
        side = -(-min(height, width) * 8 // 7)
        assumed.append(f"resize is not said: the shorter side becomes {side}, and {height}x{width} are cut from the centre")
        card["resize"] = {"policy": "shortest-side", "size": side, "filter": kind}
    elif stretched:
        card["resize"] = {"policy": "stretch", "height": int(resize[0]), "width": int(resize[1]), "filter": kind}
    else:
        card["resize"] = {"policy": "shortest-side", "size": int(resize), "filter": kind}
    if not stretched or pair(resize) != (height, width):
        card["crop"] = {"policy": "center", "height": height, "width": width}
    for name, value in (("mean", mean), ("std", std)):
        if value is not None:
            card[name] = _numbers(value)
        elif channels == 3:
            assumed.append(f"{name} is not said: ImageNet's, {', '.join(map(str, IMAGENET[name]))}")
            card[name] = IMAGENET[name]
    return card, assumed


def pair(size: Any) -> Size:
    """Height and width of one number or two."""
    sides = [int(side) for side in size] if isinstance(size, (list, tuple)) else [int(size)]
    return (sides[0], sides[-1])


def input_of(card: Card) -> Optional[Size]:
    """Height and width of what a card makes of pictures, unless they depend on the picture."""
    for part in (card.get("crop"), card["resize"]):
        if part and "height" in part:
            return (part["height"], part["width"])
    return None
