"""Amounts on the command line: bytes as `100M`, seconds as `0.5`.

Contract: click types whose refusals say what can be written.  Tested by tests/cli/test_filter.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_SIZE = re.compile(r"(\d{1,15})([kmg]i?)?b?", re.IGNORECASE | re.ASCII)
_MOST_SECONDS = 1e9


if TYPE_CHECKING:
    _SizeType = click.ParamType[int]
    _SecondsType = click.ParamType[float]
else:  # click's types take no parameter at run time before 8.2
    _SizeType = _SecondsType = click.ParamType


class Size(_SizeType):
    """Bytes, as 500, 100M or 1Gi."""

    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """The number of bytes."""
        if isinstance(value, int):
            return value
        match = _SIZE.fullmatch(value)
        if match is None or not int(match[1]):
            self.fail(f"{value!r} is not a size: write bytes, or as 500k, 100M, 1Gi", param, ctx)
        return int(match[1]) * _UNITS[(match[2] or "").lower()]


class Seconds(_SecondsType):
    """Seconds over 0, also as a fraction."""

    name = "seconds"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """The number of seconds."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= _MOST_SECONDS:
            self.fail(f"{value!r} is not a number of seconds over 0", param, ctx)
        return seconds
