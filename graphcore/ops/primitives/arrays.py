"""Primitives about shapes, places, and new tensors."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.ir.dims import product
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import ints_of
from graphcore.ops.functional.padding import block_to_depth, depth_to_block, pad_axes
from graphcore.ops.functional.random import uniform_of
from graphcore.ops.functional.resizing import resized
from graphcore.ops.primitives.base import plain, primitive
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor

_PLAIN = """Reshape Shape TensorShape=dyn_shape DynamicShape=dyn_shape Size Rank DType=dtype Transpose Tile
    ExpandDims=expand_dims Flatten ZerosLike=zeros_like OnesLike=ones_like Zeros Ones Fill FillV2=full Fills Eye
    LinSpace=linspace Diag DiagPart=diag_part Slice TupleToArray=tuple_to_array ScalarToArray=scalar_to_array
    GatherNd=gather_nd GatherD=gather_d ScatterNd=scatter_nd TensorScatterUpdate=tensor_scatter_update
    TensorScatterAdd=tensor_scatter_add TensorScatterSub=tensor_scatter_sub UnsortedSegmentSum=unsorted_segment_sum
    MaskedSelect=masked_select NonZero=nonzero Unique IndexFill=index_fill InvertPermutation=invert_permutation Trace"""


def dyn_shape(x):
    """The shape as an int64 vector."""
    return Tensor(list(x.shape), dt.int64)


def invert_permutation(x) -> tuple:
    """The permutation that undoes a tuple of ints."""
    inverse = [0] * len(x)
    for place, axis in enumerate(x):
        inverse[axis] = place
    return tuple(inverse)


def diag_part(x):
    """What `Diag` put into a tensor of an even number of axes: the elements whose two halves of places agree."""
    half = x.shape[:x.ndim // 2]
    if x.ndim % 2 or x.shape[x.ndim // 2:] != half:
        raise F.arguments.shape_error(f"DiagPart takes a tensor of shape (s, s), got {x.shape}")
    n = product(half)
    return F.reshape(F.diagonal(F.reshape(x, (n, n))), half)


class _Functions:
    """The functional API, and what only primitives have."""

    diag_part = staticmethod(diag_part)
    dyn_shape = staticmethod(dyn_shape)
    invert_permutation = staticmethod(invert_permutation)

    def __getattr__(self, name):
        return getattr(F, name)


_CLASSES = plain(_PLAIN, _Functions(), __name__)
globals().update(_CLASSES)
GatherElements = globals()["GatherD"]


@primitive
def Concat(tensors, *, axis=0):
    """Tensors one after the other along `axis`."""
    return F.concat(tensors, axis)


@primitive
def Stack(tensors, *, axis=0):
    """Tensors as the slices along a new axis."""
    return F.stack(tensors, axis)


Pack = Stack


@primitive
def Unstack(x, *, axis=0, num=None):
    """The slices along `axis`, as a tuple."""
    return F.unstack(x, axis)


Unpack = Unstack


@primitive
def Split(input_x, *, axis=0, output_num=1):
    """`output_num` equal parts along `axis`.  Raises ShapeError if the size does not divide."""
    extent = input_x.shape[axis]
    if output_num < 1:
        raise F.arguments.shape_error(f"Split: output_num is at least 1, got {output_num}")
    if extent == 0:
        return F.split(input_x, [0] * output_num, axis)
    if (extent // output_num) * output_num != extent:
        raise F.arguments.shape_error(f"Split: axis {axis} of size {extent} cannot be divided into {output_num} parts")
    return F.split(input_x, extent // output_num, axis)


@primitive
def SplitV(x, *, size_splits, split_dim, num_split=None):
    """Parts of the sizes `size_splits` along `split_dim`; one of them may be -1."""
    known = sum(s for s in size_splits if s != -1)
    sizes = [x.shape[split_dim] - known if s == -1 else s for s in size_splits]
    return F.split(x, sizes, split_dim)


@primitive
def SplitWithSize(x, split_sections, axis=0):
    """Parts of the given sizes along `axis`."""
    return F.split(x, split_sections, axis)


@primitive
def ReverseSequence(x, seq_lengths, *, seq_dim, batch_dim=0):
    """The first seq_lengths[i] elements along `seq_dim` of each slice i along `batch_dim` in reverse order."""
    return F.reverse_sequence(x, seq_lengths, seq_dim, batch_dim)


@primitive
def Randperm(n, *, max_length=1, pad=-1, dtype=dt.int32):
    """The numbers 0 to n - 1 in random order, filled up with `pad` to `max_length`."""
    numbers = F.randperm(n, dtype=dtype)
    rest = max_length - numbers.shape[0]
    return F.pad(numbers, (0, rest), value=pad) if rest > 0 else numbers


@primitive
def Squeeze(input, *, axis=()):
    """Without the axes of size 1, or those of them that `axis` names."""
    return F.squeeze(input, None if axis == () else axis)


@primitive
def BroadcastTo(input, *, shape):
    """Broadcast to `shape`; -1 keeps a size."""
    return F.broadcast_to(input, shape)


@primitive
def StridedSlice(input_x, begin, end, strides, *, begin_mask=0, end_mask=0, ellipsis_mask=0, new_axis_mask=0,
                 shrink_axis_mask=0):
    """x[begin:end:strides], with bit masks for what is left open."""
    return F.strided_slice(input_x, begin, end, strides, begin_mask, end_mask, ellipsis_mask, new_axis_mask,
                           shrink_axis_mask)


@primitive
def ReverseV2(input, *, axis):
    """The elements in reverse order along `axis`."""
    return F.flip(input, axis)


@primitive
def Roll(input, *, shifts, dims=None):
    """Elements moved along axes, those that leave come back at the other end."""
    return F.roll(input, shifts, dims)


@primitive
def OneHot(indices, depth, on_value, off_value, *, axis=-1):
    """`on_value` at the index along a new axis, `off_value` elsewhere."""
    return F.one_hot(indices, depth, on_value, off_value, axis)


@primitive
def Range(start, end, step, *, maxlen=1000000):
    """start, start + step, ... below `end`."""
    return F.arange(start, end, step)


@primitive
def Meshgrid(inputs, *, indexing="xy"):
    """Grids of coordinates from a tuple of vectors."""
    return F.meshgrid(*inputs, indexing=indexing)


@primitive
def Tril(input, *, diagonal=0):
    """The lower triangle."""
    return F.tril(input, diagonal)


@primitive
def Triu(input, *, diagonal=0):
    """The upper triangle."""
    return F.triu(input, diagonal)


@primitive
def Pad(x, *, paddings):
    """Zeros around each axis: paddings[i] = (before, after)."""
    return pad_axes(x, [p[0] for p in paddings], [p[1] for p in paddings])


@primitive
def PadV3(x, paddings, constant_value=None, *, mode="constant", paddings_contiguous=True):
    """Padding from the last axis on, (left, right, top, bottom, ...), see `ops.pad`.

    Without `paddings_contiguous` those before come first, (left, top, ..., right, bottom, ...).
    """
    if not paddings_contiguous:
        amounts = ints_of(paddings, "PadV3: paddings")
        paddings = [n for pair in zip(amounts[:len(amounts) // 2], amounts[len(amounts) // 2:]) for n in pair]
    return F.pad(x, paddings, "replicate" if mode == "edge" else mode, constant_value)


@primitive
def MirrorPad(x, paddings, *, mode="REFLECT"):
    """Each axis continued by its mirror image, "REFLECT" without and "SYMMETRIC" with the edge."""
    amounts = paddings.tolist() if isinstance(paddings, Tensor) else paddings
    return pad_axes(x, [a for a, _ in amounts], [b for _, b in amounts], mode.lower())


@primitive
def Gather(input_params, input_indices, axis, *, batch_dims=0):
    """The slices along `axis` that the indices name."""
    return F.gather(input_params, input_indices, axis, batch_dims)


GatherV2 = Gather


@primitive
def TensorScatterElements(data, indices, updates, *, axis=0, reduction="none"):
    """`data` with elements at `indices` along `axis` replaced or added."""
    return F.scatter_elements(data, axis, indices, updates, reduction)


@primitive
def IndexAdd(x, indices, y, *, axis, use_lock=True, check_index_bound=True):
    """The Parameter `x` with slices of `y` added along `axis`."""
    added = F.index_add(x, indices, y, axis)
    return F.scattering.written(x, added) if isinstance(x, Parameter) else added


@primitive
def TopK(input_x, k, *, sorted=True):
    """(the k largest values along the last axis, their int32 indices)."""
    return F.topk(input_x, k)


@primitive
def Sort(x, *, axis=-1, descending=False):
    """(values in order along `axis`, their int32 indices)."""
    return F.sort(x, axis, descending)


# -- images -----------------------------------------------------------------------------------------------

@primitive
def DepthToSpace(x, *, block_size):
    """[N, r * r * C, H, W] as [N, C, H * r, W * r]."""
    return depth_to_block(x, block_size)


@primitive
def SpaceToDepth(x, *, block_size):
    """[N, C, H * r, W * r] as [N, r * r * C, H, W]."""
    return block_to_depth(x, block_size)


@primitive
def ResizeNearestNeighbor(input_x, *, size, align_corners=False, half_pixel_centers=False):
    """Images [N, C, H, W] in another size, by the nearest element."""
    mode = "nearest-exact" if half_pixel_centers else "nearest"
    return resized(resized(input_x, 2, size[0], mode, align_corners), 3, size[1], mode, align_corners)


@primitive
def ResizeNearestNeighborV2(image, size, *, align_corners=False, half_pixel_centers=False):
    """Images [N, C, H, W] in another size, by the nearest element."""
    return ResizeNearestNeighbor(size, align_corners, half_pixel_centers)(image)


@primitive
def ResizeBilinearV2(image, size, *, align_corners=False, half_pixel_centers=False):
    """Images [N, C, H, W] in another size, by linear interpolation."""
    mode = "linear" if half_pixel_centers or align_corners else "linear-from-corner"
    return resized(resized(image, 2, size[0], mode, align_corners), 3, size[1], mode, align_corners)


@primitive
def ResizeBilinear(image, *, size, align_corners=False, half_pixel_centers=False):
    """Images [N, C, H, W] in another size, by linear interpolation."""
    return ResizeBilinearV2(align_corners, half_pixel_centers)(image, size)


# -- random -----------------------------------------------------------------------------------------------

def _seed_of(seed, seed2):
    return (seed * 0x9E3779B1 + seed2) % (1 << 62) if seed or seed2 else None


@primitive
def StandardNormal(shape, *, seed=0, seed2=0):
    """Standard normal numbers."""
    return F.standard_normal(shape, _seed_of(seed, seed2))


@primitive
def UniformReal(shape, *, seed=0, seed2=0):
    """Uniform numbers in [0, 1)."""
    return uniform_of(F.arguments.sizes_of(shape, "UniformReal"), _seed_of(seed, seed2))


@primitive
def UniformInt(shape, minval, maxval, *, seed=0, seed2=0):
    """Whole numbers from minval to maxval - 1, as int32."""
    return F.randint(minval, maxval, shape, _seed_of(seed, seed2), dtype=dt.int32)


@primitive
def Multinomial(x, num_samples, *, seed=0, seed2=0, dtype=dt.int32):
    """Indices drawn with replacement, with the probabilities of each row."""
    return F.cast(F.multinomial(x, num_samples, True, _seed_of(seed, seed2)), dtype)


@primitive
def RandomShuffle(x, *, seed=0, seed2=0):
    """The slices along the first axis in random order."""
    return F.shuffle(x, _seed_of(seed, seed2))


__all__ = ["GatherElements", "Pack", "Unpack", "GatherV2", *_CLASSES,
           *(n for n, v in list(globals().items()) if isinstance(v, type) and v.__module__ == __name__
             and not n.startswith("_"))]
