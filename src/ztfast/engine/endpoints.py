"""The addresses of a batch's frames, as `network.resolve` looks them up.

Contract: MACs where the frame has them, IP addresses where it does not; by the compiled
loops for the native backend, frame by frame for the reference.  Tested by
tests/engine/test_endpoints.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast.frames.batch import FrameBatch
from ztfast.frames.columns import IP_COLUMNS, MAC_COLUMNS, FrameKind
from ztfast.frames.frame import Frame
from ztfast.model.reads import Reads
from ztfast.network.resolve import Endpoints, IpColumn


def endpoints(batch: FrameBatch, compiled: bool) -> Endpoints:
    """Who each frame is from and for, as far as its headers tell."""
    return _compiled(batch) if compiled else _plain(batch)


def _compiled(batch: FrameBatch) -> Endpoints:
    missing, source, dest = batch.decoded(MAC_COLUMNS).values()
    source_known = (missing & np.uint32(Reads.MAC_SOURCE)) == 0
    dest_known = (missing & np.uint32(Reads.MAC_DEST)) == 0
    if source_known.all() and dest_known.all():
        return Endpoints(source, dest)
    kind, source4, dest4, *wide = batch.decoded(IP_COLUMNS).values()
    return Endpoints(
        source,
        dest,
        source_known,
        dest_known,
        _ips(kind, source4, wide[0], wide[1]),
        _ips(kind, dest4, wide[2], wide[3]),
    )


def _ips(
    kind: npt.NDArray[Any], v4: npt.NDArray[Any], high: npt.NDArray[Any], low: npt.NDArray[Any]
) -> IpColumn:
    is4, is6 = (kind & FrameKind.IPV4) != 0, (kind & FrameKind.IPV6) != 0
    version = np.where(is4, 4, np.where(is6, 6, 0)).astype(np.uint8)
    return IpColumn(
        version,
        np.where(is6, high, np.uint64(0)),
        np.where(is4, v4.astype(np.uint64), np.where(is6, low, np.uint64(0))),
    )


def _plain(batch: FrameBatch) -> Endpoints:
    frames = [batch.frame(index) for index in range(len(batch))]
    return Endpoints(
        np.array([frame.mac_source for frame in frames], dtype=np.uint64),
        np.array([frame.mac_dest for frame in frames], dtype=np.uint64),
        np.array([not frame.unknown & Reads.MAC_SOURCE for frame in frames], dtype=np.bool_),
        np.array([not frame.unknown & Reads.MAC_DEST for frame in frames], dtype=np.bool_),
        _plain_ips(frames, 12, 8),
        _plain_ips(frames, 16, 24),
    )


def _plain_ips(frames: list[Frame], at4: int, at6: int) -> IpColumn:
    found = [_plain_ip(frame, at4, at6) for frame in frames]
    return IpColumn(
        np.array([version for version, _ in found], dtype=np.uint8),
        np.array([address >> 64 for _, address in found], dtype=np.uint64),
        np.array([address & 0xFFFFFFFFFFFFFFFF for _, address in found], dtype=np.uint64),
    )


def _plain_ip(frame: Frame, at4: int, at6: int) -> tuple[int, int]:
    """(version, address) of one frame; bytes that were not captured are zero."""
    if frame.ethertype == 0x0800 and frame.length >= 20:
        return 4, int.from_bytes(frame.payload[at4 : at4 + 4].ljust(4, b"\0"), "big")
    if frame.ethertype == 0x86DD and frame.length >= 40:
        return 6, int.from_bytes(frame.payload[at6 : at6 + 16].ljust(16, b"\0"), "big")
    return 0, 0
