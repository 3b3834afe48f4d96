"""Flows add up to the figures, whatever the cut; DuckDB reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.archive.running import RANDOM_RULES, Here, captures_in
from tests.needs import needs, needs_loops
from ztfast.archive import flows, plan
from ztfast.archive.result import ArchiveResult
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text

pytestmark = needs("pyarrow", "duckdb")
ENGINE = Engine(compile_text(RANDOM_RULES))
SUMS = (
    "hour, source, dest, ethertype, protocol, service, verdict, line, rule, "
    "sum(frames)::int, sum(bytes)::int, min(epoch_ns(first)), max(epoch_ns(last))"
)


def run(caps: Path, out: Path, part: int = 1 << 30) -> ArchiveResult:
    return plan([caps], ENGINE, out=str(out), outputs={"flows"}, part=part).run(Here())


def asked(out: Path, what: str, rest: str = "") -> list[Any]:
    import duckdb

    files = f"read_parquet('{out}/segments/*/flows.parquet')"
    return duckdb.sql(f"select {what} from {files} {rest}").fetchall()


def test_they_add_up(tmp_path: Path) -> None:
    result = run(captures_in(tmp_path / "caps", frames=500), tmp_path / "out")
    what = "verdict, line, rule, sum(frames)::int, sum(bytes)::int"
    found = asked(tmp_path / "out", what, "group by all")
    sums: dict[tuple[Any, ...], list[int]] = {}
    for row in result.tally.rows():
        both = sums.setdefault((row["verdict"], row["line"] or 0, row["rule"]), [0, 0])
        both[0] += row["frames"]
        both[1] += row["bytes"]
    assert {tuple(row[:3]): list(row[3:]) for row in found} == sums


@needs_loops
def test_no_cut_changes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    caps = captures_in(tmp_path / "caps", frames=500)
    run(caps, tmp_path / "one")
    monkeypatch.setattr(flows, "_MOST", 50)
    run(caps, tmp_path / "many", 9000)
    one, many = (asked(tmp_path / n, SUMS, "group by all order by all") for n in ("one", "many"))
    assert one == many
    assert len(one) > 100


def test_hours_services_and_addresses(tmp_path: Path) -> None:
    run(captures_in(tmp_path / "caps", 1, frames=500), tmp_path / "out")
    assert asked(tmp_path / "out", "distinct epoch(hour)::int") == [(1_700_000_000 // 3600 * 3600,)]
    services = {row[0] for row in asked(tmp_path / "out", "distinct service")}
    assert {0, 22, 53, 80} <= services
    odd = asked(tmp_path / "out", "count(*)", "where ethertype = 2054 and source not like '__:%'")
    assert odd == [(0,)]  # ARP: MACs
