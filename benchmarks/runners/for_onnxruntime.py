"""ONNX Runtime: inference, on models made here with the onnx package; NumPy arrays in and out."""
from __future__ import annotations

import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.runners.task import Task, Unsupported
from benchmarks.workloads import Given, resnet18_blocks

OPSET = 17
IR_VERSION = 8


class ModelWriter:
    """Collects nodes; every method appends one and returns the name of its output."""

    def __init__(self, weights: dict):
        self.weights, self.nodes = weights, []

    def node(self, operator: str, *inputs: str, **attributes) -> str:
        output = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def dense(self, x: str, layer: str) -> str:
        return self.node("Gemm", x, f"{layer}.weight", f"{layer}.bias", transB=1)

    def conv(self, x: str, layer: str, stride: int, pad: int) -> str:
        return self.node("Conv", x, f"{layer}.weight", strides=[stride] * 2, pads=[pad] * 4)

    def batch_norm(self, x: str, layer: str) -> str:
        inputs = (f"{layer}.{own}" for own in ("weight", "bias", "running_mean", "running_var"))
        return self.node("BatchNormalization", x, *inputs, epsilon=1e-5)

    def model(self, output: str, input_shape: tuple):
        """The checked model from input ``x`` to `output`."""
        graph = helper.make_graph(
            self.nodes, "workload",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, input_shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, [None, None])],
            [numpy_helper.from_array(value, name) for name, value in self.weights.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model


def mlp(w: ModelWriter) -> str:
    x = w.node("Relu", w.dense("x", "fc1"))
    return w.dense(w.node("Relu", w.dense(x, "fc2")), "fc3")


def tiny(w: ModelWriter) -> str:
    return w.dense(w.node("Tanh", w.dense("x", "fc1")), "fc2")


def resnet18_224(w: ModelWriter) -> str:
    x = w.node("Relu", w.batch_norm(w.conv("x", "conv1", 2, 3), "bn1"))
    x = w.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for block in resnet18_blocks():
        at = block.name
        y = w.node("Relu", w.batch_norm(w.conv(x, f"{at}.conv1", block.stride, 1), f"{at}.bn1"))
        y = w.batch_norm(w.conv(y, f"{at}.conv2", 1, 1), f"{at}.bn2")
        shortcut = w.batch_norm(w.conv(x, f"{at}.dconv", block.stride, 0), f"{at}.dbn") if block.projected else x
        x = w.node("Relu", w.node("Add", y, shortcut))
    return w.dense(w.node("Flatten", w.node("GlobalAveragePool", x)), "fc")


NETS = {"mlp": mlp, "tiny": tiny, "resnet18_224": resnet18_224}


class Framework:
    """ONNX Runtime's CPU provider."""

    def __init__(self, threads: int, variant: str):
        self.version = onnxruntime.__version__
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads

    def prepare(self, given: Given) -> Task:
        """The task of a (workload, mode).  Raises Unsupported for training."""
        if given.trains or given.name not in NETS:
            raise Unsupported("inference only" if given.trains else f"no net for {given.name}")
        writer = ModelWriter(given.weights)
        model = writer.model(NETS[given.name](writer), given.arguments[0][0].shape)
        session = onnxruntime.InferenceSession(model.SerializeToString(), self.options,
                                               providers=["CPUExecutionProvider"])
        run = session.run
        return Task(lambda x: run(None, {"x": x}), given.arguments, to_numpy=lambda outputs: outputs[0])
