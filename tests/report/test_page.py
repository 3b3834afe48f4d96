"""The page: the answer first, everything named, nothing that a name holds takes effect."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import ztfast
from tests.capture.building import pcap
from tests.pipeline.hostile_captures import frames_between, network_of
from tests.report.paging import CHANGES, HOSTILE, OFFICE, facts, hostile_office, office
from ztfast.engine.engine import Engine
from ztfast.errors import Diagnostic
from ztfast.pipeline import overview as gathering
from ztfast.report.page import PageFacts, report_page

VOID = {"meta"}


class Read(HTMLParser):
    """A page's texts by section, its tags and its attributes; unbalanced tags fail."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sections: dict[str, str] = {}
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.heading = ""
        self._open: list[str] = []
        self._section = "top"
        self.feed(page)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "h1":
            self.heading += data
        if self._open and self._open[-1] == "h2":
            self._section = data
        self.sections[self._section] = f"{self.sections.get(self._section, '')}{data} "


def read(found: PageFacts) -> Read:
    return Read(report_page(found))


def test_the_answer_is_first_and_in_names() -> None:
    page = read(facts(office()))
    assert page.heading == (
        "8 of 221 frames (3.6%) were dropped, most often (2) from ben to files, "
        "by line 70: break chr tcp_syn and not chr tcp_ack"
    )
    assert list(page.sections)[1:] == [
        "Verdicts",
        "How sure this is",
        "Dropped frames over time",
        "Most dropped pairs",
        "Copies that arrived over time",
        "Who sends to whom",
        "Rules",
        "Made from",
    ]


def test_what_each_section_says() -> None:
    engine = office()
    found = read(facts(engine)).sections
    assert "221 frames, 95,586 bytes in 1 file, from 2026-01-12 06:40" in found["Verdicts"]
    assert "No verdict rests on an assumption" in found["How sure this is"]
    assert "line 48: drop ipprotocol tcp and dport 23" in found["Dropped frames over time"]
    assert "printer broadcast 1 12.5% 60 line 27" in found["Most dropped pairs"]
    copies = found["Copies that arrived over time"]
    assert "tee sensor 16 8 432" in copies
    assert "8 by tee to sensor did not arrive: dropped by its rules, line 34" in copies
    assert "files" in found["Who sends to whom"]
    assert "23 of 23 rules did something" in found["Rules"]
    assert "accept receiver, cap admin 1 54 16 accept dport 22" in found["Rules"]
    assert engine.policy.digest in found["Made from"]
    assert "8056c2e21c000001  office, 8 members" in found["Made from"]
    assert "office.pcap" in found["Made from"]


def test_nobody_is_known() -> None:
    page = read(facts(office(network=None)))
    sure = page.sections["How sure this is"]
    assert re.search(r"Assumed: .*ipauth=yes", sure)
    assert "from 10.147.20." in page.heading
    assert "Copies that were sent over time" in page.sections
    assert "not given" in page.sections["Made from"]


def test_names_take_no_effect() -> None:
    found = facts(hostile_office())
    text = report_page(replace(found, changes=CHANGES, files=["<script>", *HOSTILE]))
    page = Read(text)
    assert not page.tags & {"script", "b2", "i2", "img", "a", "link", "iframe", "form", "base"}
    assert not any(name.startswith("on") or name in ("src", "href") for name in page.attributes)
    whole = " ".join(page.sections.values())
    for name in HOSTILE[:3]:
        assert name in whole
    assert "\u202e" not in text
    assert "\\u202eabc" in whole
    assert text.count("<title>") == len(re.findall(r"<title>[^<]*</title>", text))


def test_nothing_is_loaded() -> None:
    text = report_page(facts(office()))
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert not re.search(r"https?:|url\(|@import|//", text)
    assert len(text) < 100_000


def test_old_rules() -> None:
    found = replace(facts(office()), changes=CHANGES, old="0123abcd")
    page = read(found)
    assert page.heading == (
        "3 of 221 frames (1.4%) change from the old rules, "
        "most often (2) from accepted to dropped, by line 48."
    )
    assert "8 of 221 frames (3.6%) were dropped" in page.sections["top"]
    rows = page.sections["Old rules → new rules"]
    assert "2 accepted (line 71) dropped (line 48) 2023-11-14 22:13 tcp <b>" in rows
    assert "1 dropped accepted (line 3)" in rows
    assert "0123abcd" in page.sections["Made from"]
    none = read(replace(found, changes={"frames": 221, "changed": 0, "rows": []}))
    assert none.heading == "None of 221 frames changes from the old rules."


def test_what_went_wrong_is_named() -> None:
    problems = [Diagnostic("ZT614", f"failed {n}", path=f"<c{n}>.pcap") for n in range(150)]
    found = replace(facts(office()), findings=problems, interrupted=True, missing=2)
    sure = read(found).sections["How sure this is"]
    assert "The run was interrupted" in sure
    assert "2 segments are not counted" in sure
    assert "<c0>.pcap: failed 0 (ZT614)" in sure
    assert "50 more findings like these" in sure


def test_no_frames_at_all(tmp_path: Path) -> None:
    path = tmp_path / "none.pcap"
    path.write_bytes(pcap([]))
    page = read(facts(office(), path))
    assert page.heading == "There were no frames to judge."
    assert "No frame was dropped." in page.sections["Dropped frames over time"]
    assert "0 of 23 rules did something" in page.sections["Rules"]


def test_frames_that_cannot_be_judged(tmp_path: Path) -> None:
    path = tmp_path / "odd.pcap"
    path.write_bytes(pcap([bytes(60)], linktype=187))
    page = read(facts(office(), path))
    assert "not judged 1 100% 60" in page.sections["Verdicts"]
    assert page.heading == "There were no frames to judge. 1 frame could not be judged."
    page = read(facts(office(), path, OFFICE))
    assert "dropped" in page.heading
    assert " of 221 frames that were judged (" in page.heading
    assert page.heading.endswith(". 1 frame could not be judged.")
    assert "Damaged" not in report_page(facts(office(), path))


def test_rows_are_bounded_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import random

    monkeypatch.setattr(gathering, "MOST_PAIRS", 20)
    network = network_of(60)
    path = tmp_path / "many.pcap"
    path.write_bytes(frames_between(random.Random(3), network, 900))
    rules = "drop dport 0-1000;\n" + "".join(f"accept dport {n};\n" for n in range(2000, 2400))
    page = read(facts(Engine(ztfast.compile(rules), network=network), path))
    assert "too many pairs to keep" in page.sections["Most dropped pairs"]
    assert "more dropped frames are of other pairs" in page.sections["Most dropped pairs"]
    assert "ends with fewer are left out" in page.sections["Who sends to whom"]
    assert "200 more did nothing" in page.sections["400 rules decided no frame and copied none"]


def test_the_same_figures_give_the_same_page() -> None:
    assert report_page(facts(office())) == report_page(facts(office(), OFFICE))
