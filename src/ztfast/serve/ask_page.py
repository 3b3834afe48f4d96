"""The report page of a capture: the file that `ztfast filter --report` writes, under the page.

Contract: `capture_page` gives the whole page as text, judged by the page's rules; what was judged
before damage counts, and the page says so.  `Pages` keeps a few, by names that we made.
Tested by tests/serve/test_ask_page.py.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from ztfast.capture.many import open_captures
from ztfast.engine.engine import Engine
from ztfast.errors import CaptureError, usage
from ztfast.pipeline.job import Job
from ztfast.pipeline.overview import Overview
from ztfast.report.page import PageFacts, report_page
from ztfast.serve.settings import MOST_CAPTURES, Settings

_MOST_NAME = 300
# a page without scripts, which may style itself and is shown by ours alone
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Frame-Options": "SAMEORIGIN",
}


def capture_page(settings: Settings, text: str, path: str, name: str) -> str:
    """The report of one capture; name: of the file that was uploaded.  Raises ZtfastError."""
    engine = Engine(settings.policy(text), network=settings.network)
    overview = Overview(engine)
    with open_captures([path]) as source:
        job = Job(engine, source, observers=[overview])
        job.work()
        begun, found = source.begun, job.findings()
    name = name[:_MOST_NAME] or "capture"
    findings = [replace(one, path=name) if one.path == path else one for one in found]
    if not job.tally.total.frames and not begun:
        raise CaptureError(*findings)
    return report_page(PageFacts(engine, job.tally, overview, [name], findings, job.interrupted))


class Pages:
    """The pages of one server."""

    def __init__(self, most_kept: int = MOST_CAPTURES) -> None:
        self._most_kept = most_kept
        self._kept: dict[str, str] = {}

    def keep(self, page: str) -> str:
        """Keep a page, in the place of the oldest where there are enough; its name."""
        while len(self._kept) >= self._most_kept:
            del self._kept[next(iter(self._kept))]
        name = secrets.token_hex(8)
        self._kept[name] = page
        return name

    def page(self, name: str) -> str:
        """A page by its name; raises UsageError."""
        if name not in self._kept:
            raise usage("this report is not here any more", "make it anew")
        return self._kept[name]
