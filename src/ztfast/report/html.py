"""HTML made of texts that anybody may have written.

Contract: every text is escaped unless it is `Html`, which only this package makes; what does not
print, or turns the direction of writing, stands as its escape.
Tested by tests/report/test_html.py.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from ztfast.diagnostics.render import harmless

_MOST = 300  # characters of a text: names in a network's JSON can have any length


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(value: object) -> Html:
    """Any value as text in a page; Html stays as it is."""
    if isinstance(value, Html):
        return value
    text = harmless(str(value), keep="")
    if len(text) > _MOST:
        text = text[: _MOST - 1] + "…"
    return Html(html.escape(text, quote=True))


def element(name: str, *content: object, **attributes: object) -> Html:
    """An element with its content; attributes: `css` is the class, None leaves one out."""
    given = "".join(
        f' {"class" if key == "css" else key.replace("_", "-")}="{escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{given}>{joined(content)}</{name}>")


def joined(parts: Iterable[object], between: str = "") -> Html:
    """Parts one behind the other."""
    return Html(between.join(escaped(part) for part in parts))


def section(title: str, *content: object, note: str = "") -> Html:
    """A part of a page under a heading; note: a line under it."""
    said = element("p", note, css="note") if note else ""
    return element("section", element("h2", title), said, *content)


def table(head: Sequence[str], rows: Iterable[Sequence[object]], css: str = "") -> Html:
    """A table; css: a letter a column: `n` number, `t` text; capitals: phones leave it out."""
    kinds = css or "t" * len(head)
    names = {"n": "n", "N": "n w", "t": "t", "T": "t w"}
    top = joined(
        element("th", title, css=names[kind], scope="col")
        for title, kind in zip(head, kinds, strict=True)
    )
    body = joined(
        (
            element(
                "tr",
                *(
                    element("td", cell, css=names[kind])
                    for cell, kind in zip(row, kinds, strict=True)
                ),
            )
            for row in rows
        ),
        "\n",
    )
    whole = element("table", element("thead", element("tr", top)), element("tbody", body))
    return element("div", whole, css="scroll")


def details(title: str, *content: object) -> Html:
    """What is shown when it is asked for."""
    return element("details", element("summary", title), *content)
