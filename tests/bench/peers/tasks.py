"""What is compared: each task's title, the libraries that have it, the networks it runs on by default, and its settings.

burncam and its peers get the same settings, which are given here once; what is not given is a library's own default.
"""

CONVOLUTIONAL = ["resnet18", "resnet50", "vgg16", "mobilenet_v2", "efficientnet_lite0", "densenet121"]
MODELS = CONVOLUTIONAL + ["vit_b_16"]
# Methods with a pass per channel or mask take minutes on the larger ones.
LIGHT = ["resnet18", "mobilenet_v2"]
# Whole programs are compared on these, as loading and image work are the same for all.
PROCESSES = ["resnet18", "resnet50"]

STEPS = 50
MASKS = 200
PATCH, STRIDE = 32, 16

# The modules whose outputs are explained together, from early to late; burncam's layers have the same names. The second is
# the early layer.
STAGES = {
    "resnet18": ["layer1", "layer2", "layer3", "layer4"],
    "resnet50": ["layer1", "layer2", "layer3", "layer4"],
    "vgg16": ["features.8", "features.15", "features.22", "features.29"],
    "mobilenet_v2": ["features.3", "features.6", "features.13", "features.18"],
    "efficientnet_lite0": ["blocks.1", "blocks.2", "blocks.4", "bn2"],
    "densenet121": [
        "features.transition1.relu",
        "features.transition2.relu",
        "features.transition3.relu",
        "relu",
    ],
}


class Task:
    def __init__(self, title, peers, models=CONVOLUTIONAL, batches=(1,), method=None, samples=None, layers=None):
        """`layers` gives the layers of a network; without it, the one that burncam chooses."""
        self.title, self.peers, self.models, self.batches = title, peers, models, list(batches)
        self.method, self.samples, self.layers = method, samples, layers

    def arguments(self, model):
        """Those of the benchmark `peer`."""
        words = ["--task", self.method]
        for layer in self.layers(model) if self.layers else []:
            words += ["--layer", layer]
        return words + (["--samples", self.samples] if self.samples else [])


TASKS = {
    "trunk": Task(
        "Forward pass to the explained layer", ["onnxruntime", "openvino", "torch"], batches=(1, 16), method="trunk"
    ),
    "gradcam": Task(
        "Grad-CAM in process",
        ["pytorch-grad-cam", "torchcam", "captum", "openvino_xai"],
        batches=(1, 16),
        method="gradcam",
    ),
    "early": Task(
        "LayerCAM at an early layer",
        ["pytorch-grad-cam", "torchcam"],
        method="layercam",
        layers=lambda model: STAGES[model][1:2],
    ),
    "fused": Task(
        "LayerCAM of four layers", ["pytorch-grad-cam", "torchcam"], method="layercam", layers=STAGES.get
    ),
    "integrated": Task(
        f"Integrated gradients, {STEPS} steps",
        ["captum"],
        models=MODELS,
        method="integratedgradients",
        samples=STEPS,
    ),
    "smoothgrad": Task(
        f"SmoothGrad, {STEPS} samples", ["captum"], models=MODELS, method="smoothgrad", samples=STEPS
    ),
    "guided": Task("Guided backpropagation", ["pytorch-grad-cam", "captum"], method="guidedbackprop"),
    "fullgrad": Task("FullGrad", ["pytorch-grad-cam"], method="fullgrad"),
    "scorecam": Task(
        "Score-CAM, all channels", ["pytorch-grad-cam", "torchcam"], models=LIGHT, method="scorecam"
    ),
    "occlusion": Task(
        f"Occlusion, squares of {PATCH} pixels every {STRIDE}", ["captum"], models=LIGHT, method="occlusion"
    ),
    "rise": Task(f"RISE, {MASKS} masks", ["torch"], models=LIGHT, method="rise", samples=MASKS),
    "process": Task(
        "Whole processes: wall time, processor time, peak memory",
        ["onnxruntime", "openvino", "pytorch-grad-cam", "torchcam", "captum", "openvino_xai"],
        models=PROCESSES,
    ),
}
