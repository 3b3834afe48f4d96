"""The report page of a capture is the one that `ztfast filter --report` writes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.running import run
from tests.needs import needs
from tests.serve.places import TEXT, settings
from tests.serve.running import CAPTURE, NEEDED, NETWORK
from ztfast.errors import CaptureError, UsageError
from ztfast.serve.ask_page import Pages, capture_page

pytestmark = needs(*NEEDED)


def test_it_is_the_page_of_filter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(CAPTURE, "day.pcap")
    Path("rules.ztrules").write_text(TEXT, encoding="utf-8")
    words = ("rules.ztrules", "day.pcap", "--network", str(NETWORK), "--report", "page.html")
    assert run("filter", *words).returncode == 0
    uploaded = tmp_path / "0123456789abcdef"
    shutil.copy(CAPTURE, uploaded)
    made = capture_page(settings(), TEXT, str(uploaded), "day.pcap")
    assert made == Path("page.html").read_text(encoding="utf-8")


def test_damage_is_said_of_the_file_that_was_uploaded(tmp_path: Path) -> None:
    cut = tmp_path / "0123456789abcdef"
    cut.write_bytes(CAPTURE.read_bytes()[:-7])
    made = capture_page(settings(), TEXT, str(cut), "<b>day</b>.pcap")
    assert "&lt;b&gt;day&lt;/b&gt;.pcap" in made
    assert "<b>day" not in made
    assert cut.name not in made
    assert len(capture_page(settings(), TEXT, str(cut), "x" * 10_000)) < len(made) + 2000


def test_what_is_no_capture_has_no_page(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"nothing of that kind")
    with pytest.raises(CaptureError, match="is not a capture"):
        capture_page(settings(), TEXT, str(path), "x.pcap")


def test_a_few_pages_are_kept() -> None:
    pages = Pages(2)
    names = [pages.keep(text) for text in ("one", "two", "three")]
    assert len(set(names)) == 3
    assert [pages.page(name) for name in names[1:]] == ["two", "three"]
    for name in (names[0], "../secret", ""):
        with pytest.raises(UsageError, match="not here"):
            pages.page(name)
