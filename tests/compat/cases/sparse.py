"""Sparse tensors: a line for each function and method."""
from tests.compat.table import case, documented

CSR = "ms.CSRTensor(Tensor([0, 1, 2], ms.int32), Tensor([3, 0], ms.int32), wave(2), (2, 4))"
COO = "ms.COOTensor(Tensor([[0, 1], [1, 2]], ms.int64), wave(2), (3, 4))"
FUNCTIONS = """abs acos asin asinh atan atanh ceil cos cosh exp expm1 floor inv isfinite isinf isnan neg relu relu6 round
    sigmoid sin sinh softsign square tan tanh""".split()
for name in FUNCTIONS:
    case(f"ops.csr_{name}({CSR}).values")
    case(f"ops.coo_{name}({COO}).values")
for name in ("acosh", "log", "log1p", "sqrt"):
    case(f"ops.csr_{name}({CSR}.abs()).values")
    case(f"ops.coo_{name}({COO}.abs()).values")
for member in ("indptr", "indices", "values", "shape", "dtype", "size", "itemsize", "ndim", "to_tuple()", "to_dense()",
               "abs().values", "astype(ms.float64).dtype"):
    case(f"{CSR}.{member}")
for member in ("indices", "values", "shape", "dtype", "size", "itemsize", "ndim", "to_tuple()", "to_dense()", "abs().values",
               "astype(ms.float64).dtype"):
    case(f"{COO}.{member}")
case(f"{COO}.coalesce().to_tuple()")
case(f"{CSR}.add({CSR}, Tensor(1.0), Tensor(2.0)).to_tuple()")
case(f"{COO}.add({COO}, Tensor(0.0)).to_tuple()")
case(f"ops.csr_add({CSR}, {CSR}, Tensor(1.0), Tensor(2.0)).to_tuple()")
case(f"ops.coo_add({COO}, {COO}, Tensor(0.0)).to_tuple()")
case(f"ops.coo_concat(({COO}, {COO}), 1).to_tuple()")
case(f"ops.csr_softmax({CSR}, ms.float32).values")
case(f"ops.csr_to_dense({CSR})")
case("ops.dense_to_sparse_coo(f).to_tuple()")
case("ops.dense_to_sparse_csr(f).to_tuple()")
# MindSpore's results have the right shapes only once they were printed
documented("ops.coalesce(Tensor([[0, 0, 1], [1, 1, 2]], ms.int64), wave(3), Tensor([3, 3], ms.int64))",
           "w = wave(3); (Tensor([[0, 1], [1, 2]], ms.int64), ops.stack((w[0] + w[1], w[2])), Tensor([3, 3], ms.int64))")

# MindSpore compiles these by a compiler that its packages for CPUs do not bring.
DENSE = "ops.scatter_nd(Tensor([[0, 3], [1, 0]], ms.int32), wave(2), (2, 4))"
documented(f"{CSR}.mv(wave(4, 1))", f"ops.matmul({DENSE}, wave(4, 1))")
documented(f"{CSR}.mm(wave(4, 3))", f"ops.matmul({DENSE}, wave(4, 3))")
documented(f"{CSR}.sum(1)", f"{DENSE}.sum(1, keepdims=True)")
documented(f"ops.csr_mv({CSR}, wave(4, 1))", f"ops.matmul({DENSE}, wave(4, 1))")
documented(f"ops.csr_mm({CSR}, wave(4, 3))", f"ops.matmul({DENSE}, wave(4, 3))")
documented(f"ops.csr_reduce_sum({CSR}, 1)", f"{DENSE}.sum(1, keepdims=True)")
documented(f"ops.csr_mul({CSR}, positive(2, 4)).to_dense()", f"{DENSE} * positive(2, 4)")
documented(f"ops.csr_div({CSR}, positive(2, 4)).to_dense()", f"{DENSE} / positive(2, 4)")
documented(f"{CSR}.to_coo().to_dense()", DENSE)
documented(f"ops.csr_to_coo({CSR}).to_dense()", DENSE)
documented(f"{COO}.to_csr().to_dense()", f"{COO}.to_dense()")
