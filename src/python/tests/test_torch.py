"""`export`, `from_module` and `explain_module`, with networks of PyTorch, torchvision and timm."""

import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

import burncam
from burncam import _export, _preprocess
from support import COFFEE, lacks

MISSING = lacks("torch", "torchvision", "numpy", "PIL")


def network(classes=3):
    """A classifier with a changed head. Its batch norms have the statistics of noise, so that maps are not blank."""
    import torch
    import torchvision

    torch.manual_seed(0)
    net = torchvision.models.resnet18()
    net.fc = torch.nn.Sequential(torch.nn.Dropout(0.3), torch.nn.Linear(512, classes))
    net.train()
    with torch.no_grad():
        net(torch.rand(4, 3, 64, 64))
    return net


def read(path):
    """The metadata of an ONNX file, by a reader of protocol buffers that is not the one that wrote it."""
    data, at, entries = Path(path).read_bytes(), 0, {}

    def number(at):
        value, shift = 0, 0
        while True:
            value |= (data[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 128:
                return value, at

    def fields(at, end):
        while at < end:
            tag, at = number(at)
            if tag & 7 == 2:
                length, at = number(at)
                yield tag >> 3, at, at + length
                at += length
            else:
                assert tag & 7 == 0, tag
                _, at = number(at)

    for field, begin, end in fields(0, len(data)):
        if field == 14:
            key, value = (data[a:b].decode() for _, a, b in fields(begin, end))
            entries[key] = value
    return entries


@unittest.skipIf(MISSING, f"needs {MISSING}")
class Export(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_the_file_says_classes_and_preparation(self):
        import torchvision

        weights = torchvision.models.ResNet18_Weights.DEFAULT
        path = burncam.export(
            network(), self.folder / "net.onnx", classes=["daisy", 'a "rose"', "tulip ü"], transforms=weights.transforms(), license="CC0-1.0"
        )
        entries = read(path)
        self.assertEqual(entries["burncam.classes"], '["daisy", "a \\"rose\\"", "tulip \\u00fc"]')
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model = burncam.import_model(path)
        self.assertEqual([str(each.message) for each in said if "prepared" in str(each.message)], [])
        found = model.explain(COFFEE)
        self.assertEqual({each["class_name"] for each in found.predictions}, {"daisy", 'a "rose"', "tulip ü"})
        self.assertEqual(
            found.record["network_input"]["preprocess"],
            {
                "resize": {"policy": "shortest-side", "size": 256, "filter": "bilinear"},
                "crop": {"policy": "center", "height": 224, "width": 224},
                "color": "rgb",
                "scale": 1 / 255,
                "mean": [0.485, 0.456, 0.406],
                "std": [0.229, 0.224, 0.225],
            },
        )
        self.assertEqual(found.record["model"]["source"]["license"], "CC0-1.0")

    @unittest.skipIf(lacks("onnx"), "needs the package onnx")
    def test_the_package_onnx_reads_the_same(self):
        import onnx

        # Longer than 127 bytes, so that lengths have two groups of bits.
        names = [f"class number {index}" for index in range(1000)]
        path = burncam.export(network(1000), self.folder / "net.onnx", classes=names, resize=64, crop=64)
        model = onnx.load(path)
        onnx.checker.check_model(model)
        theirs = {entry.key: entry.value for entry in model.metadata_props}
        self.assertEqual(theirs, read(path))
        self.assertEqual(sorted(theirs), ["burncam.classes", "burncam.preprocess"])

    def test_the_module_is_left_as_it_was(self):
        import torch

        net = network()
        net.layer1.eval()
        modes = [each.training for each in net.modules()]
        state, random = {key: value.clone() for key, value in net.state_dict().items()}, torch.get_rng_state()
        burncam.export(net, self.folder / "net.onnx", input_size=64)
        self.assertEqual([each.training for each in net.modules()], modes)
        self.assertTrue(all(torch.equal(value, state[key]) for key, value in net.state_dict().items()))
        self.assertTrue(torch.equal(torch.get_rng_state(), random))
        self.assertEqual(len(net._forward_hooks), 0)

    def test_the_logits_are_those_of_the_module(self):
        import torch

        x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
        for exporter in ["torchscript"] + ([] if lacks("onnxscript") else ["dynamo"]):
            with self.subTest(exporter):
                net = network()
                model = burncam.from_module(net, sample=x, exporter=exporter, transforms=None, resize=64, crop=64, mean=[0] * 3, std=[1] * 3)
                with torch.no_grad():
                    logits = net.eval()(x)[0].tolist()
                found = {each["target"]: each["logit"] for each in model.explain(x).predictions}
                for index, logit in enumerate(logits):
                    self.assertAlmostEqual(found[index], logit, delta=1e-5)

    def test_outputs_that_are_no_tensor_are_picked(self):
        import torch

        class Net(torch.nn.Module):
            def __init__(self, give):
                super().__init__()
                self.conv, self.give = torch.nn.Conv2d(3, 4, 3), give

            def forward(self, x):
                return self.give(self.conv(x).relu().mean((2, 3)))

        options = dict(input_size=16, mean=[0] * 3, std=[1] * 3, resize=(16, 16))
        pair = Net(lambda y: (y[:, :2], y))
        with self.assertRaisesRegex(burncam.Error, "module Net: returns a tuple, expected a tensor .pick="):
            burncam.export(pair, self.folder / "net.onnx", **options)
        other = Net(lambda y: {"features": y})
        with self.assertRaisesRegex(burncam.Error, "returns a dict of features, expected"):
            burncam.export(other, self.folder / "net.onnx", **options)
        for net, pick in ((pair, lambda y: y[1]), (Net(lambda y: {"logits": y, "loss": y[0]}), None)):
            model = burncam.from_module(net, pick=pick, **options)
            self.assertEqual(len(model.explain(COFFEE).predictions), 4)

    def test_what_cannot_be_exported_is_said(self):
        import torch

        class Net(torch.nn.Module):
            def forward(self, x):
                return torch.fft.fft2(x).real.mean((2, 3)) + float(torch.linalg.eigvals(x[0, 0]).real.sum())

        with self.assertRaisesRegex(burncam.Error, "module Net: PyTorch cannot export it: torchscript: .*; dynamo: "):
            burncam.export(Net(), self.folder / "net.onnx", input_size=16)
        with self.assertRaisesRegex(burncam.Error, "module ResNet: does not run on an input .1, 4, 64, 64."):
            burncam.export(network(), self.folder / "net.onnx", torch.rand(1, 4, 64, 64))
        with self.assertRaisesRegex(burncam.Error, "pictures become 32x32, but the input has 64x64"):
            burncam.export(network(), self.folder / "net.onnx", input_size=64, resize=(32, 32))
        with self.assertRaisesRegex(burncam.Error, "transforms, mean are given, expected one way"):
            burncam.export(network(), self.folder / "net.onnx", transforms=object(), mean=[0.5] * 3)

    def test_what_nobody_says_is_warned_of(self):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model = burncam.from_module(network())
        said = [each for each in said if issubclass(each.category, burncam.Assumption)]
        self.assertTrue(str(said[0].message).startswith("the size of the input is not said: 224x224"))
        self.assertIn("an ONNX file does not say how pictures are prepared", model.assumed[0])
        self.assertEqual({Path(each.filename).name for each in said}, {Path(__file__).name})


@unittest.skipIf(MISSING, f"needs {MISSING}")
class Transforms(unittest.TestCase):
    def test_every_way_to_write_one_gives_the_same(self):
        import torch
        from torchvision.transforms import Compose, CenterCrop, InterpolationMode, Normalize, Resize, ToTensor
        from torchvision.transforms import v2

        mean, std = [0.5, 0.25, 0.485], [0.5, 1, 2]
        old = Compose([Resize((40, 50), InterpolationMode.BICUBIC), CenterCrop(32), ToTensor(), Normalize(mean, std)])
        new = v2.Compose(
            [v2.ToImage(), v2.Resize((40, 50), InterpolationMode.BICUBIC), v2.CenterCrop((32, 32)), v2.ToDtype(torch.float32, scale=True)]
            + [v2.Normalize(mean, std)]
        )
        expected = {
            "resize": {"policy": "stretch", "height": 40, "width": 50, "filter": "bicubic"},
            "crop": {"policy": "center", "height": 32, "width": 32},
            "color": "rgb",
            "scale": 1 / 255,
            "mean": mean,
            "std": [0.5, 1.0, 2.0],
        }
        self.assertEqual(_preprocess.of_transforms(old), expected)
        self.assertEqual(_preprocess.of_transforms(new), expected)
        self.assertEqual(_preprocess._numbers(torch.tensor([0.485, 0.1])), [0.485, 0.1])

    def test_pictures_become_what_the_transform_makes_of_them(self):
        import numpy
        import torch
        from PIL import Image
        from torchvision.transforms import Compose, CenterCrop, Grayscale, InterpolationMode, Normalize, Resize, ToTensor

        for name, transform, channels in (
            ("colour", Compose([Resize(70), CenterCrop((64, 48)), ToTensor(), Normalize([0.4] * 3, [0.2, 0.3, 0.4])]), 3),
            ("grey", Compose([Resize((64, 48), InterpolationMode.BICUBIC), Grayscale(), ToTensor(), Normalize(0.5, 0.5)]), 1),
        ):
            with self.subTest(name):
                torch.manual_seed(0)
                net = torch.nn.Sequential(torch.nn.Conv2d(channels, 3, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
                found = burncam.explain_module(net, COFFEE, transforms=transform)
                with torch.no_grad():
                    logits = net(transform(Image.open(COFFEE).convert("RGB"))[None])[0].numpy()
                ours = [each["logit"] for each in sorted(found.predictions, key=lambda each: each["target"])]
                self.assertLess(numpy.abs(logits - ours).max(), 1e-5)

    def test_steps_that_a_card_cannot_say_are_refused(self):
        from torchvision.transforms import CenterCrop, Compose, RandomHorizontalFlip, Resize, ToTensor

        for step, words in (
            (RandomHorizontalFlip(), "step RandomHorizontalFlip: cannot be said in a card"),
            (Resize(40, max_size=60), "step Resize: has max_size=60"),
        ):
            with self.assertRaisesRegex(burncam.Error, words):
                _preprocess.of_transforms(Compose([step, ToTensor()]))
        with self.assertRaisesRegex(burncam.Error, "step Resize: comes after a crop"):
            _preprocess.of_transforms(Compose([CenterCrop(40), Resize(20)]))

    def test_missing_parts_are_assumed_aloud(self):
        card, assumed = _preprocess.of_parts((224, 224), 3, [0.5] * 3, None, None, None, None, None)
        self.assertEqual(card["resize"]["size"], 256)
        self.assertEqual([text.split(" is not")[0] for text in assumed], ["resize", "std"])
        card, assumed = _preprocess.of_parts((32, 32), 1, None, None, (32, 32), None, None, None)
        self.assertEqual((card["color"], "crop" in card, "mean" in card, assumed), ("gray", False, False, []))


@unittest.skipIf(MISSING or lacks("timm"), "needs PyTorch, torchvision and timm")
class Timm(unittest.TestCase):
    def test_a_network_says_how_its_pictures_are_prepared(self):
        import timm
        import torch
        from PIL import Image

        torch.manual_seed(0)
        net = timm.create_model("resnet10t", num_classes=4)
        transform = timm.data.create_transform(**timm.data.resolve_model_data_config(net), is_training=False)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = burncam.explain_module(net, COFFEE)
        texts = [str(each.message) for each in said if issubclass(each.category, burncam.Assumption)]
        self.assertEqual([text for text in texts if "prepared" in text or "size" in text], [])
        with torch.no_grad():
            logits = net.eval()(transform(Image.open(COFFEE).convert("RGB"))[None])[0].tolist()
        for each in found.predictions:
            self.assertAlmostEqual(each["logit"], logits[each["target"]], delta=1e-4)


class WithoutPyTorch(unittest.TestCase):
    def test_the_message_says_what_is_missing(self):
        code = "import sys; sys.modules['torch'] = None; import burncam; burncam.export(1, 'x.onnx')"
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr
        self.assertIn("burncam._program.Error: export: PyTorch is not installed", said)

    def test_lengths_are_groups_of_seven_bits(self):
        self.assertEqual(_export._field(14, b"a"), b"\x72\x01a")
        self.assertEqual(_export._field(1, b"a" * 300)[:3], b"\x0a\xac\x02")


if __name__ == "__main__":
    unittest.main()
