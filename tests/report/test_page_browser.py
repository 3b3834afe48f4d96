"""The page in headless Chromium: it loads nothing, no error on the console, fits, is printed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.needs import needs
from tests.report.paging import CHANGES, facts, hostile_office
from ztfast.pipeline.column_sums import MINUTE
from ztfast.report.page import report_page

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = [
    needs("playwright"),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium: not installed"),
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with hostile names, bars of an hour by the minute, old rules."""
    found = facts(hostile_office())
    overview = found.overview
    assert overview.last is not None
    overview.last += 59 * MINUTE
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(report_page(replace(found, changes=CHANGES)), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_it_loads_nothing_and_fits(width: int, scheme: str, browser: Any, page: Path) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    said: list[str] = []
    shown = context.new_page()
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.on("dialog", lambda dialog: said.append(dialog.message))
    shown.goto(page.as_uri())
    assert asked == [page.as_uri()]
    assert said == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    box = shown.locator(".plot svg").first.bounding_box()
    assert box["width"] > width / 2
    assert box["height"] > 100
    sizes = shown.evaluate(
        "[...document.querySelectorAll('.axis span, .grid b, td')]"
        ".map(one => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(sizes) >= 11
    dark = shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    assert dark == (scheme == "dark")
    bars = shown.evaluate("[...document.querySelectorAll('path')].map(p => p.getBBox().height)")
    assert min(bars) > 0
    context.close()


def test_it_prints(browser: Any, page: Path) -> None:
    context = browser.new_context()
    shown = context.new_page()
    shown.goto(page.as_uri())
    assert shown.pdf(format="A4").startswith(b"%PDF")
    context.close()
    dark = browser.new_context(color_scheme="dark").new_page()
    dark.emulate_media(media="print", color_scheme="dark")
    dark.goto(page.as_uri())
    colours = "(style => [style.backgroundColor, style.color])(getComputedStyle(document.body))"
    assert dark.evaluate(colours) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
