"""mkdocs hook: the pages' fences that tests read, as fences that mkdocs knows.

Contract: ```` ```file NAME ```` becomes a block with that title, ```` ```rules warns ZT101 ```` one
of rules, coloured by our own lexer; comments of how a page was made are left out.  Nothing else of
a page is changed.
Tested by tests/docs/test_site.py.
"""

from __future__ import annotations

import re
from typing import Any

_FILE = re.compile(r"^```file[ ]+(\S+)[ ]*$", re.MULTILINE)
_RULES = re.compile(r"^```rules\b[^\n]*$", re.MULTILINE)
_CAPTION = {"warns": "a warning", "refused": "an error"}
_COMMENT = re.compile(r"^<!--.*?-->\n", re.MULTILINE | re.DOTALL)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page as mkdocs is to read it."""
    markdown = _FILE.sub(r'```text title="\1"', _COMMENT.sub("", markdown))
    return _RULES.sub(_rules, markdown)


def _rules(fence: re.Match[str]) -> str:
    words = fence[0].split()[1:]
    if not words:
        return "```ztrules"
    return f'```ztrules title="{_CAPTION.get(words[0], words[0])}: {words[-1]}"'
