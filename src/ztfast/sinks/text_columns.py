"""Columns of texts without an object a text, as Arrow keeps them.

Contract: `Texts` are bytes one behind the other with where each begins, `Coded` are numbers into a
few texts; `tolist` gives Python's.  MACs and addresses are made by the compiled loops where these
are there (_core/text.pxi), and else plainly, with the same bytes.
Tested by tests/sinks/test_text_columns.py.
"""

from __future__ import annotations

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


def mac_texts(macs: Uint64s, missing: Uint32s, bits: int) -> Texts:
    """MACs as `aa:bb:cc:dd:ee:ff`; nothing where any of `bits` is set in `missing`, uint32[n]."""
    offsets = np.empty(len(macs) + 1, np.int32)
    if dispatch.core is None:
        known = ((missing & np.uint32(bits)) == 0).tolist()
        pairs = zip(macs.tolist(), known, strict=True)
        return texts_of([mac_text(mac) if ok else "" for mac, ok in pairs])
    out = np.empty(_MAC * len(macs), np.uint8)
    used = dispatch.core.mac_texts(macs, missing, bits, offsets, out)
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
