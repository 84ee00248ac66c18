"""Protocol, verdicts, reports, and one small run."""
import json
import sys

import numpy as np
import pytest

from benchmarks import driver
from benchmarks.__main__ import main, peer_paths
from benchmarks.competitors import COMPETITORS, environment
from benchmarks.process import Entrant, RunnerFailed, RunnerProcess, entrants
from benchmarks.protocol import ProtocolError, Request, answer_line, parse_answer, parse_request
from benchmarks.ratios import Row, verdict
from benchmarks.report import as_json, seconds_text, table
from benchmarks.runners.task import Task, WrongResult, check, compared, time_samples
from benchmarks.workloads import Mode, given, workload


@pytest.mark.parametrize("request_", [Request("about"), Request("check", "mlp", "train"), Request("quit"),
                                      Request("run", "tiny", "infer", 20), Request("first", "lenet5", "train")])
def test_requests_survive_the_line(request_):
    assert parse_request(request_.line()) == request_


@pytest.mark.parametrize("line, reason", [("", "is no request"), ("dance mlp train\n", "is no request"),
                                          ("run mlp train\n", "run takes 3 arguments, got 2"),
                                          ("run mlp train many\n", "positive number of samples, got 'many'"),
                                          ("run mlp train 0\n", "positive number of samples")])
def test_what_is_no_request_is_refused(line, reason):
    with pytest.raises(ProtocolError, match=reason):
        parse_request(line)


def test_answers_survive_the_line():
    assert parse_answer(answer_line({"times": [0.5, 1e-6]})) == {"times": [0.5, 1e-6]}
    for line in ("Traceback\n", "[1, 2]\n", ""):
        with pytest.raises(ProtocolError, match="is no answer"):
            parse_answer(line)


@pytest.mark.parametrize("ratio, expected", [(1.0, "tie"), (1.29, "tie"), (1.31, "win"), (1 / 1.29, "tie"),
                                             (1 / 1.31, "loss"), (25.0, "win"), (0.01, "loss")])
def test_verdicts(ratio, expected):
    assert verdict(ratio) == expected


ROW = Row("mlp train", {"graphcore": [1e-3, 2e-3, 10e-3], "torch": [2e-3, 3e-3, 30e-3], "jax": [1e-3, 2.2e-3, 9e-3]},
          {"onnxruntime": "inference only"})


def test_ratios_are_medians_of_pairs():
    assert ROW.median("torch") == 3e-3
    assert ROW.ratio("torch") == pytest.approx(2.0)     # of 2, 1.5 and 3; the ratio of the medians would be 1.5
    assert ROW.ratio("jax") == pytest.approx(1.0)
    assert ROW.best_peer() == "jax"


def test_a_missing_competitor_has_no_ratio():
    assert ROW.median("onnxruntime") is None and ROW.ratio("onnxruntime") is None
    alone = Row("mlp train", {"torch": [1.0]})
    assert alone.ratio("torch") is None and alone.best_peer() is None


def test_table():
    lines = table([ROW], ["graphcore", "torch", "jax", "onnxruntime"]).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["", "graphcore", "torch", "jax", "onnxruntime", "against the best"]
    assert cells[2] == ["mlp train", "2.00 ms", "3.00 ms  2.00x win", "2.20 ms  1.00x tie", "-", "1.00x tie"]
    assert len({len(line) for line in lines}) == 1


def test_table_without_our_time():
    line = table([Row("mlp train", {"torch": [1.0]})], ["graphcore", "torch"]).splitlines()[2]
    assert [cell.strip() for cell in line.strip("|").split("|")] == ["mlp train", "-", "1.00 s", "-"]


def test_json():
    data = json.loads(as_json([ROW], {"threads": 2}))
    result = data["results"][0]
    assert (data["threads"], data["tie_within"], result["best_peer"]) == (2, 1.3, "jax")
    assert result["competitors"]["torch"]["verdict"] == "win"
    assert result["competitors"]["torch"]["round_seconds"] == [2e-3, 3e-3, 30e-3]
    assert "ratio" not in result["competitors"]["graphcore"]
    assert result["left_out"] == {"onnxruntime": "inference only"}


@pytest.mark.parametrize("seconds, text", [(3.4e-6, "3.40 µs"), (18.26e-6, "18.3 µs"), (0.28, "280 ms"),
                                           (1.5, "1.50 s"), (5e-8, "0.05 µs")])
def test_seconds_text(seconds, text):
    assert seconds_text(seconds) == text


def test_a_wrong_result_is_not_timed():
    numbers = given("tiny", "infer")
    with pytest.raises(WrongResult, match="tiny/infer: outputs: off by"):
        check(Task(lambda x: np.zeros((1, 1)), numbers.arguments), numbers)
    with pytest.raises(WrongResult, match=r"shape \(2,\), not \(1, 1\)"):
        check(Task(lambda x: np.zeros(2), numbers.arguments), numbers)
    with pytest.raises(WrongResult):
        check(Task(lambda x: np.full((1, 1), np.nan), numbers.arguments), numbers)


def test_some_elements_of_several_tensors_are_compared():
    found = compared((np.arange(10.0), np.arange(10.0) * 2), np.asarray, every=4)
    np.testing.assert_array_equal(found, [[0, 4, 8], [0, 8, 16]])
    assert compared(np.ones((2, 3), np.float32), np.asarray, every=1).shape == (2, 3)


def test_a_wrong_loss_is_not_timed():
    numbers, losses = given("lenet5", "train"), iter([4.397, 5.091, 7.531, 4.7, 2.675])
    with pytest.raises(WrongResult, match="lenet5/train: losses .* off by"):
        check(Task(lambda x, y: next(losses), numbers.arguments), numbers)


def test_samples_take_the_arguments_in_turn():
    seen = []
    task = Task(seen.append, [("a",), ("b",)])
    times = time_samples(task, Mode(3, calls=2), 3)
    assert len(times) == 3 and all(t >= 0 for t in times)
    assert seen == ["a", "a", "b", "b", "a", "a"]


def test_runners_get_no_openblas_settings():
    inherited = {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512", "HOME": "/home/me"}
    found = environment(COMPETITORS["jax"], inherited, "/root-of-it", 3, "/cache")
    assert not set(found) & {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}
    assert (found["HOME"], found["PYTHONPATH"], found["OMP_NUM_THREADS"]) == ("/home/me", "/root-of-it", "3")
    assert found["JAX_COMPILATION_CACHE_DIR"] == "/cache"
    assert "JAX_COMPILATION_CACHE_DIR" not in environment(COMPETITORS["jax"], inherited, "/root-of-it", 3)


def test_peers():
    assert peer_paths([f"jax={sys.executable}"]) == {"jax": sys.executable}
    with pytest.raises(ValueError, match="NAME is one of"):
        peer_paths(["tensorflow=/usr/bin/python"])
    with pytest.raises(ValueError, match="there is no program /nowhere/python"):
        peer_paths(["jax=/nowhere/python"])
    found, missing = entrants({"torch": "/there/python"})
    assert found[0] == Entrant(COMPETITORS["graphcore"], sys.executable)
    assert [e.interpreter for e in found if e.competitor.peer == "torch"] == ["/there/python"] * 3
    assert not {e.name for e in found} & set(missing)


def test_a_process_that_dies_is_reported_and_replaced():
    with RunnerProcess(Entrant(COMPETITORS["torch"], "/bin/false"), 1) as process:
        for _ in range(2):
            with pytest.raises(RunnerFailed, match="ended with status 1: nothing on standard error"):
                process.ask(Request("about"))


class Scripted:
    """A runner that answers without measuring."""

    def __init__(self, seconds, fails_in_round=None, unsupported=False):
        self.seconds, self.fails_in_round, self.unsupported, self.runs = seconds, fails_in_round, unsupported, 0

    def ask(self, request):
        if request.command == "check":
            return {"unsupported": "inference only"} if self.unsupported else {"deviation": 0.0}
        self.runs += 1
        return {"error": "crashed"} if self.runs == self.fails_in_round else {"times": [self.seconds] * 3}


def test_rounds(monkeypatch):
    monkeypatch.setattr(driver, "PAUSE", 0.0)
    said = []
    processes = {"graphcore": Scripted(1.0), "torch": Scripted(2.0), "jax": Scripted(0.5, fails_in_round=2),
                 "onnxruntime": Scripted(1.0, unsupported=True)}
    row, = driver.measure(processes, [(workload("mlp"), "train")], 3, said.append)
    assert row.times == {"graphcore": [1.0] * 3, "torch": [2.0] * 3}
    assert row.left_out == {"jax": "crashed", "onnxruntime": "inference only"}
    assert said == ["mlp train", "mlp train: without jax: crashed"]
    assert processes["jax"].runs == 2


def test_a_small_run(tmp_path, capfd):
    assert main(["--only", "tiny", "--rounds", "2", "--json", str(tmp_path / "times.json")]) == 0
    data = json.loads((tmp_path / "times.json").read_text(encoding="utf-8"))
    ours = data["results"][0]["competitors"]["graphcore"]
    assert len(ours["round_seconds"]) == 2 and 0 < ours["median_seconds"] < 1
    assert data["results"][0]["limit_seconds"] < ours["median_seconds"] == pytest.approx(
        ours["times_limit"] * data["results"][0]["limit_seconds"])
    assert data["machine"]["usable_cores"] >= 1 and data["machine"]["peak_flops"] > 1e9
    assert "graphcore" in data["versions"]
    assert "| tiny infer |" in capfd.readouterr().out


def test_command_line_errors(capsys):
    assert main(["--only", "mlq"]) == 2
    assert "no workload 'mlq'" in capsys.readouterr().err
    assert main(["--list"]) == 0
    assert "lenet5" in capsys.readouterr().out
