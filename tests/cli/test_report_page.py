"""`--report`: filter and archive make the same page, whatever the cut; what is refused."""

from __future__ import annotations

import json
import os
import random
from functools import partial
from pathlib import Path

import pytest

from tests.archive.running import RANDOM_RULES, Here, captures_in
from tests.cli.running import ztfast
from tests.needs import needs_loops
from tests.pipeline.hostile_captures import MEMBERS_RULES, frames_between, network_of
from ztfast.archive import job, local

MEMBERS = "\n".join(
    f'[[member]]\naddress = "{n:010x}"\nname = "<i>{n}"\nips = ["10.0.0.{n}"]' for n in range(1, 9)
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    captures_in(tmp_path / "caps", frames=200)
    (tmp_path / "r.ztrules").write_text(RANDOM_RULES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(local, "LocalWorkers", lambda workers: Here())
    return tmp_path


def test_filter_and_archive_make_the_same_page(place: Path) -> None:
    assert ztfast("filter", "r.ztrules", "caps", "--report", "one.html") == 0
    assert ztfast("archive", "r.ztrules", "caps", "--out", "o", "--report", "two.html") == 0
    page = (place / "one.html").read_text()
    assert page == (place / "two.html").read_text()
    assert "600 frames" in page


@needs_loops
def test_with_members_in_parts(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "plan", partial(job.plan, part=9000))
    data = frames_between(random.Random(5), network_of(8), 900)
    (place / "caps" / "c3.pcap").write_bytes(data)
    (place / "m.ztrules").write_text(MEMBERS_RULES)
    (place / "net.toml").write_text(f'id = "8056c2e21c000001"\nname = "n"\n{MEMBERS}\n')
    words = ("m.ztrules", "caps", "--network", "net.toml")
    assert ztfast("filter", *words, "--report", "one.html") == 0
    assert ztfast("archive", *words, "--out", "o", "--report", "two.html") == 0
    assert len(list((place / "o" / "segments").iterdir())) > 10
    page = (place / "one.html").read_text()
    assert page == (place / "two.html").read_text()
    assert "&lt;i&gt;3" in page
    assert "<i>3" not in page


def test_old_rules_and_resume(place: Path) -> None:
    (place / "new.ztrules").write_text(RANDOM_RULES.replace("0-80", "0-200"))
    words = ("archive", "new.ztrules", "caps", "--out", "o", "--old", "r.ztrules")
    assert ztfast(*words, "--report", "page.html") == 0
    page = (place / "page.html").read_text()
    assert "change from the old rules" in page
    (place / "page.html").unlink()
    assert ztfast(*words, "--report", "page.html", "--resume") == 0
    assert (place / "page.html").read_text() == page
    assert ztfast(*words, "--resume") == 2  # begun with a report's figures


def test_damage_is_on_the_page(place: Path) -> None:
    with (place / "caps" / "c1.pcap").open("ab") as file:
        file.write(b"\0" * 9)
    for words in (("filter",), ("archive", "--out", "o")):
        assert ztfast(words[0], "r.ztrules", "caps", *words[1:], "--report", "page.html") == 1
        page = (place / "page.html").read_text()
        assert "c1.pcap: byte" in page
        first = page[page.index("</h1>") : page.index("<section")]
        assert "Damaged, not all of it is counted: caps/c1.pcap." in first
        missing = "1 file is missing, not read: caps/c2.pcap." in first
        assert missing == (words[0] == "filter")
        many, named = ("2 files", 0) if missing else ("3 files", 1)
        assert f"bytes in {many}" in page
        assert page.count("<li>caps/c2.pcap</li>") == named


def test_a_limit_leaves_files_out_and_none_is_missing(place: Path) -> None:
    assert ztfast("filter", "r.ztrules", "caps", "--limit", "9", "--report", "page.html") == 0
    page = (place / "page.html").read_text()
    assert "9 frames" in page
    assert "in 1 file," in page
    assert "missing" not in page


def test_the_figures_are_printed_as_well(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ztfast("filter", "r.ztrules", "caps", "--json", "--count") == 0
    plain = json.loads(capfd.readouterr().out)
    assert ztfast("filter", "r.ztrules", "caps", "--json", "--count", "--report", "p.html") == 0
    assert json.loads(capfd.readouterr().out) == plain


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("-", "name a file"),
        ("caps", "not a name for a file"),
        ("nowhere/page.html", "not a name for a file"),
        ("caps/c1.pcap", "would be written over while it is read"),
        ("r.ztrules", "would be written over while it is read"),
    ],
)
def test_what_is_refused_before_any_work(
    page: str, said: str, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    for words in (("filter",), ("archive", "--out", "o")):
        assert ztfast(words[0], "r.ztrules", "caps", *words[1:], "--report", page) == 2
        assert said in capfd.readouterr().err
    assert before == {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_two_outputs_of_one_name(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ztfast("filter", "r.ztrules", "caps", "-w", "x.pcap", "--report", "x.pcap") == 2
    assert "written twice" in capfd.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="/dev/full")
def test_a_full_disk_is_an_error_behind_the_figures(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ztfast("filter", "r.ztrules", "caps", "--report", "/dev/full") == 1
    out, err = capfd.readouterr()
    assert "verdict" in out
    assert "No space left" in err
