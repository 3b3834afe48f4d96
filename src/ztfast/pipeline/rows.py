"""Rows of a table: the columns of `sinks.tables.FRAME_COLUMNS` for a judged batch.

Contract: fields that a frame does not have are 0 or empty.  Needs the compiled decoder.
Tested by tests/pipeline/test_rows.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast import dispatch
from ztfast.capture.packets import PacketBatch
from ztfast.engine.network_verdicts import Action, Verdicts
from ztfast.frames.batch import FrameBatch
from ztfast.frames.columns import Column, FrameKind, Missing
from ztfast.model.reads import Reads
from ztfast.network.recipient_groups import numbered
from ztfast.sinks.tables import TYPES
from ztfast.sinks.text_columns import Addresses, Coded, Macs, coded

_NEEDED = (
    Column.KIND,
    Column.PROTOCOL,
    Column.ETHERTYPE,
    Column.VLAN,
    Column.SOURCE_PORT,
    Column.DEST_PORT,
    Column.IP4_SOURCE,
    Column.IP4_DEST,
    Column.IP6_SOURCE_HIGH,
    Column.IP6_SOURCE_LOW,
    Column.IP6_DEST_HIGH,
    Column.IP6_DEST_LOW,
    Column.MAC_SOURCE,
    Column.MAC_DEST,
    Column.MISSING,
)


_SOURCE, _DEST = Reads.IP_SOURCE | Missing.IP6_SOURCE, Reads.IP_DEST | Missing.IP6_DEST
Rows = slice | npt.NDArray[np.intp]  # some frames of a batch


def frame_rows(
    packets: PacketBatch,
    frames: FrameBatch,
    verdicts: Verdicts,
    types: str = "text",
    rows: Rows = slice(None),
) -> dict[str, Any]:
    """One item a frame for each column of `sinks.tables.TYPES`; types: one of its names.

    rows: which frames of the batch.

    An address that is not known (its link type has no MACs, or it was not captured) is empty, as
    a number 0.
    """
    fields = decoded(frames[rows] if isinstance(rows, slice) else frames.take(rows), _NEEDED)
    kind = fields[Column.KIND]
    version = np.where(kind & FrameKind.IPV4, np.uint8(4), np.uint8(0))
    version[(kind & FrameKind.IPV6) != 0] = 6
    addresses = _numbers if types == "numbers" else _texts
    made: dict[str, Any] = {
        "number": packets.first + 1 + np.arange(len(packets))[rows],
        "time": packets.timestamps[rows],
        "captured": packets.captured[rows],
        "length": packets.lengths[rows],
        "ethertype": fields[Column.ETHERTYPE],
        "vlan": fields[Column.VLAN],
        "protocol": _where(kind & FrameKind.PROTOCOL, fields[Column.PROTOCOL]),
        "source_port": _where(kind & FrameKind.SOURCE_PORT, fields[Column.SOURCE_PORT]),
        "dest_port": _where(kind & FrameKind.DEST_PORT, fields[Column.DEST_PORT]),
        "verdict": verdict_texts(verdicts, rows),
        "line": verdicts.line[rows],
        "copies": copy_texts(verdicts, rows),
        **addresses(fields, version),
    }
    return {column.name: made[column.name] for column in TYPES[types]}


def _texts(
    fields: dict[int, npt.NDArray[Any]], version: npt.NDArray[np.uint8]
) -> dict[str, Macs | Addresses]:
    missing = fields[Column.MISSING]
    macs = {"mac_source": Reads.MAC_SOURCE, "mac_dest": Reads.MAC_DEST}
    addresses = {"source": _SOURCE, "dest": _DEST}
    return {
        **{
            name: Macs(_without(missing, bits).view(np.uint8), fields[Column[name.upper()]])
            for name, bits in macs.items()
        },
        **{
            name: Addresses(_known(version, missing, bits), *_halves(fields, version, name.upper()))
            for name, bits in addresses.items()
        },
    }


def _without(missing: npt.NDArray[np.uint32], bits: int) -> npt.NDArray[np.bool_]:
    """Which frames miss nothing of that."""
    found: npt.NDArray[np.bool_] = (missing & np.uint32(bits)) == 0
    return found


def _known(
    version: npt.NDArray[np.uint8], missing: npt.NDArray[np.uint32], bits: int
) -> npt.NDArray[np.uint8]:
    """The versions of those addresses that were captured, 0 for the others."""
    return version * _without(missing, bits)


def _numbers(
    fields: dict[int, npt.NDArray[Any]], version: npt.NDArray[np.uint8]
) -> dict[str, npt.NDArray[Any]]:
    missing = fields[Column.MISSING]
    source, dest = (_halves(fields, version, which) for which in ("SOURCE", "DEST"))
    of_source, of_dest = (_known(version, missing, bits) for bits in (_SOURCE, _DEST))
    return {
        "mac_source": fields[Column.MAC_SOURCE] * _without(missing, Reads.MAC_SOURCE),
        "mac_dest": fields[Column.MAC_DEST] * _without(missing, Reads.MAC_DEST),
        "ip_version": version,
        "source_high": _where(of_source == 6, source[0]),
        "source_low": _where(of_source, source[1]),
        "dest_high": _where(of_dest == 6, dest[0]),
        "dest_low": _where(of_dest, dest[1]),
    }


def _halves(
    fields: dict[int, npt.NDArray[Any]], version: npt.NDArray[np.uint8], which: str
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Both halves of each IP address; an IPv4 address is the low one."""
    low = fields[Column[f"IP6_{which}_LOW"]]
    return (
        fields[Column[f"IP6_{which}_HIGH"]],
        np.where(version == 4, fields[Column[f"IP4_{which}"]], low),
    )


def decoded(frames: FrameBatch, columns: Sequence[int]) -> dict[int, npt.NDArray[Any]]:
    """Header columns by number, whether or not the compiled loops are there."""
    if dispatch.core is not None:
        return frames.decoded(columns)
    from ztfast.frames.headers import header_columns

    return header_columns(frames)


_VERDICTS = (*(action.name.lower() for action in Action), "super-accept")


def verdict_texts(verdicts: Verdicts, rows: Rows = slice(None)) -> Coded:
    """`drop`, `accept`, `super-accept` or `redirect` for each frame, or for some."""
    codes = np.where(verdicts.super_accepted, len(_VERDICTS) - 1, verdicts.action)
    return coded(_VERDICTS, codes[rows])


def copy_texts(verdicts: Verdicts, rows: Rows = slice(None)) -> Coded:
    """Copies in sending order as `KIND:TARGET:LENGTH`, one space between; else empty.

    A text is made once for each different row of copies, never for each frame.
    """
    values, codes = [""], np.zeros(len(verdicts.action[rows]), np.int64)
    for column in verdicts.copy_columns():
        sent = np.flatnonzero(column.sent[rows])
        target, length = column.target[rows][sent], column.length[rows][sent]
        copies = codes[sent], target, length
        which = numbered(len(sent), copies)
        first = np.unique(which, return_index=True)[1]
        codes[sent] = len(values) + which
        for before, to, size in zip(*(column[first].tolist() for column in copies), strict=True):
            text = f"{column.kind}:{to:010x}:{size}"
            values.append(f"{values[before]} {text}" if before else text)
    return coded(values, codes)


def _where(has: npt.NDArray[Any], values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    kept: npt.NDArray[Any] = values * (has != 0)  # half the time of np.where
    return kept
