"""The guard's judgement; the counting itself is `make bench-check`."""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from bench import guard
from tests.needs import needs_loops


def test_five_percent_more_is_too_much() -> None:
    before = {"scan": 1000, "evaluate": 1000}
    assert guard.compared(before, {"scan": 1050, "evaluate": 10}) == []
    assert guard.compared(before, {"scan": 1051, "evaluate": 1000}) == [
        "scan: 1,051 instructions, +5.1%"
    ]


def test_an_input_that_is_gone_or_new_is_told() -> None:
    wrong = guard.compared({"scan": 1, "gone": 1}, {"scan": 1, "new": 1})
    assert wrong == ["gone: only on one side", "new: only on one side"]


def test_what_clang_built_names_gcc_too(tmp_path: Path) -> None:
    (tmp_path / "ztfast").mkdir()
    module = tmp_path / "ztfast" / f"_core{EXTENSION_SUFFIXES[0]}"
    says = b"\0GCC: (Debian 12.2.0-14) 12.2.0\0"
    module.write_bytes(says)
    assert guard.compiler(tmp_path).endswith(" gcc 12")
    module.write_bytes(says + b"Debian clang version 14.0.6\0")
    assert guard.compiler(tmp_path).endswith(" clang 14")


@needs_loops
def test_figures_name_every_input() -> None:
    figures = guard.recorded()
    assert figures
    names = set(guard.inputs())
    for built, counts in figures.items():
        assert set(counts) == names, built
        assert all(count > guard.FRAMES for count in counts.values()), built


@needs_loops
def test_inputs_run() -> None:
    found = {name: call() for name, call in guard.inputs().items()}
    assert len(found["scan"].offsets) == guard.FRAMES
    ends = {name: scan.next for name, scan in found.items() if name.startswith("scan")}
    assert len(set(ends.values())) == 1, ends
    assert all(found[name].scanned == guard.FRAMES for name in ends)
    assert 0 < len(found["scan, count and keep"].offsets) < guard.FRAMES
    assert not len(found["scan, count, 500 members"].offsets)
    judged = [verdicts for name, verdicts in found.items() if name.startswith("evaluate ")]
    assert [len(verdicts) for verdicts in judged] == [guard.FRAMES] * 6
    assert {len(column) for column in found["decode every column"].values()} == {guard.FRAMES}
