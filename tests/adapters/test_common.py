"""What adapters share: a missing library says which extra brings it; link types; columns."""

from __future__ import annotations

import sys

import pytest

import ztfast
from tests.adapters.office import engine, wanted
from ztfast.adapters import arrow, common


def test_a_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ztfast.BackendError, match=r"pip install 'ztfast\[table\]'"):
        arrow.batch([b"frame"])


def test_every_column_has_one_item_a_frame() -> None:
    _, _, verdicts = wanted()
    columns = common.verdict_columns(verdicts)
    assert tuple(columns) == common.COLUMNS
    assert {len(column) for column in columns.values()} == {221}


def test_other_link_types() -> None:
    frames, lengths, _ = wanted()
    ip = [(frame[14:], length - 14) for frame, length in zip(frames, lengths, strict=True)
          if frame[12:14] == b"\x08\x00"]  # fmt: skip
    batch = common.batch_of([frame for frame, _ in ip], [length for _, length in ip], 101)
    rules = ztfast.Engine(ztfast.compile("accept ipprotocol tcp;\ndrop;"))
    assert rules.evaluate(batch).accepted.tolist() == [frame[9] == 6 for frame, _ in ip]
    with pytest.raises(ztfast.CaptureError):
        common.batch_of([b"frame"], None, 65000)


def test_nothing_is_a_batch_too() -> None:
    assert len(engine().evaluate(common.batch_of([])).accepted) == 0
    assert list(common.in_groups(range(5), 2)) == [[0, 1], [2, 3], [4]]
