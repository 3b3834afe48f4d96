"""Columns of texts without an object a text, as Arrow keeps them.

Contract: `Texts` are bytes one behind the other with where each begins, `Coded` are numbers into a
few texts, `Macs` and `Addresses` numbers that become texts where they are written; `tolist` gives
Python's.  Texts are made by the compiled loops where these are there (_core/text.pxi), and else
plainly, with the same bytes.
Tested by tests/sinks/test_text_columns.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ztfast import dispatch

Uint8s = npt.NDArray[np.uint8]
Uint32s = npt.NDArray[np.uint32]
Uint64s = npt.NDArray[np.uint64]
Int32s = npt.NDArray[np.int32]

_MAC, _IP = 17, 39  # the most characters
_COUNTS = np.zeros(256, np.uint64)  # what counts of an address's low half, by version
_COUNTS[[4, 6]] = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
# what rows are told apart by; drawn, so that no capture can be made to be slow
_FACTORS = (
    int.from_bytes(os.urandom(8), "little") | 1,
    int.from_bytes(os.urandom(8), "little") | 1,
)


@dataclass(frozen=True)
class Texts:
    """n texts in UTF-8: text i is data[offsets[i]:offsets[i + 1]]; offsets: int32[n + 1]."""

    offsets: Int32s
    data: Uint8s

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def tolist(self) -> list[str]:
        """Each as Python's text."""
        data, at = self.data.tobytes(), self.offsets.tolist()
        return [data[a:b].decode() for a, b in pairwise(at)]


@dataclass(frozen=True)
class Coded:
    """n texts of a few different ones: text i is values[codes[i]]; codes: int32[n]."""

    codes: Int32s
    values: Texts

    def __len__(self) -> int:
        return len(self.codes)

    def tolist(self) -> list[str]:
        """Each as Python's text."""
        values = self.values.tolist()
        return [values[code] for code in self.codes.tolist()]

    def part(self, rows: slice) -> Coded:
        """Some of them."""
        return Coded(self.codes[rows], self.values)


@dataclass(frozen=True)
class Macs:
    """n MACs, uint64[n]; those that are not `known`, uint8[n], are empty texts."""

    known: Uint8s
    macs: Uint64s

    def __len__(self) -> int:
        return len(self.macs)

    def texts(self) -> Texts:
        """Each as its text."""
        return mac_texts(self.known, self.macs)

    def coded(self) -> Coded:
        """The texts by number, each different one once."""
        known = self.known != 0
        macs = self.macs * known  # of what is not known nothing else counts
        first, codes = different_rows(known.view(np.uint8), np.zeros_like(macs), macs)
        return Coded(codes, mac_texts(self.known[first], macs[first]))

    def tolist(self) -> list[str]:
        """Each as Python's text."""
        return self.texts().tolist()


@dataclass(frozen=True)
class Addresses:
    """n IP addresses by version, uint8[n], in halves, uint64[n], as for `address_texts`."""

    version: Uint8s
    high: Uint64s
    low: Uint64s

    def __len__(self) -> int:
        return len(self.version)

    def texts(self) -> Texts:
        """Each as its text."""
        return address_texts(self.version, self.high, self.low)

    def coded(self) -> Coded:
        """The texts by number, each different one once."""
        # of what has no address, or one of 32 bits, nothing else counts
        high = self.high * (self.version == 6)
        low = self.low & _COUNTS[self.version]
        first, codes = different_rows(self.version, high, low)
        return Coded(codes, address_texts(self.version[first], high[first], low[first]))

    def tolist(self) -> list[str]:
        """Each as Python's text."""
        return self.texts().tolist()


def texts_of(values: Sequence[str]) -> Texts:
    """Python's texts as a column."""
    encoded = [value.encode("utf-8", "replace") for value in values]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return Texts(offsets, np.frombuffer(b"".join(encoded), np.uint8))


def coded(values: Sequence[str], codes: npt.ArrayLike) -> Coded:
    """Texts by number."""
    return Coded(np.ascontiguousarray(codes, np.int32), texts_of(values))


def each_once(keys: Uint64s, text: Callable[[int], str]) -> Coded:
    """The text of each number; each different number is asked for once."""
    different, codes = np.unique(keys, return_inverse=True)
    return coded([text(key) for key in different.tolist()], codes)


def different_rows(kind: Uint8s, high: Uint64s, low: Uint64s) -> tuple[Int32s, Int32s]:
    """(the first row of each number, int32[m]; the number of each row, int32[n])."""
    count = len(kind)
    if dispatch.core is None:
        number_of: dict[tuple[int, int, int], int] = {}
        rows = zip(kind.tolist(), high.tolist(), low.tolist(), strict=True)
        found = [number_of.setdefault(row, len(number_of)) for row in rows]
        _, at = np.unique(np.array(found, np.int32), return_index=True)
        return at.astype(np.int32), np.array(found, np.int32)
    first, codes = np.empty(count, np.int32), np.empty(count, np.int32)
    slots = np.empty(max(4, 1 << (2 * count).bit_length()), np.int32)
    used = dispatch.core.different_rows(kind, high, low, _FACTORS, slots, codes, first)
    return first[:used], codes


def mac_texts(known: Uint8s, macs: Uint64s) -> Texts:
    """MACs as `aa:bb:cc:dd:ee:ff`; nothing for those that are not known, uint8[n]."""
    if dispatch.core is None:
        pairs = zip(macs.tolist(), known.tolist(), strict=True)
        return texts_of([mac_text(mac) if ok else "" for mac, ok in pairs])
    offsets, out = np.empty(len(macs) + 1, np.int32), np.empty(_MAC * len(macs), np.uint8)
    used = dispatch.core.mac_texts(known, macs, offsets, out)
    return Texts(offsets, out[:used])


def address_texts(version: Uint8s, high: Uint64s, low: Uint64s) -> Texts:
    """IP addresses: `version` 4 (`low` holds 32 bits), 6 (`high` and `low`), else nothing."""
    if dispatch.core is None:
        rows = zip(version.tolist(), high.tolist(), low.tolist(), strict=True)
        return texts_of([address_text(*row) for row in rows])
    offsets, out = np.empty(len(version) + 1, np.int32), np.empty(_IP * len(version), np.uint8)
    used = dispatch.core.address_texts(version, high, low, offsets, out)
    return Texts(offsets, out[:used])


def mac_text(mac: int) -> str:
    """One MAC, 48 bits."""
    return mac.to_bytes(8, "big")[2:].hex(":")


def address_text(version: int, high: int, low: int) -> str:
    """One IP address, as `address_texts`; IPv6 by RFC 5952, in hexadecimal throughout."""
    if version == 4:
        return ".".join(str(byte) for byte in (low & 0xFFFFFFFF).to_bytes(4, "big"))
    if version != 6:
        return ""
    packed = high << 64 | low
    groups = [f"{packed >> shift & 0xFFFF:x}" for shift in range(112, -1, -16)]
    length, begin = max((_zeros(groups, at), -at) for at in range(8))
    if length < 2:
        return ":".join(groups)
    return f"{':'.join(groups[:-begin])}::{':'.join(groups[-begin + length :])}"


def _zeros(groups: list[str], at: int) -> int:
    """How many zeros follow each other from here on."""
    return next((n for n, group in enumerate(groups[at:]) if group != "0"), len(groups) - at)
