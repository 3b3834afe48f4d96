"""Programs in files: the plain table as numpy saves it, with what is needed to run it.

Contract: `save_program` writes one .npz; `load_program` gives the same program, verified, or
a TableError; nothing in the file is executed (no pickles).  Only plain programs are saved:
optimising is quick, and what is on disk stays readable.  Tested by tests/program/test_serialize.py.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from typing import Any

import numpy as np

from ztfast.errors import Diagnostic, TableError
from ztfast.model.kinds import KINDS, Entry, Kind
from ztfast.model.view import View
from ztfast.program.opcodes import INSTRUCTION
from ztfast.program.program import Fact, IntegerKey, OwnColumn, Program
from ztfast.program.verify import verify

MAX_FILE = 1 << 28


def save_program(program: Program, path: str | os.PathLike[str]) -> None:
    """Write a plain program; raises TableError for an optimised one, OSError."""
    if program.passes:
        raise _refused("an optimised program is not saved", path, "save the plain one")
    view = program.view
    about = {
        "version": program.version,
        "direction": view.direction,
        "engine": view.engine,
        "base": [list(entry) for entry in view.base],
        "capabilities": [[list(entry) for entry in rules] for rules in view.capabilities],
        "capability_ids": list(view.capability_ids),
        "own": [[own.fact.value, own.key, own.width] for own in program.own],
        "starts": list(program.starts),
    }
    text = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    with open(path, "wb") as file:
        np.savez(file, table=program.table, about=text)


def load_program(path: str | os.PathLike[str]) -> Program:
    """Read a program and verify it; raises TableError where anything is wrong, OSError."""
    with open(path, "rb") as raw:
        data = raw.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise _refused(f"is larger than {MAX_FILE} bytes", path, "a table is never that large")
    try:
        table, about = _unpacked(data)
    except Exception as error:  # archive, compression, array and JSON: each has its own kinds
        raise _not_a_table(error, path) from None
    try:
        return verify(_program(table, about))
    except TableError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _not_a_table(error, path) from None


def _unpacked(data: bytes) -> tuple[Any, Any]:
    """The table and what is said about it; raises whatever a damaged file leads to."""
    _check_unpacked_size(data)
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return file["table"], json.loads(bytes(file["about"]))


def _check_unpacked_size(data: bytes) -> None:
    """A few bytes can stand for many once they are unpacked; no more is read than is said here."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > MAX_FILE:
        raise ValueError(f"{size} bytes when unpacked")


def _program(table: Any, about: dict[str, Any]) -> Program:
    if table.dtype != INSTRUCTION:
        raise ValueError(f"dtype {table.dtype}")
    view = View(
        about["direction"],
        tuple(_entry(item) for item in about["base"]),
        tuple(tuple(_entry(item) for item in rules) for rules in about["capabilities"]),
        tuple(int(number) for number in about["capability_ids"]),
        about["engine"],
    )
    own = tuple(OwnColumn(Fact(name), _key(key), int(width)) for name, key, width in about["own"])
    starts = tuple(int(start) for start in about["starts"])
    return Program(view, np.ascontiguousarray(table), own, starts, version=about["version"])


def _entry(item: list[Any]) -> Entry:
    kind, inverted, alternative, value, rule = item
    found = Kind(kind)
    limits = [
        limit
        for field in KINDS[found].fields
        for limit in ((field.bits, 8) if field.form.startswith("cidr") else (field.bits,))
    ]
    if len(limits) != len(value):
        raise ValueError(f"an entry of type {found.name} with {len(value)} values")
    for number, bits in zip(value, limits, strict=True):
        if number is not None and not 0 <= int(number) < 1 << bits:
            raise ValueError(f"an entry of type {found.name} with the value {number}")
    return Entry(found, bool(inverted), bool(alternative), tuple(value), int(rule))


def _key(key: list[Any] | int) -> IntegerKey | int:
    return IntegerKey(int(key[0]), int(key[1]), bool(key[2])) if isinstance(key, list) else int(key)


def _not_a_table(error: Exception, path: str | os.PathLike[str]) -> TableError:
    return _refused(f"is not a table: {error}", path, "make it again from its rules")


def _refused(message: str, path: Any, help: str) -> TableError:
    return TableError(Diagnostic("ZT431", message, path=str(path), help=help))
