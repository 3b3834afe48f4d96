"""Documents from outside: bytes of a file, JSON parsed without surprises, values with a path.

Contract: whatever comes in, the result is a value or a `NetworkError` that names the file
and the line and column, or the JSON path.  Refused: invalid UTF-8, duplicate keys, NaN
and infinities, nesting beyond what Python parses, numbers of thousands of digits.
Time and memory are linear in the input.  Tested by tests/network/test_documents.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard

from ztfast.errors import Diagnostic, NetworkError, Source, Span
from ztfast.lang.files import Unreadable, read_file

if TYPE_CHECKING:
    from ztfast.model.entries import Json

MAX_DOCUMENT = 1 << 29
MAX_DEPTH = 100  # levels of nesting; real documents have less than ten


def read_document(path: str | os.PathLike[str]) -> bytes:
    """All bytes of a file, or of standard input for "-"; at most `MAX_DOCUMENT`."""
    name = os.fspath(path)
    try:
        return read_file(name, MAX_DOCUMENT)
    except Unreadable as error:
        raise NetworkError(Diagnostic("ZT551", error.message, path=name, help=error.help)) from None


def decode(data: bytes, name: str) -> str:
    """The text of UTF-8 bytes (a byte order mark is skipped)."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NetworkError(
            Diagnostic(
                "ZT552",
                "is not UTF-8",
                path=name or None,
                offset=error.start,
                help="save the file as UTF-8",
            )
        ) from None


def parse_json(data: bytes, name: str) -> Any:
    """The value of a JSON document."""
    text = decode(data, name)
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        _check_depth(value)
    except json.JSONDecodeError as error:
        span = Span(error.pos, error.pos + 1, error.lineno, error.colno - 1)
        raise NetworkError(
            Diagnostic("ZT552", f"is not JSON: {error.msg}", span=span, source=Source(name, text))
        ) from None
    except _Refused as refused:
        raise NetworkError(Diagnostic("ZT552", str(refused), path=name or None)) from None
    except RecursionError:
        raise NetworkError(Diagnostic("ZT552", "JSON nested too deep", path=name or None)) from None
    except ValueError:  # an integer beyond Python's limit of digits
        raise NetworkError(
            Diagnostic("ZT552", "JSON holds a number of too many digits", path=name or None)
        ) from None
    return value


def _check_depth(value: Json) -> None:
    """Raise RecursionError for what the parser could just read: a message could not show it."""
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH):
        kinds = set(map(type, level))  # most levels hold neither, or one of the two
        if kinds.isdisjoint((dict, list)):
            return
        inner: list[Json] = []
        if dict in kinds:
            tables = [item.values() for item in level if isinstance(item, dict)]
            inner.extend(chain.from_iterable(tables))
        if list in kinds:
            lists = [item for item in level if isinstance(item, list)]
            inner.extend(chain.from_iterable(lists))
        level = inner
    if any(isinstance(item, (dict, list)) for item in level):
        raise RecursionError


def is_integer(value: object) -> TypeGuard[int]:
    """Is this a number without a fraction?  true and false are none in JSON."""
    return type(value) is int


class _Refused(Exception):
    """JSON that Python would read and we do not."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Refused(f"JSON has the key {key!r:.60} twice in one object")
            seen.add(key)
    return value


def _no_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not JSON")


class Node:
    """A value of a parsed document with its place: the file's name and a path like `a.b[3]`.

    Paths are only put together where one is shown: a document has far more values than faults.
    """

    __slots__ = ("_above", "_key", "_path", "name", "value")

    def __init__(
        self,
        value: Any,
        name: str,
        path: str = "",
        above: Node | None = None,
        key: str | int = "",
    ) -> None:
        self.value, self.name = value, name
        self._path, self._above, self._key = path, above, key

    @property
    def path(self) -> str:
        """Where in the document this value stands, "" at the top."""
        if self._above is None:
            return self._path
        above, key = self._above.path, self._key
        if isinstance(key, int):
            return f"{above}[{key}]"
        shown = "".join(c if c.isprintable() else "?" for c in key[:60])
        return f"{above}.{shown}" if above else shown

    def refuse(self, what: str, help: str | None = None, code: str = "ZT553") -> NoReturn:
        """Raise a NetworkError about this value."""
        place = f"at {self.path}: " if self.path else ""
        raise NetworkError(Diagnostic(code, f"{place}{what}", path=self.name, help=help))

    def wrong(self, wants: str) -> NoReturn:
        """Raise a NetworkError: this is not what is wanted here."""
        self.refuse(f"{self.value!r:.60} is not {wants}")

    def child(self, key: str | int) -> Node:
        """The value under a key or index that is there."""
        return Node(self.value[key], self.name, "", self, key)

    def cut(self, value: str) -> Node:
        """A part of this text, in its place."""
        return Node(value, self.name, self._path, self._above, self._key)

    def at(self, path: Iterable[str | int]) -> Node:
        """The value at a path that is there."""
        node = self
        for part in path:
            node = node.child(part)
        return node

    def get(self, *keys: str) -> Node | None:
        """The value under the first of these keys that is there and not null."""
        table = self.table()
        for key in keys:
            value = table.get(key)
            if value is not None:
                return Node(value, self.name, "", self, key)
        return None

    def table(self) -> Mapping[str, Any]:
        """This value as an object."""
        value: Json = self.value
        if not isinstance(value, dict):
            self.wrong("an object")
        return value

    def items(self) -> Iterator[Node]:
        """The items of this list."""
        value: Json = self.value
        if not isinstance(value, list):
            self.wrong("a list")
        return (self.child(index) for index in range(len(value)))

    def integers(self, bits: int) -> list[int]:
        """This list's items, each an unsigned integer of so many bits."""
        value: Json = self.value
        if isinstance(value, list):
            fine = [i for i in value if is_integer(i) and 0 <= i < 1 << bits]
            if len(fine) == len(value):
                return fine
        return [item.integer(bits) for item in self.items()]

    def integer(self, bits: int) -> int:
        """This value as an unsigned integer of so many bits."""
        value = self.value
        if not is_integer(value) or not 0 <= value < 1 << bits:
            self.wrong(f"an integer from 0 to {(1 << bits) - 1}")
        return value

    def truth_of(self, key: str, default: bool) -> bool:
        """The value under a key as true or false; where it is not there or null, the default."""
        value = self.table().get(key)
        if value is None:
            return default
        return value if isinstance(value, bool) else self.child(key).truth()

    def truth(self) -> bool:
        """This value as true or false."""
        if not isinstance(self.value, bool):
            self.wrong("true or false")
        return self.value

    def text(self) -> str:
        """This value as a text."""
        if not isinstance(self.value, str):
            self.wrong("a text")
        return self.value


def beside(name: str, other: str) -> Path:
    """A path that a document names, relative to the document's own folder."""
    return Path(other) if name == "-" else Path(name).parent / other
