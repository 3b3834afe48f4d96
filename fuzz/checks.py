"""What must hold whatever came in: errors are well formed, both evaluators say the same."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from tests.differential.rounds import compared
from tests.engine.cases import ARP, IPV4, IPV6, extension, ipv4, ipv6, ports

from ztfast import dispatch
from ztfast.diagnostics.codes import CODES
from ztfast.diagnostics.render import format_diagnostic
from ztfast.engine.engine import Engine
from ztfast.errors import UsageError, ZtfastError
from ztfast.frames.batch import FrameBatch
from ztfast.model.policy import Policy

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_FOLDER = tempfile.TemporaryDirectory(prefix="ztfast-fuzz-")
SCRATCH = Path(_FOLDER.name)


def refused(error: ZtfastError) -> None:
    """An error has a known code, words, and nothing that could write to a terminal."""
    assert error.diagnostics, "an error that says nothing"
    for diagnostic in error.diagnostics:
        assert diagnostic.code in CODES, diagnostic.code
        assert diagnostic.message.strip(), diagnostic
        text = format_diagnostic(diagnostic)
        assert not _CONTROL.search(text), text
        if diagnostic.span is not None and diagnostic.source is not None:
            size = len(diagnostic.source.text)
            assert 0 <= diagnostic.span.start <= size, diagnostic.span
            # behind the last character there is a place too: where something is missing
            assert diagnostic.span.start <= diagnostic.span.end <= size + 1, diagnostic.span
            assert diagnostic.span.line >= 1, diagnostic.span
            assert diagnostic.span.column >= 0, diagnostic.span


def scratch(data: bytes, name: str) -> Path:
    """A file with these bytes; the next input replaces it."""
    path = SCRATCH / name
    path.write_bytes(data)
    return path


def _frames() -> list[bytes]:
    """A few Ethernet frames of each kind, whole and cut."""
    bodies = [
        (IPV4, ipv4(6, ports(80, 443) + b"\0" * 8 + b"\x12\2" + b"\0" * 6)),
        (IPV4, ipv4(17, ports(53, 1), "0a000002", "0a000001")),
        (IPV4, ipv4(1, b"\x08\0\0\0")),
        (IPV6, ipv6(6, ports(443, 80) + b"\0" * 16)),
        (IPV6, ipv6(0, extension(58, 0) + bytes((135, 0)) + b"\0" * 22)),
        (ARP, b"\0\1\x08\0\6\4\0\1" + b"\0" * 6 + b"\x0a\0\0\1" + b"\0" * 10),
        (0x8100, b"\0\5\x08\0" + ipv4(6, ports(1, 2))),
    ]
    macs = [bytes.fromhex(text) for text in ("020000000001", "ffffffffffff", "333300000001")]
    frames = []
    for number, (ethertype, body) in enumerate(bodies):
        head = macs[number % 3] + bytes.fromhex("020000000002") + ethertype.to_bytes(2, "big")
        frames += [head + body, (head + body)[: 16 + 5 * number]]
    return frames


BATCH = FrameBatch.from_frames(_frames(), [len(frame) + 3 for frame in _frames()])


def same_verdicts(policy: Policy, batch: FrameBatch = BATCH, **options: Any) -> None:
    """Both evaluators give the batch the same columns on both sides; a UsageError is theirs too."""
    expected, got = (_judged(policy, batch, backend, options) for backend in backends())
    if isinstance(expected, str) or isinstance(got, str):
        assert expected == got
        return
    found = compared(expected, got, "native")
    assert found is None, found


def backends() -> tuple[str, str]:
    """The reference, and what is compared with it: without compiled loops only itself."""
    return "reference", "native" if dispatch.core is not None else "reference"


def _judged(policy: Policy, batch: FrameBatch, backend: str, options: dict[str, Any]) -> Any:
    try:
        return Engine(policy, backend=backend, seed=7, **options).evaluate(batch)
    except UsageError as error:
        refused(error)
        return str(error)


def inside(batch: Any) -> None:
    """A packet batch's frames and records lie in its buffer, in order."""
    size = len(memoryview(batch.buffer))
    ends = batch.offsets + batch.captured
    assert bool((batch.record_start >= 0).all())
    assert bool((batch.record_start <= batch.offsets).all())
    assert bool((ends <= batch.record_end).all())
    assert bool((batch.record_end <= size).all())
    assert bool((batch.interface_ids < max(1, len(batch.interfaces))).all())
    assert batch.timestamps.dtype == np.int64
