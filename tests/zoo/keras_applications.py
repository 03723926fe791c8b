"""Keras's own networks with seeded random weights, through burncam: python tests/zoo/keras_applications.py BURNCAM FOLDER [NAME ...]

For every network of `keras.applications` of Keras 3 and of Keras 2 (`tf_keras`): is it imported, are its scores those of Keras, and is
Grad-CAM at the layer that burncam takes the one of TensorFlow's gradients. What is done already, in FOLDER/results.json, is not done
again, but for what was refused. Writes the table of docs/keras.md between its two marks. Needs keras, tf_keras and tensorflow.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy
import tensorflow
import tf_keras

BURNCAM, FOLDER, *ONLY = sys.argv[1:]
PAGE = Path(__file__).parents[2] / "docs/keras.md"
CLASSES = 10
LIMIT = 1e-4

# Families of which one network goes through all forms of files.
ALL_FORMS = ["ConvNeXt", "DenseNet", "MobileNet", "MobileNetV2", "MobileNetV3"]
# Family: constructors, and side of the input.
NETWORKS = {
    "ConvNeXt": (["ConvNeXtTiny", "ConvNeXtSmall", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge"], 64),
    "DenseNet": (["DenseNet121", "DenseNet169", "DenseNet201"], 64),
    "EfficientNet": (["EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3", "EfficientNetB4", "EfficientNetB5", "EfficientNetB6", "EfficientNetB7"], 64),
    "EfficientNetV2": (["EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3", "EfficientNetV2S", "EfficientNetV2M", "EfficientNetV2L"], 64),
    "Inception-ResNet": (["InceptionResNetV2"], 96),
    "Inception": (["InceptionV3"], 96),
    "MobileNet": (["MobileNet"], 64),
    "MobileNetV2": (["MobileNetV2"], 64),
    "MobileNetV3": (["MobileNetV3Small", "MobileNetV3Large"], 64),
    "NASNet": (["NASNetMobile", "NASNetLarge"], 64),
    "RegNet": (["RegNetX002", "RegNetX032", "RegNetX160", "RegNetY004", "RegNetY032", "RegNetY160"], 64),
    "ResNet": (["ResNet50", "ResNet101", "ResNet152"], 64),
    "ResNet-RS": (["ResNetRS50", "ResNetRS101", "ResNetRS152"], 64),
    "ResNetV2": (["ResNet50V2", "ResNet101V2", "ResNet152V2"], 64),
    "VGG": (["VGG16", "VGG19"], 48),
    "Xception": (["Xception"], 96),
}


def scatter(model, seed):
    """Seeded weights whose activations neither vanish nor explode."""
    numbers = numpy.random.default_rng(seed)
    for weight in model.weights:
        path = getattr(weight, "path", weight.name)
        if "variance" in path:
            weight.assign(numbers.uniform(0.5, 2.0, weight.shape).astype("float32"))
        elif "gamma" in path:
            weight.assign(numbers.uniform(0.5, 1.0, weight.shape).astype("float32"))
        elif "seed" not in path and "count" not in path:
            spread = 0.1 if len(weight.shape) < 2 else (2.0 / numpy.prod(weight.shape[:-1])) ** 0.5
            if "depthwise" in path:
                spread = (2.0 / numpy.prod(weight.shape[:2])) ** 0.5
            weight.assign(numbers.normal(0.0, spread, weight.shape).astype("float32"))


def burncam(*arguments):
    done = subprocess.run([BURNCAM, *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr.strip().splitlines()


def grad_cam(library, model, layer, x, wanted):
    # Keras 3 counts the operations between layers as no layers.
    named = [part for part in getattr(model, "operations", model.layers) if part.name == layer]
    part = library.Model(model.input, [named[0].output, model.output])
    with tensorflow.GradientTape() as tape:
        features, scores = part(tensorflow.constant(x), training=False)
        score = scores[0, wanted]
    weights = tensorflow.reduce_mean(tape.gradient(score, features), axis=(0, 1, 2))
    return numpy.asarray(tensorflow.reduce_sum(features * weights, axis=-1))[0]


def difference(found, expected):
    return float(numpy.abs(found - expected).max() / max(numpy.abs(expected).max(), 1e-30))


def one(library, name, side, ending):
    """A row: what happened, and the two differences."""
    library.backend.clear_session()
    build = getattr(library.applications, name)
    model = build(weights=None, classes=CLASSES, input_shape=(side, side, 3), classifier_activation=None)
    scatter(model, len(name))
    source, target = f"{FOLDER}/model.{ending}", f"{FOLDER}/model.bpk"
    model.save(source)
    try:
        model = library.models.load_model(source, compile=False)
    except Exception:
        # Keras 3 does not read all of its own `.h5` files; the numbers are those of the model that it wrote.
        pass
    x = numpy.random.default_rng(1).uniform(-1.0, 1.0, (1, side, side, 3)).astype("float32")
    expected = numpy.asarray(model(x, training=False))
    numpy.save(f"{FOLDER}/input.npy", x)
    code, _, errors = burncam("import", source, "-o", target, "--force")
    if code:
        return {"refused": errors[-1]}
    _, text, _ = burncam("predict", "-m", target, f"{FOLDER}/input.npy", "--top-k", CLASSES, "--json")
    found = {row["target"]: row["logit"] for row in json.loads(text)["predictions"]}
    scores = numpy.array([found[index] for index in range(CLASSES)])
    row = {"scores": difference(scores, expected[0]), "spread": float(numpy.ptp(expected))}
    _, text, _ = burncam("layers", "-m", target, "--json")
    layer = next(layer["name"] for layer in map(json.loads, text.splitlines()) if layer["auto"])
    code, _, errors = burncam("explain", "-m", target, f"{FOLDER}/input.npy", "-o", f"{FOLDER}/map", "-t", "3", "-l", layer, "--signed", "--no-normalize", "--save", "npy", "--force")
    if code:
        return {**row, "layer": layer, "refused": errors[-1]}
    maps = sorted(Path(f"{FOLDER}/map").rglob("*.npy"), key=os.path.getmtime)
    found = numpy.load(maps[-1])
    return {**row, "layer": layer, "map": difference(found.reshape(-1), grad_cam(library, model, layer, x, 3).reshape(-1))}


def runs():
    for family, (names, side) in NETWORKS.items():
        for name in names:
            for library, version, ending in [(keras, 3, "keras"), (keras, 3, "h5"), (tf_keras, 2, "keras"), (tf_keras, 2, "h5")]:
                if hasattr(library.applications, name) and (not ONLY or name in ONLY):
                    # The others once for each version.
                    if family in ALL_FORMS and name == names[0] or (version, ending) in [(3, "keras"), (2, "h5")]:
                        yield family, name, side, library, version, ending


def table(results):
    lines = ["| network | file | scores | Grad-CAM | layer |", "|---|---|---|---|---|"]
    for key, row in results.items():
        name, version, ending = key.split("/")
        figures = [f"{row[column]:.1e}" if column in row else "-" for column in ("scores", "map")]
        layer = f"`{row['layer']}`" if "layer" in row else row.get("refused", row.get("error", ""))
        lines.append(f"| {name} | Keras {version}, `.{ending}` | {figures[0]} | {figures[1]} | {layer} |")
    return "\n".join(lines)


def write(results):
    """The table of the page, from all that is known so far."""
    parts = re.split("(<!-- sweep -->|<!-- end of sweep -->)", PAGE.read_text()) if PAGE.exists() else []
    if len(parts) == 5:
        PAGE.write_text("".join([*parts[:2], "\n", table(dict(sorted(results.items()))), "\n", *parts[3:]]))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    path = Path(FOLDER) / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    write(results)
    for family, name, side, library, version, ending in runs():
        key = f"{name}/{version}/{ending}"
        if key in results and "error" not in results[key] and "refused" not in results[key]:
            continue
        try:
            results[key] = one(library, name, side, ending)
        except Exception as error:
            results[key] = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(key, results[key], flush=True)
        path.write_text(json.dumps(results, indent=1))
        write(results)
    wrong = [key for key, row in results.items() if max(row.get("scores", 0), row.get("map", 0)) > LIMIT or "error" in row]
    print(f"{len(results)} files, {len(wrong)} beyond {LIMIT}: {wrong}")


main()
