"""Communication, parallel settings and logging: what a script asks for that could run on many devices."""
import logging
import sys

import pytest

import graphcore as gc
from graphcore import communication, log
from graphcore.communication import CommunicationError, launched
from graphcore.context import ParallelMode
from graphcore.errors import GraphcoreError
from graphcore.parallel import (
    ParallelismError,
    _utils,
    get_auto_parallel_context,
    reset_auto_parallel_context,
    set_auto_parallel_context,
)


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for variable in launched.MPI_SIZES + launched.OTHER_SIZES:
        monkeypatch.delenv(variable, raising=False)
    yield
    reset_auto_parallel_context()
    communication.release()


def test_one_process_is_rank_zero_of_one():
    communication.init()
    assert communication.GlobalComm.INITED and communication.GlobalComm.WORLD_COMM_GROUP == "mccl_world_group"
    assert (communication.get_rank(), communication.get_group_size()) == (0, 1)
    assert (communication.get_local_rank(), communication.get_local_rank_size()) == (0, 1)
    communication.init("nccl")
    assert communication.GlobalComm.WORLD_COMM_GROUP == communication.NCCL_WORLD_COMM_GROUP
    communication.release()
    assert not communication.GlobalComm.INITED


def test_groups_of_one():
    communication.create_group("mine", [0])
    assert communication.get_process_group_ranks("mine") == [0]
    assert communication.get_world_rank_from_group_rank("mine", 0) == 0
    assert communication.get_group_rank_from_world_rank(0, "mine") == 0
    assert communication.get_comm_name("mine") == "mine"
    with pytest.raises(ValueError, match="exists already"):
        communication.create_group("mine", [0])
    communication.destroy_group("mine")
    with pytest.raises(ValueError, match="there is no group 'mine'"):
        communication.get_rank("mine")
    with pytest.raises(ParallelismError, match="only rank 0"):
        communication.create_group("ours", [0, 1])
    with pytest.raises(ValueError, match="rank 1 is not in"):
        communication.get_world_rank_from_group_rank("hccl_world_group", 1)
    with pytest.raises(ValueError, match="cannot be destroyed"):
        communication.destroy_group("hccl_world_group")


@pytest.mark.parametrize("call, error", [
    (lambda: communication.init(3), TypeError), (lambda: communication.init("mpi"), ValueError),
    (lambda: communication.get_rank(1), TypeError), (lambda: communication.create_group(1, [0]), TypeError),
    (lambda: communication.create_group("a", (0,)), TypeError),
    (lambda: communication.get_group_rank_from_world_rank(True, "hccl_world_group"), TypeError),
])
def test_bad_arguments(call, error):
    with pytest.raises(error):
        call()


@pytest.mark.parametrize("variable", launched.OTHER_SIZES)
def test_a_launcher_that_is_not_mpi_is_refused(monkeypatch, variable):
    monkeypatch.setenv(variable, "8")
    with pytest.raises(ParallelismError, match=f"{variable}=8.*graphcore launch -n 8"):
        communication.init()
    monkeypatch.setenv(variable, "1")
    communication.init()


@pytest.mark.parametrize("variable", launched.MPI_SIZES)
def test_one_of_several_processes_needs_init_and_mpi4py(monkeypatch, variable):
    monkeypatch.setenv(variable, "8")
    with pytest.raises(CommunicationError, match=r"call communication.init\(\)"):
        communication.get_rank()
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(CommunicationError, match=rf"{variable}=8.*graphcore\[distributed\]"):
        communication.init()


def test_settings_of_one_device_are_kept():
    set_auto_parallel_context(parallel_mode=ParallelMode.DATA_PARALLEL, gradients_mean=True, device_num=1,
                              global_rank=0)
    assert get_auto_parallel_context("parallel_mode") == "data_parallel" and get_auto_parallel_context("gradients_mean")
    assert _utils._is_in_data_parallel_mode() and _utils._get_device_num() == 1 and _utils._get_gradients_mean()
    gc.reset_auto_parallel_context()
    assert gc.get_auto_parallel_context("parallel_mode") == "stand_alone"
    assert gc.get_auto_parallel_context("gradients_mean") is False
    assert (_utils._get_global_rank(), _utils._get_pipeline_stages()) == (0, 1)


@pytest.mark.parametrize("options, error, message", [
    ({"parallel_mode": "semi_auto_parallel"}, ParallelismError, "use 'data_parallel'"),
    ({"parallel_mode": "auto_parallel"}, ParallelismError, "several devices"),
    ({"parallel_mode": "hybrid_parallel"}, ParallelismError, "several devices"),
    ({"device_num": 8}, ParallelismError, "device_num=8"),
    ({"global_rank": 1}, ParallelismError, "global_rank=1"),
    ({"pipeline_stages": 2}, ParallelismError, "pipeline_stages=2"),
    ({"parallel_mode": "fast"}, ValueError, "must be one of stand_alone"),
    ({"gradient_mean": True}, ValueError, "did you mean 'gradients_mean'"),
])
def test_what_one_process_is_not_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        set_auto_parallel_context(**options)
    assert get_auto_parallel_context("device_num") == 1
    assert issubclass(ParallelismError, GraphcoreError)
    with pytest.raises(ValueError, match="does not know"):
        get_auto_parallel_context("devices")


def test_the_settings_as_an_object():
    from graphcore.parallel._auto_parallel_context import auto_parallel_context
    settings = auto_parallel_context()
    settings.set_gradients_mean(True)
    assert settings.get_gradients_mean() is True and get_auto_parallel_context("gradients_mean") is True
    assert settings.get_device_num() == 1 and not settings.get_device_num_is_set()
    with pytest.raises(ParallelismError):
        settings.set_device_num(2)
    with pytest.raises(AttributeError, match="does not know 'device_nums'; did you mean 'device_num'"):
        settings.get_device_nums()
    with pytest.raises(AttributeError, match="get_<option>"):
        _ = settings.device_num


def test_the_device_is_the_cpu():
    gc.set_device("CPU", 0)
    assert gc.get_context("device_target") == "CPU"
    with pytest.raises(ValueError, match="one of CPU, GPU, Ascend"):
        gc.set_device("TPU")
    with pytest.raises(TypeError, match="device_id"):
        gc.set_device("CPU", "0")


def test_defaults_are_not_shared():
    get_auto_parallel_context("all_reduce_fusion_config").append(5)
    reset_auto_parallel_context()
    assert get_auto_parallel_context("all_reduce_fusion_config") == []


@pytest.fixture
def fresh_logger(monkeypatch):
    log._logger.cache_clear()
    logger = logging.getLogger("graphcore")
    monkeypatch.setattr(logger, "handlers", [])
    yield monkeypatch
    log._logger.cache_clear()
    logger.setLevel(logging.NOTSET)


def test_warnings_are_logged_with_the_callers_line(fresh_logger, capsys):
    fresh_logger.delenv("GLOG_v", raising=False)
    log.info("quiet")
    log.warning("%d of %d", 1, 2)
    err = capsys.readouterr().err
    assert "[WARNING] ME(" in err and "test_one_process.py:" in err and err.endswith("] 1 of 2\n")
    assert "quiet" not in err
    assert log.get_level() == "2"


def test_the_level_comes_from_the_environment(fresh_logger, capsys):
    fresh_logger.setenv("GLOG_v", "0")
    log.debug("a")
    log.info("b")
    log.error("c")
    log.critical("d")
    assert [line[-1] for line in capsys.readouterr().err.splitlines()] == list("abcd")
    fresh_logger.setenv("GLOG_v", "loud")
    assert log.get_log_config()["GLOG_v"] == "2"


def test_decorators_that_change_nothing():
    from graphcore.common.api import JitConfig, jit_class, lazy_inline, ms_function, mutable, no_inline

    @jit_class
    class Plain:
        pass

    @lazy_inline
    def f(x):
        return x

    @no_inline()
    def g(x):
        return x

    assert Plain() and f(1) == g(1) == 1 and ms_function is gc.jit and mutable((1, 2)) == (1, 2)
    assert JitConfig(jit_level="O1", own=3).jit_config_dict["own"] == 3
    with pytest.raises(ValueError, match="jit_level"):
        JitConfig("O9")
    with pytest.raises(TypeError, match="decorates a class"):
        jit_class(f)
    with pytest.raises(ValueError, match="length"):
        mutable([1], dynamic_len=True)
