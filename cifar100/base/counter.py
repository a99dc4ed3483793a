"""Randomness that is a function of what it is for, not of what was drawn before.

An image's draws depend on (seed, epoch, purpose, image) only, so they are the same in any batch, worker, process or
resumed run, and on any device. Draws are splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014) of the image's index as counter and a key for the rest.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_64_BITS = (1 << 64) - 1
# As signed numbers, which torch has; a multiplication keeps the same 64 bits either way.
_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX = (0xBF58476D1CE4E5B9 - (1 << 64), 0x94D049BB133111EB - (1 << 64))


def stream_key(*parts: int | str) -> int:
    """A signed 64-bit key for a stream of draws, e.g. stream_key(seed, epoch, "flip")."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


def random_bits(counters: Tensor, key: int) -> Tensor:
    """64 random bits per counter, int64 in the shape of counters; distinct counters give distinct bits."""
    return _finalised(counters * _GOLDEN + key, _shifted, lambda bits: bits)


def combined_seed(*parts: int) -> int:
    """One number below 2**63 from several below 2**64, far apart for close ones."""
    bits = 0
    for part in parts:
        bits = _finalised((bits + part + _GOLDEN) & _64_BITS, int.__rshift__, _64_BITS.__and__)
    return bits >> 1


def random_below(counters: Tensor, key: int, limit: int) -> Tensor:
    """Uniform int64 in 0..limit-1, limit up to 2**31; the bias is below limit / 2**32."""
    return (_shifted(random_bits(counters, key), 32) * limit) >> 32


def random_uniform(counters: Tensor, key: int) -> Tensor:
    """Uniform float64 in [0, 1) with 53 bits."""
    return _shifted(random_bits(counters, key), 11).double() * 2.0**-53


def permutation(count: int, key: int) -> Tensor:
    """A random order of 0..count-1, int64 on the CPU; the same with every version of torch."""
    return random_bits(torch.arange(count), key).argsort()


def _finalised(bits: Any, shifted: Callable[[Any, int], Any], wrapped: Callable[[Any], Any]) -> Any:
    """The finaliser of splitmix64, of a tensor or of one number: `shifted` is a logical shift to the right, `wrapped`
    keeps the lower 64 bits."""
    bits = wrapped((bits ^ shifted(bits, 30)) * _MIX[0])
    bits = wrapped((bits ^ shifted(bits, 27)) * _MIX[1])
    return bits ^ shifted(bits, 31)


def _shifted(bits: Tensor, by: int) -> Tensor:
    """Logical right shift: torch's is arithmetic."""
    return (bits >> by) & ((1 << (64 - by)) - 1)
