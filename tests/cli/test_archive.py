"""`ztfast archive` as a program: figures, statuses, what is said of what failed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.archive.running import RANDOM_RULES, captures_in
from tests.cli.running import run, ztfast
from ztfast.archive import job


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    captures_in(tmp_path / "caps", frames=200)
    (tmp_path / "r.ztrules").write_text(RANDOM_RULES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_figures_are_those_of_filter(place: Path) -> None:
    filtered = run("filter", "r.ztrules", "caps", "--json", cwd=place)
    archived = run("archive", "r.ztrules", "caps", "--out", "out", "--json", cwd=place)
    assert archived.returncode == filtered.returncode == 0
    figures = json.loads(archived.stdout)
    assert (figures.pop("segments"), figures.pop("committed")) == (3, 3)
    assert json.dumps(figures, indent=2) + "\n" == filtered.stdout
    assert archived.stderr == filtered.stderr
    plain = run("filter", "r.ztrules", "caps", cwd=place)
    again = run("archive", "r.ztrules", "caps", "--out", "out", "--resume", cwd=place)
    assert (again.stdout, again.stderr) == (plain.stdout, plain.stderr)


def test_damage_is_said_and_the_status_is_1(place: Path) -> None:
    with (place / "caps" / "c1.pcap").open("ab") as file:
        file.write(b"\0" * 9)
    (place / "caps" / "notes.txt").write_text("no capture")
    done = run("archive", "r.ztrules", "caps", "--out", "out", "--on", "local:1", cwd=place)
    assert done.returncode == 1
    assert "notes.txt" in done.stderr
    assert "c1.pcap: byte" in done.stderr
    assert "600" in done.stdout


def test_captures_are_written(place: Path) -> None:
    words = ("archive", "r.ztrules", "caps", "--out", "out", "--only", "tee,dropped", "--json")
    figures = json.loads(run(*words, cwd=place).stdout)
    for row in figures["files"]:
        assert (place / "out" / row["path"]).stat().st_size == row["size"]
    names = {Path(row["path"]).name for row in figures["files"]}
    assert names == {"tee-8e30f50a25.pcapng", "dropped.pcapng"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--on", "cloud"], "names no workers"),
        (["--on", "local:0"], "names no workers"),
        (["--since", "yesterday"], "is not a time"),
        (["--only", "tees"], "no output 'tees'"),
    ],
)
def test_wrong_usage(
    words: list[str], said: str, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ztfast("archive", "r.ztrules", "caps", "--out", "out", *words) == 2
    assert said in capfd.readouterr().err
    assert not (place / "out").exists()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2023-11-14T22:13:20Z", 1_700_000_000),
        ("2023-11-14T22:13:20", 1_700_000_000),
        ("2023-11-15T00:13:20+02:00", 1_700_000_000),
        ("2023-11-14", 1_699_920_000),
        ("1969-12-31T23:59:59", -1),
    ],
)
def test_times_are_utc(
    text: str, seconds: int, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int | None] = []

    def noted(*_: object, since: int | None, until: int | None, **__: object) -> None:
        given.extend((since, until))
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "plan", noted)
    status = ztfast("archive", "r.ztrules", "caps", "--out", "out", "--since", text)
    assert (status, given) == (130, [seconds * 10**9, None])
