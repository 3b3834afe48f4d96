"""Jobs that are resumed, refused, interrupted, and whose segments fail."""

from __future__ import annotations

import gc
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.archive.running import RANDOM_RULES, Here, captures_in, filtered
from tests.needs import needs, needs_loops
from ztfast.archive import plan
from ztfast.archive.job import ArchiveJob
from ztfast.capture import open_capture
from ztfast.capture.sources import MapFeed
from ztfast.engine.engine import Engine
from ztfast.errors import CaptureError, UsageError
from ztfast.lang import compile_text

ENGINE = Engine(compile_text(RANDOM_RULES))
PLAIN = Engine(compile_text("drop framesize 0-80; accept;"))  # whose frames need no numbers


def planned(tmp_path: Path, engine: Engine = ENGINE, **how: object) -> ArchiveJob:
    if not (tmp_path / "caps").exists():
        captures_in(tmp_path / "caps", frames=300)
    return plan([tmp_path / "caps"], engine, out=str(tmp_path / "out"), **how)  # type: ignore[arg-type]


def expected(tmp_path: Path) -> dict[str, object]:
    return filtered(ENGINE, tmp_path / "caps")


def test_the_result_stands_in_the_folder(tmp_path: Path) -> None:
    result = planned(tmp_path).run(Here())
    written = json.loads((tmp_path / "out" / "result.json").read_text())
    assert written == result.figures()
    assert {name: written[name] for name in expected(tmp_path)} == expected(tmp_path)


def test_a_second_run_does_nothing_anew(tmp_path: Path) -> None:
    first = planned(tmp_path).run(Here()).figures()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("segments/*/*")}
    assert planned(tmp_path).run(Here(), resume=True).figures() == first
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_ctrl_c_and_resume(tmp_path: Path) -> None:
    def stop(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    result = planned(tmp_path).run(Here(meddle=stop))
    assert result.interrupted
    assert (result.done, result.segments, result.complete) == (2, 3, False)
    again = planned(tmp_path).run(Here(), resume=True)
    assert again.complete
    assert again.tally.to_json() == {n: expected(tmp_path)[n] for n in again.tally.to_json()}


def test_another_job_is_refused(tmp_path: Path) -> None:
    planned(tmp_path).run(Here())
    with pytest.raises(UsageError, match="holds an earlier job"):
        planned(tmp_path).run(Here())
    for engine in (Engine(compile_text("accept;")), Engine(compile_text(RANDOM_RULES), seed=1)):
        with pytest.raises(UsageError, match=r"started with another (policy|seed)"):
            planned(tmp_path, engine).run(Here(), resume=True)
    with pytest.raises(UsageError, match="another choice of captures"):
        planned(tmp_path, outputs=["copies"]).run(Here(), resume=True)


def test_other_files_are_refused(tmp_path: Path) -> None:
    planned(tmp_path).run(Here())
    shutil.copy(tmp_path / "caps" / "c1.pcap", tmp_path / "caps" / "d.pcap")
    with pytest.raises(UsageError, match=r"d\.pcap is new or has changed"):
        planned(tmp_path).run(Here(), resume=True)
    (tmp_path / "caps" / "d.pcap").unlink()
    (tmp_path / "caps" / "c2.pcap").unlink()
    with pytest.raises(UsageError, match=r"c2\.pcap is not among the sources"):
        planned(tmp_path).run(Here(), resume=True)


def test_a_file_that_changes_meanwhile_fails_by_name(tmp_path: Path) -> None:
    path = captures_in(tmp_path / "caps", frames=300) / "c1.pcap"
    job = planned(tmp_path, PLAIN)

    def grow(done: int) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    result = job.run(Here(meddle=grow))
    (problem,) = result.problems
    assert (problem.code, problem.path) == ("ZT614", str(path))
    assert "changed since" in problem.message
    assert (result.done, result.segments, result.failed) == (2, 3, True)


def test_a_file_that_goes_away_fails_by_name_and_is_done_when_it_is_back(tmp_path: Path) -> None:
    path = captures_in(tmp_path / "caps", frames=300) / "c1.pcap"
    job, aside = planned(tmp_path, PLAIN), tmp_path / "aside"
    before = path.stat()
    path.rename(aside)
    result = job.run(Here())
    assert [problem.path for problem in result.problems] == [str(path)]
    aside.rename(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = planned(tmp_path, PLAIN).run(Here(), resume=True)
    assert again.complete


def test_where_frames_have_no_numbers_nothing_is_judged(tmp_path: Path) -> None:
    path = captures_in(tmp_path / "caps", frames=300) / "c1.pcap"
    job, aside = planned(tmp_path), tmp_path / "aside"
    path.rename(aside)
    result = job.run(Here())
    assert (result.problems[0].code, result.problems[0].path) == ("ZT614", str(path))
    assert "could not be counted" in result.problems[0].message
    assert (result.done, result.failed) == (0, True)
    aside.rename(path)
    again = planned(tmp_path).run(Here(), resume=True).figures()
    assert {name: again[name] for name in expected(tmp_path)} == expected(tmp_path)


def test_results_that_cannot_be_written_fail_by_name(tmp_path: Path) -> None:
    job = planned(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "attempts").write_text("a file where the folder must be")
    result = job.run(Here())
    assert (result.done, result.segments) == (0, 3)
    assert {problem.code for problem in result.problems} == {"ZT614"}
    (tmp_path / "out" / "attempts").unlink()
    again = planned(tmp_path).run(Here(), resume=True)
    assert again.complete


def test_copies_and_dropped_frames_are_written(tmp_path: Path) -> None:
    result = planned(tmp_path, outputs=["copies", "dropped"]).run(Here())
    sums = {"tee-8e30f50a25.pcapng": 0, "dropped.pcapng": 0}
    for row in result.captures:
        with open_capture(tmp_path / "out" / row["path"]) as capture:
            frames = sum(len(batch) for batch in capture)
        assert frames == row["frames"]
        sums[os.path.basename(row["path"])] += frames
    copies = [row["frames"] for row in result.tally.to_json()["copies"]]  # of both sides
    assert sums["dropped.pcapng"] == result.tally.verdict("drop").frames
    assert sums["tee-8e30f50a25.pcapng"] == sum(copies) > 0


@needs("pyarrow", "duckdb")
def test_rows_are_numbered_over_all_files(tmp_path: Path) -> None:
    import duckdb

    planned(tmp_path, outputs=["rows"]).run(Here())
    rows = f"read_parquet('{tmp_path}/out/segments/*/rows.parquet')"
    found = duckdb.sql(f"select count(*), min(number), max(number) from {rows}").fetchall()
    assert found == [(900, 1, 900)]
    dropped = duckdb.sql(f"select count(*) from {rows} where verdict = 'drop'").fetchall()
    assert dropped == [(expected(tmp_path)["verdicts"]["drop"]["frames"],)]  # type: ignore[index]


@pytest.mark.parametrize(
    ("sources", "error"),
    [
        (["-"], UsageError),
        (["nonsense://bucket/x.pcap"], UsageError),
        (["caps", "caps/c0.pcap"], UsageError),
        (["nothing*.pcap"], CaptureError),
        (["nothing.pcap"], CaptureError),
    ],
)
def test_sources_that_make_no_sense(
    sources: list[str], error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captures_in(tmp_path / "caps", frames=10)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        plan(sources, ENGINE, out="out")


def test_patterns_and_urls_of_files(tmp_path: Path) -> None:
    captures_in(tmp_path / "caps", frames=10)
    for source in (f"{tmp_path}/caps/*.pcap", f"file://{tmp_path}/caps", tmp_path / "caps"):
        assert len(plan([source], ENGINE, out=str(tmp_path / "out")).files) == 3


def test_an_unknown_output(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no output 'tees'"):
        planned(tmp_path, outputs=["tees"])


@needs_loops
def test_a_segment_leaves_nothing_mapped(tmp_path: Path) -> None:
    caps = captures_in(tmp_path / "caps", 1, frames=300)
    job = plan([caps], PLAIN, out=str(tmp_path / "out"), part=20_000)
    before = {id(one) for one in gc.get_objects() if isinstance(one, MapFeed)}
    gc.disable()
    try:
        result = job.run(Here())
        left = [one for one in gc.get_objects() if isinstance(one, MapFeed)]
    finally:
        gc.enable()
    assert result.segments > 1
    assert [one for one in left if id(one) not in before] == []
