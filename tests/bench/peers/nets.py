"""The networks, in PyTorch: how each is built, where its trunk ends, which module Grad-CAM is aimed at.

Weights are seeded noise. Time does not depend on what is recognised, only sizes do.
"""

import torch
import torchvision
from torch import nn
from torch.nn import functional

SIDE = 224


class DenseNet121(torchvision.models.DenseNet):
    """torchvision's, with its last ReLU as a module, so that hooks can be put on it."""

    def __init__(self):
        super().__init__(32, (6, 12, 24, 16), 64)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = functional.adaptive_avg_pool2d(self.relu(self.features(x)), (1, 1))
        return self.classifier(torch.flatten(x, 1))


def build(name):
    torch.manual_seed(0)
    if name == "densenet121":
        return DenseNet121().eval()
    if name == "efficientnet_lite0":
        import timm

        return timm.create_model(name, pretrained=False).eval()
    return getattr(torchvision.models, name)(weights=None).eval()


def load(name, file):
    """The network with the weights that `export.py` saved."""
    net = build(name)
    net.load_state_dict(torch.load(file, weights_only=True))
    return net


def trunk(name, net):
    """Everything up to the layer that is explained; none of a transformer, which is compared as a whole only."""
    if name.startswith("vit"):
        return None
    if name.startswith("resnet"):
        stages = [net.layer1, net.layer2, net.layer3, net.layer4]
        return nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool, *stages).eval()
    if name.startswith("vgg"):
        return net.features[:30].eval()
    if name == "mobilenet_v2":
        return net.features.eval()
    if name == "densenet121":
        return nn.Sequential(net.features, net.relu).eval()
    return nn.Sequential(net.conv_stem, net.bn1, net.blocks, net.conv_head, net.bn2).eval()


def target(name, net):
    """The module whose output is explained."""
    if name.startswith("resnet"):
        return net.layer4[-1]
    if name.startswith("vgg"):
        return net.features[29]
    if name == "mobilenet_v2":
        return net.features[-1]
    return net.relu if name == "densenet121" else net.bn2


def head(name, net):
    """The linear layer where it is all that follows an average of the target's output."""
    return net.fc if name.startswith("resnet") else None
