"""Random numbers by name, the same as the program's: one stream for each (seed, purpose, index).

The name's BLAKE3 digest seeds xoshiro256++; normals come from a ziggurat with 1,024 layers (crates/icl/src/math has the sources
and what is hashed). Logarithms and exponentials are the platform's here, so that a normal of the tail, one in 20,000, may
differ in its last bit. Does not know what is drawn.
"""

import functools
import math
import struct
from collections.abc import Sequence

from blake3 import blake3

DOMAIN = b"icl-repro random stream 1"
WORD = (1 << 64) - 1
LAYERS = 1024
# The right edge of the lowest layer.
EDGE = 4.038849846109504


class Stream:
    """A sequence of random numbers that its name fixes."""

    def __init__(self, seed: int, purpose: str, index: Sequence[int] = ()) -> None:
        name = purpose.encode()
        numbers = [seed, len(name)], [len(index), *index]
        first, last = (struct.pack(f"<{len(part)}Q", *part) for part in numbers)
        self._state = struct.unpack("<4Q", blake3(DOMAIN + first + name + last).digest())

    def bits(self) -> int:
        """64 random bits."""
        a, b, c, d = self._state
        sum_ = (a + d) & WORD
        found = (((sum_ << 23 | sum_ >> 41) & WORD) + a) & WORD
        shifted = b << 17 & WORD
        c, d = c ^ a, d ^ b
        b, a = b ^ c, a ^ d
        self._state = (a, b, c ^ shifted, (d << 45 | d >> 19) & WORD)
        return found

    def uniform(self) -> float:
        """In [0, 1), a multiple of 2^-53."""
        return (self.bits() >> 11) * 2.0**-53

    def index(self, bound: int) -> int:
        """One of 0 to bound - 1."""
        return self.bits() * bound >> 64

    def normal(self) -> float:
        """Standard normal."""
        width, density = _layers()
        while True:
            bits = self.bits()
            layer = bits & (LAYERS - 1)
            signed = bits - (1 << 64) if bits >> 63 else bits
            x = (signed >> 11) * 2.0**-52 * width[layer]
            if abs(x) < width[layer + 1]:
                return x
            if layer == 0:
                return math.copysign(self._tail(), x)
            low, high = density[layer], density[layer + 1]
            if low + self.uniform() * (high - low) < math.exp(-0.5 * x * x):
                return x

    def _tail(self) -> float:
        """A normal beyond the edge, without its sign."""
        while True:
            excess = -math.log(1.0 - self.uniform()) / EDGE
            height = -math.log(1.0 - self.uniform())
            if 2.0 * height > excess * excess:
                return EDGE + excess


@functools.cache
def _layers() -> tuple[list[float], list[float]]:
    """Widths of the layers and densities at their borders."""
    at_edge = math.exp(-0.5 * EDGE * EDGE)
    area = EDGE * at_edge + math.sqrt(math.pi / 2) * math.erfc(EDGE * math.sqrt(0.5))
    width, density = [area / at_edge, EDGE], [0.0, at_edge]
    for layer in range(2, LAYERS):
        density.append(density[layer - 1] + area / width[layer - 1])
        width.append(math.sqrt(-2.0 * math.log(density[layer])))
    return [*width, 0.0], [*density, 1.0]
