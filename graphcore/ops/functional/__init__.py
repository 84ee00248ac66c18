"""The functional API: MindSpore's functions, by family.

Functions prepare their arguments (promotion of dtypes, axes, defaults) and apply operators; what can be composed of
operators is, and the compiler fuses it.
"""
from __future__ import annotations

import importlib

from graphcore.namespace import namespace

# MindSpore's modules of functions, for ``ops.function.math_func.name``; of the names in *_ext, mint has the functions.
_MODULES = frozenset("""array_func clip_func debug_func image_func linalg_func math_func nn_func other_func
    parameter_func random_func sparse_func""".split())
_OF_FUNCTIONS = frozenset("derivative jacfwd jacrev jet jvp linearize vjp vmap".split())


def _otherwise(name: str):
    if name in _MODULES:
        return importlib.import_module("graphcore.ops.functional")
    if name in _OF_FUNCTIONS:
        return getattr(importlib.import_module("graphcore.capture.transforms"), name)
    if name.endswith("_ext"):
        for home in ("graphcore.mint", "graphcore.mint.nn.functional"):
            module = importlib.import_module(home)
            if hasattr(module, name[:-4]):
                return getattr(module, name[:-4])
    raise AttributeError(f"module 'graphcore.ops.functional' has no attribute {name!r}")


# Which family defines which function: each lists them in its __all__, too.
__getattr__, __dir__, __all__ = namespace("graphcore.ops.functional", {
    "activation": """
        sigmoid relu relu6 leaky_relu prelu elu selu celu gelu fast_gelu silu mish softplus logsigmoid softsign
        hardtanh hardsigmoid hardswish hardshrink softshrink soft_shrink tanhshrink threshold glu swiglu softmax
        log_softmax softmin gumbel_softmax""",
    "arithmetic": """
        add tensor_add mul multiply tensor_mul maximum minimum floor_mod floormod remainder tensor_mod sub
        tensor_sub floor_div floor_divide tensor_floordiv floordiv subtract div divide true_divide tensor_div
        truncate_div fmod truncate_mod pow pows tensor_pow float_power atan2 arctan2 fmax fmin lerp addcmul addcdiv
        addn accumulate_n clamp clip clip_by_value nan_to_num""",
    "arranging": """
        clone empty empty_like dyn_shape is_nonzero eps block_diag cartesian_prod combinations diagonal_scatter
        select_scatter slice_scatter matrix_diag matrix_diag_part matrix_set_diag space_to_batch_nd
        batch_to_space_nd sequence_mask vander renorm mirror_pad inplace_add inplace_sub inplace_update
        fill_diagonal index_put masked_scatter choose""",
    "attention": "scaled_dot_product_attention",
    "boxes": "iou bounding_box_encode bounding_box_decode check_valid",
    "comparison": """
        equal eq tensor_eq not_equal ne less lt tensor_lt less_equal le tensor_le greater gt tensor_gt greater_equal
        ge tensor_ge logical_and logical_or logical_xor logical_not isnan isfinite isinf isposinf isneginf isclose
        allclose approximate_equal is_tensor is_floating_point is_complex where select masked_fill""",
    "complex_numbers": "complex real imag conj angle polar view_as_real view_as_complex isreal",
    "convolution": "conv2d conv1d conv3d conv_transpose2d conv_transpose1d bias_add",
    "creation": """
        zeros ones full fill fills zeros_like ones_like full_like deepcopy arange range make_range linspace logspace
        eye tril triu tril_indices triu_indices meshgrid one_hot diag diagflat diag_embed scalar_to_tensor
        scalar_to_array tuple_to_array""",
    "cropping": "crop_and_resize",
    "ctc": "ctc_loss ctc_greedy_decoder",
    "deformable": "deformable_conv2d",
    "flash_attention": "flash_attention_score rotary_position_embedding",
    "decompositions": """
        inverse matrix_inverse pinv det logdet slogdet log_matrix_determinant matrix_determinant cholesky
        cholesky_inverse cholesky_solve qr svd eigh eigvalsh lu_solve lu_unpack lstsq matrix_solve eigvals
        matrix_triangular_solve triangular_solve matrix_power eig geqrf orgqr ormqr cond matrix_exp""",
    "drawn": """
        standard_laplace multinomial_with_replacement choice_with_mask rrelu random_gamma random_poisson""",
    "elementary": """
        neg negative square sign sgn reciprocal inv sqrt rsqrt exp tensor_exp expm1 tensor_expm1 log log1p log2
        log10 sin cos tan asin arcsin acos arccos atan arctan sinh cosh tanh asinh arcsinh acosh arccosh atanh
        arctanh erf erfc exp2 abs absolute positive erfinv sinc deg2rad rad2deg logit floor ceil trunc round rint
        frac hypot logaddexp logaddexp2 xlogy copysign ldexp bitwise_and bitwise_or bitwise_xor bitwise_left_shift
        bitwise_right_shift bitwise_not invert signbit heaviside scalar_cast identity""",
    "fractional": "fractional_max_pool2d fractional_max_pool3d",
    "fourier": """
        fft fft2 fftn ifft ifft2 ifftn rfft rfft2 rfftn irfft irfft2 irfftn hfft hfft2 hfftn ihfft ihfft2 ihfftn
        fftshift ifftshift fftfreq rfftfreq stft istft""",
    "indexing": """
        gather embedding index_select gather_elements gather_d gather_nd take searchsorted bucketize scatter_nd
        tensor_scatter_update tensor_scatter_add tensor_scatter_sub scatter_nd_update scatter_elements scatter
        tensor_scatter_elements index_add index_fill unsorted_segment_sum isin slice tensor_slice strided_slice""",
    "joining": """
        concat cat stack hstack vstack row_stack dstack column_stack split chunk tensor_split hsplit vsplit dsplit
        unstack unbind narrow""",
    "linalg": """
        matmul mm bmm mv dense dot inner vecdot outer ger tensor_dot batch_dot addmm addmv addr baddbmm addbmm
        diagonal trace cross kron cdist""",
    "loss": """
        cross_entropy nll_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div mse_loss l1_loss
        smooth_l1_loss huber_loss cosine_similarity cosine_embedding_loss margin_ranking_loss hinge_embedding_loss
        soft_margin_loss multilabel_soft_margin_loss multi_margin_loss multilabel_margin_loss triplet_margin_loss
        gaussian_nll_loss""",
    "measures": "dist pdist cov nanmedian logcumsumexp histc float_power_ext bidense",
    "normalization": """
        batch_norm instance_norm layer_norm group_norm rms_norm lrn dropout dropout1d dropout2d dropout3d""",
    "ordering": """
        sort argsort msort topk top_k intopk median cumsum cumprod diff trapz reverse_sequence cummax cummin""",
    "padding": "pad roll unfold fold col2im pixel_shuffle pixel_unshuffle channel_shuffle",
    "pooling": """
        max_pool2d avg_pool2d max_pool1d avg_pool1d lp_pool1d lp_pool2d adaptive_avg_pool2d adaptive_avg_pool1d
        adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool1d adaptive_max_pool3d""",
    "program": """
        assign assign_add assign_sub stop_gradient depend partial print_ typeof is_ is_not in_ not_in tuple_len
        tuple_getitem grad value_and_grad get_grad mixed_precision_cast control_depend""",
    "quantiles": "quantile nanquantile matrix_band_part",
    "random": """
        rand randn rand_like randn_like uniform standard_normal normal laplace gamma randint randint_like randperm
        shuffle bernoulli multinomial random_categorical""",
    "reduction": """
        sum mean prod max amax min amin aminmax argmax argmin all any var std var_mean std_mean logsumexp norm
        vector_norm matrix_norm nansum nanmean count_nonzero reduce_sum reduce_mean reduce_max reduce_min
        clip_by_norm clip_by_global_norm""",
    "resizing": "interpolate upsample",
    "sampling": "grid_sample affine_grid",
    "scattering": """
        scatter_update scatter_add scatter_sub scatter_mul scatter_div scatter_max scatter_min scatter_nd_add
        scatter_nd_sub scatter_nd_mul scatter_nd_div scatter_nd_max scatter_nd_min tensor_scatter_mul
        tensor_scatter_div tensor_scatter_max tensor_scatter_min inplace_index_add index_copy""",
    "segments": "unique_consecutive unsorted_segment_max unsorted_segment_min unsorted_segment_prod",
    "selecting": "masked_select nonzero argwhere unique unique_with_pad bincount",
    "shaping": """
        shape size numel rank dtype type_as reshape view_as flatten ravel expand_dims unsqueeze squeeze atleast_1d
        atleast_2d atleast_3d transpose permute swapaxes swapdims moveaxis movedim t adjoint flip reverse fliplr
        flipud rot90 broadcast_to expand expand_as broadcast_tensors tile repeat_elements repeat_interleave
        cast=cast_to""",
    "sparse": """
        csr_abs csr_acos csr_acosh csr_asin csr_asinh csr_atan csr_atanh csr_ceil csr_cos csr_cosh csr_exp csr_expm1
        csr_floor csr_inv csr_log csr_log1p csr_neg csr_round csr_sin csr_sinh csr_sqrt csr_square csr_tan csr_tanh
        csr_relu csr_relu6 csr_sigmoid csr_softsign csr_isfinite csr_isinf csr_isnan coo_abs coo_acos coo_acosh
        coo_asin coo_asinh coo_atan coo_atanh coo_ceil coo_cos coo_cosh coo_exp coo_expm1 coo_floor coo_inv coo_log
        coo_log1p coo_neg coo_round coo_sin coo_sinh coo_sqrt coo_square coo_tan coo_tanh coo_relu coo_relu6
        coo_sigmoid coo_softsign coo_isfinite coo_isinf coo_isnan coalesce coo_add coo_concat csr_add csr_div
        csr_gather csr_mm csr_mul csr_mv csr_reduce_sum csr_softmax csr_to_coo csr_to_dense csr2coo coo2csr
        dense_to_sparse_coo dense_to_sparse_csr make_coo_tensor make_csr_tensor make_sparse_tensor make_row_tensor""",
    "special": """
        gcd lcm nextafter population_count xdivy lgamma gammaln digamma polygamma zeta igamma igammac mvlgamma
        bessel_i0 bessel_i0e bessel_i1 bessel_i1e bessel_j0 bessel_j1 bessel_k0 bessel_k0e bessel_k1 bessel_k1e
        bessel_y0 bessel_y1 i0=bessel_i0 betainc""",
    "summation": "einsum",
    "unpooling": "max_unpool1d max_unpool2d max_unpool3d",
    "volumes": "max_pool3d avg_pool3d",
    "windows": "bartlett_window blackman_window hamming_window hann_window kaiser_window",
}, modules="arguments", otherwise=_otherwise)
