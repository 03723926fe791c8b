"""torchcam as a program: weights and photographs in, overlays out."""

import torch
from torchcam.methods import GradCAM

import nets
import photos

net = nets.load(photos.name, photos.weights)
extractor = GradCAM(net, nets.target(photos.name, net))
prepare = photos.prepare()
for path, picture in photos.opened():
    scores = net(prepare(picture).unsqueeze(0))
    heat = extractor(scores.squeeze(0).argmax().item(), scores)[0].squeeze(0)
    with torch.no_grad():
        photos.overlay(picture, heat.detach().numpy()).save(photos.out / f"{path.stem}.png")
