"""A policy: base rules, capabilities and tags, each entry as JSON spells it and with its place.

Contract: values are frozen; the JSON of an entry is kept as written (a controller gets
exactly that), and `model.entries` reads it into engine numbers.  `Policy.to_json()`
gives the official compiler's output.  Tested by tests/model and tests/lang.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from ztfast.errors import Source, Span

MAX_BASE_RULES = 1024
MAX_CAPABILITY_RULES = 64
MAX_CAPABILITIES = 128
MAX_TAGS = 128


class Rule(NamedTuple):
    """One entry: its JSON object, and where it was written (None for JSON input).

    `parent` is the place of the include that brought it here, None outside macros.
    """

    json: Mapping[str, Any]
    span: Span | None = None
    parent: Span | None = None


def included_text(parent: Span | None) -> str:
    """What follows the line of an entry in a report: which of a macro's includes is meant."""
    return "" if parent is None else f" (included in line {parent.line})"


@dataclass(frozen=True)
class Capability:
    """A set of extra rules that a member can hold."""

    id: int
    default: bool
    rules: tuple[Rule, ...]
    name: str | None = None
    span: Span | None = None


@dataclass(frozen=True)
class Tag:
    """A number that members carry; `default` None where members have none by default."""

    id: int
    default: int | None
    enums: Mapping[str, int] = field(default_factory=dict[str, int])
    flags: Mapping[str, int] = field(default_factory=dict[str, int])
    name: str | None = None
    span: Span | None = None


@dataclass(frozen=True)
class Policy:
    """What a rules text or a controller's JSON says: rules, capabilities, tags, in order."""

    rules: tuple[Rule, ...]
    capabilities: tuple[Capability, ...] = ()
    tags: tuple[Tag, ...] = ()
    source: Source | None = None

    @cached_property
    def ordered_capabilities(self) -> tuple[Capability, ...]:
        """The capabilities by ascending id, as evaluators try them and verdicts number them."""
        return tuple(sorted(self.capabilities, key=lambda capability: capability.id))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what a controller would be given, in hex: equal for equal meaning as JSON.

        Layout, comments and macros of the source do not count, names of tags and values do.
        """
        import hashlib
        import json

        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The official compiler's output for this policy, as a JSON-ready dict.

        `{"config": {"rules", "capabilities", "tags"}, "capabilitiesByName", "tagsByName"}`
        (docs/spec/rules-language.md section 5, at its end).
        """
        return {
            "config": {
                "rules": [dict(rule.json) for rule in self.rules],
                "capabilities": [
                    {
                        "id": cap.id,
                        "default": cap.default,
                        "rules": [dict(rule.json) for rule in cap.rules],
                    }
                    for cap in self.capabilities
                ],
                "tags": [{"id": tag.id, "default": tag.default} for tag in self.tags],
            },
            "capabilitiesByName": {
                cap.name: cap.id for cap in self.capabilities if cap.name is not None
            },
            "tagsByName": {
                tag.name: {
                    "id": tag.id,
                    "default": tag.default,
                    "enums": dict(tag.enums),
                    "flags": dict(tag.flags),
                }
                for tag in self.tags
                if tag.name is not None
            },
        }
