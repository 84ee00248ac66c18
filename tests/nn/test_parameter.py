"""Parameter and ParameterTuple: what they are made of, how they print, and where their memory is."""
import copy
import pickle

import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.capture import epoch
from graphcore.capture.trace import Trace
from graphcore.errors import CaptureError, DTypeError, NameClashError, ShapeError
from graphcore.initializer import Normal, initializer
from graphcore.lazy import MetaTensor
from graphcore.ops.state import assign
from graphcore.parameter import Parameter, ParameterTuple
from graphcore.tensor import Tensor


def moved(counter, action) -> bool:
    before = counter[0]
    action()
    return counter[0] != before


# -- construction and printing -------------------------------------------------------------------------
def test_prints_facts_never_values():
    p = Parameter(Tensor(np.ones((1, 2), np.float32)))
    assert str(p) == repr(p) == "Parameter (name=Parameter, shape=(1, 2), dtype=Float32, requires_grad=True)"
    assert str(p.value()) == "[[1. 1.]]"
    assert repr(p.value()) == "Tensor(shape=[1, 2], dtype=Float32, value=\n[[ 1.00000000e+00,  1.00000000e+00]])"
    assert f"{p}" == str(p)


@pytest.mark.parametrize("data, dtype, shape", [
    (np.ones(2, np.float32), dt.float32, (2,)), (np.ones(3), dt.float64, (3,)),
    (3, dt.int32, ()), (2.5, dt.float32, ()),
    ([1, 2], dt.int64, (2,)), (Tensor([1, 2], dt.int32), dt.int32, (2,)), (np.float32(1), dt.float32, ()),
    (Tensor([1.5], dt.bfloat16), dt.bfloat16, (1,)), (initializer("ones", [2, 3], dt.float16), dt.float16, (2, 3)),
])
def test_data_kinds(data, dtype, shape):
    p = Parameter(data, name="z")
    assert (p.dtype, p.shape, p.name, p.requires_grad) == (dtype, shape, "z", True)
    assert isinstance(p, Tensor)


@pytest.mark.parametrize("data, error", [(True, ValueError), ("a", TypeError), (None, TypeError), ((1, 2), TypeError)])
def test_refused_data(data, error):
    with pytest.raises(error):
        Parameter(data)


def test_data_is_copied():
    array, tensor = np.ones(2, np.float32), Tensor([1.0, 2.0])
    p, q = Parameter(array), Parameter(tensor)
    array[0] = 5
    tensor.asnumpy()[0] = 5
    assert p.asnumpy().tolist() == [1, 1] and q.asnumpy().tolist() == [1, 2]


@pytest.mark.parametrize("name, error", [(1, ValueError), ("x" * 1025, ValueError)])
def test_refused_names(name, error):
    with pytest.raises(error):
        Parameter(Tensor([1.0]), name=name)


@pytest.mark.parametrize("name", [None, ""])
def test_automatic_name(name):
    p = Parameter(Tensor([1.0]), name=name)
    assert p.name == "Parameter" and not p.has_given_name
    p.name = "a.b with blank"
    assert p.name == "a.b with blank" and p.has_given_name
    p.name = None
    assert p.name == "Parameter" and not p.has_given_name


def test_flags():
    p = Parameter(Tensor([1.0]), name="p", requires_grad=False, layerwise_parallel=True, parallel_optimizer=False)
    assert (p.requires_grad, p.layerwise_parallel, p.parallel_optimizer) == (False, True, False)
    assert (p.sliced, p.is_init, p.unique, p.key, p.cache_enable, p.comm_fusion) == (False, False, False, -1, False, 1)
    p.set_param_ps(init_in_server=True)
    assert p.param_info.is_param_ps and p.param_info.init_in_server and p.param_info.name == "p"
    for flag in ("requires_grad", "layerwise_parallel", "parallel_optimizer"):
        with pytest.raises(TypeError, match=flag):
            Parameter(Tensor([1.0]), **{flag: 1})
    with pytest.raises(TypeError):
        p.requires_grad = 1


# -- lazy values ---------------------------------------------------------------------------------------
def test_lazy_until_first_use():
    p = Parameter(initializer("ones", [1, 2, 3], dt.float32))
    assert p.has_init and isinstance(p.init_mode, MetaTensor) and p.inited_param is None
    assert (p.shape, p.dtype, p.ndim, p.size, p.nbytes) == ((1, 2, 3), dt.float32, 3, 6, 24)
    str(p), p.type_, copy.deepcopy(p), p.clone()
    assert p.has_init, "looking at shape, dtype and name takes no memory"
    assert moved(epoch.structure, lambda: p.asnumpy())
    assert not p.has_init and p.init_mode is None and p.inited_param is p
    assert (p.asnumpy() == 1).all()


def test_init_data_returns_the_parameter_itself():
    p = Parameter(initializer(Normal(), [2, 2]))
    assert p.init_data() is p and not p.has_init
    values = p.asnumpy().copy()
    assert p.init_data() is p and p.materialized() is p and (p.asnumpy() == values).all()
    assert Parameter(Tensor([1.0])).inited_param is None


def test_setting_an_initializer_into_a_lazy_parameter_stays_lazy():
    p = Parameter(initializer("normal", [4]))
    p.set_data(initializer("ones", [4]))
    assert p.has_init and p.asnumpy().tolist() == [1, 1, 1, 1]
    p.set_data(initializer("zeros", [4]))
    assert p.asnumpy().tolist() == [0, 0, 0, 0]


def test_set_data_before_first_use_replaces_the_recipe():
    p = Parameter(initializer("normal", [2]))
    p.set_data(Tensor([1.0, 2.0]))
    assert not p.has_init and p.asnumpy().tolist() == [1, 2]


# -- writing -------------------------------------------------------------------------------------------
def test_writes_keep_the_memory():
    p = Parameter(Tensor([1.0, 2.0]), name="p")
    view = p.asnumpy()
    for write, expected in ((lambda: p.set_data(Tensor([3.0, 4.0])), [3, 4]),
                            (lambda: p.assign_value(Tensor([5.0, 6.0])), [5, 6]),
                            (lambda: setattr(p, "data", Tensor([7, 8], dt.int32)), [7, 8]),
                            (lambda: p.copy_(Tensor(9.0)), [9, 9]),
                            (lambda: assign(p, Tensor([1.0, 0.0])), [1, 0])):
        structure = epoch.structure[0]
        assert moved(epoch.data, write)
        assert view.tolist() == expected and epoch.structure[0] == structure
    assert p.set_data(Tensor([1.0, 2.0])) is p


def test_set_data_checks_shape_and_dtype():
    p = Parameter(Tensor([1.0, 2.0]), name="p")
    with pytest.raises(ShapeError, match=r"p has shape \(2,\).*\(3,\).*slice_shape"):
        p.set_data(Tensor([1.0, 2.0, 3.0]))
    with pytest.raises(ShapeError):
        p.set_data(1.0)
    with pytest.raises(DTypeError, match="float64"):
        p.set_data(Tensor(np.ones(2)))
    with pytest.raises(DTypeError):
        Parameter(Tensor([1], dt.int32)).set_data(Tensor([1.0]))
    for wrong in (np.ones(2, np.float32), True, [1.0, 2.0]):
        with pytest.raises(TypeError):
            p.set_data(wrong)
    assert p.asnumpy().tolist() == [1, 2], "nothing was written"


@pytest.mark.parametrize("source", [dt.float16, dt.bfloat16, dt.int32, dt.int64, dt.bool_])
def test_set_data_converts_what_fits(source):
    p = Parameter(Tensor([5.0, 5.0]))
    p.set_data(Tensor([1, 0], source))
    assert p.dtype is dt.float32 and p.asnumpy().tolist() == [1, 0]


def test_scalars_are_set_into_0d_parameters():
    p, q = Parameter(3.0), Parameter(3)
    p.set_data(2)
    q.set_data(5)
    assert float(p) == 2 and int(q) == 5 and p.dtype is dt.float32


def test_slice_shape_replaces_the_memory():
    p = Parameter(Tensor([1.0, 2.0]))
    view = p.asnumpy()
    assert moved(epoch.structure, lambda: p.set_data(Tensor([1.0, 2.0, 3.0]), slice_shape=True))
    assert p.shape == (3,) and not p._escaped
    p.set_data(Tensor([9.0, 9.0, 9.0]))
    assert view.tolist() == [1, 2], "a view of the old memory shows nothing any more"


def test_asnumpy_is_a_writable_view_and_notes_the_escape():
    p = Parameter(Tensor([1.0, 2.0]))
    str(p), p.value().asnumpy(), float(Parameter(1.0)), p.tolist()
    assert not p._escaped
    assert moved(epoch.structure, p.asnumpy) and p._escaped
    assert not moved(epoch.structure, p.asnumpy)
    assert not Parameter(Tensor([1.0])).peek().flags.writeable
    p.asnumpy()[0] = 7
    assert p.value().tolist() == [7, 2]


def test_data_shares_memory_and_value_does_not():
    p = Parameter(Tensor([1.0, 2.0]))
    value, data = p.value(), p.data
    p.set_data(Tensor([3.0, 4.0]))
    assert value.asnumpy().tolist() == [1, 2] and str(data) == "[3. 4.]" and not p._escaped
    data.asnumpy()[0] = 9
    assert p._escaped and p.value().tolist() == [9, 4]


def test_names_and_requires_grad_are_structure():
    p = Parameter(Tensor([1.0]))
    assert moved(epoch.structure, lambda: setattr(p, "name", "q"))
    assert moved(epoch.structure, lambda: setattr(p, "requires_grad", False))


def test_inside_a_capture():
    p = Parameter(Tensor([1.0, 2.0]), name="p")
    trace = Trace("t")
    with trace.active():
        assert p.value().node.op == "param" and p.data.shape == (2,)
        assign(p, p.value())
        for python in (p.asnumpy, p.peek):
            with pytest.raises(CaptureError):
                python()
    assert not p._escaped


# -- copies --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("init, expected", [("same", [1, 2]), ("zeros", [0, 0]), ("ones", [1, 1]), (0.5, [0.5, 0.5]),
                                            (Tensor([3.0, 4.0]), [3, 4])])
def test_clone(init, expected):
    p = Parameter(Tensor([1.0, 2.0]), name="q", requires_grad=False, layerwise_parallel=True)
    c = p.clone(init)
    assert str(c) == str(p) and c.layerwise_parallel and c.value().tolist() == expected
    c.set_data(Tensor([8.0, 8.0]))
    assert p.value().tolist() == [1, 2]


def test_clone_of_a_scalar_and_copy():
    assert Parameter(2.0, name="s").clone("zeros").value().tolist() == 0
    p = Parameter(Tensor([1.0]), name="p")
    for c in (p.copy(), copy.copy(p), copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert type(c) is Parameter and str(c) == str(p) and c is not p and c.value().tolist() == [1]


def test_clones_of_a_lazy_parameter_have_its_values():
    p = Parameter(initializer("normal", [3]))
    c = copy.deepcopy(p)
    assert c.has_init and (c.asnumpy() == p.asnumpy()).all()


# -- ParameterTuple ------------------------------------------------------------------------------------
def test_parameter_tuple_prints_and_clones():
    x = Parameter(Tensor(np.arange(6.0).reshape(2, 3).astype(np.float32)), name="x")
    y = Parameter(initializer("ones", [1, 2, 3], dt.float32), name="y")
    z = Parameter(2.0, name="z")
    params = ParameterTuple(p for p in (x, y, z))
    assert isinstance(params, tuple) and len(params) == 3
    assert str(params) == ("(Parameter (name=x, shape=(2, 3), dtype=Float32, requires_grad=True), "
                           "Parameter (name=y, shape=(1, 2, 3), dtype=Float32, requires_grad=True), "
                           "Parameter (name=z, shape=(), dtype=Float32, requires_grad=True))")
    clones = params.clone("params_copy", init="zeros")
    assert isinstance(clones, ParameterTuple) and [p.name for p in clones] == [f"params_copy.{n}" for n in "xyz"]
    assert float(np.sum(clones[0].asnumpy())) == 0 and x.name == "x"


def test_parameter_tuple_refuses_duplicates_and_strangers():
    a, b = Parameter(Tensor([1.0]), name="w"), Parameter(Tensor(1.0), name="w")
    with pytest.raises(NameClashError, match="'w'.*unique name"):
        ParameterTuple([a, b])
    with pytest.raises(NameClashError, match="twice"):
        ParameterTuple([a, a])
    for wrong in ([a, 3], a, 3):
        with pytest.raises(TypeError):
            ParameterTuple(wrong)
    with pytest.raises(ValueError):
        ParameterTuple([a]).clone(3)


def test_clones_of_unnamed_parameters_are_numbered():
    clones = ParameterTuple([Parameter(1.0), Parameter(2.0)]).clone("m")
    assert [p.name for p in clones] == ["m.Parameter", "m.Parameter_1"]
