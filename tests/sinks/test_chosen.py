"""Times that an output cannot hold are refused, never wrapped."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from tests.capture.building import frame, interface, packet, section
from ztfast.capture import open_capture
from ztfast.errors import OutputError
from ztfast.sinks.files import FileSink

SECOND = 1_000_000  # of the interface's unit
YEARS = {
    "1969": -1,
    "1970": 0,
    "2106": (1 << 32) - 1,
    "2106, later": 1 << 32,
    "9999": 253_402_300_799,
}


def capture(seconds: int) -> bytes:
    """A frame of that time; before 1970 by the interface's offset."""
    offset = min(seconds, 0)
    pairs = [(14, struct.pack("<q", offset))] if offset else []
    units = (seconds - offset) * SECOND
    return section() + interface(pairs=pairs) + packet(frame(1, 60), units=units)


def copy(data: bytes, path: Path, unify: bool = False) -> None:
    with open_capture(io.BytesIO(data)) as opened, FileSink(str(path), unify=unify) as sink:
        for batch in opened:
            sink.write(batch)


@pytest.mark.parametrize("year", YEARS)
def test_a_classic_pcap_holds_1970_to_2106(year: str, tmp_path: Path) -> None:
    seconds, path = YEARS[year], tmp_path / "a.pcap"
    if 0 <= seconds < 1 << 32:
        copy(capture(seconds), path)
        with open_capture(path) as opened:
            (time,) = [int(t) for batch in opened for t in batch.timestamps]
        assert time == seconds * 10**9
    else:
        with pytest.raises(
            OutputError, match=r"frame 1 is of .* a classic pcap holds no such"
        ) as found:
            copy(capture(seconds), path)
        assert found.value.diagnostics[0].code == "ZT611"


@pytest.mark.parametrize("year", YEARS)
def test_a_pcapng_as_it_stands_holds_all(year: str, tmp_path: Path) -> None:
    copy(capture(YEARS[year]), tmp_path / "a.pcapng")
    assert (tmp_path / "a.pcapng").read_bytes() == capture(YEARS[year])


@pytest.mark.parametrize("year", YEARS)
def test_one_written_anew_holds_1970_to_2262(year: str, tmp_path: Path) -> None:
    seconds, path = YEARS[year], tmp_path / "a.pcapng"
    if year in ("1969", "9999"):
        with pytest.raises(OutputError, match="a pcapng written anew holds no such time"):
            copy(capture(seconds), path, unify=True)
        return
    copy(capture(seconds), path, unify=True)
    with open_capture(path) as opened:
        assert [int(t) for batch in opened for t in batch.timestamps] == [seconds * 10**9]
