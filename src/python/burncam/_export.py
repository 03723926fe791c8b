"""`export`: a network of PyTorch as an ONNX file that says its classes and how its pictures are prepared."""

from __future__ import annotations

import contextlib
import json
import os
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from . import _preprocess
from ._explain import PathLike
from ._model import Model, _depth, import_model
from ._explanation import Explanation
from ._program import Assumption, Error

Size = Union[int, Tuple[int, int]]

#: Assumed for a network that does not say the size of its pictures: the usual one of ImageNet's.
_SIDE = 224

#: Above this PyTorch must put weights into a file of their own: a protocol buffer has at most 2 GiB.
_LARGEST = 1_900_000_000


def export(
    module: Any,
    path: PathLike,
    sample: Any = None,
    *,
    input_size: Optional[Size] = None,
    classes: Optional[Sequence[str]] = None,
    transforms: Any = None,
    preprocess: Optional[Dict[str, Any]] = None,
    mean: Optional[Sequence[float]] = None,
    std: Optional[Sequence[float]] = None,
    resize: Optional[Size] = None,
    crop: Optional[Size] = None,
    filter: Optional[str] = None,
    color: Optional[str] = None,
    task: Optional[str] = None,
    output: Optional[str] = None,
    license: Optional[str] = None,
    pick: Optional[Callable[[Any], Any]] = None,
    exporter: Optional[str] = None,
) -> str:
    """Writes a network of PyTorch as an ONNX file which `burncam import` reads without further options.

    The module is exported in evaluation mode and left as it was. What the caller does not say is taken from the module where it
    says it: timm's networks say how pictures are prepared, those of transformers the names of their classes. What nobody says
    is left to the import, which reports what it assumes.

    Args:
        module: An `nn.Module`.
        path: The `.onnx` file to write.
        sample: An input, `[1, channels, height, width]`. Default: one of `input_size`.
        input_size: Height and width of the input. Default: those of the preparation, else 224.
        classes: Class names in order: `weights.meta["categories"]`, `dataset.classes`.
        transforms: The transform of evaluation: a `Compose`, or `weights.transforms()`.
        preprocess: A card's `preprocess` instead (docs/model-format.md).
        mean, std: Subtracted and divided by after `x / 255`, one number per channel.
        resize: The shorter side in pixels, or `(height, width)` to stretch.
        crop: The part cut from the centre: one side, or `(height, width)`.
        filter: nearest, bilinear, bicubic or lanczos.
        color: rgb, bgr or gray.
        task: classification, multi-label, binary, numbers, segmentation, detection or embedding.
        output: logits, softmax, sigmoid, probabilities or none.
        license: Licence of the weights, for the card.
        pick: Takes the tensor to explain from what the module returns, where it is not a tensor.
        exporter: "torchscript" or "dynamo". Default: the first of them that works, with which it is said if the other failed.

    Returns:
        The path.

    Raises:
        Error: The module cannot be exported, or a transform cannot be said.

    Example:
        >>> burncam.export(net, "flowers.onnx", classes=["daisy", "rose"], transforms=weights.transforms())
    """
    torch = _torch()
    net = _bare(module)
    channels = _channels(torch, net, sample)
    card, assumed = _card(net, channels, transforms, preprocess, mean, std, resize, crop, filter, color, input_size)
    size = _size(sample, input_size, card, assumed)
    if card is not None and _preprocess.input_of(card) not in (None, size):
        height, width = _preprocess.input_of(card)
        raise Error(f"export: pictures become {height}x{width}, but the input has {size[0]}x{size[1]}, expected the same")
    for sentence in assumed:
        warnings.warn(sentence, Assumption, stacklevel=_depth())
    with _evaluation(torch, net):
        inputs = _sample(torch, net, sample, channels, size)
        with _tensor_only(torch, net, inputs, pick):
            _write(torch, net, inputs, os.fspath(path), exporter)
    said = {"classes": _classes(net, classes), "preprocess": card, "task": task, "output": output, "license": license}
    _add_metadata(path, {f"burncam.{key}": json.dumps(value) for key, value in said.items() if value is not None})
    return os.fspath(path)


def from_module(module: Any, out: Optional[PathLike] = None, **options: Any) -> Model:
    """Makes a model file of a network of PyTorch: `export` and `import_model`.

    Args:
        module: An `nn.Module`.
        out: The `.bpk` file to write. Default: a temporary one, which goes with the model.
        **options: Those of `export`.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="burncam-") as folder:
        name = type(_bare(module)).__name__.lower() if out is None else Path(out).stem
        path = export(module, Path(folder) / f"{name}.onnx", **options)
        return import_model(path, out)


def explain_module(module: Any, image: Any, **options: Any) -> Explanation:
    """Explains a picture with a network of PyTorch, in one line.

    The network is exported anew with each call, since its weights may have changed. `from_module` does that once for many pictures.

    Args:
        module: An `nn.Module`.
        image: As for `explain`.
        **options: Those of `export` and of `explain`. `layer` may be a module of the network: `layer=net.layer4[-1]`.

    Example:
        >>> burncam.explain_module(net, "cat.jpg", classes=names, transforms=weights.transforms()).image().show()
    """
    of_export = {name: options.pop(name) for name in list(options) if name in _OPTIONS}
    if "layer" in options:
        options["layer"] = _layer_names(_bare(module), options["layer"])
    return from_module(module, **of_export).explain(image, **options)


_OPTIONS = set(export.__kwdefaults__) | {"sample"}


def _torch() -> Any:
    try:
        import torch
    except ImportError as cause:
        raise Error("export: PyTorch is not installed, expected it, since it writes the file (pip install torch)") from cause
    return torch


def _bare(module: Any) -> Any:
    """The network inside what compiles or distributes it."""
    while True:
        inner = getattr(module, "_orig_mod", None)
        if inner is None and type(module).__name__ in ("DataParallel", "DistributedDataParallel"):
            inner = module.module
        if inner is None:
            return module
        module = inner


def _layer_names(module: Any, layers: Any) -> Any:
    """Modules as the names that the command knows them by."""
    if isinstance(layers, (list, tuple)):
        return [_layer_names(module, layer) for layer in layers]
    if not hasattr(layers, "named_modules"):
        return layers
    found = next((name for name, each in module.named_modules() if each is layers), None)
    if not found:
        raise Error(f"layer: the {type(layers).__name__} is not a part of the network, expected one of its modules or a name")
    return found


def _channels(torch: Any, module: Any, sample: Any) -> int:
    if sample is not None:
        return int(sample.shape[1])
    for layer in module.modules():
        if isinstance(layer, torch.nn.modules.conv._ConvNd):
            return int(layer.in_channels)
    return 3


def _card(
    module: Any,
    channels: int,
    transforms: Any,
    preprocess: Optional[Dict[str, Any]],
    mean: Any,
    std: Any,
    resize: Any,
    crop: Any,
    filter: Optional[str],
    color: Optional[str],
    input_size: Optional[Size],
) -> Tuple[Optional[Dict[str, Any]], List[str]]:
    """How pictures are prepared, if anybody says it, and what had to be assumed."""
    parts = dict(mean=mean, std=std, resize=resize, crop=crop, filter=filter, color=color)
    by_parts = [name for name, value in parts.items() if value is not None]
    ways = [name for name, value in (("transforms", transforms), ("preprocess", preprocess)) if value is not None]
    if len(ways) + bool(by_parts) > 1:
        raise Error(f"export: {', '.join(ways + by_parts)} are given, expected one way to say how pictures are prepared")
    if preprocess is not None:
        return preprocess, []
    if transforms is not None:
        return _preprocess.of_transforms(transforms), []
    if by_parts:
        size = _preprocess.pair(input_size if input_size is not None else resize if isinstance(resize, (list, tuple)) else _SIDE)
        return _preprocess.of_parts(size, channels, **parts)
    if getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None):
        return _of_timm(module, input_size), []
    return None, []


def _of_timm(module: Any, input_size: Optional[Size]) -> Optional[Dict[str, Any]]:
    try:
        from timm.data import create_transform, resolve_model_data_config
    except ImportError:
        return None
    config = resolve_model_data_config(module)
    if input_size is not None:
        config["input_size"] = (config["input_size"][0], *_preprocess.pair(input_size))
    card = _preprocess.of_transforms(create_transform(**config, is_training=False))
    if config["input_size"][0] == 1:
        card["color"] = "gray"
    return card


def _size(sample: Any, input_size: Optional[Size], card: Optional[Dict[str, Any]], assumed: List[str]) -> Tuple[int, int]:
    if sample is not None:
        return (int(sample.shape[2]), int(sample.shape[3]))
    if input_size is not None:
        return _preprocess.pair(input_size)
    size = _preprocess.input_of(card) if card else None
    if size is None:
        assumed.append(f"the size of the input is not said: {_SIDE}x{_SIDE}; input_size= sets another")
        return (_SIDE, _SIDE)
    return size


def _classes(module: Any, classes: Optional[Sequence[str]]) -> Optional[List[str]]:
    if classes is not None:
        return [str(name) for name in classes]
    labels = getattr(getattr(module, "config", None), "id2label", None)
    if isinstance(labels, dict) and sorted(labels) == list(range(len(labels))):
        names = [str(labels[index]) for index in range(len(labels))]
        # Placeholders of transformers.
        return None if names == [f"LABEL_{index}" for index in range(len(names))] else names
    return None


def _sample(torch: Any, module: Any, sample: Any, channels: int, size: Tuple[int, int]) -> Any:
    first = next(module.parameters(), None)
    if sample is None:
        # Seeded apart from PyTorch's own generator, whose state is the caller's.
        sample = torch.rand((1, channels, *size), generator=torch.Generator().manual_seed(0))
    if first is not None:
        sample = sample.to(first.device, first.dtype if first.is_floating_point() else sample.dtype)
    return sample


@contextlib.contextmanager
def _evaluation(torch: Any, module: Any) -> Iterator[None]:
    """The module in evaluation mode, and afterwards each part in its own again."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, training in modes:
            part.training = training


@contextlib.contextmanager
def _tensor_only(torch: Any, module: Any, inputs: Any, pick: Optional[Callable[[Any], Any]]) -> Iterator[None]:
    """The module returns one tensor. A hook leaves the names of its layers as they are."""
    try:
        found = module(inputs)
    except Exception as cause:
        raise Error(f"module {type(module).__name__}: does not run on an input {list(inputs.shape)}: {cause}") from cause
    if pick is None and not isinstance(found, torch.Tensor):
        keys = list(found.keys()) if hasattr(found, "keys") else []
        key = next((key for key in ("logits", "out") if key in keys), None)
        if key is None:
            kind = f"a {type(found).__name__}" + (f" of {', '.join(map(str, keys))}" if keys else "")
            raise Error(f"module {type(module).__name__}: returns {kind}, expected a tensor (pick=lambda output: ... takes one)")
        pick = lambda output: output[key]  # noqa: E731
    if pick is None:
        yield
        return
    hook = module.register_forward_hook(lambda _module, _inputs, output: pick(output))
    try:
        yield
    finally:
        hook.remove()


def _write(torch: Any, module: Any, inputs: Any, path: str, exporter: Optional[str]) -> None:
    ways = {"torchscript": _by_torchscript, "dynamo": _by_dynamo}
    if exporter is not None and exporter not in ways:
        raise Error(f"exporter '{exporter}': is not known; expected one of {', '.join(ways)}")
    problems = []
    for name, write in ways.items():
        if exporter in (None, name):
            try:
                write(torch, module, inputs, path)
            except Exception as cause:  # exporters raise whatever the network's own code raises, too
                problems.append((name, cause))
                continue
            return
    said = "; ".join(f"{name}: {_first_line(cause)}" for name, cause in problems)
    raise Error(f"module {type(module).__name__}: PyTorch cannot export it: {said}") from problems[0][1]


def _by_torchscript(torch: Any, module: Any, inputs: Any, path: str) -> None:
    with warnings.catch_warnings():
        # That PyTorch prefers its newer exporter is not the caller's business. What tracing warns of is.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        options = {"dynamo": False} if "dynamo" in _parameters(torch.onnx.export) else {}
        with _without_onnx():
            torch.onnx.export(module, (inputs,), path, **options)


@contextlib.contextmanager
def _without_onnx() -> Iterator[None]:
    """The exporter runs without the package `onnx`, which it needs for custom functions written with onnxscript alone.

    It is not a dependency of PyTorch, so most users lack it. Where a later PyTorch has the step in another place, its own
    message says what is missing.
    """
    import importlib
    import importlib.util

    step, found = "_add_onnxscript_fn", None
    if importlib.util.find_spec("onnx") is None:
        for name in ("torchscript_exporter.onnx_proto_utils", "onnx_proto_utils"):
            with contextlib.suppress(ImportError):
                module = importlib.import_module(f"torch.onnx._internal.{name}")
                found = module if hasattr(module, step) else found
    if found is None:
        yield
        return
    theirs = getattr(found, step)
    setattr(found, step, lambda written, _opsets: written)
    try:
        yield
    finally:
        setattr(found, step, theirs)


def _by_dynamo(torch: Any, module: Any, inputs: Any, path: str) -> None:
    known = _parameters(torch.onnx.export)
    if "dynamo" not in known:
        raise Error("this PyTorch has no such exporter")
    size = sum(each.numel() * each.element_size() for each in module.parameters())
    options = {"external_data": size > _LARGEST} if "external_data" in known else {}
    torch.onnx.export(module, (inputs,), path, dynamo=True, verbose=False, **options)


def _parameters(function: Any) -> Any:
    import inspect

    return inspect.signature(function).parameters


def _first_line(cause: BaseException) -> str:
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return f"{type(cause).__name__}: {lines[0] if lines else ''}"


def _add_metadata(path: PathLike, entries: Dict[str, str]) -> None:
    """Appends entries to a file's metadata.

    A protocol buffer may be continued: a repeated field goes on wherever it stands. Of `ModelProto` the metadata is field 14,
    of messages whose fields 1 and 2 are key and value.
    """
    with open(path, "ab") as file:
        for key, value in entries.items():
            file.write(_field(14, _field(1, key.encode()) + _field(2, value.encode())))


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes: its number and wire type 2, its length in groups of seven bits, its content."""
    length, groups = len(content), b""
    while length > 127:
        groups, length = groups + bytes([length & 127 | 128]), length >> 7
    return bytes([number << 3 | 2]) + groups + bytes([length]) + content
