"""Every Python example of the pages runs, in the order of its page; the side-by-side page's arrays agree."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

import burncam
from support import CHELSEA, COFFEE, ROCKET, ROOT, lacks

EXAMPLE = re.compile(r"^```(python|sh)\n(.*?)^```$", re.M | re.S)


class Pages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(folder.name)
        from PIL import Image

        Image.open(COFFEE).convert("RGB").save("photo.jpg", quality=95)
        os.mkdir("photos")
        for name, source in (("cat.png", CHELSEA), ("cup.png", COFFEE), ("rocket.jpg", ROCKET)):
            shutil.copy(source, Path("photos", name))

    def run_page(self, page, names, pairs=0):
        """Runs the examples in one namespace; `names` is what the page says the reader has."""
        text = (ROOT / "docs" / page).read_text()
        self.assertIn("```python", text)
        compared = 0
        for example in EXAMPLE.finditer(text):
            language, code = example.groups()
            at = text[: example.start()].count("\n") + 2
            if language == "sh":
                self.run_shell(code, f"{page}:{at}")
                continue
            # The numbers of lines in messages are those of the page.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(compile("\n" * (at - 1) + code, str(page), "exec"), names)
            compared += self.compare(names, code, f"{page}:{at}")
        self.assertEqual(compared, pairs)
        return names

    def compare(self, names, code, at):
        """Compares the other library's last array with ours, if this example made one on the same tensor."""
        if "cam" not in names or "found = " not in code or "compat=" not in code:
            return 0
        cam, found = names["cam"], names["found"].map
        self.assertEqual(cam.shape, found.shape, at)
        self.assertLess(abs(cam - found).max(), 1e-4, at)
        self.assertGreater(found.max() - found.min(), 0.5, f"{at}: the map is blank")
        return 1

    def run_shell(self, code, at):
        """Commands with the program that the package uses. Installing is the business of `.ci/wheel`."""
        code = "\n".join(line for line in code.splitlines() if not line.startswith("pip "))
        path = os.pathsep.join([str(Path(burncam.program()).parent), os.environ["PATH"]])
        code = f'burncam() {{ "{burncam.program()}" "$@"; }}\nset -e\n{code}'
        done = subprocess.run(["bash", "-c", code], env={**os.environ, "PATH": path}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, f"{at}: {done.stderr}")

    @unittest.skipIf(lacks("torch", "torchvision", "numpy", "PIL"), "needs PyTorch, torchvision, NumPy and Pillow")
    def test_python(self):
        Path("labels.csv").write_text("path,class\ncat.png,tabby\ncup.png,espresso\nrocket.jpg,missile\n")
        names = self.run_page("python.md", {})
        self.assertEqual((names["right"], len(names["failures"])), (2, 1))
        # The file said everything but whether classes exclude each other.
        self.assertEqual([text.split(" for ")[0] for text in names["model"].assumed], ["the 3 outputs are taken"])

    @unittest.skipIf(lacks("torch", "torchvision", "timm", "numpy", "PIL"), "needs PyTorch, torchvision, timm, NumPy and Pillow")
    def test_recipe(self):
        Path("labels.csv").write_text("path,class\ncat.png,daisy\ncup.png,rose\nrocket.jpg,tulip\n")
        names = self.run_page("recipes/pytorch.md", {})
        self.assertTrue(Path("rose.png").exists() and Path("out/report.html").exists())
        self.assertEqual(names["found"].record["label"]["class_name"], "tulip")

    @unittest.skipIf(lacks("torch", "torchvision", "timm", "pytorch_grad_cam"), "needs PyTorch, torchvision, timm and pytorch-grad-cam")
    def test_side_by_side(self):
        from test_torch import network

        net = network()
        model = burncam.from_module(net, "flowers.bpk", resize=256, crop=224)
        self.run_page("from-pytorch-grad-cam.md", {"net": net}, pairs=6)
        del model


if __name__ == "__main__":
    unittest.main()
