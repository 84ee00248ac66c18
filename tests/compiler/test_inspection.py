"""The record of a compilation: it is what happened, every value can be followed, and nothing is left out."""
import json

import numpy as np
import pytest

from graphcore import Tensor, nn, ops
from graphcore.capture.compiled import capture_call
from graphcore.compiler import cache, program
from graphcore.compiler.inspection.machine_code import machine_code
from graphcore.compiler.pipeline import optimize
from graphcore.compiler.schedule.kinds import has_own_kernel, is_compute
from graphcore.inspect import as_json, compilation, memory_report
from graphcore.ir.types import parse_type


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.fc = nn.Dense(4 * 64, 10)

    def construct(self, x):
        x = ops.relu(self.bn(self.conv(x)))
        return self.fc(x.reshape(x.shape[0], -1)) / 2


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


def captured(cell, *types):
    return capture_call(cell.construct, [parse_type(t) for t in types], {}, type(cell).__name__, cell).graph


def training_step():
    net = Net().set_train()
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), nn.Adam(net.trainable_params()))
    return captured(step.set_train(), "f32[2,1,8,8]", "f32[2,10]")


@pytest.fixture(scope="module")
def step():
    return compilation(training_step())


def test_recording_changes_nothing(step):
    assert step.final == optimize(step.graph)
    assert [p.number for p in step.passes] == list(range(1, 1 + len(step.passes)))
    assert all(a.after is b.before for a, b in zip(step.passes, step.passes[1:]))
    stages = [s.graph for s in step.stages]
    assert all(a != b for a, b in zip(stages, stages[1:])) and stages[-1] == step.final


def test_every_node_comes_from_somewhere(step):
    """A value can be followed to the captured graph; constants and what passes add for themselves begin on the way."""
    for p in step.passes:
        before = set(p.before.nodes)
        for n in p.after.nodes:
            sources = p.came_from.get(n, (n,))
            assert set(sources) <= before and (sources or n.op in ("const", "iota", "broadcast_to")), n
            assert all(n in step.after(source, p.number) for source in sources)


def test_a_rewrite_is_followed():
    found = compilation(captured(Net(), "f32[2,1,8,8]"))
    first = found.passes[0]
    halved = found.graph.outputs[0]
    [product] = found.after(halved, 1)
    assert (halved.op, product.op) == ("div", "mul") and found.before(product, 1) == (halved,)
    assert first.rules["divide_by_constant"] == 1
    assert [r.new for r in first.rewrites if r.rule == "divide_by_constant"] == [product]


def test_every_computed_node_has_its_kernel(step):
    lines = {n: step.final.origins.of(n) for n in step.final.nodes}
    for n in step.final.nodes:
        if is_compute(n) or has_own_kernel(n):
            assert step.launches_of(n), f"{n} of {lines[n]} is computed by no launch"
    assert all(k.nodes and k.operators for k in step.kernels)
    assert all(n in set(step.final.nodes) for k in step.kernels for n in k.nodes)
    reasons = {n for n, _ in step.decisions}
    assert {n for n in step.final.nodes if is_compute(n)} <= reasons


def test_kernels_that_run_on_the_tiles_of_others():
    found = compilation(captured(Net(), "f32[2,1,8,8]"))
    relu = next(n for n in found.final.nodes if n.op == "relu")
    conv = next(n for n in found.final.nodes if n.op == "conv2d")
    [launch] = [entry for entry in found.launches_of(relu) if not entry.in_prologue]
    [kernel] = launch.epilogues
    assert launch in found.launches_of(conv) and relu in launch.nodes_of(kernel) and relu not in launch.own_nodes
    [record] = [k for k in found.kernels if k.source == kernel]
    assert record.operators == ("add", "relu") and record.called_in == (launch,) and not record.launches


def test_values_in_regions_are_followed_too():
    found = compilation(captured(Loop(), "f32[8,8]", "i32[]"))
    labels = {v.label: v for v in found.values("final")}
    [tanh] = [v for v in labels.values() if v.node.op == "tanh"]
    region, attribute, number = tanh.label.rsplit(".", 2)
    assert attribute == "body" and tanh.depth == 1 and labels[region].node.op == "while" and number[0] == "%"
    computing, copying = sorted(found.launches_of(tanh.node), key=lambda entry: entry.copies)
    assert not computing.copies and copying.copies, "the state of the loop is read while the new one is written"
    assert any("tanh" in k.operators for k in found.kernels if computing in (*k.launches, *k.called_in))
    assert any(n is tanh.node for n, _ in found.decisions)
    assert any(b.nodes and tanh.node in b.nodes for b in found.memory.buffers)
    assert {"while"} <= {s.title for s in found.memory.steps}


def test_memory_agrees_with_the_report(step):
    memory, report = step.memory, memory_report(step)
    assert (memory.peak, memory.peak_at, memory.arena, len(memory.steps)) == (
        report.peak, report.at, report.arena, report.steps)
    assert sum(b.bytes for b in memory.holding()) == memory.peak
    for b in memory.buffers:
        assert (b.kind == "arena") == (b.offset is not None)
    assert {b.key for b in memory.buffers if b.kind == "param"} <= set(step.graph.params)


def test_what_is_written_in_place():
    memory = compilation(captured(Loop(), "f32[8,8]", "i32[]")).memory
    [(state, start)] = [(b, other) for b in memory.buffers for other in memory.buffers
                        if b.takes_over == other.number]
    assert state.name == "item" and [n.op for n in start.nodes] == ["mul"], "the counter of the loop"
    assert state.offset == start.offset and start.last == state.first


def test_parameters(step):
    by_name = {p.name: p for p in step.parameters("final")}
    labels = {v.label: v.node for v in step.values("final")}
    weight = by_name["conv.weight"]
    assert (weight.bytes, str(weight.type)) == (144, "f32[4,1,3,3]")
    assert all(any(i.op == "param" and i.name == "conv.weight" for i in labels[r].inputs) for r in weight.readers)
    assert [labels[w] for w in weight.writers] == [dict(step.final.updates)["conv.weight"]]


def test_json_is_complete(step):
    data = json.loads(json.dumps(as_json(step, times=False)))
    nodes = data["nodes"]
    assert all(i < k for k, n in enumerate(nodes) for i in n["inputs"])
    for stage, record in zip(step.stages, data["stages"]):
        assert len(record["graph"]["nodes"]) >= len(stage.graph.nodes)
        assert [nodes[o]["type"] for o in record["graph"]["outputs"]] == [str(o.type) for o in stage.graph.outputs]
    assert not any("seconds" in p for p in data["passes"])
    kernels = {k["number"] for k in data["kernels"]}
    assert all(entry["kernel"] in kernels and set(entry["called"]) <= kernels for entry in data["launches"])
    buffers = {b["number"] for b in data["memory"]["buffers"]}
    assert all(set(entry["reads"]) | set(entry["writes"]) <= buffers for entry in data["launches"]
               if not entry["prologue"])


def test_what_was_tuned_is_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHCORE_CACHE_DIR", str(tmp_path))
    graph = captured(Net(), "f32[2,1,8,8]")
    assert compilation(graph).choices == {}
    cache.store_json("tuned", program.program_key(graph), {"layout of images": "channels last"})
    assert compilation(graph).choices == {"layout of images": "channels last"}


def test_unknown_sizes():
    found = compilation(captured(Net(), "f32[N,1,8,8]"))
    assert found.binding == {"N": 64} and all(isinstance(entry.items, int) for entry in found.launches)
    assert found.parameters()[0].bytes == 144 and as_json(found)["sizes"] == {"N": 64}


def test_machine_code(step):
    kernel = next(k for k in step.kernels if "relu" in k.operators)
    assert kernel.source.name in kernel.llvm and kernel.code.vector_bits == 8 * step.cpu.vector_bytes
    assert kernel.code.loops >= 1 and kernel.code.instructions > 20


def test_counting_machine_code():
    found = machine_code("\n".join([
        "gc_f:", "\t.p2align\t4", ".LBB0_1:                # =>This Loop Header: Depth=1",
        "                                #     Child Loop BB0_2 Depth 2",
        ".LBB0_2:                # =>This Inner Loop Header: Depth=2", "\tvfmadd231ps\t%zmm0, %zmm1, %zmm2",
        "\tvaddps\t(%rax), %zmm1, %zmm2", "\tvaddss\t%xmm0, %xmm1, %xmm1",
        "\tvmovups\t%zmm2, 64(%rsp)         # 64-byte Spill", "\tjne\t.LBB0_2",
        "# %bb.3:", "\tmovq\t%rax, 8(%rsp)           # 8-byte Spill", "\tmovq\t8(%rsp), %rax           # 8-byte Reload",
        "\tcallq\t*%rax", "\tretq"]))
    assert (found.instructions, found.loops, found.depth, found.vector_bits) == (9, 2, 2, 512)
    assert (found.float_operations, found.fused, round(found.fused_share, 2)) == (3, 1, 0.33)
    assert (found.spills, found.spills_in_loops, found.reloads, found.calls) == (2, 1, 1, 1)
    assert "2 registers spilled, 1 of them in innermost loops" in str(found)


def test_what_ran_is_what_is_shown():
    """The launches of the record are those of the program that runs."""
    net = Net()
    net(Tensor(np.ones((2, 1, 8, 8), np.float32)))
    ran = net._compiled.last_program
    found = compilation(ran.graph)
    assert ran.launches == sum(not entry.in_prologue for entry in found.launches)
