"""Rules as JSON: compiler output, a controller's network, Central's network, a rule list.

Contract: `load_json` tells the forms apart by content and is strict: what a controller
would silently drop, cut or misread is a RulesError with a JSON path and a place.
`read_json` gives the policy that a controller would make, with diagnostics instead.
`load` reads a file or standard input, rules text or JSON.
Tested by tests/lang/test_controller.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeGuard

from ztfast.errors import Diagnostic, RulesError, Severity, Source
from ztfast.lang.compiler import compile_source
from ztfast.lang.jsontext import Path, locate, parse_json, path_text
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

# Rules of a megabyte are absurd already; a device or a wrong file must not fill the memory.
MAX_BYTES = 128 << 20

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
    source = read_source(path)
    if is_json(source.text):
        return load_json(source.text, source.name, strict=strict)
    return compile_source(source)


def is_json(text: str) -> bool:
    """True where a text is read as JSON: its first character is `{` or `[`."""
    return text[:4096].lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def read_source(path: str | os.PathLike[str]) -> Source:
    """The text of a file (`-`: standard input) with its name; raises RulesError."""
    name = os.fspath(path)
    shown = "<stdin>" if name == "-" else name
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(name, "rb") as file:
                data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RulesError(
            Diagnostic("ZT051", f"cannot be read: {reason}", path=shown, help="check the path")
        ) from None
    if len(data) > MAX_BYTES:
        raise RulesError(
            Diagnostic("ZT044", f"more than {MAX_BYTES:,} bytes", path=shown, help="is it rules?")
        )
    return Source(shown, _decode(data, shown))


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RulesError(
            Diagnostic(
                "ZT050",
                f"not UTF-8: byte 0x{data[error.start]:02x}",
                path=name,
                offset=error.start,
                help="save the file as UTF-8; is it a rules file at all?",
            )
        ) from None


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
    text = _decode(data, name) if isinstance(data, bytes) else data
    source = Source(name, text.removeprefix("\ufeff"))
    value = parse_json(source)
    reader = _Reader(source)
    policy = reader.policy(value)
    return policy, tuple(reader.findings)


_FORMS = "expected compiler output, a controller's network, Central's network, or a rule list"
_DUMP = "give the object under `network` alone where rules are expected; --network takes both"


class _Reader:
    """One JSON text: its findings, each with path and place."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: list[Diagnostic] = []

    def policy(self, value: Json) -> Policy:
        """The policy of a parsed JSON text."""
        if isinstance(value, list):
            return Policy(self._rules(value, (), MAX_BASE_RULES), source=self.source)
        if not isinstance(value, dict):
            self._stop(f"a {_type_name(value)} where an object or a list is expected", ())
        base: Path = ()
        network: Mapping[str, Any] = value
        config = value.get("config")
        if isinstance(config, dict) and ("rules" in config or "rules" not in value):
            base, network = ("config",), config
        text = value.get("rulesSource", network.get("rulesSource"))
        if "rules" not in network:
            if not isinstance(text, str):
                if isinstance(value.get("network"), dict):
                    self._stop("a network with its members, not rules", (), _DUMP)
                self._stop("there are no rules in this JSON", base)
            return self._compiled(text)
        policy = self._from_lists(value, network, base)
        return policy if text is None else self._prefer_text(policy, text)

    def _from_lists(
        self, value: Mapping[str, Any], network: Mapping[str, Any], base: Path
    ) -> Policy:
        rules = self._rules(network["rules"], (*base, "rules"), MAX_BASE_RULES)
        capabilities = self._capabilities(network.get("capabilities"), (*base, "capabilities"))
        tags = self._tags(network.get("tags"), (*base, "tags"))
        capabilities = self._name_capabilities(capabilities, value.get("capabilitiesByName"))
        tags = self._name_tags(tags, value.get("tagsByName"))
        return Policy(rules, tuple(capabilities), tuple(tags), self.source)

    def _compiled(self, text: str) -> Policy:
        return compile_source(Source(f"{self.source.name}:rulesSource", text))

    def _prefer_text(self, policy: Policy, text: Any) -> Policy:
        """The compiled `rulesSource` where it says the same, since it has lines and names."""
        if not isinstance(text, str):
            self._add("ZT053", f"a {_type_name(text)} where a text is expected", ("rulesSource",))
            return policy
        try:
            compiled = self._compiled(text)
        except RulesError as error:
            first = error.diagnostics[0]
            self._add(
                "ZT059",
                f"rulesSource does not compile, so the rules are used: {first.message}",
                ("rulesSource",),
                Severity.WARNING,
                "deploy the text again, or drop it",
            )
            return policy
        if _meaning(compiled) == _meaning(policy):
            return compiled
        self._add(
            "ZT059",
            "rulesSource compiles to other rules than those beside it: the rules are used",
            ("rulesSource",),
            Severity.WARNING,
            "deploy the text again, or drop it",
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

    def _name_capabilities(self, found: list[Capability], names: Json) -> list[Capability]:
        if not isinstance(names, dict):
            self._not_a_map(names, "capabilitiesByName")
            return found
        by_id: dict[Any, str] = {}
        for name, number in names.items():
            if not _is_integer(number):
                self._wrong(number, "a capability's id", ("capabilitiesByName", name))
            elif by_id.setdefault(number, name) != name:
                self._second_name(name, number, "capabilitiesByName")
        ids = {capability.id for capability in found}
        for number in by_id.keys() - ids:
            self._no_owner("capability", number, ("capabilitiesByName", by_id[number]))
        return [Capability(item.id, item.default, item.rules, by_id.get(item.id)) for item in found]

    def _name_tags(self, found: list[Tag], names: Json) -> list[Tag]:
        if not isinstance(names, dict):
            self._not_a_map(names, "tagsByName")
            return found
        waiting: dict[int, list[tuple[str, Mapping[str, Json]]]] = {}
        for name, item in names.items():
            here: Path = ("tagsByName", name)
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
            enums = self._values(item.get("enums"), ("tagsByName", name, "enums"))
            flags = self._values(item.get("flags"), ("tagsByName", name, "flags"))
            named.append(Tag(tag.id, tag.default, enums, flags, name))
        for number, queue in waiting.items():
            for name, _ in queue:
                self._no_owner("tag", number, ("tagsByName", name))
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

    def _not_a_map(self, value: Any, key: str) -> None:
        if value is not None:
            self._wrong(value, "an object", (key,))

    def _second_name(self, name: str, number: int, key: str) -> None:
        self._add("ZT056", f"a second name for the id {number}", (key, name), Severity.WARNING)

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
        self._add("ZT053", message, path, help=help or _FORMS)
        raise RulesError(*self.findings)


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
