"""Writes ``transformer_results.json``: what MindSpore 2.10 gives in the cases of ``transformer_cases.py``.

    MS_JIT_IGNORE_MODULES=numpy,scipy python tests/nn/record_transformer.py         (MindSpore's interpreter)
"""
import inspect
import json
from pathlib import Path

import mindspore as ms
import transformer_cases as cases

TARGET = Path(__file__).with_name("transformer_results.json")
CLASSES = ("MultiheadAttention", "TransformerEncoderLayer", "TransformerDecoderLayer", "TransformerEncoder",
           "TransformerDecoder", "Transformer")


def shortened(value):
    if isinstance(value, list):
        return [shortened(v) for v in value]
    return float(f"{value:.6g}")


def result(case):
    net = cases.filled(cases.make(ms.nn, case), ms.Tensor).set_train(False)
    inputs, places, named = cases.inputs_of(case, ms.Tensor)
    parameters = [p for p in net.get_parameters() if p.requires_grad]

    def loss(*inputs):
        output = net(*[inputs[i] for i in places], **named)
        output = output[0] if isinstance(output, tuple) else output
        return (output * ms.Tensor(cases.wave(*output.shape, step=0.21))).sum()

    outputs = net(*[inputs[i] for i in places], **named)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    of_inputs, of_parameters = ms.grad(loss, tuple(range(len(inputs))), parameters)(*inputs)
    of_inputs = of_inputs if isinstance(of_inputs, tuple) else (of_inputs,)
    return {"parameters": [[p.name, list(p.shape)] for p in net.get_parameters()],
            "outputs": [shortened(o.asnumpy().tolist()) for o in outputs],
            "input gradients": [shortened(cases.digest(g.asnumpy())) for g in of_inputs],
            "gradients": [shortened(cases.digest(g.asnumpy())) for g in of_parameters]}


def defaults(function):
    return {name: None if p.default is p.empty else str(p.default)
            for name, p in inspect.signature(function).parameters.items() if name != "self"}


def attempt(case):
    try:
        return result(case)
    except Exception as error:
        print(case, type(error).__name__, str(error)[:400])
        return None


if __name__ == "__main__":
    signatures = {name: {"init": defaults(getattr(ms.nn, name).__init__),
                         "construct": defaults(getattr(ms.nn, name).construct)} for name in CLASSES}
    lines = [f'"signatures": {json.dumps(signatures)}']
    lines += [f"{json.dumps(case)}: {json.dumps(attempt(case))}" for case in cases.CASES]
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n")
