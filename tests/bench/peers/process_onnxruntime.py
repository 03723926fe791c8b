"""onnxruntime with OpenCV as a program, as an expert would write it."""

import onnxruntime

import plain

options = onnxruntime.SessionOptions()
options.intra_op_num_threads, options.inter_op_num_threads = plain.threads, 1
session = onnxruntime.InferenceSession(str(plain.folder / "trunk.b1.onnx"), options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
plain.explain(lambda values: session.run(None, {name: values})[0])
