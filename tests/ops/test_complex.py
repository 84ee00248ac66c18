"""Complex tensors and Fourier transforms, which exist outside of graphs."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.errors import CaptureError

RANDOM = np.random.RandomState(0)
X = RANDOM.randn(4, 6).astype(np.float32)
Z = (RANDOM.randn(4, 6) + 1j * RANDOM.randn(4, 6)).astype(np.complex64)


def test_dtypes():
    assert Tensor(1 + 2j).dtype is gc.complex128 and Tensor(Z).dtype is gc.complex64
    z = Tensor(Z)
    assert (z + 1).dtype is (z * 2.5).dtype is (z + Tensor(X)).dtype is gc.complex64
    assert (z + Tensor(X.astype(np.float64))).dtype is gc.complex128 and (Tensor(X) * 1j).dtype is gc.complex64
    assert z.is_complex() and not Tensor(X).is_complex() and str(z.dtype) == "Complex64"
    assert repr(Tensor([1 + 2j, 3])) == "Tensor(shape=[2], dtype=Complex128, value= [1+2j, 3+0j])"
    assert Tensor([1 + 2j, 3], gc.float32).asnumpy().tolist() == [1, 3]


def test_parts():
    z = Tensor(Z)
    for function, expected in ((ops.real, np.real), (ops.imag, np.imag), (ops.conj, np.conj), (ops.angle, np.angle),
                               (ops.abs, np.abs), (ops.exp, np.exp), (lambda v: v * v, np.square)):
        np.testing.assert_allclose(function(z).asnumpy(), expected(Z), rtol=1e-5, atol=1e-6)
    assert ops.real(z).dtype is ops.abs(z).dtype is ops.angle(z).dtype is gc.float32
    size, turn = Tensor([1.0, 2.0]), Tensor([0.5, 3.0])
    np.testing.assert_allclose(ops.polar(size, turn).asnumpy(), [np.exp(0.5j), 2 * np.exp(3j)], rtol=1e-6)
    np.testing.assert_allclose(ops.view_as_complex(ops.view_as_real(z)).asnumpy(), Z)
    np.testing.assert_allclose(ops.sgn(Tensor(np.array([3 + 4j, 0]))).asnumpy(), [0.6 + 0.8j, 0])
    assert ops.isreal(Tensor(np.array([1, 1j]))).asnumpy().tolist() == [True, False]
    assert ops.real(Tensor(X)) is not None and not ops.imag(Tensor(X)).asnumpy().any()


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
def test_transforms_of_one_axis(name, norm):
    x = Z if name in ("irfft", "hfft") else X
    for n, dim in ((None, -1), (5, 0), (8, 1)):
        found, expected = getattr(ops, name)(Tensor(x), n, dim, norm).asnumpy(), getattr(np.fft, name)(x, n, dim, norm)
        assert found.dtype == (np.float32 if name in ("irfft", "hfft") else np.complex64)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"])
def test_transforms_of_several_axes(name):
    x = Z if name.startswith("irfft") else X
    for s in (None, (4, 8)):
        np.testing.assert_allclose(getattr(ops, name)(Tensor(x), s).asnumpy(), getattr(np.fft, name)(x, s, (-2, -1)),
                                   rtol=1e-4, atol=1e-4)


def test_hermitian_transforms_undo_each_other():
    np.testing.assert_allclose(ops.hfft2(ops.ihfft2(Tensor(X)), X.shape).asnumpy(), X, atol=1e-5)
    np.testing.assert_allclose(ops.hfftn(ops.ihfftn(Tensor(X)), X.shape).asnumpy(), X, atol=1e-5)


def test_frequencies_and_shifts():
    np.testing.assert_allclose(ops.fftfreq(5, 0.5).asnumpy(), np.fft.fftfreq(5, 0.5))
    np.testing.assert_allclose(ops.rfftfreq(5).asnumpy(), np.fft.rfftfreq(5))
    assert ops.fftshift(Tensor(X), (0,)).asnumpy().tolist() == np.fft.fftshift(X, 0).tolist()
    assert ops.ifftshift(ops.fftshift(Tensor(X[:3]))).asnumpy().tolist() == X[:3].tolist()


def test_frames_of_a_signal_there_and_back():
    signal = RANDOM.randn(2, 400).astype(np.float32)
    window = Tensor(np.hanning(65)[:64].astype(np.float32))
    spectrum = ops.stft(Tensor(signal), 64, 16, 64, window, return_complex=True)
    assert spectrum.shape == (2, 33, 26)
    padded = np.pad(signal, ((0, 0), (32, 32)), "reflect")
    third = np.fft.rfft(padded[:, 48:112] * window.asnumpy())
    np.testing.assert_allclose(spectrum.asnumpy()[:, :, 3], third, atol=1e-3)
    back = ops.istft(spectrum, 64, 16, 64, window)
    np.testing.assert_allclose(back.asnumpy(), signal[:, :400], atol=1e-4)


def test_a_graph_says_that_it_has_no_complex_numbers():
    class Net(nn.Cell):
        def construct(self, x):
            return ops.fft(x)

    with pytest.raises(CaptureError, match="outside of graphs only"):
        Net()(Tensor(X))
    with pytest.raises(CaptureError, match="outside of graphs only"):
        gc.jit(lambda z: z)(Tensor(Z))
