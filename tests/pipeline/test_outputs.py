"""What a run writes: a folder by verdict, rule or member, a table, all or nothing opened."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ztfast
from tests import pages
from tests.capture.building import frame, pcap
from tests.needs import needs_loops
from ztfast.capture import open_captures
from ztfast.pipeline.job import Job
from ztfast.pipeline.outputs import OutputOptions

KINDS = ("ztrules", "toml", "pcap")
RULES, NETWORK, CAPTURE = (pages.EXAMPLES / f"office.{kind}" for kind in KINDS)
SENSOR, PROXY = "8e30f50a25", "6b4d5e6f70"
ACCEPTED, DROPPED, REDIRECTED, TEES, WATCHES = 210, 8, 3, 8, 4
TEE, ETHERNET = 96, 14


def run(engine: ztfast.Engine, paths: list[Path], options: OutputOptions, merge: bool) -> Job:
    with open_captures(paths, merge=merge) as source:
        job = Job(engine, source, options)
        job.work()
    assert not job.failed
    return job


def judge(backend: str = "auto", **wanted: Any) -> Job:
    """The example, written as wanted."""
    network = ztfast.load_network(NETWORK)
    engine = ztfast.Engine(ztfast.load(RULES), network=network, backend=backend)
    options = {key: str(value) for key, value in wanted.items()}
    return run(engine, [CAPTURE], OutputOptions(**options), False)


def frames(path: Path) -> list[tuple[int, int]]:
    """(captured, length) of each frame."""
    with ztfast.open_capture(path) as capture:
        return [
            (int(captured), int(length))
            for batch in capture
            for captured, length in zip(batch.captured, batch.lengths, strict=True)
        ]


def counts(folder: Path) -> dict[str, int]:
    return {path.name: len(frames(path)) for path in sorted(folder.iterdir())}


def test_split_by_verdict(tmp_path: Path) -> None:
    judge(split=tmp_path / "out")
    assert counts(tmp_path / "out") == {
        "accepted.pcapng": ACCEPTED,
        "dropped.pcapng": DROPPED,
        f"redirect-{PROXY}.pcapng": REDIRECTED,
        "redirected.pcapng": REDIRECTED,
        f"tee-{SENSOR}.pcapng": TEES,
        f"watch-{SENSOR}.pcapng": WATCHES,
    }
    for captured, length in frames(tmp_path / "out" / f"tee-{SENSOR}.pcapng"):
        assert captured <= length <= ETHERNET + TEE


def test_split_in_another_format(tmp_path: Path) -> None:
    judge(split=tmp_path / "out", form="pcap")
    assert all(path.suffix == ".pcap" for path in (tmp_path / "out").iterdir())
    assert (tmp_path / "out" / "accepted.pcap").read_bytes()[:4] == CAPTURE.read_bytes()[:4]


def test_split_by_rule_and_member(tmp_path: Path) -> None:
    judge(split=tmp_path / "rule", split_by="rule")
    by_rule = counts(tmp_path / "rule")
    assert by_rule["rule-line-34.pcapng"] == 1  # ipauth
    rules = [number for name, number in by_rule.items() if name.startswith("rule-")]
    assert sum(rules) == ACCEPTED + DROPPED + REDIRECTED
    judge(split=tmp_path / "member", split_by="member")
    by_member = counts(tmp_path / "member")
    members = {name: n for name, n in by_member.items() if name.startswith("member-")}
    assert sum(members.values()) == ACCEPTED + DROPPED + REDIRECTED
    assert members["member-a84ac5c10a.pcapng"] > 0
    assert "member-unknown.pcapng" not in members


@needs_loops
def test_split_is_the_same_on_both_backends(tmp_path: Path) -> None:
    for name in ("native", "reference"):
        judge(name, split=tmp_path / name, split_by="member")
    native, reference = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("native", "reference")
    )
    assert len(native) > 2
    assert native == reference


def test_tables(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    for suffix in ("csv", "npy", "parquet", "arrow"):
        judge(table=tmp_path / f"rows.{suffix}")
    with (tmp_path / "rows.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == ACCEPTED + DROPPED + REDIRECTED
    verdicts = [row["verdict"] for row in rows]
    assert verdicts.count("drop") == DROPPED
    assert sum(f"tee:{SENSOR}" in row["copies"] for row in rows) == 8
    table = np.load(tmp_path / "rows.npy")
    assert table["verdict"].tolist() == verdicts
    import pyarrow.parquet as pq

    assert pq.read_table(tmp_path / "rows.parquet")["verdict"].to_pylist() == verdicts


@pytest.mark.parametrize("merge", [False, True])
def test_captures_of_several_snap_lengths_are_one_interface_that_cuts_nothing(
    tmp_path: Path, merge: bool
) -> None:
    """libpcap refuses a pcapng whose interfaces differ in their snap length."""
    paths = [tmp_path / "a.pcap", tmp_path / "b.pcap"]
    for path, size in zip(paths, (96, 1000), strict=True):
        path.write_bytes(pcap([frame(size, size)], snaplen=size))
    engine = ztfast.Engine(ztfast.compile("accept;"))
    run(engine, paths, OutputOptions(split=str(tmp_path / "out")), merge)
    with ztfast.open_capture(tmp_path / "out" / "accepted.pcapng") as capture:
        batches = [batch for batch in capture if len(batch)]
    assert [len(data) for batch in batches for data in batch.frames()] == [96, 1000]
    assert [face.snaplen for face in batches[-1].interfaces] == [0]


def test_one_that_cannot_be_opened_leaves_older_files_of_the_others(tmp_path: Path) -> None:
    older = tmp_path / "rows.npy"
    older.write_bytes(b"older")
    (tmp_path / "nowhere").mkdir()
    options = OutputOptions(table=str(older), accepted=str(tmp_path / "nowhere" / "o.pcap"))
    with open_captures([CAPTURE]) as source:
        job = Job(ztfast.Engine(ztfast.compile("accept;")), source, options)
        (tmp_path / "nowhere").rmdir()  # what is missing from the start is refused
        job.work()
        assert job.failed
        assert job.unwritten
    assert [finding.code for finding in job.findings()] == ["ZT601"]
    assert older.read_bytes() == b"older"
