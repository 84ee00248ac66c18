"""``graphcore explain``: prepared questions with the right facts in their answers."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = (ROOT / "examples" / "digits.py").read_text().splitlines()
INFER = (f"{ROOT / 'examples' / 'digits.py'}:Net", "--input", "f32[8,1,8,8]")
TRAIN = (*INFER, "--input", "i32[8]", "--train")

PROGRAMS = """\
import graphcore as gc
from graphcore import nn, ops


@gc.jit
def transposed(x):
    return ops.transpose(ops.exp(x), (1, 0)) + x


@gc.jit
def twice(x):
    return x * 2 * 1 + x * 2 * 1


class Loop(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = nn.Dense(8, 8)

    def construct(self, x, n):
        i, h = n * 0, ops.matmul(x, x)
        while i < n:
            h = ops.tanh(self.cell(h))
            i = i + 1
        return h


class Unused(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc, self.other = nn.Dense(4, 4), nn.Dense(4, 4)

    def construct(self, x):
        return self.fc(x) + self.other(x) * 0
"""
TRANSPOSED = ("programs.py:transposed", "--input", "f32[64,64]")
LOOP = ("programs.py:Loop", "--input", "f32[8,8]", "--input", "i32[]")


def line_of(text):
    """``digits.py:40`` of the line with this text."""
    return f"digits.py:{1 + next(i for i, line in enumerate(SOURCE) if text in line)}"


@pytest.fixture
def explain(command, file):
    """``explain(target, *what)`` → {heading: text below it}, "" being the title."""
    file("programs.py", PROGRAMS)

    def ask(target, *what):
        code, out, err = command("explain", *target, *what)
        assert (code, err) == (0, ""), err
        title, *rest = re.split(r"\n\n(?=\S)", out)
        return {"": title} | {part.partition("\n")[0]: part.partition("\n")[2] for part in rest}

    def value(target, op, stage="capture"):
        """The label of the first value of an operator."""
        out = command("dump", *target, "--stage", stage, "--only", op)[1]
        return re.search(rf"(%\S+) = {op}\(", out)[1]

    ask.value = value
    return ask


def test_why_was_this_relu_not_fused_into_what_reads_it(explain):
    told = explain(INFER, explain.value(INFER, "relu"), "--stage", "capture")["fusion"]
    assert "begins a kernel: conv2d reads it from memory" in told


def test_where_does_this_relu_run_then(explain):
    told = explain(INFER, explain.value(INFER, "relu"))
    assert "runs on the tiles of conv2d while they are in cache" in told["fusion"]
    assert re.search(r"kernel conv2d_f32_\w+: .*\n +there in fused_add_relu_\w+, called on every finished tile",
                     told["runs in"])
    [kernel] = [title for title in told if title.startswith("kernel fused_add_relu")]
    assert "maximum(v0, f32(0))" in told[kernel], "the generated source"


def test_why_were_two_pointwise_operators_not_fused(explain):
    told = explain(TRANSPOSED, explain.value(TRANSPOSED, "exp"))["fusion"]
    assert re.search(r"exp: .*add over 64x64 reads it at other positions than its own", told)


def test_what_became_of_batch_norm(explain):
    told = explain(INFER, "--line", line_of("self.bn1(self.conv1(x))"))
    assert "sub(" in told["in stage 00_capture"] and "rsqrt(" in told["in stage 00_capture"]
    assert "before the first run, and again when a Parameter has changed" in told["runs in"]


def test_which_pass_changed_this_convolution(explain):
    told = explain(INFER, explain.value(INFER, "conv2d"))["passes"]
    assert re.search(r"10_fold_affine: %\d+ becomes by scale_into_weights", told) and "also made from it" in told


def test_which_line_does_a_kernel_come_from(explain):
    told = explain(INFER, "--kernel", "max_pool2d*")
    assert line_of("self.pool(") in told["comes from"] and "self.pool(ops.relu(" in told["comes from"]
    assert "max_pool2d(" in told["computes"] and "def max_pool2d_2x2_s2x2(args, begin, end, worker):" in told["source"]


def test_what_machine_code_a_kernel_is(explain):
    told = explain(INFER, "--kernel", "fused_add_relu*")["machine code"]
    assert re.search(r"\d+ instructions, \d+ loops to depth \d, vectors of (512|256|128) bits", told)


def test_what_keeps_this_buffer_alive(explain):
    told = explain(INFER, explain.value(INFER, "max_pool2d"))["memory"]
    assert re.search(r"32,768 bytes at [\d,]+ of the arena, from step \d+ \(max_pool2d\w*\) to \d+ \(matmul", told)
    assert re.search(r"kept alive by launch \d+ \(matmul\w*\), the last of 1 that read it, for %\d+ matmul", told)


def test_what_keeps_an_activation_alive_in_training(explain):
    """The output of the first convolution's BatchNorm is read again by the backward pass."""
    told = explain(TRAIN, explain.value(TRAIN, "max_pool2d", "final"), "--stage", "final")["memory"]
    assert re.search(r"the last of \d+ that read it, for %\d+ matmul", told)


def test_what_a_buffer_is(explain):
    label = explain.value(INFER, "max_pool2d")
    number = re.search(r"(b\d+): ", explain(INFER, label)["memory"])[1]
    told = explain(INFER, number)
    assert "max_pool2d(" in told["holds"] and re.search(r"launch \d+: .*; writes it", told["read or written in"])


def test_who_reads_and_writes_a_parameter(explain):
    told = explain(TRAIN, "fc1.weight")
    assert told[""].startswith("Parameter fc1.weight: f32[128,1024], 524,288 bytes, requires a gradient")
    assert "matmul(" in told["read by"] and "sub(fc1.weight" in told["written by"]
    assert "in place" in told["written by"] and "reads and writes it" in told["read or written in"]


def test_which_value_is_the_gradient_of_a_parameter(explain):
    assert "conv2d_grad_weight(" in explain(TRAIN, "--param", "conv1.weight")["its gradient"]


def test_what_is_derived_from_a_parameter(explain):
    told = explain(INFER, "--param", "conv2.weight")["derived from it and kept between calls"]
    assert "before the first run" in told


def test_what_does_not_change_a_parameter(explain):
    told = explain(INFER, "--param", "bn1.moving_mean")
    assert "requires no gradient" in told[""] and "written by" not in told


def test_what_is_the_gradient_of_this_relu(explain):
    told = explain(TRAIN, explain.value(TRAIN, "relu"), "--stage", "capture")["passes"]
    assert re.search(r"04_grad: .*\n.*its gradient is computed by .*gt", told)


def test_what_a_backward_value_was_captured_as(explain):
    label = explain.value(TRAIN, "max_pool2d_grad", "final")
    told = explain(TRAIN, label, "--stage", "final")["made from what was captured as"]
    assert "max_pool2d(" in told and line_of("self.pool(") in told


def test_is_a_view_copied(explain):
    flatten = re.search(r"(%\d+) = reshape\(.*flatten", explain(INFER, "--line", line_of("self.flatten(x)"))[
        "in stage 00_capture"])[1]
    told = explain(INFER, flatten)
    assert re.search(r"reshape: a view; whoever reads it reads %\d+ max_pool2d by other strides", told["fusion"])
    assert "runs in" not in told


def test_what_was_simplified_away(explain):
    told = explain(("programs.py:twice", "--input", "f32[5]"), "%2")["passes"]
    assert "multiply_by_one" in told


def test_where_a_value_in_a_loop_runs(explain):
    told = explain(LOOP, explain.value(LOOP, "tanh", "final"), "--stage", "final")
    assert "tanh" in told["fusion"] and re.search(r"launch \d+: kernel ", told["runs in"])
    assert "self.cell(h)" in told["comes from"]


def test_what_has_no_memory(explain):
    told = explain(TRAIN, explain.value(TRAIN, "gt", "final"), "--stage", "final")["memory"]
    assert "none, it lives in the registers of its kernel" in told


def test_what_is_written_in_place_of_something_else(explain):
    label = explain.value(LOOP, "mul", "final")
    assert re.search(r"its place is taken over by b\d+ \(item\)", explain(LOOP, label, "--stage", "final")["memory"])


def test_what_part_of_the_time_something_takes(explain):
    whole = explain(INFER, "--line", line_of("self.pool("), "--steps", "2")["time"]
    assert re.fullmatch(r" +[\d,.]+ µs of [\d,.]+ \([\d.]+%\) of a run\n?", whole)
    assert float(re.search(r"([\d.]+)%", whole)[1]) > 1
    called = explain(INFER, "--kernel", "fused_add_relu*", "--steps", "2")["time"]
    assert called.strip() == "part of the time of the kernels that call it"


@pytest.mark.parametrize("arguments, message", [
    ([], "say what to explain: %12, --line FILE.py:LINE"),
    (["%99"], "stage 00_capture has no value %99"),
    (["--param", "fc1.wait"], "there is no Parameter 'fc1.wait'; the nearest names are fc1.weight"),
    (["--line", "digits.py:1"], "no value of stage 00_capture comes from digits.py:1; of that file there are"),
    (["--line", "digits"], "--line: write FILE.py:LINE, not 'digits'"),
    (["--kernel", "fused"], "there is no kernel 'fused'"), (["b999"], "there is no buffer b999"),
    (["%1", "--stage", "finl"], "there is no stage 'finl'; did you mean 'final'?"),
])
def test_what_cannot_be_explained(command, arguments, message):
    code, out, err = command("explain", *INFER, *arguments)
    assert (code, out) == (2, "") and message in err and err.count("\n") == 1
