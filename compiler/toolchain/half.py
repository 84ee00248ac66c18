"""float16 conversions for CPUs without instructions for them, from integer operations.

LLVM would call functions of the compiler's support library, which a process may lack.  The definitions here replace
the weak ones that kernels bring along (see codegen/pointers.py).
"""
from __future__ import annotations

from graphcore.compiler.toolchain.cpu import CpuTarget

#: Widening: shift exponent and fraction into place and correct the exponent by a multiplication, which also makes
#: denormals normal; infinity and NaN get the exponent of all ones.
#: Rounding: float16-normal results add just under half of the last kept bit, ties to even; smaller ones let the
#: float32 addition of 0.5 do the rounding to denormals; from 65520 on it is infinity; NaN stays NaN.
SOFTWARE_CONVERSIONS = """
define float @gc.f16.widen(i16 %half) nounwind {
  %bits = zext i16 %half to i32
  %magnitude = and i32 %bits, 32767
  %placed = shl i32 %magnitude, 13
  %small = bitcast i32 %placed to float
  %scaled = fmul float %small, 0x46F0000000000000
  %finite = bitcast float %scaled to i32
  %special = or i32 %placed, 2139095040
  %is_special = icmp uge i32 %magnitude, 31744
  %value = select i1 %is_special, i32 %special, i32 %finite
  %sign = and i32 %bits, 32768
  %placed_sign = shl i32 %sign, 16
  %signed = or i32 %value, %placed_sign
  %result = bitcast i32 %signed to float
  ret float %result
}

define i16 @gc.f16.round(float %value) nounwind {
  %bits = bitcast float %value to i32
  %magnitude = and i32 %bits, 2147483647
  %sign = lshr i32 %bits, 16
  %placed_sign = and i32 %sign, 32768
  %odd = lshr i32 %magnitude, 13
  %last_kept = and i32 %odd, 1
  %rebased = sub i32 %magnitude, 939520001
  %biased = add i32 %rebased, %last_kept
  %normal = lshr i32 %biased, 13
  %absolute = bitcast i32 %magnitude to float
  %shifted = fadd float %absolute, 0.5
  %shifted_bits = bitcast float %shifted to i32
  %denormal = sub i32 %shifted_bits, 1056964608
  %is_denormal = icmp ult i32 %magnitude, 947912704
  %finite = select i1 %is_denormal, i32 %denormal, i32 %normal
  %overflows = icmp uge i32 %magnitude, 1199570944
  %bounded = select i1 %overflows, i32 31744, i32 %finite
  %is_nan = icmp ugt i32 %magnitude, 2139095040
  %unsigned = select i1 %is_nan, i32 32256, i32 %bounded
  %signed = or i32 %unsigned, %placed_sign
  %result = trunc i32 %signed to i16
  ret i16 %result
}
"""


def lacks_half(cpu: CpuTarget) -> bool:
    """Whether the CPU has no instructions between float16 and float32."""
    return cpu.is_x86 and not cpu.has("f16c")
