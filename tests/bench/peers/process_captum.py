"""captum as a program: weights and photographs in, overlays out."""

import torch
from captum.attr import LayerGradCam

import nets
import photos

net = nets.load(photos.name, photos.weights)
cam = LayerGradCam(net, nets.target(photos.name, net))
prepare = photos.prepare()
for path, picture in photos.opened():
    entry = prepare(picture).unsqueeze(0)
    # It needs the class as an argument.
    with torch.no_grad():
        best = net(entry).argmax(1)
    heat = cam.attribute(entry, target=best, relu_attributions=True)[0, 0].detach()
    photos.overlay(picture, (heat / (heat.max() + 1e-7)).numpy()).save(photos.out / f"{path.stem}.png")
