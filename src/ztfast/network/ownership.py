"""Who owns which address: ipauth and macauth of a whole batch at once, by look-up.

Contract: `Ownership(members)` numbers every address that any member was given; a frame's
(address, sender) pair is then one integer looked up in a sorted array, so no work is done
for each pair of members.  Tested by tests/network/test_ownership.py and the differential tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast.network.batch_context import MemberTable

Bools = npt.NDArray[np.bool_]
Uint64s = npt.NDArray[np.uint64]


class _Pairs:
    """A set of (value, member) pairs that a column of values and one of members is looked up in."""

    def __init__(self, pairs: Iterable[tuple[int, int]], members: int) -> None:
        listed = sorted(set(pairs))
        self._members = np.int64(members)
        values = np.array([value for value, _ in listed], dtype=np.uint64)
        owners = np.array([owner for _, owner in listed], dtype=np.int64)
        self.values = np.unique(values)
        numbers = np.searchsorted(self.values, values).astype(np.int64)
        self._keys = np.sort(numbers * self._members + owners)

    def number(self, values: Uint64s) -> npt.NDArray[np.int64]:
        """The number of each value, −1 where no member has it."""
        return _find(self.values, values)

    def contain(self, values: Uint64s, members: npt.NDArray[Any]) -> Bools:
        numbers = self.number(values)
        keys = numbers * self._members + members
        return (numbers >= 0) & (_find(self._keys, keys) >= 0)


def _find(ordered: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The place of each wanted item in a sorted array, −1 where it is not."""
    if not len(ordered):
        return np.full(len(wanted), -1, dtype=np.int64)
    places = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return np.where(ordered[places] == wanted, places, -1).astype(np.int64)


class Ownership:
    """The addresses of a member table, ready for look-ups."""

    def __init__(self, members: MemberTable) -> None:
        count = len(members.address)
        v4: list[tuple[int, int]] = []
        v6: list[tuple[bytes, int]] = []
        for member, addresses in enumerate(members.ips):
            for packed in addresses:
                if len(packed) == 4:
                    v4.append((int.from_bytes(packed, "big"), member))
                else:
                    v6.append((packed, member))
        self._v4 = _Pairs(v4, count)
        self._high = np.unique(np.array([_half(p, 0) for p, _ in v6], dtype=np.uint64))
        self._low = np.unique(np.array([_half(p, 8) for p, _ in v6], dtype=np.uint64))
        self._v6 = _Pairs(((self._joined(packed), member) for packed, member in v6), count)
        self._macs = _Pairs(
            ((mac, member) for member, macs in enumerate(members.macs) for mac in macs), count
        )

    def _joined(self, packed: bytes) -> int:
        high = int(np.searchsorted(self._high, np.uint64(_half(packed, 0))))
        low = int(np.searchsorted(self._low, np.uint64(_half(packed, 8))))
        return high * len(self._low) + low

    def owns_v4(self, address: Uint64s, member: npt.NDArray[Any]) -> Bools:
        """Was each member given that IPv4 address?"""
        return self._v4.contain(address, member)

    def owns_v6(self, high: Uint64s, low: Uint64s, member: npt.NDArray[Any]) -> Bools:
        """Was each member given that IPv6 address (upper and lower 64 bits)?"""
        highs, lows = _find(self._high, high), _find(self._low, low)
        known = (highs >= 0) & (lows >= 0)
        joined = np.where(known, highs * len(self._low) + lows, 0).astype(np.uint64)
        return known & self._v6.contain(joined, member)

    def owns_mac(self, mac: Uint64s, member: npt.NDArray[Any]) -> Bools:
        """Was each member given that MAC?"""
        return self._macs.contain(mac, member)


def ownership(members: MemberTable) -> Ownership:
    """The look-ups of a table, made when first asked for and kept with it."""
    made = members.cache.get("ownership")
    if not isinstance(made, Ownership):
        made = members.cache["ownership"] = Ownership(members)
    return made


def _half(packed: bytes, start: int) -> int:
    return int.from_bytes(packed[start : start + 8], "big")
