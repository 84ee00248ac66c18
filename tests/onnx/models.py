"""Small models for tests, made with onnx.helper."""
from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def model(nodes, inputs, outputs, constants=None, opset=17, functions=(), domains=()) -> bytes:
    """The bytes of a model.

    inputs, outputs: name -> sizes, or (dtype code, sizes); constants: name -> array; functions: FunctionProtos.
    """
    def places(given):
        return [helper.make_tensor_value_info(n, *(v if isinstance(v, tuple) else (TensorProto.FLOAT, v)))
                for n, v in given.items()]
    graph = helper.make_graph(list(nodes), "test", places(inputs), places(outputs),
                              [numpy_helper.from_array(np.asarray(a), n) for n, a in (constants or {}).items()])
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    return helper.make_model(graph, opset_imports=imports, functions=list(functions)).SerializeToString()


def graph_of(nodes, inputs, outputs, constants=None):
    """A subgraph; inputs and outputs as in `model`."""
    def places(given):
        return [helper.make_tensor_value_info(n, *(v if isinstance(v, tuple) else (TensorProto.FLOAT, v)))
                for n, v in given.items()]
    return helper.make_graph(list(nodes), "inner", places(inputs), places(outputs),
                             [numpy_helper.from_array(np.asarray(a), n) for n, a in (constants or {}).items()])


node = helper.make_node
