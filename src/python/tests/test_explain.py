"""`explain` and `explain_many`, with the built-in network. Without NumPy and Pillow what needs them is skipped."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import burncam
from burncam import _arrays, _program
from support import CHELSEA, COFFEE, ROCKET, ROOT, lacks


def rows(values):
    return values.tolist() if hasattr(values, "tolist") else values


def command(*given):
    return subprocess.run([burncam.program(), *map(str, given)], capture_output=True, check=True).stdout


class OnePicture(unittest.TestCase):
    def test_gives_what_the_command_writes(self):
        with tempfile.TemporaryDirectory() as out:
            command("explain", COFFEE, "--save", "overlay,record,npy", "-o", out)
            record = json.loads(Path(out, "coffee.gradcam.json").read_text())
            found = burncam.explain(COFFEE)
            self.assertEqual(found.overlay, Path(out, "coffee.gradcam.png").read_bytes())
            self.assertEqual(rows(found.map), rows(_arrays.read(Path(out, "coffee.gradcam.npy").read_bytes())))
        self.assertEqual(found.predictions, record["predictions"])
        self.assertEqual(found.record["targets"][0]["heatmap"], record["targets"][0]["heatmap"])
        self.assertEqual((found.maps[0].class_name, found.maps[0].target), ("espresso", 967))
        self.assertEqual(found.maps[0].probability, record["targets"][0]["proba"])

    def test_several_methods_and_classes_are_in_order(self):
        found = burncam.explain(CHELSEA, method=["gradcam", "layercam"], target=["tabby", 282], save="mask")
        order = [(each.method, each.target) for each in found.maps]
        self.assertEqual(
            order, [("gradcam", 281), ("gradcam", 282), ("layercam", 281), ("layercam", 282)]
        )
        self.assertEqual([record["method"] for record in found.records], ["Grad-CAM", "LayerCAM"])
        self.assertTrue(found.maps[3].picture("mask").startswith(b"\x89PNG"))
        self.assertIsNone(found._repr_png_())
        with self.assertRaisesRegex(burncam.Error, "has no overlay, expected one of npy, mask .save='overlay' writes it."):
            found.overlay

    def test_bytes_are_the_file(self):
        self.assertEqual(rows(burncam.explain(COFFEE.read_bytes()).map), rows(burncam.explain(COFFEE).map))

    def test_files_stay_where_asked_and_go_otherwise(self):
        with tempfile.TemporaryDirectory() as out:
            burncam.explain(COFFEE, out=out)
            self.assertEqual(
                sorted(os.listdir(out)), ["coffee.gradcam.json", "coffee.gradcam.npy", "coffee.gradcam.png"]
            )
            with self.assertRaisesRegex(burncam.Error, "already exists"):
                burncam.explain(COFFEE, out=out)
            burncam.explain(COFFEE, out=out, force=True)
        found = burncam.explain(COFFEE)
        path = found.maps[0].files["overlay"]
        self.assertTrue(path.exists())
        only_map = found.maps[0]
        del found
        self.assertTrue(path.exists(), "a map keeps the files")
        del only_map
        self.assertFalse(path.parent.exists())

    def test_a_notebook_shows_the_overlay(self):
        found = burncam.explain(COFFEE)
        self.assertEqual(found._repr_png_(), found.overlay)

    def test_a_path_that_begins_with_a_hyphen_is_a_path(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(COFFEE, Path(folder, "-q.png"))
            before = os.getcwd()
            os.chdir(folder)
            try:
                self.assertEqual(burncam.explain("-q.png").maps[0].class_name, "espresso")
            finally:
                os.chdir(before)


class Arrays(unittest.TestCase):
    @unittest.skipIf(lacks("numpy", "PIL"), "needs NumPy and Pillow")
    def test_pixels_are_the_picture(self):
        import numpy
        from PIL import Image

        expected = rows(burncam.explain(COFFEE).map)
        picture = Image.open(COFFEE)
        self.assertEqual(rows(burncam.explain(picture).map), expected)
        pixels = numpy.asarray(picture.convert("RGB"))
        self.assertEqual(rows(burncam.explain(pixels).map), expected)
        flipped = burncam.explain(pixels[:, ::-1]).map
        self.assertNotEqual(rows(flipped), expected)
        grey = picture.convert("L")
        self.assertEqual(rows(burncam.explain(grey).map), rows(burncam.explain(numpy.asarray(grey)).map))
        with self.assertRaisesRegex(burncam.Error, "array of float64 with the shape .400, 600., expected uint8"):
            burncam.explain(pixels[:, :, 0] / 255.0)

    @unittest.skipIf(lacks("numpy", "PIL"), "needs NumPy and Pillow")
    def test_every_mode_of_pillow_is_read_or_refused(self):
        from PIL import Image

        picture = Image.open(COFFEE).convert("RGB")
        classes = {
            mode: burncam.explain(picture.convert(mode)).maps[0].class_name for mode in ("RGBA", "P", "CMYK", "YCbCr", "L", "LA")
        }
        self.assertEqual(set(classes.values()), {"espresso"}, classes)
        with self.assertRaisesRegex(burncam.Error, "Pillow's mode 'F'"):
            burncam.explain(picture.convert("F"))

    @unittest.skipIf(lacks("numpy"), "needs NumPy")
    def test_floats_are_the_networks_input(self):
        import numpy

        values = numpy.random.default_rng(0).normal(size=(1, 3, 224, 224))
        with tempfile.TemporaryDirectory() as folder:
            numpy.save(Path(folder, "x.npy"), values.astype("float32"))
            expected = burncam.explain(Path(folder, "x.npy"))
        found = burncam.explain(values)
        self.assertEqual(rows(found.map), rows(expected.map))
        self.assertEqual(found.record["network_input"]["preprocess"], None)
        self.assertEqual(found.map.dtype, numpy.float32)

    def test_maps_are_lists_without_numpy(self):
        with mock.patch.dict(sys.modules, {"numpy": None}):
            values = burncam.explain(COFFEE).map
        self.assertIsInstance(values, list)
        self.assertEqual((len(values), len(values[0])), (7, 7))
        self.assertEqual(values, rows(burncam.explain(COFFEE).map))


class ManyPictures(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name, source in (("a/x.png", COFFEE), ("b/x.png", CHELSEA), ("c.jpg", ROCKET)):
            (self.folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(source, self.folder / name)

    def test_each_gets_its_own_files_though_names_repeat(self):
        names = ["a/x.png", "b/x.png", "c.jpg"]
        given = [self.folder / name for name in names]
        seen = []
        for found, path in zip(burncam.explain_many(given, method="gradcam,layercam", save="overlay"), given):
            alone = burncam.explain(path, method="gradcam,layercam")
            self.assertEqual(found.path, str(path))
            for each, expected in zip(found.maps, alone.maps):
                self.assertEqual((each.method, rows(each.values)), (expected.method, rows(expected.values)))
                self.assertEqual(each.overlay, expected.overlay)
            seen.append(found.maps[0].class_name)
        self.assertEqual(seen, ["espresso", "tiger cat", "missile"])

    def test_a_directory_and_its_labels(self):
        (self.folder / "labels.csv").write_text("path,class\na/x.png,espresso\nb/x.png,tabby\nc.jpg,missile\n")
        found = list(burncam.explain_many(self.folder, labels=self.folder / "labels.csv"))
        right = [each.record["label"]["target"] == each.predictions[0]["target"] for each in found]
        self.assertEqual(right, [True, False, True])

    def test_a_failure_stops_no_other_and_is_not_lost(self):
        (self.folder / "broken.png").write_bytes(b"no picture")
        given = [self.folder / "broken.png", self.folder / "c.jpg", self.folder / "none.png"]
        seen = []
        with self.assertRaisesRegex(burncam.Failures, "2 pictures failed, the first of them: .*broken.png") as caught:
            for found in burncam.explain_many(given):
                seen.append(found.maps[0].class_name)
        self.assertEqual(seen, ["missile"])
        self.assertEqual([each["kind"] for each in caught.exception.failures], ["image", "io"])
        kept = []
        self.assertEqual(len(list(burncam.explain_many(given, failures=kept))), 1)
        self.assertEqual(kept, caught.exception.failures)

    def test_an_error_of_the_run_is_raised(self):
        with self.assertRaisesRegex(burncam.Error, "layer 'nowhere' is not in this model"):
            list(burncam.explain_many([COFFEE], layer="nowhere"))
        self.assertEqual(list(burncam.explain_many([])), [])

    def test_leaving_early_ends_the_program(self):
        given = [self.folder / name for name in ("a/x.png", "b/x.png", "c.jpg")]
        run = burncam.explain_many(given, method="rise", samples=100, jobs=1)
        self.assertEqual(next(run).maps[0].class_name, "espresso")
        # This would raise if the program had ended in another way than by being told to.
        run.close()


class Program(unittest.TestCase):
    def test_errors_are_the_commands_lines(self):
        with self.assertRaisesRegex(burncam.Error, r"^cannot read 'nowhere.jpg'"):
            burncam.explain("nowhere.jpg")
        with self.assertRaisesRegex(burncam.Error, r"^unexpected argument '--metod' found .*'--method'\)$"):
            burncam.explain(COFFEE, metod="layercam")
        with self.assertRaisesRegex(burncam.Error, "option 'jsonl': is set by the Python package"):
            burncam.explain(COFFEE, jsonl="x")
        with self.assertRaisesRegex(burncam.Error, "option 'target': is a dict"):
            burncam.explain(COFFEE, target={})
        with self.assertRaisesRegex(burncam.Error, "image: is a int"):
            burncam.explain(3)

    def test_the_version_is_that_of_the_crate(self):
        manifest = (ROOT / "Cargo.toml").read_text()
        self.assertIn(f'\nversion = "{burncam.__version__}"\n', manifest)

    @unittest.skipIf(sys.platform == "win32", "a shell script is the other program")
    def test_another_version_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            other = Path(folder, "burncam")
            other.write_text("#!/bin/sh\necho burncam 0.0.1\n")
            other.chmod(0o755)
            with mock.patch.dict(os.environ, {_program.VARIABLE: str(other)}):
                with self.assertRaisesRegex(burncam.Error, f"has version 0.0.1, expected {burncam.__version__}"):
                    burncam.explain(COFFEE)
            with mock.patch.dict(os.environ, {_program.VARIABLE: str(Path(folder, "none"))}):
                with self.assertRaisesRegex(burncam.Error, "cannot be run"):
                    burncam.program()

    def test_options_are_flags(self):
        given = _program.arguments({"method": ["a", "b"], "target": [1, "c,d"], "signed": True, "box": None, "top_k": 3})
        self.assertEqual(given, ["--method=a,b", "--target=1", "--target=c,d", "--signed", "--top-k=3"])


if __name__ == "__main__":
    unittest.main()
