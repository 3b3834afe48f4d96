"""The instruction table's form: its dtype, operations and flags, with a version.

Contract: `INSTRUCTION` is public and versioned (`VERSION`); a table is a plain
structured numpy array that numpy can save.  `_core.pyx` reads the same numbers
(tests/program/test_opcodes.py compares them with the compiled module's own).

A table runs over a block of frames.  For each frame there is a *set* (does the set of
matches hold so far), *live* (is this evaluation still going on), a *term* and a *saved
term* (for matches of several tests), *armed* (super-accept) and *skip* (skipDrop).
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

import numpy as np

from ztfast.frames.columns import (
    FIRST_OWN_COLUMN,
    MAX_COLUMNS,
    Chr,
    Column,
    FrameKind,
    Missing,
    Owned,
    column_width,
)

__all__ = [
    "FIRST_OWN_COLUMN",
    "INSTRUCTION",
    "INTO_MASK",
    "MAX_COLUMNS",
    "VERSION",
    "Chr",
    "Column",
    "Flag",
    "FrameKind",
    "Into",
    "Missing",
    "Op",
    "Owned",
    "TagTest",
    "column_width",
]

VERSION = 1

INSTRUCTION = np.dtype(
    [
        ("op", "u1"),
        ("flags", "u1"),
        ("column", "u2"),
        ("entry", "i4"),
        ("jump", "i4"),
        ("other", "i4"),
        ("mask", "u8"),
        ("low", "u8"),
        ("span", "u8"),
    ]
)


class Op(IntEnum):
    """What an instruction does; `c` is a test's outcome after NEGATE."""

    END = 0  # the section ends: frames still live had no match
    SECTION = 1  # capability `other` starts, for pending frames whose `column` is not zero
    TEST = 2  # c = ((column & mask) - low) <= span, unsigned, at the column's width
    CONST = 3  # c = low != 0
    RANDOM = 4  # c = draw(seed, frame number, entry) <= span
    TAGS = 5  # c compares tag column `column` (local) with `other` (remote): `mask` is a TagTest
    ARMED = 6  # c = super-accept is armed
    TERM = 7  # c = the term
    SAVED = 8  # c = the saved term
    SAVE = 9  # the saved term becomes the term
    ARM_SKIP = 10  # skipDrop is armed where the match is evaluated and the term holds
    READ = 11  # reads |= column & mask where the match is evaluated
    DROP = 12
    ACCEPT = 13
    BREAK = 14
    PRIORITY = 15
    COPY = 16  # tee or watch to address `low`
    REDIRECT = 17  # to address `low`
    LOOKUP = 18  # look-up `other` decides at once for a run of sets; see program.lookup


class Flag(IntFlag):
    """Flags of an instruction; the low three bits say where c goes (`Into`)."""

    NEGATE = 1 << 3
    ALTERNATIVE = 1 << 4  # the match has the or-bit: evaluated for every live frame
    SKIPPABLE = 1 << 5  # on DROP: skipDrop may be armed
    FREE = 1 << 6  # on COPY and REDIRECT: no frame's source, node or destination is the target


class Into(IntEnum):
    """Where the outcome of a test goes."""

    AND_SET = 0
    OR_SET = 1
    TERM = 2
    AND_TERM = 3
    OR_TERM = 4


INTO_MASK = 7


class TagTest(IntEnum):
    """How two tag values l (local) and r (remote) are compared with `low`."""

    DIFFERENCE = 0  # |l - r| <= low
    AND = 1  # l & r == low
    OR = 2
    XOR = 3
