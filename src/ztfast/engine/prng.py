"""Random draws that depend on nothing but seed, frame number and entry.

Contract: `draw` is a pure function, so that results do not depend on batch size, order
or threads.  The native evaluator computes the same function on its own; the two are
compared by the differential tests.  Tested by tests/engine/test_prng.py.

The mixing is SplitMix64's finaliser (Steele, Lea, Flood 2014) over a counter.
"""

from __future__ import annotations

_WORD = (1 << 64) - 1
_FRAME_STEP = 0x9E3779B97F4A7C15
_ENTRY_STEP = 0xD1342543DE82EF95
_RECEIVER = 0x5851F42D4C957F2D


def receiver_seed(seed: int) -> int:
    """The seed of draws at the receiver, which are not those at the sender."""
    return seed ^ _RECEIVER


def draw(seed: int, number: int, entry: int) -> int:
    """The 32-bit draw of one `random` match.

    seed: any integer (its low 64 bits count); number: the frame's number in the input;
    entry: the entry's index, the base rules' first, then the capabilities' in the view's order.
    """
    x = (seed + _FRAME_STEP * (number + 1)) & _WORD
    x ^= (entry + 1) * _ENTRY_STEP & _WORD
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    x = (x ^ x >> 27) * 0x94D049BB133111EB & _WORD
    return (x ^ x >> 31) >> 32
