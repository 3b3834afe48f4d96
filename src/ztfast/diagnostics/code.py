"""The form of an entry in the table of codes (see `diagnostics.codes`).

Contract: data only.
"""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """A code: its title, a paragraph, and rules (text or JSON) that give it, if short."""

    code: str
    title: str
    text: str
    example: str | None = None
