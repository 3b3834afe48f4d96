"""Rows of a table: the columns of `sinks.tables.FRAME_COLUMNS` for a judged batch.

Contract: fields that a frame does not have are 0 or empty.  Needs the compiled decoder.
Tested by tests/pipeline/test_rows.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast import dispatch
from ztfast.capture.packets import PacketBatch
from ztfast.engine.network_verdicts import Action, Verdicts
from ztfast.frames.batch import FrameBatch
from ztfast.frames.columns import Column, FrameKind
from ztfast.model.reads import Reads
from ztfast.sinks.tables import address_texts, mac_texts

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


ROWS = 8192  # texts are Python objects: a whole batch of them would be tens of megabytes


def batch_rows(
    packets: PacketBatch, frames: FrameBatch, verdicts: Verdicts
) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """The rows of a batch, a few thousand at a time."""
    for low in range(0, len(packets), ROWS):
        yield frame_rows(packets, frames, verdicts, slice(low, low + ROWS))


def frame_rows(
    packets: PacketBatch, frames: FrameBatch, verdicts: Verdicts, rows: slice = slice(None)
) -> dict[str, npt.NDArray[Any]]:
    """One item a frame for each column of a table of frames; `rows` are some of the batch's.

    A MAC address that is not known (its link type has none, or it was not captured) is empty.
    """
    fields = _decoded(frames[rows])
    kind, missing = fields[Column.KIND], fields[Column.MISSING]
    version = np.where(kind & FrameKind.IPV4, 4, np.where(kind & FrameKind.IPV6, 6, 0))
    return {
        "number": packets.first + 1 + np.arange(len(packets))[rows],
        "time": packets.timestamps[rows],
        "captured": packets.captured[rows],
        "length": packets.lengths[rows],
        "mac_source": _macs(fields[Column.MAC_SOURCE], missing & Reads.MAC_SOURCE),
        "mac_dest": _macs(fields[Column.MAC_DEST], missing & Reads.MAC_DEST),
        "ethertype": fields[Column.ETHERTYPE],
        "vlan": fields[Column.VLAN],
        "source": _addresses(fields, version, "SOURCE"),
        "dest": _addresses(fields, version, "DEST"),
        "protocol": _where(kind & FrameKind.PROTOCOL, fields[Column.PROTOCOL]),
        "source_port": _where(kind & FrameKind.SOURCE_PORT, fields[Column.SOURCE_PORT]),
        "dest_port": _where(kind & FrameKind.DEST_PORT, fields[Column.DEST_PORT]),
        "verdict": verdict_texts(verdicts)[rows],
        "line": verdicts.line[rows],
        "copies": copy_texts(verdicts)[rows],
    }


def _decoded(frames: FrameBatch) -> dict[int, npt.NDArray[Any]]:
    if dispatch.core is not None:
        return frames.decoded(_NEEDED)
    from ztfast.frames.headers import header_columns

    return header_columns(frames)


def verdict_texts(verdicts: Verdicts) -> npt.NDArray[np.object_]:
    """`drop`, `accept`, `super-accept` or `redirect` for each frame."""
    names = np.array([action.name.lower() for action in Action], object)
    texts: npt.NDArray[np.object_] = names[verdicts.action]
    texts[verdicts.super_accepted] = "super-accept"
    return texts


def copy_texts(verdicts: Verdicts) -> npt.NDArray[np.object_]:
    """Copies in sending order as `KIND:TARGET:LENGTH`, one space between; else empty."""
    texts = np.full(len(verdicts), "", object)
    for column in verdicts.copy_columns():
        for at in np.flatnonzero(column.sent).tolist():
            text = f"{column.kind}:{int(column.target[at]):010x}:{int(column.length[at])}"
            texts[at] = f"{texts[at]} {text}" if texts[at] else text
    return texts


def _where(has: npt.NDArray[Any], values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.where(has != 0, values, np.zeros(1, values.dtype))


def _macs(macs: npt.NDArray[np.uint64], missing: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    texts = mac_texts(macs)
    texts[missing != 0] = ""
    return texts


def _addresses(
    fields: dict[int, npt.NDArray[Any]], version: npt.NDArray[Any], which: str
) -> npt.NDArray[np.object_]:
    """IPv4 or IPv6 addresses as text."""
    four = fields[Column[f"IP4_{which}"]].astype(np.uint64)
    low = np.where(version == 4, four, fields[Column[f"IP6_{which}_LOW"]])
    return address_texts(fields[Column[f"IP6_{which}_HIGH"]], low, version.astype(np.uint8))
