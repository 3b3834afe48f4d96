"""Reasoning about policies: what is proved of them, and how two of them differ.

Contract: `findings` for `ztfast check`; the rest by its module (`diff`, `search`).
Optional libraries (z3) are loaded when something is asked.
"""

from ztfast.proof.findings import TIME_LIMIT, findings

__all__ = ["TIME_LIMIT", "findings"]
