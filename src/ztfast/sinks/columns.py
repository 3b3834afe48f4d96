"""What a table's columns are, and what one may be written from.

Tested by tests/sinks/test_tables.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy.typing as npt

from ztfast.sinks.text_columns import Addresses, Coded, Macs, Texts

TIME = "time"  # int64 nanoseconds since 1970

Values = npt.NDArray[Any] | Sequence[str] | Texts | Coded | Macs | Addresses


class Column(NamedTuple):
    """A column: `kind` is a numpy integer or bool dtype's name, `time`, `text`, or `name`.

    `name` is one of a few texts, the same in every write (`Coded`), which Arrow and Parquet keep as
    a dictionary.
    `width` is the most characters of a text, which NPY needs.
    What Parquet holds beside the values: `dictionary`, each different one once, which is only in
    the way where nearly every row has its own; `statistics`, the least and the greatest of some
    rows, which tell nothing of addresses in text that stand in no order.
    """

    name: str
    kind: str
    width: int = 0
    dictionary: bool = True
    statistics: bool = True
