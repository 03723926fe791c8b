"""OpenVINO with OpenCV as a program, as an expert would write it; at the precision that it chooses itself."""

import openvino

import plain

settings = {"INFERENCE_NUM_THREADS": plain.threads, "PERFORMANCE_HINT": "LATENCY"}
request = openvino.Core().compile_model(plain.folder / "trunk.b1.onnx", "CPU", settings).create_infer_request()
plain.explain(lambda values: request.infer([values], share_inputs=True)[0])
