"""Rows of a table of frames: the same from the compiled decoder and from plain Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ztfast
from tests import pages
from tests.capture.building import DATA
from tests.needs import needs, needs_loops
from tests.pipeline.judging import judged
from tests.sinks.conversations import FRAMES
from ztfast import dispatch
from ztfast.capture import open_capture
from ztfast.errors import CaptureError
from ztfast.frames.batch import FrameBatch
from ztfast.frames.links import is_known
from ztfast.pipeline.rows import frame_rows
from ztfast.sinks.tables import FRAME_COLUMNS, NUMBER_COLUMNS, TYPES, TableSink
from ztfast.sinks.text_columns import address_texts

LARGEST = 30_000


def batches() -> list[Any]:
    """Batches of many captures' frames, those before damage too."""
    found = []
    paths = [*sorted(DATA.rglob("*.pcap*")), pages.EXAMPLES / "office.pcap"]
    for path in paths:
        if path.stat().st_size > LARGEST:
            continue
        try:
            with open_capture(path) as capture:
                for batch in capture:
                    if len(batch) and is_known(batch.linktype):
                        found.append(batch)
        except CaptureError:
            pass
    return found


@needs_loops
def test_plain_equals_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = ztfast.Engine(ztfast.compile("accept;"))
    seen = 0
    for packets in batches():
        frames = FrameBatch.from_packets(packets)
        verdicts = engine.evaluate(frames)
        compiled = frame_rows(packets, frames, verdicts)
        with monkeypatch.context() as patched:
            patched.setattr(dispatch, "core", None)
            plain = frame_rows(packets, frames, verdicts)
        for name, values in compiled.items():
            assert plain[name].tolist() == values.tolist(), f"{name} of {packets.path}"
        seen += len(packets)
    assert seen > 2000


@pytest.mark.parametrize("compiled", [pytest.param(True, marks=needs_loops), False])
def test_numbers_are_the_same_addresses(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = "native" if compiled else "reference"
    engine = ztfast.Engine(ztfast.compile("accept;"), backend=backend)
    if not compiled:
        monkeypatch.setattr(dispatch, "core", None)
    seen = 0
    for packets in batches():
        frames = FrameBatch.from_packets(packets)
        verdicts = engine.evaluate(frames)
        texts = frame_rows(packets, frames, verdicts)
        numbers = frame_rows(packets, frames, verdicts, "numbers")
        assert list(numbers) == [column.name for column in NUMBER_COLUMNS]
        for name in texts:
            if name in ("source", "dest"):
                columns = "ip_version", f"{name}_high", f"{name}_low"
                made = address_texts(*(np.ascontiguousarray(numbers[one]) for one in columns))
                shown = texts[name].tolist()
                high, low = (numbers[one].tolist() for one in columns[1:])
                for plain, text, *number in zip(made.tolist(), shown, high, low, strict=True):
                    assert text == plain or (text == "" and number == [0, 0])  # not captured
            elif name.startswith("mac_"):
                shown = texts[name].tolist()
                assert [int(text.replace(":", "") or "0", 16) for text in shown] == (
                    numbers[name].tolist()
                )
            else:
                assert numbers[name].tolist() == texts[name].tolist()
        seen += len(packets)
    assert seen > 2000


@needs("pyarrow")
def test_tables_whose_copies_differ_from_batch_to_batch(tmp_path: Path) -> None:
    import pyarrow.ipc

    for types, columns in TYPES.items():
        expected: list[str] = []
        with TableSink(str(tmp_path / "a.arrow"), columns) as sink:
            for rules in ("tee -1 1111111111; accept;", "watch 20 2222222222; drop;"):
                for packets, batch, verdicts in judged(rules=rules):
                    rows = frame_rows(packets, batch, verdicts, types)
                    sink.write(rows)
                    expected += rows["copies"].tolist()
        table = pyarrow.ipc.open_file(tmp_path / "a.arrow").read_all()
        assert table["copies"].to_pylist() == expected
        assert len(set(expected)) > 2
        assert set(table["verdict"].to_pylist()) == {"accept", "drop"}


def test_rows(tmp_path: Path) -> None:
    with TableSink(str(tmp_path / "a.npy")) as sink:
        for packets, batch, verdicts in judged():
            rows = frame_rows(packets, batch, verdicts)
            assert list(rows) == [column.name for column in FRAME_COLUMNS]
            sink.write(rows)
    table = np.load(tmp_path / "a.npy")
    assert table["number"].tolist() == list(range(1, len(FRAMES) + 1))
    first, udp = table[0], table[120]
    assert udp["protocol"] in (6, 17)
    assert (first["source"], first["dest"]) == ("10.0.0.1", "10.0.1.1")
    assert (first["source_port"], first["dest_port"], first["protocol"]) == (40_000, 80, 6)
    assert (first["mac_source"], first["mac_dest"]) == ("02:00:00:00:00:01", "02:00:00:00:01:01")
    assert (first["ethertype"], first["vlan"], first["length"]) == (0x0800, 0, len(FRAMES[0]))
    assert (first["verdict"], first["line"]) == ("accept", 6)
    assert first["copies"] == "tee:8e30f50a25:40"
    counts = dict(zip(*np.unique(table["verdict"], return_counts=True), strict=True))
    assert counts["drop"] == 20
    assert set(counts) == {"accept", "drop", "redirect"}


def test_rows_without_macs_and_ports() -> None:
    v6 = (
        b"\x60\0\0\0\0\0\x3b\x40"
        + b"\xfe\x80"
        + b"\0" * 13
        + b"\1"
        + b"\xff\2"
        + b"\0" * 13
        + b"\2"
    )
    seen = 0
    for packets, batch, verdicts in judged([v6, b"\x45" + b"\0" * 3], linktype=101):
        rows = frame_rows(packets, batch, verdicts)
        if len(packets):
            assert rows["mac_source"].tolist() == ["", ""]
            assert rows["source"].tolist() == ["fe80::1", ""]
            assert rows["dest"].tolist() == ["ff02::2", ""]
            assert rows["source_port"].tolist() == [0, 0]
            assert rows["protocol"].tolist() == [59, 0]
            seen += len(packets)
    assert seen == 2
