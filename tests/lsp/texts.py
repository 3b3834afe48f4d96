"""A rules text with a place: `|` in it is where the cursor is."""

from __future__ import annotations

from ztfast.lsp.document import Document

RULES = """\
# ein Umlaut ä und 😀
tag department id 1000 enum 100 sales enum 200 engineering default sales;
tag access id 1001 flag 0 printers flag 1 servers flag printers,servers everything;
macro web($port)
  accept dport $port ipprotocol tcp;
;
cap ssh id 7 default
  accept ipprotocol tcp and dport 22;
;
include web(80)
include web(443)
tee 128 8e30f50a25 ipprotocol icmp4;
accept
  teq department sales
  and tand access everything
;
"""


def cursor(text: str) -> tuple[Document, int]:
    """The document without its `|`, and where that was."""
    offset = text.index("|")
    return Document("rules.ztrules", text[:offset] + text[offset + 1 :]), offset


def at(part: str, text: str = RULES) -> tuple[Document, int]:
    """A text with the cursor where it stands in a part of it."""
    before = part.replace("|", "")
    assert text.count(before) == 1, before
    return Document("rules.ztrules", text), text.index(before) + part.index("|")
