"""Verdicts as tables: the same columns in each library; a missing one is named."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

import ztfast
from ztfast.engine.verdict_tables import VERDICT_COLUMNS
from ztfast.errors import BackendError

ARP, IPV4 = bytes(12) + b"\x08\x06" + bytes(28), bytes(12) + b"\x08\0" + bytes(28)


def verdicts(frames: list[bytes]) -> ztfast.Verdicts:
    engine = ztfast.Engine(ztfast.compile("accept ethertype arp;\ndrop;\n"), backend="reference")
    return engine.evaluate(ztfast.FrameBatch.from_frames(frames))


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_one_row_a_frame(library: str) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed")
    for frames in ([ARP, IPV4], []):
        found = verdicts(frames)
        way = "arrow" if library == "pyarrow" else library
        table: Any = getattr(found, f"to_{way}")()
        names = table.schema.names if way == "arrow" else list(table.columns)
        assert names == list(VERDICT_COLUMNS)
        for name in names:
            column = table.column(name) if way == "arrow" else table[name]
            values = column.to_list() if hasattr(column, "to_list") else column.to_pylist()
            assert values == getattr(found, name).tolist(), name


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", missing)
    found = verdicts([ARP])
    for way, extra in (("arrow", "table"), ("pandas", "dataframe"), ("polars", "dataframe")):
        with pytest.raises(BackendError, match=rf"ztfast\[{extra}\]"):
            getattr(found, f"to_{way}")()
