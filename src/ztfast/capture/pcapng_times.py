"""Time stamps of pcapng in nanoseconds since 1970, whatever unit and offset an interface has.

Contract: exact, rounded down to nanoseconds; what 64 bits cannot hold is the limit on its side.
Source: draft-ietf-opsawg-pcapng, section 4.2.  Tested by tests/capture/test_pcapng.py.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import Int64s, Interface

_NEVER = np.iinfo(np.int64).max
_MOST_POWER = 19  # of ten, in 64 bits


def nanoseconds(units: npt.NDArray[np.uint64], interface: Interface) -> Int64s:
    """Time stamps uint64[n] in an interface's unit as int64[n] nanoseconds since 1970.

    What does not fit (after the year 2262) is the largest number.
    """
    power = interface.resolution & 0x7F
    if interface.resolution & 0x80:
        seconds, rest = _binary(units, power)
    elif power <= 9:
        seconds, rest = np.divmod(units, np.uint64(10**power))
        rest = rest * np.uint64(10 ** (9 - power))
    else:
        scale = np.uint64(10 ** min(power - 9, _MOST_POWER))
        count = units // scale if power - 9 <= _MOST_POWER else np.zeros_like(units)
        seconds, rest = np.divmod(count, np.uint64(1_000_000_000))
    whole = _shifted(seconds, interface.offset)
    fits = np.abs(whole) < _NEVER // 1_000_000_000
    exact = np.where(fits, whole, 0) * 1_000_000_000 + rest.astype(np.int64)
    limits = np.where(whole > 0, _NEVER, -_NEVER)
    return np.where(fits, exact, limits)


def _binary(
    units: npt.NDArray[np.uint64], power: int
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Units of 2 to the -power seconds as whole seconds and nanoseconds, exactly rounded down."""
    seconds = units >> np.uint64(power) if power < 64 else np.zeros_like(units)
    rest = units - (seconds << np.uint64(min(power, 63)))
    # the product has up to 94 bits: in two halves, the lower one's carry added to the upper
    low = np.uint64(min(max(0, power - 32), 32))
    billion = np.uint64(1_000_000_000)
    carry = (rest & (np.uint64(1) << low) - np.uint64(1)) * billion >> low
    product = (rest >> low) * billion + carry
    return seconds, product >> np.uint64(min(power - int(low), 63))


def _shifted(seconds: npt.NDArray[np.uint64], offset: int) -> Int64s:
    """Seconds and the interface's offset; sums beyond any date stay beyond it."""
    far = np.uint64(1 << 61)
    if offset >= 0:
        later: Int64s = np.minimum(seconds, far).astype(np.int64) + min(offset, 1 << 61)
        return later
    back = np.uint64(-offset)
    ahead = np.minimum(np.where(seconds >= back, seconds - back, 0), far).astype(np.int64)
    behind = np.minimum(np.where(seconds < back, back - seconds, 0), far).astype(np.int64)
    return np.where(seconds >= back, ahead, -behind)
