"""HTML of hostile texts: they are shown, and do nothing."""

from __future__ import annotations

from html.parser import HTMLParser

from ztfast.report.html import Html, details, element, escaped, section, table

HOSTILE = ["<script>1</script>", '" onmouseover="x', "'><img src=x>", "a&amp;b", "</style>"]


class Read(HTMLParser):
    """Tags, attributes and texts as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.given: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.given += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_texts_and_attributes_are_shown_as_they_are() -> None:
    for text in HOSTILE:
        read = Read(element("p", text, title=text, css=text))
        assert read.tags == ["p"]
        assert read.given == [("title", text), ("class", text)]
        assert "".join(read.texts) == text


def test_what_steers_is_spelled_out() -> None:
    assert escaped("a\u202eb\x1b[0m\n") == "a\\u202eb\\x1b[0m\\n"


def test_a_long_text_is_cut() -> None:
    assert len(escaped("x" * 10_000)) == 300
    assert escaped("x" * 10_000).endswith("…")


def test_html_stays() -> None:
    inner = element("b", "<")
    assert isinstance(inner, Html)
    assert element("p", inner) == "<p><b>&lt;</b></p>"
    assert element("p", aria_label=None, css=None) == "<p></p>"


def test_tables_and_sections() -> None:
    page = table(("who", "frames"), [("<a>", "1")], "tN")
    assert Read(page).texts == ["who", "frames", "<a>", "1"]
    assert '<td class="n w">1</td>' in page
    assert Read(section("T", "c", note="n")).texts == ["T", "n", "c"]
    assert Read(section("T")).tags == ["section", "h2"]
    assert Read(details("more", "c")).tags == ["details", "summary"]
