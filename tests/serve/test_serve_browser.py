"""The page in headless Chromium, as somebody uses it: typing, mending, reading, saving."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.needs import needs
from tests.serve.running import CAPTURE, NEEDED, NETWORK, RULES, Running, running

CHROMIUM = shutil.which("chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
AXE = Path(__file__).parent / "data" / "axe.min.js"
PATIENCE = 30_000  # milliseconds
CASES = """
[[case]]
name = "visitors cannot log in"
from = "visitor"
to = "files"
proto = "tcp"
port = 22
expect = "drop"

[[case]]
name = "anna has a printer"
from = "anna"
to = "printer"
proto = "tcp"
port = 9100
expect = "accept"
"""

pytestmark = [
    needs(*NEEDED, "playwright"),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium: not installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The example with cases, logged in; it may not write."""
    cases = tmp_path_factory.mktemp("cases") / "cases.toml"
    cases.write_text(CASES, encoding="utf-8")
    with running(RULES, "--network", NETWORK, "--tests", cases) as server:
        server.log_in()
        yield server


class Opened:
    """A page with what it must never do: ask others, break its own rules, throw."""

    def __init__(self, browser: Any, server: Running, **how: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **how})
        self.context.set_default_timeout(PATIENCE)
        name, _, value = server.cookie.partition("=")
        if name:
            self.context.add_cookies([{"name": name, "value": value, "url": server.url}])
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        own = (server.url, server.url.replace("http:", "ws:"), "data:", "blob:")
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._said)
        self.page.on(
            "request",
            lambda asked: None if asked.url.startswith(own) else self.wrong.append(asked.url),
        )
        self.page.goto(server.url)

    def _said(self, said: Any) -> None:
        answers = ("401", "403", "409", "422")  # which the page shows in words
        if said.type in ("error", "warning") and not any(
            f" {one} " in said.text for one in answers
        ):
            self.wrong.append(said.text)

    def __enter__(self) -> Any:
        return self.page

    def __exit__(self, *error: object) -> None:
        self.context.close()
        if error[0] is None:
            assert self.wrong == []


@pytest.fixture(scope="module")
def opened(browser: Any, office: Running) -> Iterator[Opened]:
    made = Opened(browser, office)
    with made:
        yield made


@pytest.fixture
def page(opened: Opened) -> Iterator[Any]:
    """One page for the tests that change no text."""
    yield opened.page
    assert opened.wrong == []


def type_first(page: Any, text: str) -> None:
    page.locator(".cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type(text)


def choose(page: Any, tab: str) -> Any:
    page.get_by_role("tab", name=tab, exact=True).click()
    return page.get_by_role("tabpanel", name=tab)


def test_a_finding_comes_as_one_types_and_goes_by_its_fix(browser: Any, office: Running) -> None:
    with Opened(browser, office) as page:
        page.locator(".grid").wait_for()
        type_first(page, "drop;\n")  # its block stays open
        finding = page.locator("#findings li").first
        finding.get_by_text("the block of drop on line 1 is still open").wait_for()
        assert page.locator(".cm-lintRange-error").first.text_content() == "tag"
        assert page.get_by_role("status").filter(has_text="error").text_content() == "1 error"
        finding.get_by_role("button", name=re.compile("^Write")).click()
        page.locator("#findings li", has_text="still open").wait_for(state="detached")
        assert page.locator(".cm-line").first.text_content() == "Drop"
        assert page.get_by_text("changed", exact=True).is_visible()
        page.get_by_text("0 of 336 ways are open").wait_for()  # the grid follows


def test_a_word_says_what_it_means(page: Any) -> None:
    page.get_by_text("ethertype", exact=True).first.hover()
    page.locator(".cm-lsp-hover-tooltip", has_text="MATCH_ETHERTYPE").wait_for()


def test_the_grid_is_read_and_a_cell_says_why(page: Any) -> None:
    panel = choose(page, "Reach")
    panel.get_by_text("of 336 ways are open").wait_for()
    panel.get_by_role("button", name=re.compile("visitor to files")).click()
    row = panel.locator(".detail").get_by_role("row").filter(has_text="ssh")
    assert "tag" in row.text_content()
    row.get_by_role("button", name="Why is ssh").click()
    panel.get_by_text("by the sender: line 63").wait_for()
    row.get_by_role("button", name="line 63").click()
    assert page.locator(".cm-activeLineGutter").first.text_content() == "63"


def test_a_written_frame_is_explained(page: Any) -> None:
    panel = choose(page, "Explain")
    panel.get_by_label("From").fill("visitor")
    panel.get_by_label("To").fill("files")
    panel.get_by_label("Port").fill("22")
    assert panel.get_by_label("Frame").input_value() == "tcp visitor > files:22 syn"
    panel.get_by_role("button", name="Explain").click()
    panel.get_by_text("dropped", exact=True).wait_for()
    panel.get_by_label("Frame").fill("tcp nobody > files:22")
    page.keyboard.press("Enter")
    panel.locator(".problem", has_text="nobody").wait_for()


def test_a_capture_is_opened_and_a_dropped_frame_explained(page: Any) -> None:
    panel = choose(page, "Capture")
    panel.get_by_label("Capture", exact=True).set_input_files(CAPTURE)
    panel.get_by_text("221 frames").wait_for()
    assert panel.locator(".verdicts").text_content().split() == [
        *("accepted", "210", "dropped", "8", "redirected", "3")
    ]
    panel.get_by_role("button", name="Why was frame").first.click()
    panel.locator(".why .badge-drop").wait_for()
    panel.get_by_role("button", name="Close").click()
    panel.get_by_text("221 frames").wait_for(state="detached")
    dropped = page.evaluate_handle(
        "(made => (made.items.add(new File(['nonsense'], 'x.pcap')), made))(new DataTransfer())"
    )
    panel.locator(".drop").dispatch_event("drop", {"dataTransfer": dropped})
    panel.locator(".problem").wait_for()


def test_the_report_of_a_capture_is_shown_in_the_page(page: Any) -> None:
    panel = choose(page, "Capture")
    panel.get_by_label("Capture", exact=True).set_input_files(CAPTURE)
    panel.get_by_role("button", name="Report page").click()
    report = panel.frame_locator("iframe")
    report.get_by_role("heading", level=1).wait_for()
    assert report.get_by_text(CAPTURE.name).count()
    assert panel.locator("iframe").get_attribute("title") == f"Report of {CAPTURE.name}"
    with page.context.expect_page() as alone:
        panel.get_by_role("link", name="In a tab of its own").click()
    alone.value.get_by_role("heading", level=1).wait_for()
    alone.value.close()
    with page.expect_download() as download:
        panel.get_by_role("link", name="Save").click()
    assert download.value.suggested_filename == f"{CAPTURE.name}.html"
    assert "<h1>" in Path(download.value.path()).read_text(encoding="utf-8")
    panel.get_by_role("button", name="Close").click()
    panel.locator("iframe").wait_for(state="detached")


def test_tests_mark_the_margin(page: Any) -> None:
    panel = choose(page, "Tests")
    panel.get_by_text("1 of 2 cases failed.").wait_for()
    panel.get_by_text("anna has a printer").click()
    panel.get_by_label("Why anna has a printer failed").wait_for()
    mark = page.locator(".cm-coverage .coverage-none").first
    assert "not covered by any test" in mark.get_attribute("title")


@needs("z3")
def test_a_change_is_compared(browser: Any, office: Running) -> None:
    with Opened(browser, office) as page:
        type_first(page, "accept ipprotocol tcp and dport 22;\n")
        panel = choose(page, "Diff")
        panel.get_by_role("button", name="Compare").click()
        panel.locator(".edits code", has_text="dport 22").wait_for()
        panel.get_by_text("ssh opens").wait_for()
        type_first(page, "# more\n")
        page.locator("#panel-diff.stale").wait_for()


def test_the_keyboard_is_enough(page: Any) -> None:
    choose(page, "Reach").locator(".grid").wait_for()
    page.locator(".cm-content").focus()
    page.keyboard.press("Tab")  # nobody is caught in the editor
    for _ in range(20):
        if page.evaluate("document.activeElement.id") == "tab-reach":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.id") == "tab-diff"
    page.keyboard.press("Home")
    assert page.get_by_role("tab", name="Reach").get_attribute("aria-selected") == "true"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "panel-reach"


@pytest.mark.parametrize(("look", "width"), [("light", 1400), ("dark", 400)])
def test_axe_finds_nothing(browser: Any, office: Running, look: str, width: int) -> None:
    """With everything open that has content: a finding, the grid, a capture, the tests."""
    how = {"color_scheme": look, "viewport": {"width": width, "height": 900}}
    with Opened(browser, office, **how) as page:
        page.locator(".grid").wait_for()
        page.locator(".cell-some").first.click()
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = violations(page) if look == "light" else []
        choose(page, "Capture").get_by_label("Capture", exact=True).set_input_files(CAPTURE)
        page.get_by_text("221 frames").wait_for()
        if look == "dark":
            found += violations(page)
        choose(page, "Tests").get_by_text("1 of 2 cases failed.").wait_for()
        choose(page, "Explain").get_by_role("button", name="Explain").click()
        page.locator(".explanation").first.wait_for()
        type_first(page, "drop;\n")
        page.locator("#findings button", has_text="Write").first.wait_for()
        found += violations(page)
        assert not found, "\n".join(dict.fromkeys(found))
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def violations(page: Any) -> list[str]:
    found = page.evaluate("axe.run()")["violations"]
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]


def test_the_link_opens_the_page_once(browser: Any) -> None:
    with running(RULES) as server:
        with Opened(browser, server) as page:
            page.get_by_text("no session").wait_for()
            assert "Rules" not in page.get_by_role("main").inner_text()
            page.goto(f"{server.url}/#token={server.token}")
            page.reload()
            page.locator(".cm-line").first.wait_for()
            assert page.url == f"{server.url}/"
            page.reload()
            page.locator(".cm-line").first.wait_for()
        with Opened(browser, server) as page:
            page.goto(f"{server.url}/#token={server.token}")
            page.reload()
            page.get_by_text("this link was used").wait_for()


def test_what_is_saved_is_what_was_typed_and_stays_when_the_server_ends(
    browser: Any, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.ztrules"
    rules.write_bytes("accept; # ü 🦆\r\n".encode())
    with running(rules, "--write") as server:
        server.log_in()
        with Opened(browser, server) as page:
            page.locator(".cm-line").first.wait_for()
            type_first(page, "# é\n")
            page.keyboard.press("Control+s")
            page.get_by_text("saved", exact=True).wait_for()
            assert rules.read_bytes() == "# é\r\naccept; # ü 🦆\r\n".encode()
            rules.write_text("# by another\n", encoding="utf-8")
            type_first(page, "# mine\n")
            page.get_by_role("button", name="Save").click()
            page.get_by_role("alert").get_by_text("changed by somebody else").wait_for()
            assert rules.read_text(encoding="utf-8") == "# by another\n"
            server.end()
            page.get_by_role("alert").get_by_text("The server has ended").wait_for()
            with page.expect_download() as download:
                page.get_by_role("button", name="Download").click()
            assert download.value.suggested_filename == rules.name
            mine = "# mine\r\n# é\r\naccept; # ü 🦆\r\n"
            assert Path(download.value.path()).read_bytes() == mine.encode()


def test_names_are_shown_as_they_are(browser: Any, tmp_path: Path) -> None:
    """Members, tags, files and comments that would be elements, were they not text."""
    evil = "<img src=x onerror=alert(1)>"
    network, rules = tmp_path / "net.toml", tmp_path / "rules.ztrules"
    members = "".join(
        f'[[member]]\naddress = "112233445{n}"\nname = "{name}"\nips = ["10.1.1.{n}"]\n'
        for n, name in ((1, evil), (2, "<b>ben</b>"))
    )
    network.write_text(f'id = "8056c2e21c000001"\n{members}', encoding="utf-8")
    rules.write_text(f"# {evil}\ndrop dport 22;\naccept ztsrc 1122334451;\n", encoding="utf-8")
    capture = tmp_path / f"{evil.replace('/', '')}.pcap"
    shutil.copy(CAPTURE, capture)
    with running(rules, "--network", network) as server:
        server.log_in()
        with Opened(browser, server) as page:
            page.get_by_role("rowheader").filter(has_text="img src").wait_for()
            page.get_by_role("button", name=re.compile("img src")).first.click()
            page.get_by_text("1122334451").last.hover()
            page.locator(".cm-lsp-hover-tooltip").wait_for()
            panel = choose(page, "Capture")
            panel.get_by_label("Capture", exact=True).set_input_files(capture)
            panel.get_by_text("221 frames").wait_for()
            assert page.locator("img, b").count() == 0
