"""Where frames lie: hostile offsets and lengths are refused, or both evaluators say the same.

Input: one byte n; n bytes that choose columns, of any integers, types and strides; the rest is
the buffer.  What is accepted lies inside the buffer, so that the compiled loops may trust it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from fuzz.checks import refused, same_verdicts
from fuzz.choices import ByteRandom
from ztfast.errors import FrameError
from ztfast.frames.batch import FrameBatch
from ztfast.lang import compile_text
from ztfast.network.members import Member, Network

# Every group of columns: addresses, ports, flags, integers of the payload, members.
_POLICIES = tuple(
    compile_text(text)
    for text in (
        "drop chr tcp_syn and not chr tcp_ack; accept dport 1-1023 or ipdest 10.0.0.0/8; drop;",
        "drop not chr ipauth; accept framesize 60-1500; accept ipprotocol udp; drop;",
        "tee 40 8e30f50a25 ethertype ipv6; accept iptos 3 1-2 or sport 80; accept chr multicast;",
        "accept macsrc 02:00:00:00:00:01; accept vlan 5 or icmp 8 0; drop;",
    )
)
_KNOWN: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"network_id": 0x8056C2E21C000001},
    {"network": Network(id=0x8056C2E21C000001, members=(Member(0x1111111111),))},
)
_EDGES = (0, 1 << 16, 1 << 31, 1 << 32, 1 << 62, 1 << 63, 1 << 63, -(1 << 31), -(1 << 63))
_DTYPES = ("i8", "i8", "u8", "u4", "i4", "u2", ">i8", ">u4", "u1", "f8", "?", "O", "m8[s]")
_FIELDS = ("ethertype", "vlan", "mac_source", "mac_dest", "unknown")


def one(data: bytes) -> None:
    """Make a batch of the columns, and judge what is accepted, whole and in parts."""
    choices, buffer = data[1 : 1 + data[0]] if data else b"", data[1 + data[0] :] if data else b""
    rng = ByteRandom(choices)
    try:
        batch = _batch(rng, buffer)
    except FrameError as error:
        refused(error)
        return
    _inside(batch, len(buffer))
    policy, known = rng.choice(_POLICIES), rng.choice(_KNOWN)
    same_verdicts(policy, batch, **known)
    same_verdicts(policy, batch[:: rng.choice((1, 2, -1))], **known)


def _inside(batch: FrameBatch, size: int) -> None:
    """In integers that have no end: every byte is one of the buffer."""
    for offset, captured in zip(batch.offsets.tolist(), batch.captured.tolist(), strict=True):
        assert 0 <= offset <= offset + captured <= size, (offset, captured, size)


def _batch(rng: ByteRandom, buffer: bytes) -> FrameBatch:
    size, count = len(buffer), rng.choice((1, 1, 2, 3, 5))
    hostile = rng.randrange(4)  # the columns that may hold anything; 0: none, so many pass
    places = [_place(rng, size, hostile == 1) for _ in range(count)]
    offsets = _column(rng, "i8", places)
    rooms = [_room(rng, size, hostile == 2) for _ in range(count)]
    if rng.getrandbits(2) == 0:  # up to the buffer's end, or by one beyond
        at = rng.randrange(count)
        rooms[at] = max(0, size - places[at] + rng.randrange(-1, 2))
    captured = _column(rng, "u4", rooms)
    lengths = _column(rng, "u4", [_room(rng, 1500, hostile == 3) for _ in range(count)])
    if rng.getrandbits(2) == 0:
        packets = SimpleNamespace(buffer=buffer, offsets=offsets, captured=captured)
        packets.linktype, packets.fcs = rng.choice((1, 1, 0, 12, 101, 113)), rng.choice((0, 4))
        packets.lengths = lengths
        return FrameBatch.from_packets(packets, rng.choice(("tag", "decode")))
    fields = None
    if rng.getrandbits(2) == 0:
        types = ("u2", "u2", "u8", "u8", "u4")
        fields = {
            name: _column(rng, dtype, [_value(rng, name) for _ in range(count)])
            for name, dtype in zip(_FIELDS, types, strict=True)
        }
    return FrameBatch(buffer, offsets, captured, rng.choice((None, lengths)), fields)


def _place(rng: ByteRandom, size: int, hostile: bool) -> int:
    """An offset: inside, around the buffer's end, or around where integers end."""
    if not hostile:
        return rng.choice((0, 0, rng.randrange(size + 1), size // 2))
    return rng.choice((*_EDGES, size, size)) + rng.randrange(-3, 4)


def _room(rng: ByteRandom, size: int, hostile: bool) -> int:
    """A number of bytes, likewise."""
    if not hostile:
        return rng.choice((0, 14, size // 2, rng.randrange(size + 1)))
    return rng.choice((*_EDGES, size, size)) + rng.randrange(-3, 4)


def _value(rng: ByteRandom, name: str) -> int:
    """What a header field may say, and now and then what none may."""
    plain = {"ethertype": (0x0800, 0x86DD, 0x0806), "unknown": (0, 1, 7), "vlan": (0, 5)}
    if rng.getrandbits(5) == 31:
        return rng.choice(_EDGES) + rng.randrange(-1, 9)
    return rng.choice(plain.get(name, (0x020000000001, 0xFFFFFFFFFFFF, 0)))


def _column(rng: ByteRandom, dtype: str, values: list[int]) -> npt.NDArray[Any]:
    """The values as an array of their own type or another, in one piece or with a stride.

    The array is of the type that holds them, so that it is the batch that must refuse it.
    """
    wanted = np.dtype(rng.choice(_DTYPES) if rng.getrandbits(4) == 15 else dtype)
    wide = all(0 <= value < 1 << 64 for value in values)
    narrow = all(-(1 << 63) <= value < 1 << 63 for value in values)
    array = np.array(values, "i8" if narrow else "u8" if wide else object)
    if wanted.kind not in "iu":
        array = array.astype(object).astype(wanted) if wanted.kind != "m" else array
    elif all(np.iinfo(wanted).min <= value <= np.iinfo(wanted).max for value in values):
        array = array.astype(wanted)
    match rng.randrange(6):
        case 0:
            return np.repeat(array, 3)[::3]
        case 1:
            return array[::-1].copy()[::-1]
        case 2 if array.dtype.kind != "O":
            return np.frombuffer(b"\0" + array.tobytes(), array.dtype, offset=1)
        case 3 if rng.getrandbits(3) == 7:
            return array[:-1]
        case 4 if rng.getrandbits(3) == 7:
            return array.reshape(1, -1)
        case _:
            return array
