"""What tests of the page share: a run over a capture, and its page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import ztfast
from tests import pages
from ztfast.capture.many import open_captures
from ztfast.engine.engine import Engine
from ztfast.pipeline.job import Job
from ztfast.pipeline.overview import Overview
from ztfast.report.page import PageFacts

HOSTILE = ("<script>alert(1)</script>", "' onmouseover='alert(2)", "</title><b>", "\u202eabc")
OFFICE = pages.EXAMPLES / "office.pcap"


def office(**settings: Any) -> Engine:
    """The example's rules; network=None: nobody is known."""
    settings.setdefault("network", ztfast.load_network(pages.EXAMPLES / "office.toml"))
    return Engine(ztfast.load(pages.EXAMPLES / "office.ztrules"), **settings)


def hostile_office() -> Engine:
    """The same with members of hostile names."""
    engine = office()
    assert engine.network is not None
    names = iter(HOSTILE)
    members = tuple(replace(m, name=next(names, m.name)) for m in engine.network.members)
    return Engine(engine.policy, network=replace(engine.network, members=members, name="<i>x</i>"))


def facts(engine: Engine, *sources: str | Path) -> PageFacts:
    """A run's figures."""
    overview = Overview(engine)
    with open_captures(sources or [OFFICE]) as source:
        job = Job(engine, source, observers=[overview])
        job.work()
        paths = [Path(path).name for path in source.paths]
        return PageFacts(engine, job.tally, overview, paths, job.findings(), job.interrupted)


CHANGES = json.loads("""{
  "frames": 221, "changed": 3, "rows": [
    {"old": "accepted", "old_line": 71, "new": "dropped", "new_line": 48, "frames": 2, "bytes": 9,
     "examples": [{"path": "<a>.pcap", "byte": 24, "time": 1700000000000000000,
                   "frame": "tcp <b>"}]},
    {"old": "dropped", "old_line": 0, "new": "accepted", "new_line": 3, "frames": 1, "bytes": 5,
     "examples": []}]}""")
