"""Saving the page's text into the rules file, never over what somebody else wrote meanwhile.

Contract: `save` replaces the file in one step, where it still has the text that the page began
with; `Changed` where it has another.  Tested by tests/serve/test_saving.py.
"""

from __future__ import annotations

import hashlib

from ztfast.errors import RulesError
from ztfast.lang.sources import read_source
from ztfast.sinks.text import write_text


class Changed(Exception):
    """The file holds something else than the page began with."""


def digest(text: str) -> str:
    """What tells a text from others."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def save(path: str, text: str, was: str) -> str:
    """Write a text where `was` is the digest of what is there; the digest of what is there now.

    Raises Changed, OutputError.
    """
    try:
        there = read_source(path).text
    except RulesError:
        raise Changed from None
    if digest(there) != was:
        raise Changed
    write_text(path, text)
    return digest(text)
