"""Rules as JSON: compiler output, a controller's network, Central's network, a rule list, more.

Contract: `load_json` tells the forms apart by content (lang/shapes.py has them) and is strict:
what a controller would silently drop, cut or misread is a RulesError with a JSON path and a
place.  `read_json` gives the policy that a controller would make, with diagnostics instead.
`load` reads a file or standard input: rules text, JSON, or Terraform's `.tf`.
Tested by tests/lang/test_controller.py and test_controller_shapes.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeGuard

from ztfast.errors import Diagnostic, RulesError, Severity, Source
from ztfast.lang.compiler import compile_source
from ztfast.lang.jsontext import Path, locate, parse_json, path_text
from ztfast.lang.shapes import TERRAFORM, UNKNOWN, at, name_networks, recognise
from ztfast.lang.sources import decode, is_json, read_source, rules_texts
from ztfast.lang.terraform import state_rules
from ztfast.lang.tokens import is_blank, scan
from ztfast.model.entries import Json, read_entries
from ztfast.model.kinds import KINDS, Entry, Field, Kind
from ztfast.model.policy import (
    MAX_BASE_RULES,
    MAX_CAPABILITY_RULES,
    Capability,
    Policy,
    Rule,
    Tag,
)

_UINT32 = 0xFFFFFFFF
_MAX_FINDINGS = 50
_KINDS = {kind.name: kind for kind in Kind}
# A controller writes these into entries that do not use them.
_HARMLESS = frozenset({"type", "not", "or", "flags"})


def load(path: str | os.PathLike[str], *, strict: bool = True) -> Policy:
    """A policy from a file, by content: rules text, or JSON where it starts with `{` or `[`.

    `-` is standard input.  Raises RulesError: missing file, not UTF-8, refused rules.
    `strict` as for `load_json`.
    """
    return load_source(read_source(path), strict=strict)


def load_source(source: Source, *, strict: bool = True) -> Policy:
    """As `load`, of a text that was read already."""
    if is_json(source.text):
        return load_json(source.text, source.name, strict=strict)
    texts, refused = rules_texts(source)
    if refused:
        raise RulesError(*refused)
    if len(texts) > 1:
        lines = ", ".join(str(1 + text.text[: _start(text)].count("\n")) for text in texts)
        raise RulesError(
            Diagnostic(
                "ZT062",
                f"{len(texts)} rules texts, from the lines {lines}",
                path=source.name,
                help="`ztfast check` takes them all; elsewhere give one as a file of its own",
            )
        )
    return compile_source(texts[0])


def _start(source: Source) -> int:
    """The offset of the first word of a text."""
    return next((word.start for word in scan(source.text)), 0)


def load_json(data: str | bytes, name: str = "<json>", *, strict: bool = True) -> Policy:
    """A policy from JSON in any of the ecosystem's forms.

    Raises RulesError for what is no JSON or no rules and, where `strict`, for everything
    that a controller would drop, cut off or misread.
    """
    policy, findings = read_json(data, name)
    errors = [finding for finding in findings if finding.severity == Severity.ERROR]
    if strict and errors:
        raise RulesError(*errors)
    return policy


def read_json(data: str | bytes, name: str = "<json>") -> tuple[Policy, tuple[Diagnostic, ...]]:
    """The policy that a controller would make of a JSON text, and all that is odd about it.

    Raises RulesError only where there is no policy to be had: no JSON, no rules in it, or
    a `rulesSource` alone that does not compile.
    """
    text = decode(data, name) if isinstance(data, bytes) else data
    source = Source(name, text.removeprefix("\ufeff"))
    value = parse_json(source)
    reader = _Reader(source)
    policy = reader.policy(value)
    return policy, tuple(reader.findings)


class _Reader:
    """One JSON text: its findings, each with path and place."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: list[Diagnostic] = []

    def policy(self, value: Json) -> Policy:
        """The policy of a parsed JSON text."""
        if not isinstance(value, (list, dict)):
            self._stop(f"a {_type_name(value)} where an object or a list is expected", ())
        document: Json = value
        shape = recognise(document)
        if shape.not_rules is not None and not (shape is UNKNOWN and isinstance(value, list)):
            self._stop(f"{shape.describe(value)}, not rules", (), shape.not_rules)
        if shape is TERRAFORM and isinstance(value, dict):
            return compile_source(state_rules(value, self.source.name))
        places = shape.networks(value)
        if len(places) > 1:
            help = "give one of them alone"
            self._stop(name_networks(value, places), (), help)
        if isinstance(value, list) and not places:
            return Policy(self._rules(value, (), MAX_BASE_RULES), source=self.source)
        place = places[0] if places else ()
        network = at(document, place)
        if not isinstance(network, dict):
            self._stop(f"a {_type_name(network)} where an object is expected", place)
        return self._network(network, place, document)

    def _network(self, network: Mapping[str, Any], place: Path, document: Json) -> Policy:
        """The rules of one network's object, or of compiler output."""
        base, lists = place, network
        config: Json = network.get("config")
        if isinstance(config, dict) and ("rules" in config or "rules" not in network):
            base, lists = (*place, "config"), config
        holders: list[tuple[Path, Json]] = [(base, lists), (place, network), ((), document)]
        text = _text_of(holders[:2])
        if lists.get("rules") is None:
            if text is None or not isinstance(text[1], str):
                self._stop("there are no rules in this JSON", base)
            return self._compiled(*text)
        policy = self._from_lists(lists, base, holders)
        return policy if text is None else self._prefer_text(policy, *text)

    def _from_lists(
        self, network: Mapping[str, Any], base: Path, holders: Iterable[tuple[Path, Json]]
    ) -> Policy:
        rules = self._rules(network["rules"], (*base, "rules"), MAX_BASE_RULES)
        capabilities = self._capabilities(network.get("capabilities"), (*base, "capabilities"))
        tags = self._tags(network.get("tags"), (*base, "tags"))
        capabilities = self._name_capabilities(capabilities, *_first(holders, "capabilitiesByName"))
        tags = self._name_tags(tags, *_first(holders, "tagsByName"))
        return Policy(rules, tuple(capabilities), tuple(tags), self.source)

    def _compiled(self, path: Path, text: str) -> Policy:
        return compile_source(Source(f"{self.source.name}:{path[-1]}", text))

    def _prefer_text(self, policy: Policy, path: Path, text: Any) -> Policy:
        """The compiled `rulesSource` where it says the same, since it has lines and names."""
        if not isinstance(text, str):
            self._add("ZT053", f"a {_type_name(text)} where a text is expected", path)
            return policy
        try:
            compiled = self._compiled(path, text)
        except RulesError as error:
            first = error.diagnostics[0]
            self._add(
                "ZT059",
                f"{path[-1]} does not compile, so the rules are used: {first.message}",
                path,
                Severity.WARNING,
                "deploy the text again, or remove it",
            )
            return policy
        if _meaning(compiled) == _meaning(policy):
            return compiled
        self._add(
            "ZT059",
            f"{path[-1]} compiles to other rules than those beside it: the rules are used",
            path,
            Severity.WARNING,
            "deploy the text again, or remove it",
        )
        return policy

    # --- rules

    def _rules(self, value: Json, path: Path, max_rules: int) -> tuple[Rule, ...]:
        if not isinstance(value, list):
            self._add("ZT053", f"a {_type_name(value)} where a list of rules is expected", path)
            return ()
        if len(value) > max_rules:
            self._add(
                "ZT057",
                f"{len(value)} entries: a network takes {max_rules} here and cuts the rest off",
                (*path, max_rules),
                help="use fewer entries (ranges, tags, capabilities)",
            )
        kept = [
            Rule(entry) for index, entry in enumerate(value) if self._rule(entry, (*path, index))
        ]
        return tuple(kept[:max_rules])

    def _rule(self, entry: Json, path: Path) -> TypeGuard[Mapping[str, Json]]:
        """Check one entry; False where it is none at all and must be left out."""
        if not isinstance(entry, dict):
            self._add("ZT053", f"a {_type_name(entry)} where a rule is expected", path)
            return False
        name = entry.get("type")
        kind = _KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            shown = f"unknown type {name[:60]!r}" if isinstance(name, str) else "no type"
            self._add(
                "ZT054",
                f"a rule with {shown}: a controller leaves it out, which can widen a rule",
                (*path, "type"),
                help="expected ACTION_…, MATCH_… as the official compiler writes them",
            )
            return False
        for flag in ("not", "or"):
            if not isinstance(entry.get(flag, False), bool):
                self._wrong(entry[flag], "true or false", (*path, flag))
        fields = KINDS[kind].fields
        for field in fields:
            self._field(field, entry, path)
        known = _HARMLESS.union(field.json for field in fields)
        for key in entry:
            if key not in known:
                self._add(
                    "ZT056",
                    f"{kind.name} has no field `{key[:60]}`: it is ignored",
                    (*path, key),
                    Severity.WARNING,
                    "its fields are: " + (", ".join(field.json for field in fields) or "none"),
                )
        return True

    def _field(self, field: Field, entry: Mapping[str, Any], path: Path) -> None:
        here = (*path, field.json)
        if field.json not in entry:
            if field.form not in ("end", "optional", "bits", "flag"):
                message = f"the field `{field.json}` is missing and read as 0"
                self._add("ZT056", message, path, Severity.WARNING, "write it out")
            return
        value = entry[field.json]
        if field.form == "flag":
            if not isinstance(value, bool):
                self._wrong(value, "true or false", here)
        elif field.form in ("cidr4", "cidr6", "mac", "zt"):
            if not isinstance(value, str):
                self._wrong(value, "a text", here)
        elif field.form == "hex":
            if not isinstance(value, str) and not _is_integer(value):
                self._wrong(value, "hexadecimal text or a number", here)
        elif value is None and field.form in ("optional", "end"):
            return
        elif not _is_integer(value):
            self._wrong(value, "a whole number", here)
        elif not (-1 if field.json == "length" else 0) <= value <= _UINT32:
            self._out_of_range(value, here)

    # --- capabilities and tags

    def _items(self, value: Json, path: Path) -> list[tuple[Path, Mapping[str, Any]]]:
        """The objects of a list, or of a map whose keys may be their ids."""
        if value is None:
            return []
        pairs: list[tuple[str | int, Json]]
        if isinstance(value, list):
            pairs = list(enumerate(value))
        elif isinstance(value, dict):
            pairs = list(value.items())
        else:
            self._add("ZT053", f"a {_type_name(value)} where a list or map is expected", path)
            return []
        found: list[tuple[Path, Mapping[str, Any]]] = []
        for key, item in pairs:
            here = (*path, key)
            if not isinstance(item, dict):
                self._add("ZT053", f"a {_type_name(item)} where an object is expected", here)
                continue
            if "id" not in item and isinstance(key, str) and key.isascii() and key.isdecimal():
                found.append((here, {"id": int(key[:20]), **item}))
            else:
                found.append((here, item))
        return found

    def _id(self, item: Mapping[str, Any], path: Path) -> int | None:
        value = item.get("id")
        if not _is_integer(value):
            self._wrong(value, "a whole number as its id", (*path, "id"))
            return None
        if not 0 <= value <= _UINT32:
            self._out_of_range(value, (*path, "id"))
            return None
        return value

    def _capabilities(self, value: Any, path: Path) -> list[Capability]:
        found: list[Capability] = []
        ids: set[int] = set()
        for here, item in self._items(value, path):
            number = self._id(item, here)
            default = item.get("default", False)
            if not isinstance(default, bool) and default is not None:
                self._wrong(default, "true or false", (*here, "default"))
            rules = self._rules(item.get("rules", []), (*here, "rules"), MAX_CAPABILITY_RULES)
            if number is None:
                continue
            if number in ids:
                self._add("ZT056", f"two capabilities have the id {number}", (*here, "id"))
                continue
            ids.add(number)
            found.append(Capability(number, default is True, rules))
        return found

    def _tags(self, value: Any, path: Path) -> list[Tag]:
        found: list[Tag] = []
        for here, item in self._items(value, path):
            number = self._id(item, here)
            default = item.get("default")
            if default is not None and not _is_integer(default):
                self._wrong(default, "a whole number or null", (*here, "default"))
                default = None
            elif default is not None and not -(1 << 31) <= default <= _UINT32:
                self._out_of_range(default, (*here, "default"))
                default = None
            if number is not None:
                found.append(Tag(number, default))
        return found

    def _name_capabilities(
        self, found: list[Capability], path: Path, names: Json
    ) -> list[Capability]:
        if not isinstance(names, dict):
            self._not_a_map(names, path)
            return found
        by_id: dict[Any, str] = {}
        for name, number in names.items():
            if not _is_integer(number):
                self._wrong(number, "a capability's id", (*path, name))
            elif by_id.setdefault(number, name) != name:
                self._second_name(number, (*path, name))
        ids = {capability.id for capability in found}
        for number in by_id.keys() - ids:
            self._no_owner("capability", number, (*path, by_id[number]))
        return [Capability(item.id, item.default, item.rules, by_id.get(item.id)) for item in found]

    def _name_tags(self, found: list[Tag], path: Path, names: Json) -> list[Tag]:
        if not isinstance(names, dict):
            self._not_a_map(names, path)
            return found
        waiting: dict[int, list[tuple[str, Mapping[str, Json]]]] = {}
        for name, item in names.items():
            here: Path = (*path, name)
            if not isinstance(item, dict):
                self._wrong(item, "an object", here)
                continue
            number = self._id(item, here)
            if number is not None:
                waiting.setdefault(number, []).append((name, item))
        named: list[Tag] = []
        for tag in found:
            # Tags may share an id: names and tags then meet in their order.
            queue = waiting.get(tag.id)
            if not queue:
                named.append(tag)
                continue
            name, item = queue.pop(0)
            enums = self._values(item.get("enums"), (*path, name, "enums"))
            flags = self._values(item.get("flags"), (*path, name, "flags"))
            named.append(Tag(tag.id, tag.default, enums, flags, name))
        for number, queue in waiting.items():
            for name, _ in queue:
                self._no_owner("tag", number, (*path, name))
        return named

    def _values(self, value: Json, path: Path) -> dict[str, int]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._wrong(value, "an object of numbers", path)
            return {}
        found: dict[str, int] = {}
        for name, number in value.items():
            if not _is_integer(number):
                self._wrong(number, "a whole number", (*path, name))
            elif not -(1 << 31) <= number <= _UINT32:
                self._out_of_range(number, (*path, name))
            else:
                found[name] = number
        return found

    # --- findings

    def _not_a_map(self, value: Any, path: Path) -> None:
        if value is not None:
            self._wrong(value, "an object", path)

    def _second_name(self, number: int, path: Path) -> None:
        self._add("ZT056", f"a second name for the id {number}", path, Severity.WARNING)

    def _no_owner(self, what: str, number: Any, path: Path) -> None:
        message = f"a name for the {what} {number}, which does not exist"
        self._add("ZT056", message, path, Severity.WARNING, "drop the name")

    def _wrong(self, value: Any, expected: str, path: Path) -> None:
        self._add("ZT053", f"a {_type_name(value)} where {expected} is expected", path)

    def _out_of_range(self, value: int, path: Path) -> None:
        self._add("ZT056", "the number is out of range", path, help="expected 0 to 4294967295")

    def _add(
        self,
        code: str,
        message: str,
        path: Path,
        severity: str = Severity.ERROR,
        help: str | None = None,
    ) -> None:
        if len(self.findings) >= _MAX_FINDINGS:
            if severity == Severity.ERROR and not any(
                finding.severity == severity for finding in self.findings
            ):
                self.findings.pop()  # an error must not hide behind warnings
            else:
                return
        self.findings.append(
            Diagnostic(
                code,
                f"{path_text(path)}: {message}",
                severity,
                locate(self.source.text, path),
                self.source,
                help=help,
            )
        )

    def _stop(self, message: str, path: Path, help: str | None = None) -> NoReturn:
        self.findings.clear()
        self._add("ZT053", message, path, help=help or UNKNOWN.not_rules)
        raise RulesError(*self.findings)


def _first(holders: Iterable[tuple[Path, Json]], key: str) -> tuple[Path, Any]:
    """The first value under a key that is there and not null, with its path."""
    for path, holder in holders:
        if isinstance(holder, dict) and holder.get(key) is not None:
            return (*path, key), holder[key]
    return (key,), None


def _text_of(holders: list[tuple[Path, Json]]) -> tuple[Path, Any] | None:
    """Where a network keeps the text of its rules; None where that is nothing but comments."""
    for key in ("rulesSource", "flowRule"):
        path, text = _first(holders, key)
        if text is not None and not (isinstance(text, str) and is_blank(text)):
            return path, text
    return None


def _is_integer(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _type_name(value: object) -> str:
    if value is None:
        return "null"
    names: dict[type[object], str] = {
        bool: "truth value",
        int: "number",
        float: "fraction",
        str: "text",
        list: "list",
    }
    return names.get(type(value), "object")


def _meaning(policy: Policy) -> tuple[Any, ...]:
    """What a network gets: entries as numbers, without names and places."""
    return (
        _entries(policy.rules),
        sorted((cap.id, cap.default, _entries(cap.rules)) for cap in policy.capabilities),
        [(tag.id, tag.default) for tag in policy.tags],
    )


def _entries(rules: Iterable[Rule]) -> list[Entry]:
    read = read_entries(rule.json for rule in rules)
    # `not` and `or` mean nothing on an action.
    return [
        entry._replace(inverted=False, alternative=False, rule=0)
        if entry.kind.is_action
        else entry._replace(rule=0)
        for entry in read
    ]
