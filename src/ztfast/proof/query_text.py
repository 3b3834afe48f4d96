"""What a search is asked for in texts: matches of the rules language, tags by name, addresses.

Contract: `where_entries`, `read_tag` and `read_zt_address` raise UsageError with the place or the
option.  Tested by tests/proof/test_search.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ztfast.errors import Diagnostic, RulesError, Source, Span, UsageError
from ztfast.lang.compiler import compile_source
from ztfast.model.addresses import parse_address
from ztfast.model.entries import read_entries
from ztfast.model.kinds import Entry, Kind
from ztfast.model.policy import Policy, Tag

_HEAD = "accept "


def where_entries(text: str, tags: Sequence[Tag]) -> tuple[Entry, ...]:
    """Matches of the rules language as entries, with an accepting action behind them.

    Raises UsageError with the place in `text`.
    """
    # The definitions stand behind it: the place of what is wrong is then that of the text.
    whole = f"{_HEAD}{text}\n;\n" + "".join(_definition(tag) for tag in tags)
    try:
        policy = compile_source(Source("--where", whole))
    except RulesError as error:
        found = (_moved(item, text) for item in error.diagnostics)
        raise UsageError(*found) from None
    return _only_matches(policy)


def _only_matches(policy: Policy) -> tuple[Entry, ...]:
    entries = read_entries(rule.json for rule in policy.rules)
    actions = [index for index, entry in enumerate(entries) if entry.kind.is_action]
    accepts = actions == [len(entries) - 1] and entries[-1].kind is Kind.ACTION_ACCEPT
    if not accepts or policy.capabilities:
        raise refused("--where holds more than matches", "leave out `;` and actions")
    if any(entry.kind is Kind.MATCH_RANDOM for entry in entries):
        raise refused("--where cannot ask for a random draw", "leave `random` out")
    return entries


def _definition(tag: Tag) -> str:
    if tag.name is None:
        return ""
    values = "".join(f" enum {value} {name}" for name, value in tag.enums.items())
    flags = "".join(
        f" flag {','.join(str(bit) for bit in range(32) if value >> bit & 1)} {name}"
        for name, value in tag.flags.items()
        if value & 0xFFFFFFFF
    )
    return f"tag {tag.name} id {tag.id}{values}{flags}\n;\n"


def _moved(found: Diagnostic, text: str) -> Diagnostic:
    """A finding in the expression alone."""
    span = found.span
    if span is None or span.start < len(_HEAD) or span.start > len(_HEAD) + len(text):
        return replace(found, span=Span(0, len(text), 1, 0), source=Source("--where", text))
    shift = len(_HEAD)
    column = span.column - shift if span.line == 1 else span.column
    end = min(span.end - shift, len(text))
    return replace(
        found,
        span=Span(span.start - shift, end, span.line, column),
        source=Source("--where", text),
    )


def read_tag(option: str, text: str, tags: Sequence[Tag]) -> tuple[int, int]:
    """(id, value) of `NAME=VALUE`; names and ids, enums, flags and numbers all do."""
    name, equals, value = text.partition("=")
    if not equals or not value:
        raise refused(f"{option} {text!r:.60} is not NAME=VALUE", "as in role=guest or 7=1")
    tag = next((t for t in tags if name == t.name or name == str(t.id)), None)
    if tag is None:
        names = ", ".join(t.name or str(t.id) for t in tags[:20]) or "none"
        raise refused(f"{option}: there is no tag {name!r:.40}", f"the rules' tags: {names}")
    known = {**tag.enums, **tag.flags}
    if value in known:
        return tag.id, known[value] & 0xFFFFFFFF
    if not value.isascii() or not value.isdigit() or int(value[:20]) > 0xFFFFFFFF:
        raise refused(
            f"{option}: {value!r:.40} is not a value of tag {name}",
            f"use a number or one of {', '.join(known) or 'no names'}",
        )
    return tag.id, int(value)


def read_zt_address(text: str) -> int:
    """A ZeroTier address of 10 hex digits."""
    address = parse_address(text)
    if address is None:
        raise refused(f"{text!r:.60} is not a ZeroTier address", "use 10 hex digits")
    return address


def refused(what: str, help: str) -> UsageError:
    """The error (ZT293) for a question that makes no sense."""
    return UsageError(Diagnostic("ZT293", what, help=help))
