"""OpenVINO XAI as a program, ReciproCAM at its own precision: an ONNX file and photographs in, overlays out.

It is spared the choice of a class, and reads and writes pictures by OpenCV, as its README does.
"""

import cv2
import numpy
import openvino
import openvino_xai as xai

import photos

CLASS = 0
model = openvino.Core().read_model(photos.weights)


def prepare(picture):
    shrunk = cv2.resize(picture, (224, 224))[..., ::-1].astype(numpy.float32) / 255
    entry = (shrunk - numpy.float32(photos.MEAN)) / numpy.float32(photos.STD)
    return numpy.ascontiguousarray(entry.transpose(2, 0, 1)[None])


mode = xai.explainer.ExplainMode.WHITEBOX
explainer = xai.Explainer(model, task=xai.Task.CLASSIFICATION, preprocess_fn=prepare, explain_mode=mode)
for path in photos.photos:
    picture = cv2.imread(str(path))
    explanation = explainer(
        picture, targets=[CLASS], original_input_image=picture, overlay=True, overlay_prediction=False
    )
    cv2.imwrite(str(photos.out / f"{path.stem}.png"), explanation.saliency_map[CLASS])
