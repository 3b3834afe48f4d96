"""What a rule set says of a frame: the results, by the engine's names and numbers.

Contract: an IntEnum whose numbers the compiled loops share (tests/program/test_opcodes.py compares
them); those from REDIRECT on let a frame, or its redirected self, pass.  Source:
docs/spec/evaluation.md sections 1, 5 and 7.
"""

from __future__ import annotations

from enum import IntEnum


class Result(IntEnum):
    """What a rule set says (the engine's names)."""

    NO_MATCH = 0
    DROP = 1
    REDIRECT = 2
    ACCEPT = 3
    SUPER_ACCEPT = 4
