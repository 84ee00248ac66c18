"""ONNX Runtime: inference, on models made here with the onnx package; NumPy arrays in and out."""
from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.runners.task import Task, Unsupported
from benchmarks.weights import GPT, mobilenetv2_blocks, resnet18_blocks
from benchmarks.workloads import FUSED_SCALE, Given

OPSET = 23          # the first that has Attention
IR_VERSION = 11


class ModelWriter:
    """Collects nodes; every method but `model` appends some and returns the name of the output of the last."""

    def __init__(self, weights: dict):
        self.weights, self.nodes = dict(weights), []

    def node(self, operator: str, *inputs: str, **attributes) -> str:
        output = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, value) -> str:
        name = f"constant_{len(self.weights)}"
        self.weights[name] = np.asarray(value)
        return name

    def dense(self, x: str, layer: str) -> str:
        return self.node("Gemm", x, *(n for n in (f"{layer}.weight", f"{layer}.bias") if n in self.weights), transB=1)

    def conv(self, x: str, layer: str, stride: int = 1, pad: int = 0, groups: int = 1) -> str:
        return self.node("Conv", x, f"{layer}.weight", strides=[stride] * 2, pads=[pad] * 4, group=groups)

    def batch_norm(self, x: str, layer: str) -> str:
        inputs = (f"{layer}.{own}" for own in ("weight", "bias", "running_mean", "running_var"))
        return self.node("BatchNormalization", x, *inputs, epsilon=1e-5)

    def layer_norm(self, x: str, layer: str) -> str:
        return self.node("LayerNormalization", x, f"{layer}.weight", f"{layer}.bias", axis=-1, epsilon=1e-5)

    def relu6(self, x: str) -> str:
        return self.node("Clip", x, self.constant(np.float32(0)), self.constant(np.float32(6)))

    def split(self, x: str, parts: int) -> list[str]:
        outputs = [f"split_{len(self.nodes)}_{part}" for part in range(parts)]
        self.nodes.append(helper.make_node("Split", [x], outputs, axis=-1, num_outputs=parts))
        return outputs

    def reshape(self, x: str, *sizes: int) -> str:
        return self.node("Reshape", x, self.constant(np.array(sizes, np.int64)))

    def model(self, inputs: dict, output: str, rank: int):
        """The checked model from `inputs`, arrays by name, to `output`, which has `rank` axes."""
        graph = helper.make_graph(
            self.nodes, "workload",
            [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
             for name, array in inputs.items()],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, [None] * rank)],
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


def mobilenetv2_224(w: ModelWriter) -> str:
    x = w.relu6(w.batch_norm(w.conv("x", "conv1", 2, 1), "bn1"))
    for block in mobilenetv2_blocks():
        at = block.name
        y = w.relu6(w.batch_norm(w.conv(x, f"{at}.econv"), f"{at}.ebn")) if block.expands else x
        y = w.relu6(w.batch_norm(w.conv(y, f"{at}.dconv", block.stride, 1, block.hidden), f"{at}.dbn"))
        y = w.batch_norm(w.conv(y, f"{at}.pconv"), f"{at}.pbn")
        x = w.node("Add", x, y) if block.residual else y
    x = w.relu6(w.batch_norm(w.conv(x, "conv2"), "bn2"))
    return w.dense(w.node("Flatten", w.node("GlobalAveragePool", x)), "fc")


def gpt(w: ModelWriter) -> str:
    """Everything but attention on a matrix of a row for each token."""
    x = w.node("Add", w.node("Gather", "wte.weight", "x"), "wpe.weight")
    x = w.reshape(x, -1, GPT.width)
    for layer in range(GPT.layers):
        at = f"h.{layer}"
        qkv = w.reshape(w.dense(w.layer_norm(x, f"{at}.ln1"), f"{at}.qkv"), -1, GPT.length, 3 * GPT.width)
        q, k, v = w.split(qkv, 3)
        mixed = w.node("Attention", q, k, v, is_causal=1, q_num_heads=GPT.heads, kv_num_heads=GPT.heads)
        x = w.node("Add", x, w.dense(w.reshape(mixed, -1, GPT.width), f"{at}.proj"))
        hidden = w.node("Gelu", w.dense(w.layer_norm(x, f"{at}.ln2"), f"{at}.fc"), approximate="tanh")
        x = w.node("Add", x, w.dense(hidden, f"{at}.out"))
    return w.reshape(w.dense(w.layer_norm(x, "lnf"), "head"), -1, GPT.length, GPT.vocabulary)


def fused(w: ModelWriter) -> str:
    x = w.node("Add", w.node("Mul", "x", w.constant(np.float32(FUSED_SCALE))), "b")
    y = w.node("Mul", w.node("Gelu", x, approximate="tanh"), w.node("Sigmoid", "c"))
    return w.node("Add", y, w.node("Tanh", "d"))


NETS = {"mlp": mlp, "tiny": tiny, "resnet18_224": resnet18_224, "mobilenetv2_224": mobilenetv2_224, "gpt": gpt,
        "fused": fused}
RANKS = {"gpt": 3, "fused": 1}      # of their outputs; 2 of the others
INPUTS = "xbcd"                     # their names


class Framework:
    """ONNX Runtime's CPU provider."""

    def __init__(self, threads: int, variant: str):
        self.version = onnxruntime.__version__
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads

    def prepare(self, given: Given) -> Task:
        """The task of a (workload, mode).  Raises Unsupported for training."""
        if given.trains or given.mode == "fwdbwd" or given.name not in NETS:
            raise Unsupported(f"no net for {given.name}" if given.name not in NETS else "inference only")
        writer, (inputs,) = ModelWriter(given.weights), given.arguments
        model = writer.model(dict(zip(INPUTS, inputs)), NETS[given.name](writer), RANKS.get(given.name, 2))
        session = onnxruntime.InferenceSession(model.SerializeToString(), self.options,
                                               providers=["CPUExecutionProvider"])
        run = session.run
        return Task(lambda *inputs: run(None, dict(zip(INPUTS, inputs)))[0], given.arguments)
