"""Reading ahead: the same items in their order, errors in their place, one item more at most."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import ztfast
from tests.capture.building import frame, pcap
from tests.needs import BACKENDS
from ztfast.capture import open_capture, open_captures
from ztfast.errors import CaptureError
from ztfast.pipeline.ahead import read_ahead
from ztfast.pipeline.judge import judgements


def test_the_same_items() -> None:
    assert list(read_ahead(range(100))) == list(range(100))
    assert list(read_ahead([])) == []
    assert list(read_ahead([None, None])) == [None, None]


def test_one_item_more_is_made_and_not_two() -> None:
    made: list[int] = []
    ready = threading.Event()

    def items() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            if number == 1:
                ready.set()
            yield number

    ahead = read_ahead(items())
    assert next(ahead) == 0
    assert ready.wait(30)
    ahead.close()
    assert made == [0, 1]


def test_an_error_comes_behind_what_was_made_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("broken")

    found: list[int] = []
    with pytest.raises(ValueError, match="broken"):
        found += read_ahead(items())  # what came is added before it raises
    ahead = read_ahead(items())
    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(ahead)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_damaged_capture_is_judged_up_to_its_damage(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(pcap([frame(i, 60) for i in range(50)])[:-5])
    engine = ztfast.Engine(ztfast.compile("accept;"), backend=backend)
    judged: list[int] = []
    with open_captures([path]) as source:
        found = (len(item.packets) for item in judgements(engine, source, threads=2))
        with pytest.raises(CaptureError, match="into a record"):
            judged.extend(found)
    assert sum(judged) == 49


def test_what_may_wait_is_not_read_ahead(tmp_path: Path) -> None:
    path = tmp_path / "one.pcap"
    path.write_bytes(pcap([frame(1, 60)]))
    assert open_captures([path]).regular
    assert not open_captures([path], follow=True).regular
    assert not open_captures([path, "-"]).regular
    with open_capture(path) as one, path.open("rb") as file, open_capture(file) as other:
        assert (one.regular, other.regular) == (True, False)
