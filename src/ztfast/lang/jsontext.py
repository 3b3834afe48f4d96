"""JSON text to values, strictly, and the place of a value in the text.

Contract: `parse_json` refuses duplicate keys, NaN, absurd numbers and nesting with a
RulesError that has a place; `locate` finds a path's span again and is called for errors
only, so reading costs nothing extra.  Tested by tests/lang/test_controller.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ztfast.errors import Diagnostic, RulesError, Source, Span
from ztfast.lang.tokens import Lines

Path = tuple[str | int, ...]

# The largest real policy is under 2 MB; values take some twenty times their text.
MAX_JSON = 32 << 20

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_LENIENT = json.JSONDecoder(strict=False)


class _Duplicate(Exception):
    pass


def parse_json(source: Source) -> Any:
    """The value of a JSON text; raises RulesError."""
    if len(source.text) > MAX_JSON:
        raise _refused(source, "ZT044", f"more than {MAX_JSON:,} characters of JSON", None)
    try:
        return json.loads(
            source.text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        span = Lines(source.text).span(error.pos, error.pos + 1)
        raise _refused(source, "ZT052", f"not JSON: {error.msg}", span) from None
    except _Duplicate as error:
        message = f"the key `{str(error)[:60]}` stands twice in one object"
        second = _first_duplicate(source.text, str(error))
        raise _refused(source, "ZT055", message, second) from None
    except RecursionError:
        raise _refused(source, "ZT058", "the JSON is nested too deep", None) from None
    except ValueError as error:
        raise _refused(source, "ZT052", f"not usable as JSON: {error}", None) from None


def _refused(source: Source, code: str, message: str, span: Span | None) -> RulesError:
    help = "expected compiler output, a controller's network, Central's network, or a rule list"
    return RulesError(Diagnostic(code, message, span=span, source=source, help=help))


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Duplicate(key)
            seen.add(key)
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON number")


def _first_duplicate(text: str, key: str) -> Span | None:
    """The span of the second occurrence of a key within one object."""
    lines = Lines(text)
    open_objects: list[set[str]] = []
    for found in re.finditer(r'"(?:[^"\\]|\\.)*"(?:[ \t\r\n]*(:))?|[{}]', text, re.DOTALL):
        token = found.group()
        if token == "{":
            open_objects.append(set())
        elif token == "}":
            if open_objects:
                open_objects.pop()
        elif found.group(1) and open_objects:
            name, end = _LENIENT.raw_decode(text, found.start())
            if name == key and name in open_objects[-1]:
                return lines.span(found.start(), end)
            open_objects[-1].add(name)
    return None


def path_text(path: Sequence[str | int]) -> str:
    """A path as people write it: `config.rules[3].etherType`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part[:60]}" if text else part[:60]
    return text or "the top level"


def locate(text: str, path: Sequence[str | int]) -> Span | None:
    """The span of the value at a path of a valid JSON text (as deep as the path exists)."""
    try:
        return _walk(text, path)
    except RecursionError:  # nested just as deep as could be parsed from higher up
        return None


def _walk(text: str, path: Sequence[str | int]) -> Span:
    start = _skip(text, 0)
    for part in path:
        inner = _element(text, start, part) if isinstance(part, int) else _member(text, start, part)
        if inner is None:
            break
        start = inner
    end = (
        start + 1 if text[start : start + 1] in ("{", "[") else _DECODER.raw_decode(text, start)[1]
    )
    return Lines(text).span(start, end)


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    assert found is not None
    return found.end()


def _element(text: str, start: int, index: int) -> int | None:
    if text[start] != "[":
        return None
    position = _skip(text, start + 1)
    for _ in range(index):
        _, position = _DECODER.raw_decode(text, position)
        position = _skip(text, position)
        if text[position] != ",":
            return None
        position = _skip(text, position + 1)
    return position if text[position] != "]" else None


def _member(text: str, start: int, key: str) -> int | None:
    if text[start] != "{":
        return None
    position = _skip(text, start + 1)
    while text[position] == '"':
        name, position = _DECODER.raw_decode(text, position)
        position = _skip(text, _skip(text, position) + 1)
        if name == key:
            return position
        _, position = _DECODER.raw_decode(text, position)
        position = _skip(text, position)
        if text[position] != ",":
            return None
        position = _skip(text, position + 1)
    return None
