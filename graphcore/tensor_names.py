"""The names of Tensor's methods and operators.  `graphcore.ops.tensor_methods` makes each when it is first used."""

# Methods that are functions of `graphcore.ops.functional` with the Tensor as first argument: name → function.
FUNCTIONS = {name: name for name in """
    abs absolute acos acosh addbmm addcdiv addcmul addmm addmv addr adjoint all allclose amax amin aminmax any
    approximate_equal arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmin argsort argwhere asin asinh atan
    atan2 atanh baddbmm bernoulli bincount bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
    bitwise_xor bmm ceil chunk clamp clip copysign cos cosh count_nonzero cross cumprod deg2rad diagflat diagonal
    diff div divide dot eq equal erf erfc exp expand_as expand_dims expm1 flip fliplr flipud float_power floor
    floor_divide fmax fmin fmod frac gather_elements gather_nd ge ger greater greater_equal hardshrink heaviside
    hypot index_fill index_select inner inv is_complex is_floating_point isclose isfinite isinf isnan isneginf
    isposinf ldexp le lerp less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not
    logical_or logical_xor logit logsumexp lt masked_fill masked_select matmul maximum mean median minimum mm
    moveaxis movedim msort mul multinomial multiply mv nan_to_num nanmean nansum narrow ne neg negative nonzero norm
    not_equal outer positive pow rad2deg random_categorical ravel reciprocal remainder repeat_interleave reverse
    roll rot90 round rsqrt searchsorted sgn sigmoid sign signbit sin sinc sinh soft_shrink softmax split sqrt square
    squeeze subtract swapaxes swapdims t tan tanh tensor_split top_k topk tril triu true_divide trunc type_as unbind
    unique unsorted_segment_sum unsqueeze var std view_as xlogy hsplit vsplit dsplit relu log_softmax gelu silu prod
    sort angle cholesky cholesky_inverse cholesky_solve choose conj cov cummax cummin det diagonal_scatter digamma
    erfinv fill_diagonal fold gcd geqrf diag histc igamma igammac imag index_put inplace_update inverse isreal lcm
    lgamma log_matrix_determinant logcumsumexp logdet lstsq lu_solve masked_scatter matrix_determinant matrix_power
    mvlgamma nanmedian nextafter orgqr ormqr pinv qr real renorm select_scatter slice_scatter slogdet svd unfold
    unique_consecutive unsorted_segment_max unsorted_segment_min unsorted_segment_prod xdivy gt i0 quantile nanquantile
    reverse_sequence unique_with_pad index_copy""".split()} | {
    "scatter_mul": "tensor_scatter_mul", "scatter_div": "tensor_scatter_div", "scatter_max": "tensor_scatter_max",
    "scatter_min": "tensor_scatter_min", "invert": "bitwise_not",
    "detach": "stop_gradient", "reshape_as": "view_as", "__neg__": "neg", "__abs__": "abs", "__pos__": "positive",
    "__invert__": "logical_not"}

# Those with arguments that differ from the function's: in `graphcore.ops.own_methods`.
OWN = """
    reshape view transpose permute expand tile repeat flatten astype to type sum argmax argmax_with_value
    argmin_with_value add sub scatter get_bytes resize new_empty triangular_solve to_coo to_csr cumsum gather select
    where take index_add scatter_add scatter_sub trace ptp broadcast_to sum_to_size fill new_zeros new_ones new_full
    copy value dim numel element_size stride itemset register_hook max min clone ndimension nelement contiguous
    init_data flush_from_cache cpu move_to fills set_dtype is_contiguous is_signed is_pinned is_shared storage_offset
    log_normal cauchy""".split()

# In-place methods ``x.name_()``: the result of ``x.name()`` written into x.
IN_PLACE = """
    abs add addcdiv addcmul ceil clamp clip cos div divide exp floor floor_divide log masked_fill mul multiply neg
    pow reciprocal relu remainder round rsqrt sigmoid sign sin sqrt square sub tanh trunc tril triu index_add
    index_fill scatter unsqueeze squeeze addmm erfinv fill_diagonal index_copy index_put masked_scatter
    scatter_add""".split()
# Those that fill a Tensor with random numbers, ``x.uniform_()``.
DRAWN = "uniform normal random exponential bernoulli".split()
WRITING = ["copy_", "fill_", "zero_", "assign_value"]

# Conversions ``x.float()``: name → dtype.
CONVERSIONS = {"float": "float32", "half": "float16", "double": "float64", "bfloat16": "bfloat16", "int": "int32",
               "long": "int64", "short": "int16", "byte": "uint8", "bool": "bool_"}

# Operators: name → function; the first also reflected, ``__radd__``.
BINARY = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_div", "mod": "floor_mod",
    "pow": "pow", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}
COMPARISONS = {"__lt__": "less", "__le__": "less_equal", "__gt__": "greater", "__ge__": "greater_equal"}
WRITTEN_OUT = "__divmod__ __rdivmod__ __eq__ __ne__ __contains__ __round__ __getitem__ __setitem__ T H mT mH".split()

ALL = [*FUNCTIONS, *OWN, *(f"{name}_" for name in IN_PLACE + DRAWN), *WRITING, *CONVERSIONS,
       *(f"__{side}{name}__" for name in BINARY for side in ("", "r")), *COMPARISONS, *WRITTEN_OUT]
