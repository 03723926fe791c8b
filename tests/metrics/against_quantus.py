"""Metrics of burncam next to those of Quantus 0.6, on the same maps, the same network and the same changed pictures.

    python tests/metrics/against_quantus.py target/release/examples/figures [docs/quantus.md]

Needs torch, onnx, opencv-python-headless and `quantus==0.6.0`; the executable is built by
`cargo build --release -p burncam-metrics --examples`. Quantus is run as it is installed. What it asks the network is recorded, so that
metrics with changed pictures can be compared on the very same changes. Runs for about two minutes and writes a table.
"""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import quantus
import torch
import torch.nn.functional as F
from onnx import numpy_helper

CASES = Path(__file__).resolve().parents[2] / "fixtures" / "cases" / "shapes"
SIZE, BLACK = 64, -0.5
PICTURES = 12
QUIET = dict(normalise=False, disable_warnings=True, display_progressbar=False)


class Shapes(torch.nn.Module):
    """The fixture's network: convolutions with ReLU, a mean over positions, a linear layer; probabilities by sigmoid."""

    def __init__(self, path):
        super().__init__()
        graph = onnx.load(path).graph
        weights = {tensor.name: torch.tensor(numpy_helper.to_array(tensor)) for tensor in graph.initializer}
        self.convolutions = []
        for node in graph.node:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "Conv":
                self.convolutions.append((weights[node.input[1]], weights[node.input[2]], attributes["strides"]))
            if node.op_type == "Gemm":
                self.linear = (weights[node.input[1]], weights[node.input[2]])
        self.record = None

    def features(self, x):
        """Of pictures in colour, or of one channel, which is then all three."""
        x = x.expand(-1, 3, -1, -1)
        for weight, bias, stride in self.convolutions:
            x = F.relu(F.conv2d(x, weight, bias, stride=stride, padding=1))
        return x

    def logits(self, x):
        return F.linear(self.features(x).mean((2, 3)), *self.linear)

    def forward(self, x):
        if self.record is not None:
            self.record.append(x.detach().numpy().copy())
        return torch.sigmoid(self.logits(x))


def gradient_map(model, x, y):
    """Absolute gradient of the logit, summed over channels, to a maximum of 1: [batch, 1, height, width]."""
    x = torch.tensor(np.asarray(x, dtype=np.float32), requires_grad=True)
    model.logits(x)[torch.arange(len(x)), torch.tensor(np.asarray(y))].sum().backward()
    found = x.grad.abs().sum(1, keepdim=True)
    return (found / found.amax((1, 2, 3), keepdim=True)).numpy()


def smooth_map(model, x, y):
    """The last layer's activations by the class's weights, enlarged, from 0 to 1; a little of the gradient breaks its ties."""
    with torch.no_grad():
        weights = model.linear[0][torch.tensor(np.asarray(y))]
        found = torch.einsum("bk,bkij->bij", weights, model.features(torch.tensor(np.asarray(x, dtype=np.float32))))
    found = F.interpolate(found[:, None], (SIZE, SIZE), mode="bilinear").numpy()
    found = found - found.min((1, 2, 3), keepdims=True)
    found = found / found.max((1, 2, 3), keepdims=True) + 1e-3 * gradient_map(model, x, y)
    return found / found.max((1, 2, 3), keepdims=True)


def recorded(model, metric, *arguments, **options):
    """What a metric gives, and the pictures that it asked the network about."""
    model.record = []
    given = metric(model, *arguments, **options)
    asked, model.record = model.record, None
    return given, np.concatenate(asked)


def grid_of(maps):
    """Each of 4 x 4 patches filled with its mean."""
    means = maps.reshape(len(maps), 1, 4, 16, 4, 16).mean((3, 5))
    return np.repeat(np.repeat(means, 16, 2), 16, 3).astype(np.float32)


def of_quantus(model, explain, x, y, maps, masks):
    """Figures of one picture by Quantus, and the changed pictures and shifts of its metrics."""
    q = quantus
    found = {}
    alone = {
        "Sparseness": (q.Sparseness(**QUIET), maps), "Complexity": (q.Complexity(**QUIET), maps),
        "EffectiveComplexity": (q.EffectiveComplexity(**QUIET), maps),
        "PointingGame": (q.PointingGame(**QUIET), maps),
        "AttributionLocalisation": (q.AttributionLocalisation(**QUIET), maps),
        "RelevanceMassAccuracy": (q.RelevanceMassAccuracy(**QUIET), maps),
        "RelevanceRankAccuracy": (q.RelevanceRankAccuracy(**QUIET), maps), "AUC": (q.AUC(**QUIET), maps),
    }
    for name, (metric, a) in alone.items():
        found[name] = float(metric(model, x, y, a_batch=a, s_batch=masks)[0])

    flipping = q.PixelFlipping(features_in_step=SIZE, perturb_baseline=BLACK, **QUIET)
    found["PixelFlipping"] = np.ravel(flipping(model, x, y, a_batch=maps, softmax=False)[0])
    estimate = q.FaithfulnessEstimate(features_in_step=256, perturb_baseline=BLACK, similarity_func=q.correlation_spearman, **QUIET)
    found["FaithfulnessEstimate"] = float(estimate(model, x, y, a_batch=grid_of(maps), softmax=False)[0])
    infidelity = q.Infidelity(perturb_patch_sizes=[16], n_perturb_samples=1, perturb_baseline=BLACK, **QUIET)
    given, asked = recorded(model, infidelity, x, y, a_batch=maps, softmax=False)
    found["Infidelity"] = float(given[0])
    changes = [x[0] - other for other in asked if np.abs(x[0] - other).max() > 0]
    road = q.ROAD(noise=0.0, percentages=[25, 50, 75], **QUIET)
    _, filled = recorded(model, road, x, y, a_batch=maps, softmax=False)
    found["ROAD"] = [other for other in filled if np.abs(x[0] - other).max() > 0]

    shifts = np.random.default_rng(len(found)).uniform(-0.02, 0.02, (5, *x.shape)).astype(np.float32)
    for name, metric in {"MaxSensitivity": q.MaxSensitivity, "AvgSensitivity": q.AvgSensitivity}.items():
        left = list(shifts)
        metric = metric(nr_samples=len(shifts), perturb_func=lambda arr, **_: arr + left.pop(0).reshape(arr.shape), **QUIET)
        found[name] = float(metric(model, x, y, a_batch=maps, explain_func=lambda model, inputs, targets, **_: explain(model, inputs, targets))[0])
    return found, changes, shifts[:, 0]


def of_burncam(process, model, explain, x, y, maps, other, mask, changes, shifts):
    """Figures of one picture by the crate, and the pictures that it filled in."""
    question = dict(shape=list(x.shape[1:]), values=x.ravel().tolist(), map=maps.ravel().tolist(), other=other.ravel().tolist(),
                    mask=mask.ravel().astype(float).tolist(), black=[BLACK] * x.shape[1], shares=[0.25, 0.5, 0.75],
                    changes=[change.ravel().tolist() for change in changes], shifts=[shift.ravel().tolist() for shift in shifts])
    filled = []
    answer = question
    while True:
        process.stdin.write(json.dumps(answer) + "\n")
        process.stdin.flush()
        said = json.loads(process.stdout.readline())
        if "figures" in said:
            return said["figures"], filled
        if "explain" in said:
            answer = explain(model, np.array(said["explain"], dtype=np.float32).reshape(x.shape), y).ravel().tolist()
            continue
        inputs = np.array(said["score"], dtype=np.float32).reshape(said["count"], *x.shape[1:])
        if said["for"] == "road":
            filled.extend(inputs)
        with torch.no_grad():
            answer = model(torch.tensor(inputs))[:, y[0]].double().tolist()


def differences(quantus_has, burncam_has, filled):
    """How far each metric of one picture is apart."""
    same = {
        "Sparseness": "sparseness", "Complexity": "entropy", "EffectiveComplexity": "effective_complexity", "PointingGame": "pointing",
        "AttributionLocalisation": "energy", "RelevanceMassAccuracy": "energy", "RelevanceRankAccuracy": "rank_accuracy",
        "AUC": "roc_area", "FaithfulnessEstimate": "single_deletion", "Infidelity": "infidelity",
        "MaxSensitivity": "max_sensitivity", "AvgSensitivity": "mean_sensitivity",
    }
    found = {name: abs(quantus_has[name] - float(burncam_has[own])) for name, own in same.items()}
    # Sums of relevances, squared: hundreds and more, which Quantus has in 32 bits.
    found["Infidelity"] /= max(1.0, quantus_has["Infidelity"])
    # Quantus's curve has no point for the unchanged picture.
    curve = np.array(burncam_has["deletion_scores"])[-len(quantus_has["PixelFlipping"]):]
    found["PixelFlipping"] = float(np.abs(curve - quantus_has["PixelFlipping"]).max())
    # The three fillings of the most relevant pixels; what pictures are asked about is compared, not the share of right classes.
    found["ROAD"] = max(float(np.abs(one - other).max()) for one, other in zip(quantus_has["ROAD"][-3:], filled[:3]))
    return found


def main():
    executable, *rest = sys.argv[1:]
    model = Shapes(CASES / "network.onnx").eval()
    process = subprocess.Popen([executable], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    records = json.loads((CASES / "metrics.json").read_text())["gradcam"][:PICTURES]
    rows = []
    for index, record in enumerate(records):
        picture = cv2.cvtColor(cv2.imread(str(CASES / "pictures" / record["image"])), cv2.COLOR_BGR2RGB)
        x = (picture.astype(np.float32) / 255 - 0.5).transpose(2, 0, 1)[None].copy()
        y = np.array([record["class"]])
        with torch.no_grad():
            probability = float(model(torch.tensor(x))[0, y[0]])
        assert abs(probability - record["p"]) < 1e-5, (probability, record["p"])
        # A feature is a value in Quantus and a pixel in burncam: with one channel these are the same.
        x = x.mean(1, keepdims=True)
        mask = mask_of(record["image"], y[0])
        explain, other = [(gradient_map, smooth_map), (smooth_map, gradient_map)][index % 2]
        maps, others = explain(model, x, y), other(model, x, y)
        theirs, changes, shifts = of_quantus(model, explain, x, y, maps, mask[None, None].astype(int))
        ours, filled = of_burncam(process, model, explain, x, y, maps, others, mask, changes, shifts)
        found = differences(theirs, ours, filled)
        for name, own in {"correlation_pearson": "pearson", "correlation_spearman": "spearman"}.items():
            found[name] = abs(float(getattr(quantus, name)(maps.ravel(), others.ravel())) - ours[own])
        rows.append(found)
        print(record["image"], {name: f"{value:.1e}" for name, value in found.items()}, flush=True)
    write(rows, Path(rest[0]) if rest else None)


def mask_of(image, label):
    """Where the object is; the whole picture's middle where the class is not in it, for the comparison needs some object."""
    found = sorted((CASES / "masks").glob(f"*{image[1:3]}*"))
    mask = cv2.imread(str(found[0]), cv2.IMREAD_UNCHANGED) == label + 1
    if not mask.any():
        mask[SIZE // 4:SIZE // 2, SIZE // 4:SIZE // 2] = True
    return mask


BURNCAM = {
    "Sparseness": "sparseness", "Complexity": "entropy", "EffectiveComplexity": "effective size", "PointingGame": "pointing game",
    "AttributionLocalisation": "energy", "RelevanceMassAccuracy": "energy", "RelevanceRankAccuracy": "relevance rank accuracy",
    "AUC": "area below the ROC curve", "FaithfulnessEstimate": "single deletion, on maps that are constant in each patch, Spearman",
    "Infidelity": "infidelity, squares of 16 pixels, relative to it", "MaxSensitivity": "max-sensitivity", "AvgSensitivity": "mean sensitivity",
    "PixelFlipping": "deletion, every point of the curve", "ROAD": "ROAD without noise: the pictures filled in",
    "correlation_pearson": "Pearson", "correlation_spearman": "Spearman",
}


HEAD = """# Metrics next to Quantus

`tests/metrics/against_quantus.py` wrote this table: {count} pictures of the set of shapes in grey, gradients and enlarged class activation maps
in turn, without ties, each figure by Quantus 0.6.0 and by burncam on the same map, the same network and the same changed pictures.

"""
TAIL = """

* Quantus counts each channel's value as a feature, burncam a pixel; pictures have one channel so that these are the same.
* `ROAD` of Quantus is a share of pictures that are still right, burncam's a change of the score. Compared are the pictures that the network is
  asked about.
* `AttributionLocalisation` and `RelevanceMassAccuracy` are one figure for maps without negative values.
* `PixelFlipping` takes the softmax of what the network gives unless called with `softmax=False`, as here: the network gives probabilities.
* SSIM is not in the table: its window is another one ([metrics.md](metrics.md#agreement-of-two-maps)).
"""


def write(rows, path):
    lines = ["| Quantus 0.6 | burncam | greatest difference |", "|---|---|---|"]
    for name, own in BURNCAM.items():
        lines.append(f"| `{name}` | {own} | {max(row[name] for row in rows):.1e} |")
    print("\n".join(lines))
    if path:
        path.write_text(HEAD.format(count=len(rows)) + "\n".join(lines) + TAIL)


if __name__ == "__main__":
    main()
