"""One library at one task, loaded once, timed whenever it is its turn: worker.py LIBRARY TASK FOLDER NAME BATCH THREADS.

Speaks as `peer.rs --serve` does. The task `trunk` is the forward pass to the explained layer; every other one is a method's map
of one given class, for a batch, as the library's README does it, from tensors that are ready. `tasks.py` has the settings.
"""

import json
import pathlib
import resource
import sys
import time

import numpy

import tasks

_, library, task, folder, name, batch, threads = sys.argv
folder, batch, threads = pathlib.Path(folder), int(batch), int(threads)
info = json.loads((folder / "info.json").read_text())
values = numpy.fromfile(folder / "input.f32", "<f4").reshape(-1, 3, 224, 224)[:batch].copy()


def onnxruntime_trunk():
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    file = str(folder / f"trunk.b{batch}.onnx")
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0].name
    return lambda: session.run(None, {entry: values})[0]


def openvino_trunk():
    import openvino

    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = openvino.Core().compile_model(folder / f"trunk.b{batch}.onnx", "CPU", settings)
    request = compiled.create_infer_request()
    return lambda: request.infer([values], share_inputs=True)[0]


def pytorch():
    import torch

    import nets

    torch.set_num_threads(threads)
    net = nets.load(name, folder / "weights.pth")
    return torch, nets, net, torch.from_numpy(values)


def torch_trunk():
    torch, nets, net, pictures = pytorch()
    trunk = nets.trunk(name, net)

    def run():
        with torch.inference_mode():
            return trunk(pictures).numpy()

    return run


def grad_cam(method, net, modules, pictures):
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    cam = getattr(pytorch_grad_cam, method)(model=net, target_layers=modules)
    targets = [ClassifierOutputTarget(info["class"])] * batch
    return lambda: cam(input_tensor=pictures, targets=targets)


def pytorch_grad_cam_gradcam():
    _, nets, net, pictures = pytorch()
    return grad_cam("GradCAM", net, [nets.target(name, net)], pictures)


def torchcam_gradcam():
    from torchcam.methods import GradCAM

    _, nets, net, pictures = pytorch()
    extractor = GradCAM(net, nets.target(name, net))

    def run():
        scores = net(pictures)
        return extractor([info["class"]] * batch, scores)[0].detach().numpy()

    return run


def captum_gradcam():
    from captum.attr import LayerGradCam

    _, nets, net, pictures = pytorch()
    cam = LayerGradCam(net, nets.target(name, net))
    attribute = lambda: cam.attribute(pictures, target=info["class"], relu_attributions=True)
    return lambda: attribute().detach().numpy()


def stages():
    """The network, its input, and the modules of `tasks.STAGES`."""
    _, _, net, pictures = pytorch()
    return net, pictures, [net.get_submodule(path) for path in tasks.STAGES[name]]


def pytorch_grad_cam_early():
    net, pictures, modules = stages()
    return grad_cam("LayerCAM", net, modules[1:2], pictures)


def pytorch_grad_cam_fused():
    net, pictures, modules = stages()
    return grad_cam("LayerCAM", net, modules, pictures)


def pytorch_grad_cam_scorecam():
    _, nets, net, pictures = pytorch()
    return grad_cam("ScoreCAM", net, [nets.target(name, net)], pictures)


def pytorch_grad_cam_fullgrad():
    _, _, net, pictures = pytorch()
    return grad_cam("FullGrad", net, [], pictures)


def pytorch_grad_cam_guided():
    from pytorch_grad_cam import GuidedBackpropReLUModel

    torch, _, net, pictures = pytorch()
    guided = GuidedBackpropReLUModel(model=net, device=torch.device("cpu"))
    return lambda: guided(pictures, target_category=info["class"])


def torchcam_layers(modules, net, pictures):
    from torchcam.methods import LayerCAM

    extractor = LayerCAM(net, modules)

    def run():
        maps = extractor([info["class"]] * batch, net(pictures))
        return extractor.fuse_cams(maps).detach().numpy()

    return run


def torchcam_early():
    net, pictures, modules = stages()
    return torchcam_layers(modules[1:2], net, pictures)


def torchcam_fused():
    net, pictures, modules = stages()
    return torchcam_layers(modules, net, pictures)


def torchcam_scorecam():
    from torchcam.methods import ScoreCAM

    torch, nets, net, pictures = pytorch()
    extractor = ScoreCAM(net, nets.target(name, net))

    def run():
        with torch.no_grad():
            scores = net(pictures)
        return extractor([info["class"]] * batch, scores)[0].detach().numpy()

    return run


def captum_attribution(make, **settings):
    _, _, net, pictures = pytorch()
    method = make(net)
    return lambda: method.attribute(pictures, target=info["class"], **settings).detach().numpy()


def captum_integrated():
    from captum.attr import IntegratedGradients

    return captum_attribution(IntegratedGradients, n_steps=tasks.STEPS)


def captum_smoothgrad():
    from captum.attr import NoiseTunnel, Saliency

    return captum_attribution(lambda net: NoiseTunnel(Saliency(net)), nt_samples=tasks.STEPS, nt_type="smoothgrad")


def captum_guided():
    from captum.attr import GuidedBackprop

    return captum_attribution(GuidedBackprop)


def captum_occlusion():
    from captum.attr import Occlusion

    window, strides = (3, tasks.PATCH, tasks.PATCH), (3, tasks.STRIDE, tasks.STRIDE)
    # A batch of 16 is faster than its default of one square a pass.
    return captum_attribution(Occlusion, sliding_window_shapes=window, strides=strides, perturbations_per_eval=16)


def torch_rise():
    """The paper's method, written down: none of these libraries has it."""
    torch, _, net, pictures = pytorch()
    side, cells = pictures.shape[-1], 7
    step = -(-side // cells)

    def run():
        chance = torch.Generator().manual_seed(0)
        total = torch.zeros(side, side)
        with torch.inference_mode():
            for first in range(0, tasks.MASKS, 16):
                count = min(16, tasks.MASKS - first)
                grids = (torch.rand(count, 1, cells, cells, generator=chance) < 0.5).float()
                large = torch.nn.functional.interpolate(grids, size=side + step, mode="bilinear")
                y, x = torch.randint(0, step, (2,), generator=chance).tolist()
                masks = large[:, :, y : y + side, x : x + side]
                scores = net(pictures[:1] * masks).softmax(1)[:, info["class"]]
                total += (scores[:, None, None] * masks[:, 0]).sum(0)
        return (total / (tasks.MASKS * 0.5))[None].numpy()

    return run


def openvino_xai_gradcam():
    """ReciproCAM, its default, at its default precision; it has no Grad-CAM."""
    import openvino
    import openvino_xai as xai

    model = openvino.Core().read_model(folder / "full.onnx")
    mode = xai.explainer.ExplainMode.WHITEBOX
    explainer = xai.Explainer(model, task=xai.Task.CLASSIFICATION, explain_mode=mode)

    def explain(picture):
        explanation = explainer(picture[None], targets=[info["class"]], resize=False, colormap=False)
        return explanation.saliency_map[info["class"]]

    return lambda: numpy.stack([explain(picture) for picture in values])


def times(run, seconds):
    run()
    spent, begin = [], time.perf_counter()
    while not spent or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        run()
        spent.append((time.perf_counter() - start) * 1e3 / batch)
    return spent


def answer(run, line):
    verb, argument = line.split(" ", 1)
    if verb == "time":
        spent = times(run, float(argument))
        return {"ms": spent, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    numbers = numpy.asarray(run(), "<f4")
    numbers.tofile(argument)
    return {"shape": list(numbers.shape[1:])}


def main():
    run = globals()[f"{library.replace('-', '_')}_{task}"]()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(run, line.rstrip("\n"))), flush=True)


main()
