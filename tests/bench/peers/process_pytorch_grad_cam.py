"""pytorch-grad-cam as a program: weights and photographs in, overlays out."""

from pytorch_grad_cam import GradCAM

import nets
import photos

net = nets.load(photos.name, photos.weights)
cam = GradCAM(model=net, target_layers=[nets.target(photos.name, net)])
prepare = photos.prepare()
for path, picture in photos.opened():
    # Without targets it takes the most probable class.
    heat = cam(input_tensor=prepare(picture).unsqueeze(0), targets=None)[0]
    photos.overlay(picture, heat).save(photos.out / f"{path.stem}.png")
